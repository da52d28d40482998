//! What rustls cannot serve: `openssl s_server`, and certificates that only `openssl x509` signs.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::{
    pki::Pki,
    server::{Guard, Server},
};

/// The 1024-bit group 2 of RFC 2409, as `openssl dhparam` would write it.
const DH1024: &str = "-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
";

/// What good servers are pinned to: one fault for each server.
pub const GOOD: &str = "-cipher ECDHE+AESGCM:ECDHE+CHACHA20 -curves X25519:P-256:P-384";

const EXTENSIONS: &str = "basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
subjectAltName=DNS:edge.test
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
";

fn openssl(directory: &Path) -> Command {
    let mut command = Command::new("openssl");
    command
        .current_dir(directory)
        .stdin(Stdio::piped()) // at its end s_server would leave
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(directory: &Path, args: &str) {
    let status = openssl(directory)
        .args(args.split_whitespace())
        .stdout(Stdio::null())
        .status()
        .await;
    assert!(
        status.is_ok_and(|status| status.success()),
        "openssl {args} failed; is it installed? (apt-get install openssl)"
    );
}

/// A leaf of the intermediate, in `NAME.pem` and `NAME.key`.
pub async fn issue(pki: &Pki, name: &str, key: &str, digest: &str) {
    let directory = pki.directory.path();
    std::fs::write(directory.join("leaf.ext"), EXTENSIONS).unwrap();
    std::fs::write(directory.join("dh.pem"), DH1024).unwrap();
    let request = format!(
        "req -new -nodes -newkey {key} -subj /CN=edge.test -keyout {name}.key -out {name}.csr"
    );
    run(directory, &request).await;
    let sign = format!(
        "x509 -req -in {name}.csr -CA int.pem -CAkey int.key -days 80 -extfile leaf.ext {digest} -out {name}.pem"
    );
    run(directory, &sign).await;
}

/// `s_server` with the certificate `name`.
pub async fn serve(pki: &Pki, name: &str, args: &str) -> Server {
    let mut command = openssl(pki.directory.path());
    command.args([
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-naccept",
        "1000",
        "-cert_chain",
        "int.pem",
    ]);
    command.args([
        "-cert",
        &format!("{name}.pem"),
        "-key",
        &format!("{name}.key"),
    ]);
    let mut child = command.args(args.split_whitespace()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(address) = line.strip_prefix("ACCEPT ") {
            let address = address.parse().unwrap();
            // Its chatter must go somewhere.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Server::new(address, Guard::Child(child));
        }
    }
    panic!("s_server does not start with {args}");
}

/// A self-signed RSA certificate with MD5, which is put beside the root as an authority of its own.
pub async fn md5(pki: &Pki) {
    let directory = pki.directory.path();
    let request =
        "req -new -nodes -newkey rsa:2048 -subj /CN=edge.test -keyout md5.key -out md5.csr";
    run(
        directory,
        "req -x509 -nodes -newkey rsa:2048 -subj /CN=Old -days 300 -keyout old.key -out old.pem",
    )
    .await;
    run(directory, request).await;
    run(
        directory,
        "x509 -req -in md5.csr -CA old.pem -CAkey old.key -days 80 -extfile leaf.ext -md5 -out md5.pem",
    )
    .await;
    let both = ["root.pem", "old.pem"].map(|f| std::fs::read_to_string(directory.join(f)).unwrap());
    std::fs::write(directory.join("root.pem"), both.concat()).unwrap();
}
