//! The few things of an HTML document that matter here: policies in `<meta>`, scripts and style
//! sheets. A tokenizer after the HTML standard (section 13.2.5), without a tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Scripts, style sheets and policies that are kept, of each.
const MOST_KEPT: usize = 500;
/// Attributes of one tag that are read.
const MOST_ATTRIBUTES: usize = 64;
/// Characters of an attribute that are kept.
const LONGEST: usize = 8 * 1024;

/// What a document says about its own safety.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Policies in `<meta http-equiv="Content-Security-Policy">`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub csp: Vec<Meta>,
    /// `<meta name="referrer">`, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrer: Vec<String>,
    /// Names of security headers that a `<meta>` tries to set, and no browser takes from there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub futile: Vec<String>,
    /// Scripts with a `src`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<Resource>,
    /// Scripts without one.
    #[serde(default)]
    pub inline_scripts: u64,
    /// Style sheets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<Resource>,
    /// `<base href>`, which relative URLs resolve against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Why the end of the document is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// A policy in the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// Its text.
    pub content: String,
    /// Whether it stands in the head; browsers ignore it elsewhere.
    pub in_head: bool,
}

/// Something that the document loads and runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its URL as written.
    pub url: String,
    /// The `integrity` attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// Whether a `crossorigin` attribute is there, without which another origin's bytes are not checked.
    #[serde(default)]
    pub crossorigin: bool,
}

/// Elements that may stand in a head; the first other one ends it.
const HEAD: [&str; 13] = [
    "html", "head", "meta", "link", "script", "style", "title", "base", "basefont", "bgsound",
    "noscript", "template", "noframes",
];
/// Elements whose content is text up to their end tag.
const RAW: [&str; 8] = [
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
];
/// Headers that security rests on, and that `http-equiv` does not know.
const FUTILE: [&str; 7] = [
    "referrer-policy",
    "strict-transport-security",
    "x-frame-options",
    "x-content-type-options",
    "permissions-policy",
    "content-security-policy-report-only",
    "cross-origin-opener-policy",
];

/// Reads a document.
pub fn read(html: &str) -> Document {
    let mut document = Document::default();
    let mut head = true;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = after_comment(comment);
        } else if let Some(end) = rest.strip_prefix('/') {
            if starts_with_name(end, "head") {
                head = false;
            }
            rest = end;
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (tag, after) = tag(rest);
            head &= HEAD.contains(&tag.name.as_str());
            note(&tag, head, &mut document);
            rest = after;
            if RAW.contains(&tag.name.as_str()) {
                rest = after_raw(rest, &tag.name);
            } else if tag.name == "plaintext" {
                break;
            }
        }
    }
    document
}

/// `>` and `->` end a comment at once; else `-->` or `--!>` do.
fn after_comment(text: &str) -> &str {
    for short in [">", "->"] {
        if let Some(after) = text.strip_prefix(short) {
            return after;
        }
    }
    let mut from = 0;
    while let Some(at) = text[from..].find("--") {
        let after = &text[from + at + 2..];
        if let Some(rest) = after.strip_prefix('>').or_else(|| after.strip_prefix("!>")) {
            return rest;
        }
        from += at + 1;
    }
    ""
}

fn starts_with_name(text: &str, name: &str) -> bool {
    let start = text.get(..name.len());
    start.is_some_and(|s| s.eq_ignore_ascii_case(name))
        && text[name.len()..].starts_with(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')
}

fn after_raw<'a>(text: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = text[from..].find("</") {
        let start = from + at;
        if starts_with_name(&text[start + 2..], name) {
            return &text[start..];
        }
        from = start + 2;
    }
    ""
}

/// A start tag: its name and attributes, in lower case.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn tag(text: &str) -> (Tag, &str) {
    let end = |c: char| c.is_ascii_whitespace() || c == '>' || c == '/';
    let at = text.find(end).unwrap_or(text.len());
    let mut tag = Tag {
        name: text[..at]
            .chars()
            .take(40)
            .collect::<String>()
            .to_ascii_lowercase(),
        attributes: Vec::new(),
    };
    let mut rest = &text[at..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (tag, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after);
        }
        let (name, value, after) = attribute(rest);
        // Of an attribute that comes twice the first counts.
        if tag.attributes.len() < MOST_ATTRIBUTES && tag.get(&name).is_none() {
            tag.attributes.push((name, value));
        }
        rest = after;
    }
}

fn attribute(text: &str) -> (String, String, &str) {
    let blank = |c: char| c.is_ascii_whitespace();
    // A first `=` belongs to the name.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = |c: char| blank(c) || matches!(c, '=' | '>' | '/');
    let at = text[first..].find(end).map_or(text.len(), |at| first + at);
    let name = text[..at]
        .chars()
        .take(100)
        .collect::<String>()
        .to_ascii_lowercase();
    let rest = text[at..].trim_start_matches(blank);
    let Some(rest) = rest.strip_prefix('=') else {
        return (name, String::new(), &text[at..]);
    };
    let rest = rest.trim_start_matches(blank);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (value, after) = match quote {
        Some(quote) => {
            let rest = &rest[1..];
            let at = rest.find(quote).unwrap_or(rest.len());
            (&rest[..at], rest.get(at + 1..).unwrap_or_default())
        }
        None => rest.split_at(
            rest.find(|c: char| blank(c) || c == '>')
                .unwrap_or(rest.len()),
        ),
    };
    (name, decoded(value), after)
}

/// The character references that URLs and policies need.
fn decoded(value: &str) -> String {
    let value: String = value.chars().take(LONGEST).collect();
    if !value.contains('&') {
        return value;
    }
    let pairs = [
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#x2F;", "/"),
        ("&#58;", ":"),
        ("&amp;", "&"),
    ];
    pairs
        .iter()
        .fold(value, |text, (from, to)| text.replace(from, to))
}

fn note(tag: &Tag, head: bool, document: &mut Document) {
    match tag.name.as_str() {
        "meta" => note_meta(tag, head, document),
        "base" if document.base.is_none() => document.base = tag.get("href").map(str::to_owned),
        "script" => match tag.get("src").map(str::trim) {
            Some(url) => keep(
                &mut document.scripts,
                resource(tag, url),
                &mut document.unread,
            ),
            None if is_script(tag.get("type")) => document.inline_scripts += 1,
            None => {}
        },
        "link" => {
            let words = tag.get("rel").unwrap_or_default();
            let sheet = words
                .split_ascii_whitespace()
                .any(|w| w.eq_ignore_ascii_case("stylesheet"));
            if let (true, Some(url)) = (sheet, tag.get("href").map(str::trim)) {
                keep(
                    &mut document.styles,
                    resource(tag, url),
                    &mut document.unread,
                );
            }
        }
        _ => {}
    }
}

/// Data blocks (`application/json`) are not run.
fn is_script(kind: Option<&str>) -> bool {
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    kind.is_empty()
        || kind == "module"
        || kind.contains("javascript")
        || kind.contains("ecmascript")
}

fn note_meta(tag: &Tag, head: bool, document: &mut Document) {
    let Some(content) = tag.get("content") else {
        return;
    };
    let equiv = tag
        .get("http-equiv")
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let name = tag.get("name").unwrap_or_default().trim();
    if equiv == "content-security-policy" {
        let meta = Meta {
            content: content.to_owned(),
            in_head: head,
        };
        keep(&mut document.csp, meta, &mut document.unread);
    } else if name.eq_ignore_ascii_case("referrer") {
        keep(
            &mut document.referrer,
            content.to_owned(),
            &mut document.unread,
        );
    } else if FUTILE.contains(&equiv.as_str()) && !document.futile.contains(&equiv) {
        document.futile.push(equiv);
    }
}

fn resource(tag: &Tag, url: &str) -> Resource {
    Resource {
        url: url.to_owned(),
        integrity: tag.get("integrity").map(str::to_owned),
        crossorigin: tag.get("crossorigin").is_some(),
    }
}

fn keep<T>(list: &mut Vec<T>, item: T, unread: &mut Option<String>) {
    if list.len() < MOST_KEPT {
        list.push(item);
    } else {
        let reason = format!("it loads or sets more than {MOST_KEPT} things of one kind");
        unread.get_or_insert(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_found() {
        let document = read(
            "<!doctype html><html><head><!-- <script src=no> --><title><script src=no></title>\
             <META HTTP-EQUIV=content-security-policy content=\"default-src &#39;self&#39;\">\
             <meta name=referrer content=no-referrer><meta http-equiv='X-Frame-Options' content=DENY>\
             <script>'<script src=no>'</script><script src = /a.js integrity='sha256-x' crossorigin></script>\
             <link rel='preload stylesheet' href=\"//b.example/c.css\"></head>\
             <body><meta http-equiv=content-security-policy content=\"img-src x\">\
             <script type=application/json>{}</script><script src=b.js></body>",
        );
        assert_eq!(document.csp.len(), 2);
        assert_eq!(document.csp[0].content, "default-src 'self'");
        assert!(document.csp[0].in_head && !document.csp[1].in_head);
        assert_eq!(document.referrer, ["no-referrer"]);
        assert_eq!(document.futile, ["x-frame-options"]);
        assert_eq!(document.inline_scripts, 1);
        let urls: Vec<_> = document.scripts.iter().map(|s| s.url.as_str()).collect();
        assert_eq!(urls, ["/a.js", "b.js"]);
        assert!(document.scripts[0].crossorigin && document.scripts[0].integrity.is_some());
        assert_eq!(document.styles[0].url, "//b.example/c.css");
    }

    #[test]
    fn broken_markup_ends() {
        for html in [
            "<",
            "<a",
            "<a b",
            "<a b=",
            "<a b='",
            "<a =x>",
            "<!--",
            "<!-->",
            "<script>",
            "</",
            "<script src=\u{e9}",
            "<a \u{e9}=\u{e9}>",
            "<meta content",
        ] {
            let _ = read(html);
        }
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let document = read(&"<script src=a></script>".repeat(MOST_KEPT + 1));
        assert_eq!(document.scripts.len(), MOST_KEPT);
        assert!(document.unread.is_some());
    }
}
