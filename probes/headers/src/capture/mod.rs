//! Captured responses: what `curl -i` prints, and HAR. Nothing is contacted.

mod har;
mod raw;

use std::{borrow::Cow, fs::File, io::Read as _, path::Path};

use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use url::Url;

use crate::{
    config::HeadersConfig,
    facts::{self, Raw},
    record::{Answer, HeadersMeasurement, Kind, Page, Plain},
};

/// A larger file is no capture of pages.
const LARGEST_FILE: u64 = 64 << 20;
/// Responses of all files together.
const MOST_RESPONSES: usize = 500;
const PHASE: &str = "reading the capture";

/// One response of a file.
#[derive(Debug)]
struct Captured {
    /// Where it came from, if the file says so.
    url: Option<Url>,
    /// Place in the file, from 1.
    number: usize,
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
    /// Absent when the file holds none.
    body: Option<Vec<u8>>,
    /// The responses that redirected to this one.
    hops: Vec<Captured>,
}

/// Reads every file of the config.
pub(crate) async fn read(
    config: &HeadersConfig,
    cx: &Cx,
) -> Result<HeadersMeasurement, ProbeError> {
    let mut record = HeadersMeasurement {
        captured: true,
        ..HeadersMeasurement::default()
    };
    if config.http_url.as_deref() == Some("none") {
        record.plain = Some(Plain {
            url: "none".to_owned(),
            ..Plain::default()
        });
    }
    let base = base(config, cx)?;
    for file in config.from_file.iter() {
        cx.progress(file);
        let path = cx.resolve(file);
        let (shown, base, limit) = (file.to_owned(), base.clone(), config.max_body.0);
        let masking = cx.clone();
        let pages = cx
            .blocking(file, PHASE, move || {
                let failed =
                    |message: String| ProbeError::new(ErrorKind::BadData, &shown, PHASE, message);
                let bytes = load(&path)
                    .map_err(|(kind, message)| ProbeError::new(kind, &shown, PHASE, message))?;
                let captured = parse(&bytes, &base).map_err(failed)?;
                Ok(pages(captured, &shown, &base, limit, &masking))
            })
            .await?;
        record.pages.extend(pages);
        if record.pages.len() > MOST_RESPONSES {
            let message = format!("more than {MOST_RESPONSES} responses");
            return Err(ProbeError::new(ErrorKind::BadData, file, PHASE, message)
                .hint("capture fewer pages"));
        }
    }
    Ok(record)
}

fn base(config: &HeadersConfig, cx: &Cx) -> Result<Url, ProbeError> {
    let known = config
        .captured_url
        .as_deref()
        .or(cx.target().url.as_deref());
    // A capture without a URL is taken for one over HTTPS, which has the stricter rules.
    readygate_web::resolve(known.unwrap_or("https://captured.invalid/"), cx.target())
}

fn load(path: &Path) -> Result<Vec<u8>, (ErrorKind, String)> {
    let failed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => (ErrorKind::NoData, "the file does not exist".to_owned()),
        _ => (ErrorKind::BadData, e.to_string()),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err((
            ErrorKind::BadData,
            format!("longer than {} MiB", LARGEST_FILE >> 20),
        ));
    }
    Ok(bytes)
}

fn parse(bytes: &[u8], base: &Url) -> Result<Vec<Captured>, String> {
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let found = if start.starts_with(b"{") {
        har::parse(start, base)?
    } else {
        raw::parse(bytes)?
    };
    if found.is_empty() {
        return Err("there is no response in it".to_owned());
    }
    Ok(found)
}

/// What the declared kind would be, by what came.
fn kind(captured: &Captured) -> Kind {
    let value = captured
        .fields
        .iter()
        .rfind(|(name, _)| name == "content-type");
    let value = value.map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase());
    let media = value
        .as_deref()
        .and_then(|v| v.split(';').next())
        .unwrap_or("text/html")
        .trim();
    match captured.status {
        404 | 410 => Kind::NotFound,
        500..=599 => Kind::ServerError,
        _ if media.ends_with("json") => Kind::Api,
        _ if matches!(media, "text/html" | "application/xhtml+xml" | "") => Kind::Page,
        _ => Kind::Static,
    }
}

fn pages(captured: Vec<Captured>, file: &str, base: &Url, limit: u64, cx: &Cx) -> Vec<Page> {
    let alone = captured.len() == 1;
    let page = |response: Captured| {
        let url = response.url.clone().unwrap_or_else(|| base.clone());
        let kind = kind(&response);
        let place = match &response.url {
            Some(url) => format!("{file} {}", readygate_web::shown(url)),
            None if alone => file.to_owned(),
            None => format!("{file} response {}", response.number),
        };
        Page {
            declared: place,
            url: readygate_web::shown(&url),
            kind,
            answer: Some(recorded(&response, &url, kind, limit, &|text| {
                cx.mask(text)
            })),
            error: None,
        }
    };
    captured.into_iter().map(page).collect()
}

fn recorded(
    response: &Captured,
    url: &Url,
    kind: Kind,
    limit: u64,
    mask: &dyn Fn(&str) -> String,
) -> Answer {
    let (body, cut) = match &response.body {
        Some(bytes) => text(response, bytes, limit),
        None => (
            Err("the capture has no body; take it with `curl -i`, not `-I`".to_owned()),
            None,
        ),
    };
    let fields = response
        .fields
        .iter()
        .map(|(name, value)| (name.clone(), Cow::Borrowed(value.as_slice())));
    let raw = Raw {
        url,
        status: response.status,
        fields: fields.collect(),
        body,
        cut,
    };
    let mut answer = facts::answer(&raw, kind, mask);
    let hops = response.hops.iter();
    let mut cookies: Vec<_> = hops
        .flat_map(|hop| &hop.fields)
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| crate::parse::cookie::parse(value))
        .collect();
    cookies.append(&mut answer.cookies);
    answer.cookies = cookies;
    answer.redirects = response
        .hops
        .iter()
        .map(|hop| hop.status.to_string())
        .collect();
    if answer.is_redirect() {
        answer.leads_to = Some("a place that was not captured".to_owned());
    }
    answer
}

type Text<'a> = (Result<Cow<'a, str>, String>, Option<String>);

/// The text of a captured body. `curl --compressed` leaves the header and takes the encoding off.
fn text<'a>(response: &Captured, bytes: &'a [u8], limit: u64) -> Text<'a> {
    let encoding = response
        .fields
        .iter()
        .find(|(name, _)| name == "content-encoding");
    let too_long = || format!("the document is longer than {limit} bytes (`max_body`)");
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let headers: HeaderMap = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))]
            .into_iter()
            .collect();
        return match readygate_web::unzip(&headers, bytes, limit) {
            Ok(body) => {
                let text = String::from_utf8_lossy(&body.bytes).into_owned();
                (Ok(Cow::Owned(text)), body.truncated.then(too_long))
            }
            Err(error) => (
                Err(format!("the captured body is broken gzip: {error}")),
                None,
            ),
        };
    }
    if encoding.is_some() && std::str::from_utf8(bytes).is_err() {
        return (
            Err("the captured body is compressed; take it with `curl -i --compressed`".to_owned()),
            None,
        );
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let cut = (bytes.len() > most).then(too_long);
    (
        Ok(String::from_utf8_lossy(&bytes[..bytes.len().min(most)])),
        cut,
    )
}

/// The answer that a captured response is, as if `url` had sent it; for tests and fuzzing.
///
/// # Errors
/// What is wrong with the text, with its line.
pub fn answer_of(bytes: &[u8], url: &Url) -> Result<Answer, String> {
    let captured = raw::parse(bytes)?;
    let Some(last) = captured.last() else {
        return Err("there is no response in it".to_owned());
    };
    Ok(recorded(last, url, kind(last), 16 << 20, &|text| {
        text.to_owned()
    }))
}
