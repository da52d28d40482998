//! `cargo xtask bench tls`: the `tls` probe beside sslyze and testssl.sh, on the same servers.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::release_build;
use crate::{
    Done,
    exec::{must, quietly},
    workspace,
};

/// A peer that takes longer is cut off: some wait for minutes where nothing answers.
const CUT: &str = "60";
const FINDINGS: &str = "testssl.json";
const SSLYZE: &str = "sslyze==6.3.1";
/// One fault for each server, so the rest is pinned.
const GOOD: &str = "-cipher ECDHE+AESGCM:ECDHE+CHACHA20 -curves X25519:P-256:P-384";

/// A server: its name, its certificate, and the options of `s_server`.
const SERVERS: [(&str, &str, &str); 14] = [
    ("in order", "good", GOOD),
    ("expired", "expired", GOOD),
    ("expires tomorrow", "tomorrow", GOOD),
    ("another name", "other", GOOD),
    ("self-signed", "self", GOOD),
    ("must-staple, no staple", "staple", GOOD),
    (
        "RSA with 1024 bits",
        "short",
        "-cipher ECDHE+AESGCM:@SECLEVEL=0 -curves X25519",
    ),
    (
        "signed with SHA-1",
        "sha1",
        "-cipher ECDHE+AESGCM:@SECLEVEL=0 -curves X25519",
    ),
    (
        "TLS 1.0 to 1.3",
        "good",
        "-min_protocol TLSv1 -cipher ECDHE+AESGCM:ECDHE+AES:@SECLEVEL=0",
    ),
    (
        "NULL beside AEAD",
        "good",
        "-cipher ECDHE+AESGCM:eNULL:@SECLEVEL=0",
    ),
    (
        "DH with 1024 bits",
        "good",
        "-dhparam dh.pem -cipher ECDHE+AESGCM:DHE+AESGCM:@SECLEVEL=0",
    ),
    (
        "RSA key exchange only",
        "good",
        "-tls1_2 -cipher kRSA+AESGCM",
    ),
    ("plain HTTP", "", "http"),
    ("says nothing", "", "hang"),
];

/// The 1024-bit group 2 of RFC 2409, as `openssl dhparam` would write it.
const DH1024: &str = "-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
";

/// Prints the table of `docs/benchmarks.md`.
pub fn main() -> Done {
    crate::setup::need_program("openssl", "openssl")?;
    crate::setup::need_program("testssl", "testssl.sh")?;
    crate::setup::need_program("hexdump", "bsdextrautils")?;
    let readygate = release_build()?;
    let folder = workspace::root().join("target/bench/tls");
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let sslyze = sslyze()?;
    certificates(&folder)?;
    println!("| server | readygate | s | sslyze | s | testssl.sh | s |");
    println!("|---|---|---|---|---|---|---|");
    let mut sums = [0.0; 3];
    for (name, certificate, options) in SERVERS {
        let (_server, port) = start(&folder, certificate, options)?;
        let tools = [
            ours(&readygate, &folder, port)?,
            theirs(&sslyze, &folder, port),
            testssl(&folder, port),
        ];
        let mut cells = Vec::new();
        for (sum, (index, mut tool)) in sums.iter_mut().zip(tools.into_iter().enumerate()) {
            let (code, seconds) = timed(&mut tool)?;
            *sum += seconds;
            let verdict = match index {
                2 if code != Some(124) => findings(&folder),
                _ => verdict(index == 0, code),
            };
            cells.push(format!("{verdict} | {seconds:.2}"));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    let [own, sslyze, testssl] = sums;
    println!("| all | | {own:.2} | | {sslyze:.2} | | {testssl:.2} |");
    Ok(true)
}

fn verdict(own: bool, code: Option<i32>) -> String {
    match code {
        Some(0) => "ok".to_owned(),
        Some(3) if own => "could not tell".to_owned(),
        Some(124) if !own => "cut off".to_owned(),
        Some(code) => format!("fails ({code})"),
        None => "killed".to_owned(),
    }
}

fn timed(command: &mut Command) -> Result<(Option<i32>, f64), String> {
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    let begun = Instant::now();
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = silent.status().map_err(|e| e.to_string())?;
    Ok((status.code(), begun.elapsed().as_secs_f64()))
}

fn ours(program: &Path, folder: &Path, port: u16) -> Result<Command, String> {
    let with = format!(
        "{{endpoints: 'edge.test:{port}', resolve: {{edge.test: [127.0.0.1]}}, ca: root.pem, profile: intermediate}}\n"
    );
    workspace::write(&folder.join("with.yaml"), &with)?;
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(["probe", "tls", "--with=with.yaml"]);
    Ok(command)
}

fn theirs(python: &Path, folder: &Path, port: u16) -> Command {
    let mut command = Command::new("timeout");
    command
        .current_dir(folder)
        .arg(CUT)
        .arg(python)
        .args([
            "-m",
            "sslyze",
            "--certinfo_ca_file",
            "root.pem",
            "--mozilla_config",
            "intermediate",
        ])
        .arg(format!("edge.test:{port}{{127.0.0.1}}"));
    command
}

fn testssl(folder: &Path, port: u16) -> Command {
    let _ = fs::remove_file(folder.join(FINDINGS));
    let mut command = Command::new("timeout");
    command
        .current_dir(folder)
        .args([
            CUT,
            "testssl",
            "--quiet",
            "--warnings",
            "batch",
            "--color",
            "0",
        ])
        .args(["--add-ca", "root.pem", "--ip", "127.0.0.1", "-p", "-S"])
        .args(["--jsonfile", FINDINGS])
        .arg(format!("edge.test:{port}"));
    command
}

/// What testssl.sh calls grave. Its exit code counts what it could not do, and is no verdict.
fn findings(folder: &Path) -> String {
    let Ok(text) = fs::read_to_string(folder.join(FINDINGS)) else {
        return "no findings written".to_owned();
    };
    let grave = ["HIGH", "CRITICAL", "FATAL"].map(|word| format!("\"{word}\""));
    let mut ids = Vec::new();
    let mut id = "";
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once(':') else {
            continue;
        };
        let value = value.trim().trim_end_matches(',');
        match key.trim().trim_matches('"') {
            "id" => id = value.trim_matches('"'),
            "severity" if grave.iter().any(|word| word == value) => ids.push(id),
            _ => {}
        }
    }
    match ids.as_slice() {
        [] => "ok".to_owned(),
        ids => format!("fails ({})", ids.join(", ")),
    }
}

/// Into a virtual environment of its own, once.
fn sslyze() -> Result<PathBuf, String> {
    let home = workspace::root().join("target/sslyze");
    let python = home.join("bin/python3");
    if !quietly(Command::new(&python).args(["-m", "sslyze", "--help"])) {
        must(
            "python3 -m venv",
            Command::new("python3").args(["-m", "venv"]).arg(&home),
        )?;
        let mut install = Command::new(&python);
        must(
            "pip install",
            install.args(["-m", "pip", "install", "--quiet", SSLYZE]),
        )?;
    }
    Ok(python)
}

fn openssl(folder: &Path, args: &str) -> Result<(), String> {
    let mut command = Command::new("openssl");
    if quietly(command.current_dir(folder).args(args.split_whitespace())) {
        Ok(())
    } else {
        Err(format!("openssl {args} failed"))
    }
}

fn certificates(folder: &Path) -> Result<(), String> {
    let extensions = |name: &str, more: &str| {
        format!(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n\
             extendedKeyUsage=serverAuth\nsubjectAltName=DNS:{name}\nsubjectKeyIdentifier=hash\n\
             authorityKeyIdentifier=keyid\ncrlDistributionPoints=URI:http://crl.test/root.crl\n{more}"
        )
    };
    let root =
        "req -x509 -nodes -newkey rsa:2048 -days 300 -addext keyUsage=critical,keyCertSign,cRLSign";
    openssl(
        folder,
        &format!("{root} -subj /CN=Bench-Root -keyout root.key -out root.pem"),
    )?;
    workspace::write(&folder.join("dh.pem"), DH1024)?;
    workspace::write(&folder.join("own.ext"), &extensions("edge.test", ""))?;
    workspace::write(&folder.join("other.ext"), &extensions("other.test", ""))?;
    workspace::write(
        &folder.join("staple.ext"),
        &extensions("edge.test", "tlsfeature=status_request\n"),
    )?;
    for (name, bits, days, file, digest) in [
        ("good", 2048, 80, "own", "-sha256"),
        ("expired", 2048, -1, "own", "-sha256"),
        ("other", 2048, 80, "other", "-sha256"),
        ("staple", 2048, 80, "staple", "-sha256"),
        ("short", 1024, 80, "own", "-sha256"),
        ("sha1", 2048, 80, "own", "-sha1"),
    ] {
        openssl(
            folder,
            &format!(
                "req -new -nodes -newkey rsa:{bits} -subj /CN=edge.test -keyout {name}.key -out {name}.csr"
            ),
        )?;
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA root.pem -CAkey root.key -days {days} -extfile {file}.ext {digest} -out {name}.pem"
            ),
        )?;
    }
    last_day(folder)?;
    openssl(
        folder,
        "req -x509 -nodes -newkey rsa:2048 -days 80 -subj /CN=edge.test -addext subjectAltName=DNS:edge.test -keyout self.key -out self.pem",
    )
}

/// A certificate of 90 days that ends tomorrow. `openssl x509` dates all from now; `openssl ca` does not.
fn last_day(folder: &Path) -> Result<(), String> {
    let config = "[ca]\ndefault_ca = this\n[this]\ndatabase = ca.index\nnew_certs_dir = .\nrand_serial = yes\n\
                  default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";
    workspace::write(&folder.join("ca.conf"), config)?;
    workspace::write(&folder.join("ca.index"), "")?;
    openssl(
        folder,
        "req -new -nodes -newkey rsa:2048 -subj /CN=edge.test -keyout tomorrow.key -out tomorrow.csr",
    )?;
    let (start, end) = (date("89 days ago")?, date("1 day")?);
    openssl(
        folder,
        &format!(
            "ca -batch -notext -config ca.conf -cert root.pem -keyfile root.key -startdate {start} \
             -enddate {end} -extfile own.ext -in tomorrow.csr -out tomorrow.pem"
        ),
    )
}

/// A time in ASN.1's way, from the words that date(1) understands.
fn date(words: &str) -> Result<String, String> {
    let mut command = Command::new("date");
    command.args(["--utc", "--date", words, "+%Y%m%d%H%M%SZ"]);
    let output = command.output().map_err(|e| format!("date: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Ends with the value; the threads of the others end with the program.
struct Server(Option<Child>);

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn start(folder: &Path, certificate: &str, options: &str) -> Result<(Server, u16), String> {
    if certificate.is_empty() {
        return bare(options == "http").map_err(|e| e.to_string());
    }
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(["s_server", "-accept", "127.0.0.1:0", "-www"])
        .args([
            "-cert",
            &format!("{certificate}.pem"),
            "-key",
            &format!("{certificate}.key"),
        ])
        .args(options.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("openssl: {e}"))?;
    let out = child.stdout.take();
    let server = Server(Some(child));
    let mut lines = out
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
        .map_while(Result::ok);
    let port = lines.find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
    // Its chatter must go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    Ok((server, port.ok_or("s_server does not start")?))
}

/// A server without TLS: it answers HTTP, or nothing.
fn bare(http: bool) -> std::io::Result<(Server, u16)> {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            if http {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
            } else {
                held.push(stream);
            }
        }
    });
    Ok((Server(None), port))
}
