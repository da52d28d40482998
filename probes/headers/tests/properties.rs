//! The entry points of the fuzz targets, with bytes that look like what they parse.

use proptest::prelude::*;
use readygate_headers::entry;

/// Bytes, with the given words among them more often than chance would have it.
fn made_of(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(words).prop_map(|w| w.as_bytes().to_vec());
    let noise = prop::collection::vec(any::<u8>(), 0..6);
    let piece = prop_oneof![4 => word, 1 => noise];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const COOKIE: &[&str] = &[
    "sid",
    "=",
    ";",
    " ",
    "Secure",
    "HttpOnly",
    "SameSite",
    "Lax",
    "None",
    "Domain",
    ".a.b",
    "Path",
    "/",
    "__Host-",
    "Max-Age",
    "0",
    "-1",
    "eyJhbGciOi",
    ".",
    "\"",
    "\t",
    "\0",
];
const POLICY: &[&str] = &[
    "default-src",
    "script-src",
    "script-src-elem",
    "object-src",
    "base-uri",
    "frame-ancestors",
    "'self'",
    "'none'",
    "'unsafe-inline'",
    "'strict-dynamic'",
    "'nonce-abc'",
    "'sha256-",
    "https:",
    "data:",
    "*",
    ";",
    ",",
    " ",
    "\t",
    "'",
    "report-uri",
];
const HSTS: &[&str] = &[
    "max-age",
    "=",
    "31536000",
    "0",
    ";",
    " ",
    "\"",
    "\\",
    "includeSubDomains",
    "preload",
    ",",
    "abc",
    "-",
];
const HTML: &[&str] = &[
    "<",
    ">",
    "</",
    "script",
    "head",
    "body",
    "meta",
    "link",
    "style",
    "title",
    " ",
    "=",
    "\"",
    "'",
    "src",
    "href",
    "integrity",
    "rel",
    "stylesheet",
    "http-equiv",
    "content-security-policy",
    "content",
    "<!--",
    "-->",
    "--!>",
    "/",
    "&amp;",
    "\u{e9}",
];
const RESPONSE: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/2 301 \n",
    "Content-Type: text/html\r\n",
    "Content-Length: 3\r\n",
    "Content-Security-Policy: ",
    "default-src 'none'",
    "frame-ancestors *",
    "Set-Cookie: sid=1; Secure",
    "Strict-Transport-Security: max-age=",
    "31536000",
    "X-Frame-Options: DENY",
    "Permissions-Policy: camera=()",
    "Cross-Origin-Opener-Policy: same-origin",
    "Referrer-Policy: ",
    "no-referrer",
    "\r\n",
    "\n",
    ": ",
    "<script src=x>",
    " ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cookies(raw in made_of(COOKIE)) {
        entry::set_cookie(&raw);
    }

    #[test]
    fn policies(raw in made_of(POLICY)) {
        entry::policy(&raw);
    }

    #[test]
    fn transport(raw in made_of(HSTS)) {
        entry::transport(&raw);
    }

    #[test]
    fn documents(raw in made_of(HTML)) {
        entry::document(&raw);
    }

    #[test]
    fn responses(raw in made_of(RESPONSE)) {
        entry::response(&raw);
        let whole = [b"HTTP/1.1 200 OK\r\n", raw.as_slice()].concat();
        entry::response(&whole);
    }
}

/// What a parser does with a quarter of a megabyte of the same must not take minutes.
#[test]
fn long_inputs_take_linear_time() {
    for piece in [
        "<", "<!--", "<a b", "<a '", "</script", "<script>", "&amp;", "--",
    ] {
        entry::document(piece.repeat((1 << 18) / piece.len()).as_bytes());
    }
    for piece in [";", "a ", "a;", ",", "'"] {
        entry::policy(piece.repeat((1 << 16) / piece.len()).as_bytes());
        entry::transport(piece.repeat((1 << 16) / piece.len()).as_bytes());
        entry::set_cookie(piece.repeat((1 << 16) / piece.len()).as_bytes());
    }
}
