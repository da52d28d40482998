//! Bytes of any encoding to text.

use encoding_rs::{Encoding, UTF_8};

use super::Fault;

/// Decodes by byte order mark, by XML declaration, or as UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, Fault> {
    let (encoding, skip) = match Encoding::for_bom(bytes) {
        Some(found) => found,
        None => match declared(bytes) {
            Some(label) => match Encoding::for_label_no_replacement(label.as_bytes()) {
                Some(encoding) => (encoding, 0),
                None => return Err(Fault::new(format!("the encoding `{label}` is unknown"))),
            },
            None => (UTF_8, 0),
        },
    };
    let body = &bytes[skip..];
    if encoding == UTF_8 {
        return match str::from_utf8(body) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => {
                let before = &body[..error.valid_up_to()];
                let line = 1 + before.split(|&b| b == b'\n').count() as u64 - 1;
                Err(Fault {
                    line: Some(line),
                    ..Fault::new("the bytes here are not UTF-8, and no other encoding is declared")
                })
            }
        };
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(body);
    text.map(std::borrow::Cow::into_owned)
        .ok_or_else(|| Fault::new(format!("the bytes are not {}", encoding.name())))
}

/// The encoding of an XML declaration.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = bytes.strip_prefix(b"<?xml")?;
    let head = &head[..head.len().min(512)];
    let end = head.windows(2).position(|w| w == b"?>")?;
    let text = str::from_utf8(&head[..end]).ok()?;
    let value = text.split_once("encoding")?.1.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn encodings_are_found() {
        assert_eq!(decode(b"\xef\xbb\xbf[]").unwrap(), "[]");
        assert_eq!(decode(b"\xff\xfe[\0]\0").unwrap(), "[]");
        assert_eq!(decode(b"\xfe\xff\0[\0]").unwrap(), "[]");
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a b=\"\xe4\"/>";
        assert!(decode(latin).unwrap().contains('\u{e4}'));
        assert_eq!(decode(b"a\nb\xff").unwrap_err().line, Some(2));
        assert!(decode(b"<?xml version='1.0' encoding='x-none'?>").is_err());
        assert!(decode(b"\xff\xfe[\0]").is_err());
    }
}
