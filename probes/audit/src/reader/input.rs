//! Bytes to JSON documents: one, or several in a row (JSON lines).

use serde_json::{Deserializer, Value};

use super::Fault;

/// Most documents in one report.
const MOST: usize = 2_000_000;
/// Lines of chatter that may stand before the JSON.
const CHATTER: usize = 50;

/// All documents of a report.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, Fault> {
    let decoded = decode(bytes)?;
    let content = decoded.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    if content.is_empty() {
        return Err(Fault::hinted(
            "it is empty; an auditor that fails often writes nothing",
            "run the auditor by hand and read what it prints on stderr",
        ));
    }
    let start = beginning(content).ok_or_else(|| {
        Fault::hinted(
            format!("it is not JSON; it begins with `{}`", first_words(content)),
            "let the auditor write JSON: npm audit --json, pip-audit -f json, cargo audit --json, ...",
        )
    })?;
    let skipped = content[..start].matches('\n').count() as u64;
    let mut documents = Vec::new();
    for document in Deserializer::from_str(&content[start..]).into_iter::<Value>() {
        let document = document.map_err(|e| Fault::Unreadable {
            reason: if e.is_eof() {
                "it breaks off in the middle; was the auditor killed?".to_owned()
            } else {
                format!("it is not well-formed JSON: {e}")
            },
            line: Some(e.line() as u64 + skipped),
            column: Some(e.column() as u64),
            hint: None,
        })?;
        documents.push(document);
        if documents.len() > MOST {
            return Err(Fault::new(format!("it holds more than {MOST} documents")));
        }
    }
    Ok(documents)
}

/// UTF-8 or, with a byte order mark, UTF-16: PowerShell's `>` writes the latter.
fn decode(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, Fault> {
    let encoding =
        encoding_rs::Encoding::for_bom(bytes).map_or(encoding_rs::UTF_8, |(found, _)| found);
    let (text, _, broken) = encoding.decode(bytes);
    if broken {
        return Err(Fault::new(format!("it is not valid {}", encoding.name())));
    }
    Ok(text)
}

/// Where the JSON begins: at the start, or after some lines of chatter.
fn beginning(content: &str) -> Option<usize> {
    if content.starts_with('{') || content.starts_with('[') && plausible_list(content) {
        return Some(0);
    }
    let mut at = 0;
    for line in content.split_inclusive('\n').take(CHATTER) {
        let json =
            line.starts_with('{') || (line.starts_with('[') && plausible_list(&content[at..]));
        if json {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// `[` of JSON, and not of `[warn] ...`.
fn plausible_list(content: &str) -> bool {
    content[1..].trim_start().starts_with(['{', '[', ']', '"'])
}

fn first_words(content: &str) -> String {
    crate::text::clip(content.lines().next().unwrap_or_default(), 80)
}

/// What was read, for the message that it is unknown.
pub(super) fn shape(documents: &[Value]) -> String {
    match documents {
        [Value::Object(map)] if map.is_empty() => "an empty object".to_owned(),
        [Value::Object(map)] => {
            let keys: Vec<String> = map
                .keys()
                .take(8)
                .map(|key| format!("`{}`", crate::text::clip(key, 40)))
                .collect();
            keys.join(", ")
        }
        [Value::Array(list)] => format!("a list of {}", list.len()),
        [_] => "a bare value".to_owned(),
        many => format!("{} documents", many.len()),
    }
}
