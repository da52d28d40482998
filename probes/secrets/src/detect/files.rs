//! Files that exist to hold credentials, each with its own form.

use super::Hit;
use crate::measurement::Confidence;

/// The rule of these files.
pub(crate) const STORED: &str = "credential-file";

/// Ends of file names, in lower case, under which passwords are stored.
const NAMES: &[&str] = &[
    ".netrc",
    "_netrc",
    ".pgpass",
    "pgpass.conf",
    ".esmtprc",
    ".msmtprc",
    ".fetchmailrc",
    ".my.cnf",
    ".mylogin.cnf",
    ".s3cfg",
    ".boto",
    ".credentials",
    ".ftpconfig",
    "sftp-config.json",
    "sftp.json",
    ".remote-sync.json",
    "deployment-config.json",
    "filezilla.xml",
    "recentservers.xml",
    "sitemanager.xml",
    "webservers.xml",
    "robomongo.json",
    "data-sources.xml",
    "logins.json",
    ".dockercfg",
    "wp-config.php",
    ".git-credentials",
    ".htpasswd",
    "master.key",
    ".smbcredentials",
    ".ldaprc",
    "connections.xml",
    ".npmrc",
    ".pypirc",
    ".gem/credentials",
    "settings-security.xml",
    "tomcat-users.xml",
    "krb5.keytab",
];

/// Whether a file of that name (in lower case) exists to hold credentials.
pub(crate) fn holds_credentials(name: &str) -> bool {
    NAMES.iter().any(|end| name.ends_with(end))
}

/// Looks at a file whose lines have a form of their own.
pub(crate) fn look(path: &str, text: &[u8], out: &mut Vec<Hit>) {
    let path = path.to_ascii_lowercase();
    let ends = |end: &str| path.ends_with(end);
    let line: fn(&[u8]) -> Option<(usize, usize)> = if ends(".pgpass") || ends("pgpass.conf") {
        pgpass
    } else if ends(".netrc") || ends("_netrc") {
        netrc
    } else if ends(".htpasswd") {
        htpasswd
    } else if ends(".git-credentials") {
        git_credentials
    } else if ends("master.key") || ends(".secret") || ends("secret.key") || ends("secret_key") {
        key_file
    } else {
        return;
    };
    let mut at = 0;
    for content in text.split(|b| *b == b'\n') {
        if !content.starts_with(b"#")
            && let Some((start, end)) = line(content)
            && end > start
        {
            out.push(Hit {
                rule: STORED,
                name: "Credential in a file for credentials",
                start: at + start,
                end: at + end,
                shown: 0,
                confidence: Confidence::Likely,
            });
        }
        at += content.len() + 1;
    }
}

fn trimmed(line: &[u8]) -> usize {
    line.trim_ascii_end().len()
}

/// `host:port:database:user:password`.
fn pgpass(line: &[u8]) -> Option<(usize, usize)> {
    let colons: Vec<usize> = memchr::memchr_iter(b':', line).take(4).collect();
    (colons.len() == 4).then(|| (colons[3] + 1, trimmed(line)))
}

/// `password X`, alone or behind `machine` and `login`.
fn netrc(line: &[u8]) -> Option<(usize, usize)> {
    let word = memchr::memmem::find(line, b"password ")?;
    let start = word + b"password ".len();
    let end = line[start..]
        .iter()
        .position(u8::is_ascii_whitespace)
        .map_or(line.len(), |at| start + at);
    Some((start, end))
}

/// `user:hash`.
fn htpasswd(line: &[u8]) -> Option<(usize, usize)> {
    let colon = memchr::memchr(b':', line)?;
    let end = trimmed(line);
    (end > colon + 8 && !line.contains(&b' ')).then_some((colon + 1, end))
}

/// `https://user:password@host`, where user and password may hold what a URL may not.
fn git_credentials(line: &[u8]) -> Option<(usize, usize)> {
    let scheme = memchr::memmem::find(line, b"://")? + 3;
    let at = memchr::memrchr(b'@', line).filter(|at| *at > scheme)?;
    let colon = scheme + memchr::memchr(b':', &line[scheme..at])?;
    Some((colon + 1, at))
}

/// A lone key: nothing but one long word.
fn key_file(line: &[u8]) -> Option<(usize, usize)> {
    let end = trimmed(line);
    let lone = end >= 16 && line[..end].iter().all(u8::is_ascii_graphic);
    (lone && super::value::is_random(&line[..end])).then_some((0, end))
}

/// A store of private keys, by its first bytes: PKCS #12, Java, KeePass.
pub(crate) fn key_store(path: &str, head: &[u8]) -> Option<Hit> {
    let path = path.to_ascii_lowercase();
    let pkcs12 = head.len() > 200
        && head.starts_with(&[0x30, 0x82])
        && head[4..].starts_with(&[2, 1, 3])
        && memchr::memmem::find(&head[..64], &PKCS7_DATA).is_some()
        && [".p12", ".pfx", ".pkcs12", ".keystore"]
            .iter()
            .any(|end| path.ends_with(end));
    let java =
        head.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || head.starts_with(&[0xce, 0xce, 0xce, 0xce]);
    let keepass = head.starts_with(&[0x03, 0xd9, 0xa2, 0x9a]);
    (pkcs12 || java || keepass).then_some(Hit {
        rule: KEY_STORE,
        name: "Store of private keys",
        start: 0,
        end: head.len().min(4_096),
        shown: 0,
        confidence: Confidence::Likely,
    })
}

/// The rule of key stores.
pub(crate) const KEY_STORE: &str = "key-store";
/// 1.2.840.113549.1.7.1 in DER: what a PKCS #12 file holds.
const PKCS7_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
