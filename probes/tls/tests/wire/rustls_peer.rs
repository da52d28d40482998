//! Good servers: rustls, in this process.

use std::{net::SocketAddr, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use readygate_tls::wire::{Contact, Family, Group, Identity, Known, Version};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey as Signer,
    version::{TLS12, TLS13},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{NAME, ask, families, groups, versions};

/// One certificate, with a staple, for one name.
#[derive(Debug)]
struct OneName(Arc<Signer>);

impl ResolvesServerCert for OneName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<Signer>> {
        (hello.server_name() == Some(NAME)).then(|| Arc::clone(&self.0))
    }
}

/// A server; and the leaf that it shows.
async fn serve(versions: &[&'static SupportedProtocolVersion]) -> (SocketAddr, Vec<u8>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec![NAME.to_owned()]).unwrap();
    let leaf = cert.der().to_vec();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let key = provider.key_provider.load_private_key(key).unwrap();
    let mut signer = Signer::new(vec![cert.der().clone()], key);
    signer.ocsp = Some(b"a staple".to_vec());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(OneName(Arc::new(signer))));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(acceptor.accept(stream));
        }
    });
    (address, leaf)
}

#[tokio::test]
async fn both_versions() {
    let (address, leaf) = serve(&[&TLS12, &TLS13]).await;
    let survey = ask(address).await;
    assert_eq!(survey.contact, Contact::Tls);
    assert_eq!(versions(&survey), [Version::Tls12, Version::Tls13]);
    assert_eq!(families(&survey), [Family::EcdheAead]);
    assert!(groups(&survey).contains(&Group::X25519_MLKEM768));
    assert!(groups(&survey).contains(&Group::X25519));
    assert!(!groups(&survey).contains(&Group::X448));
    let presented = survey.chain.value().unwrap();
    assert_eq!(presented.chain[0].0, leaf);
    assert_eq!(presented.staple.as_ref().unwrap().0, b"a staple");
    let value = Some("h2".to_owned());
    assert_eq!(survey.alpn, Known::Known { value });
    assert_eq!(survey.extended_master_secret, Known::Known { value: true });
    let refused = |k: &Known<Identity>| matches!(k.value(), Some(Identity::Alert { .. }));
    assert!(refused(&survey.without_name), "{:?}", survey.without_name);
    assert!(refused(&survey.wrong_name));
}

#[tokio::test]
async fn tls12_only() {
    let (address, _) = serve(&[&TLS12]).await;
    let survey = ask(address).await;
    assert_eq!(versions(&survey), [Version::Tls12]);
    assert_eq!(families(&survey), [Family::EcdheAead]);
    assert!(groups(&survey).contains(&Group::P256));
    assert!(!groups(&survey).contains(&Group::X25519_MLKEM768));
}

#[tokio::test]
async fn tls13_only() {
    let (address, _) = serve(&[&TLS13]).await;
    let survey = ask(address).await;
    assert_eq!(versions(&survey), [Version::Tls13]);
    assert_eq!(families(&survey), []);
    assert!(groups(&survey).contains(&Group::X25519_MLKEM768));
    assert!(matches!(survey.chain, Known::Moot { .. }));
}
