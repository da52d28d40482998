//! Which authorities are trusted: Mozilla's as bundled, the operating system's, those of a file.

use std::{path::Path, sync::Arc};

use readygate_sdk::{Cx, ErrorKind, ProbeError, count_of};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    config::{TlsConfig, Trust},
    x509::Anchors,
};

/// A file of authorities is larger only by mistake; Mozilla's whole store is 220 KiB.
const LARGEST_FILE: u64 = 4 << 20;
const PHASE: &str = "reading the trusted authorities";

/// The anchors, and how reports name them.
#[derive(Debug, Clone)]
pub(crate) struct Trusted {
    pub anchors: Arc<Anchors>,
    pub named: String,
}

/// Reads them.
pub(crate) async fn load(config: &TlsConfig, cx: &Cx) -> Result<Trusted, ProbeError> {
    let ca = config.ca.as_ref().map(|ca| (ca.clone(), cx.resolve(ca)));
    let trust = config.trust;
    let subject = config
        .ca
        .clone()
        .unwrap_or_else(|| "trust store".to_owned());
    cx.blocking(&subject, PHASE, move || {
        let mut anchors = Anchors::default();
        let mut named = Vec::new();
        match trust {
            Some(Trust::System) => named.push(system(&mut anchors)?),
            None if ca.is_some() => {}
            Some(Trust::Bundled) | None => {
                let roots = webpki_roots::TLS_SERVER_ROOTS;
                for root in roots {
                    anchors.add(root.clone());
                }
                named.push("Mozilla's authorities".to_owned());
            }
        }
        if let Some((shown, path)) = &ca {
            let count = file(path, &mut anchors).map_err(|message| {
                ProbeError::new(ErrorKind::BadData, shown, PHASE, message)
                    .hint("`ca` wants a PEM file with BEGIN CERTIFICATE blocks")
            })?;
            named.push(format!(
                "{} of {shown}",
                count_of(count, "authority", "authorities")
            ));
        }
        Ok(Trusted {
            anchors: Arc::new(anchors),
            named: named.join(" and "),
        })
    })
    .await
}

/// An empty store is no trust at all: saying "untrusted" of everything would cry wolf.
fn system(anchors: &mut Anchors) -> Result<String, ProbeError> {
    let found = rustls_native_certs::load_native_certs();
    for certificate in found.certs {
        // One certificate that cannot be read must not hide the others.
        let _ = add(&certificate, anchors);
    }
    if anchors.is_empty() {
        let why = found.errors.first().map(ToString::to_string);
        let why = why.unwrap_or_else(|| "it has no authority".to_owned());
        let error = ProbeError::new(ErrorKind::BadData, "the operating system", PHASE, why);
        return Err(error.hint("install `ca-certificates`, or leave `trust: system` out"));
    }
    Ok("the authorities of the operating system".to_owned())
}

fn file(path: &Path, anchors: &mut Anchors) -> Result<u64, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > LARGEST_FILE {
        return Err(format!("{size} bytes; at most {LARGEST_FILE} are read"));
    }
    let pem = std::fs::read(path).map_err(|e| e.to_string())?;
    let mut count = 0;
    for (index, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
        certificate
            .map_err(|e| e.to_string())
            .and_then(|der| add(&der, anchors))
            .map_err(|e| format!("certificate {}: {e}", index + 1))?;
        count += 1;
    }
    match count {
        0 => Err("no certificate in it".to_owned()),
        n => Ok(n),
    }
}

fn add(der: &CertificateDer<'_>, anchors: &mut Anchors) -> Result<(), String> {
    let anchor = webpki::anchor_from_trusted_cert(der).map_err(|e| e.to_string())?;
    anchors.add(anchor.to_owned());
    Ok(())
}
