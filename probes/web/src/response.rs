//! What came back.

use std::net::SocketAddr;

use http::{HeaderMap, StatusCode, Version};
use url::Url;

use crate::Body;

/// One response, as it came: nothing in it is masked.
#[derive(Debug, Clone)]
pub struct Response {
    /// The URL that was asked.
    pub url: Url,
    /// Status code.
    pub status: StatusCode,
    /// Version of HTTP.
    pub version: Version,
    /// The response headers, values as raw bytes; of a header that came more than once, every value in
    /// its order. See [`Response::fields`].
    pub headers: HeaderMap,
    /// The body, decompressed, up to [`crate::Settings::max_body`].
    pub body: Body,
    /// Address and port of the peer.
    pub remote: Option<SocketAddr>,
    /// `TLS 1.2` or `TLS 1.3`; absent over plain HTTP.
    pub tls: Option<&'static str>,
    /// How long it took.
    pub timings: Timings,
}

/// Durations in seconds with a resolution of a microsecond; the phases follow each other without
/// overlap.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timings {
    /// Looking the name up; absent if there was nothing to look up.
    pub dns: Option<f64>,
    /// Opening the TCP connection.
    pub connect: f64,
    /// The TLS handshake; absent over plain HTTP.
    pub tls: Option<f64>,
    /// From the open connection to the end of the response headers.
    pub first_byte: f64,
    /// From the response headers to the end of what was read of the body.
    pub body: f64,
    /// Everything.
    pub total: f64,
}

impl Response {
    /// Every header field: name in lower case, value as raw bytes. Values of one name keep their order
    /// (RFC 9110, section 5.3); where fields of several names interleave, the first one of each counts.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let fields = self.headers.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// The raw bytes of every value of one header, in order.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.headers
            .get_all(name)
            .iter()
            .map(http::HeaderValue::as_bytes)
    }

    /// The values of one header as text, joined as a list (RFC 9110, section 5.3); bytes that are no
    /// UTF-8 are replaced. Not for `Set-Cookie`, which is no list.
    pub fn text(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.values(name).map(String::from_utf8_lossy).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}
