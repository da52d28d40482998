//! Responses as `curl -i` and `curl -iL` print them: status line, fields, an empty line, the body.

use super::Captured;

/// Fields of one response.
const MOST_FIELDS: usize = 1000;

/// Every response of the file; those that redirect to the next belong to it.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Captured>, String> {
    let mut rest = bytes;
    let mut found: Vec<Captured> = Vec::new();
    let mut hops: Vec<Captured> = Vec::new();
    loop {
        let number = found.len() + 1;
        let (mut response, after) = one(rest, bytes, number)?;
        let next = body_end(&response, after);
        let is_hop = matches!(response.status, 100..=199 | 301 | 302 | 303 | 307 | 308);
        if is_hop && next.is_some() {
            hops.push(response);
        } else {
            let end = next.unwrap_or(after.len());
            let announced = announced(&response) == Some(0);
            response.body = (end > 0 || announced).then(|| after[..end].to_vec());
            response.hops = std::mem::take(&mut hops);
            found.push(response);
        }
        match next {
            Some(end) => rest = after[end..].trim_ascii_start(),
            None => return Ok(found),
        }
    }
}

fn announced(response: &Captured) -> Option<usize> {
    let (_, value) = response
        .fields
        .iter()
        .find(|(name, _)| name == "content-length")?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// Where the body ends, when another response follows it.
fn body_end(response: &Captured, rest: &[u8]) -> Option<usize> {
    let is_next = |at: usize| {
        let next = rest.get(at..).unwrap_or_default().trim_ascii_start();
        next.starts_with(b"HTTP/") && status_line(line(next).0).is_some()
    };
    let length = announced(response).unwrap_or(0);
    [0, length].into_iter().find(|at| is_next(*at))
}

/// A line without its end, and what follows; a line without an end is the last.
fn line(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|b| *b == b'\n') {
        Some(at) => {
            let line = &bytes[..at];
            (
                line.strip_suffix(b"\r").unwrap_or(line),
                Some(&bytes[at + 1..]),
            )
        }
        None => (bytes, None),
    }
}

fn status_line(line: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(line).ok()?;
    let rest = text.strip_prefix("HTTP/")?;
    let code = rest.split_ascii_whitespace().nth(1)?;
    let status: u16 = code.parse().ok().filter(|_| code.len() == 3)?;
    (100..600).contains(&status).then_some(status)
}

fn one<'a>(rest: &'a [u8], whole: &[u8], number: usize) -> Result<(Captured, &'a [u8]), String> {
    let place = |rest: &[u8]| {
        let at = whole.len() - rest.len();
        whole[..at].split(|b| *b == b'\n').count()
    };
    let rest = rest.trim_ascii_start();
    let (first, mut after) = line(rest);
    let Some(status) = status_line(first) else {
        let shown: String = String::from_utf8_lossy(first).chars().take(60).collect();
        return Err(format!(
            "line {}, column 1: `{shown}` is no status line such as `HTTP/1.1 200 OK`",
            place(rest)
        ));
    };
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(here) = after {
        let (text, next) = line(here);
        after = next;
        if text.is_empty() {
            break;
        }
        if let (true, Some((_, value))) = (matches!(text[0], b' ' | b'\t'), fields.last_mut()) {
            // A folded line goes on (RFC 9112, section 5.2).
            value.push(b' ');
            value.extend_from_slice(text.trim_ascii());
            continue;
        }
        let Some(colon) = text.iter().position(|b| *b == b':').filter(|at| *at > 0) else {
            let shown: String = String::from_utf8_lossy(text).chars().take(60).collect();
            return Err(format!(
                "line {}, column 1: `{shown}` is no header field",
                place(here)
            ));
        };
        if fields.len() == MOST_FIELDS {
            return Err(format!(
                "line {}: more than {MOST_FIELDS} header fields",
                place(here)
            ));
        }
        let name = String::from_utf8_lossy(&text[..colon])
            .trim()
            .to_ascii_lowercase();
        fields.push((name, text[colon + 1..].trim_ascii().to_vec()));
    }
    let response = Captured {
        url: None,
        number,
        status,
        fields,
        body: None,
        hops: Vec::new(),
    };
    Ok((response, after.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_belong_to_what_they_lead_to() {
        let text = "HTTP/1.1 301 Moved\r\nSet-Cookie: a=1\r\nContent-Length: 5\r\n\r\nmovedHTTP/2 200 \r\nX: a\r\n b\r\nx: c\r\n\r\n<html>";
        let found = parse(text.as_bytes()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].hops.len(), 1);
        assert_eq!(
            found[0].fields,
            [("x".into(), b"a b".to_vec()), ("x".into(), b"c".to_vec())]
        );
        assert_eq!(found[0].body.as_deref(), Some(&b"<html>"[..]));
    }

    #[test]
    fn several_responses_and_none() {
        let two = "HTTP/1.1 200 OK\n\nHTTP/1.1 404 Not Found\nA: b\n\n";
        let found = parse(two.as_bytes()).unwrap();
        assert_eq!(
            found.iter().map(|r| r.status).collect::<Vec<_>>(),
            [200, 404]
        );
        assert!(found[0].body.is_none());
        for (broken, says) in [
            ("", "line 1"),
            ("hello", "no status line"),
            ("HTTP/1.1 2000 OK\n\n", "no status line"),
            ("HTTP/1.1 200 OK\nA: b\nbroken\n\n", "line 3, column 1"),
            ("HTTP/1.1 200 OK\n: b\n\n", "line 2"),
        ] {
            let error = parse(broken.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{broken}: {error}");
        }
    }
}
