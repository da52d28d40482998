//! What one measurement brings back: facts, bounded in size, without secrets.

use readygate_sdk::ProbeError;
use readygate_web::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The responses of one endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpMeasurement {
    /// The URL that was asked first, without credentials.
    pub url: String,
    /// Request method.
    pub method: String,
    /// The target's version, if the config compares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// The distinct answers; samples that were answered alike share one.
    pub answers: Vec<Answer>,
    /// Every request that was sent, in order.
    pub samples: Vec<Sample>,
}

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Index of its answer in `answers`; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<usize>,
    /// How long it took; absent if there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProbeError>,
}

/// Durations of one sample, in seconds with a resolution of a microsecond. The phases follow each
/// other without overlap; after a redirect they are those of the last request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Looking the name up; absent if there was nothing to look up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<f64>,
    /// Opening the TCP connection.
    pub connect: f64,
    /// The TLS handshake; absent over plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<f64>,
    /// From the open connection to the end of the response headers.
    pub first_byte: f64,
    /// From the response headers to the end of what was read of the body.
    pub body: f64,
    /// Everything, redirects included.
    pub total: f64,
}

/// One distinct answer: the facts of the first sample that got it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The URL that answered, after redirects, without credentials.
    pub url: String,
    /// Status code.
    pub status: u16,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub http_version: String,
    /// Address and port of the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// `TLS 1.2` or `TLS 1.3`; absent over plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// Response headers as they came, the first 64 of them; long values are cut, and of cookies
    /// only the length of the value is kept.
    pub headers: Vec<HeaderField>,
    /// All response headers, listed or not.
    pub headers_total: usize,
    /// Redirects on the way.
    pub redirects: Vec<Hop>,
    /// Why the last redirect was not followed, where the config allows to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// The response body.
    pub body: Body,
    /// What the config asks about.
    pub facts: Facts,
}

/// One response header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeaderField {
    /// Name, in lower case.
    pub name: String,
    /// Value; bytes that are no UTF-8 are replaced.
    pub value: String,
}

/// A redirect that was followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// The URL that redirected.
    pub url: String,
    /// Its status code.
    pub status: u16,
    /// Where it pointed to.
    pub location: String,
    /// Whether that left the origin that the credentials are meant for.
    pub elsewhere: bool,
    /// Seconds from the request to the response headers.
    pub seconds: f64,
}

/// The response body.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Body {
    /// Bytes that were read, after decompression; all there are unless `truncated`.
    pub bytes: u64,
    /// Bytes that came over the wire, before decompression.
    pub wire_bytes: u64,
    /// Whether reading stopped at the limit of the config.
    pub truncated: bool,
    /// A `Content-Encoding` that the probe cannot undo: what the body says is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_encoding: Option<String>,
    /// SHA-256 of the bytes, in hexadecimal; absent if truncated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Up to 2 KiB of text from the start; bytes that are no UTF-8 are replaced.
    pub excerpt: String,
    /// Why the body is not JSON, if it was asked for and is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_error: Option<String>,
}

impl Body {
    /// Why its text cannot be judged as a whole, if so.
    pub fn unknown(&self) -> Option<String> {
        if let Some(encoding) = &self.unread_encoding {
            return Some(format!(
                "the body is encoded as `{encoding}`, which this probe cannot undo"
            ));
        }
        self.truncated
            .then(|| format!("only the first {} bytes of the body were read", self.bytes))
    }
}

/// What the config asks about, as it was found; the same facts make the same answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The response headers asked for.
    pub headers: Vec<HeaderFact>,
    /// The JSON values asked for; empty if the body is not JSON or was not read to its end.
    pub json: Vec<JsonFact>,
    /// The texts asked for; empty if the body could not be read as text.
    pub texts: Vec<TextFact>,
    /// The version that the response names; absent if the config does not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionFact>,
}

/// Values of one response header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeaderFact {
    /// Name, in lower case.
    pub name: String,
    /// Every value, in order; empty if the header is missing.
    pub values: Vec<String>,
    /// Whether values were left out or cut.
    pub cut: bool,
}

/// The value at one JSON pointer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JsonFact {
    /// The pointer.
    pub pointer: String,
    /// What is there.
    pub found: Found,
}

/// What a JSON pointer points to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Nothing.
    Missing,
    /// This value.
    Value(Value),
    /// Something that is not null; the config asks no more.
    Present,
    /// A value of so many bytes, too many to keep.
    TooLong(usize),
}

/// Whether the body holds a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextFact {
    /// The text.
    pub text: String,
    /// Whether it is in the bytes that were read.
    pub present: bool,
}

/// The version that a response names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionFact {
    /// Where it was looked for.
    pub source: String,
    /// What was found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl HttpMeasurement {
    /// A record without any sample yet.
    pub(crate) fn new(url: String, method: String, target_version: Option<String>) -> Self {
        Self {
            url,
            method,
            target_version,
            answers: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Adds a sample that was answered.
    pub(crate) fn add(&mut self, mut answer: Answer, latency: Latency) {
        let known = self.answers.iter().position(|a| a.same_as(&answer));
        let index = known.unwrap_or_else(|| {
            if self.answers.len() >= EVIDENCE {
                answer.headers.clear();
                answer.body.excerpt.clear();
            }
            self.answers.push(answer);
            self.answers.len() - 1
        });
        self.samples.push(Sample {
            answer: Some(index),
            latency: Some(latency),
            error: None,
        });
    }

    /// Adds a sample that was not.
    pub(crate) fn add_failed(&mut self, error: ProbeError) {
        self.samples.push(Sample {
            answer: None,
            latency: None,
            error: Some(error),
        });
    }

    /// How many samples got the answer of this index.
    pub(crate) fn times(&self, index: usize) -> u64 {
        self.samples
            .iter()
            .filter(|s| s.answer == Some(index))
            .count() as u64
    }

    /// The answers of the samples that got one, in order.
    pub(crate) fn answered(&self) -> impl Iterator<Item = &Answer> {
        self.samples
            .iter()
            .filter_map(|sample| self.answers.get(sample.answer?))
    }

    /// Errors of the samples that got no answer.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &ProbeError> {
        self.samples.iter().filter_map(|s| s.error.as_ref())
    }
}

/// Answers that keep their headers and an excerpt; later ones keep the facts only.
const EVIDENCE: usize = 8;

impl Answer {
    /// Whether nothing that is judged tells them apart.
    fn same_as(&self, other: &Self) -> bool {
        self.status == other.status
            && self.url == other.url
            && self.stopped == other.stopped
            && self.redirects.len() == other.redirects.len()
            && self.body.truncated == other.body.truncated
            && self.body.unread_encoding == other.body.unread_encoding
            && self.body.json_error == other.body.json_error
            && self.facts == other.facts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_that_are_judged_otherwise_are_not_the_same() {
        let plain = json!({
            "url": "http://h/", "status": 302, "http_version": "HTTP/1.1", "headers": [],
            "headers_total": 0, "redirects": [],
            "body": {"bytes": 0, "wire_bytes": 0, "truncated": false, "excerpt": ""},
            "facts": {"headers": [], "json": [], "texts": []},
        });
        let read = |value: &Value| serde_json::from_value::<Answer>(value.clone()).unwrap();
        let mut other_evidence = plain.clone();
        other_evidence["body"]["excerpt"] = "12:01".into();
        other_evidence["headers_total"] = 3.into();
        assert!(read(&plain).same_as(&read(&other_evidence)));
        for (at, value) in [
            ("/url", json!("http://g/")),
            ("/status", json!(200)),
            ("/stopped", json!("loop")),
            ("/body/truncated", json!(true)),
            ("/body/unread_encoding", json!("br")),
            ("/body/json_error", json!("no")),
            ("/facts/texts", json!([{"text": "a", "present": true}])),
        ] {
            let mut other = plain.clone();
            let (parent, key) = at.rsplit_once('/').unwrap();
            other.pointer_mut(parent).unwrap()[key] = value;
            assert!(!read(&plain).same_as(&read(&other)), "{at}");
        }
    }
}
