//! From a raw response to what is recorded of it.

use std::borrow::Cow;

use url::Url;

use crate::{
    leaks,
    parse::{cookie, html},
    record::{Answer, Field, Kind},
};

/// Bytes kept of one header field. Browsers refuse far shorter ones.
pub(crate) const MOST_VALUE: usize = 64 << 10;
/// Fields kept of one response; what is beyond them makes the record say so.
const MOST_FIELDS: usize = 300;

/// Headers that some rule looks at, besides those that tell software.
const JUDGED: [&str; 18] = [
    "cache-control",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "origin-agent-cluster",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-xss-protection",
    "clear-site-data",
];

/// A response as it came.
pub(crate) struct Raw<'a> {
    pub(crate) url: &'a Url,
    pub(crate) status: u16,
    /// Names in lower case, values as bytes, in order.
    pub(crate) fields: Vec<(String, Cow<'a, [u8]>)>,
    /// The text of the body, or why it is not known.
    pub(crate) body: Result<Cow<'a, str>, String>,
    /// Why the end of the body is not known.
    pub(crate) cut: Option<String>,
}

/// What is recorded of a response. `mask` takes secrets out before anything is cut.
pub(crate) fn answer(raw: &Raw<'_>, kind: Kind, mask: impl Fn(&str) -> String) -> Answer {
    let mut answer = Answer {
        url: readygate_web::shown(raw.url),
        status: raw.status,
        fields_total: raw.fields.len() as u64,
        ..Answer::default()
    };
    for (name, value) in &raw.fields {
        if name == "set-cookie" {
            if answer.cookies.len() < MOST_FIELDS {
                answer.cookies.push(cookie::parse(value));
            }
        } else if JUDGED.contains(&name.as_str()) || leaks::is_suspect(name) {
            answer
                .fields
                .push(field(name, value, answer.fields.len(), &mask));
        }
    }
    if is_document(&answer, kind) {
        answer.document = Some(document(raw, &mask));
    }
    answer
}

fn field(name: &str, value: &[u8], place: usize, mask: impl Fn(&str) -> String) -> Field {
    let fits = value.len() <= MOST_VALUE && place < MOST_FIELDS;
    let kept = if fits {
        value
    } else {
        &value[..value.len().min(1024)]
    };
    let text = if fits {
        mask(&String::from_utf8_lossy(kept))
    } else {
        // Half a secret would slip through a mask, so that nothing of a cut value is kept.
        String::new()
    };
    Field {
        name: name.to_owned(),
        value: text,
        cut_from: (!fits).then_some(value.len() as u64),
    }
}

/// HTML, or what a browser might take for it.
fn is_document(answer: &Answer, kind: Kind) -> bool {
    if answer.is_redirect() {
        return false;
    }
    match answer.media_type() {
        Some(kind) => matches!(kind.as_str(), "text/html" | "application/xhtml+xml"),
        None => !matches!(kind, Kind::Api | Kind::Static),
    }
}

fn document(raw: &Raw<'_>, mask: impl Fn(&str) -> String) -> html::Document {
    match &raw.body {
        Ok(text) => {
            let mut document = html::read(&mask(text));
            if let Some(reason) = &raw.cut {
                document.unread.get_or_insert_with(|| reason.clone());
            }
            document
        }
        Err(reason) => html::Document {
            unread: Some(reason.clone()),
            ..html::Document::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_and_says_so() {
        let url = Url::parse("https://a.example/").unwrap();
        let long = vec![b'x'; MOST_VALUE + 1];
        let raw = Raw {
            url: &url,
            status: 200,
            fields: vec![
                ("content-security-policy".to_owned(), Cow::Owned(long)),
                ("date".to_owned(), Cow::Borrowed(b"now")),
                ("set-cookie".to_owned(), Cow::Borrowed(b"a=hush")),
            ],
            body: Ok(Cow::Borrowed("<script src=x></script>")),
            cut: None,
        };
        let answer = answer(&raw, Kind::Page, str::to_owned);
        assert_eq!((answer.fields.len(), answer.fields_total), (1, 3));
        assert!(answer.is_cut("content-security-policy"));
        assert_eq!(answer.document.as_ref().unwrap().scripts.len(), 1);
        assert!(!format!("{answer:?}").contains("hush"));
    }
}
