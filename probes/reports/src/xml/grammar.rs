//! The grammar of XML 1.0 where the parser is more lenient than the standard.

use quick_xml::events::BytesDecl;

use crate::Fault;
use crate::text::clip;

/// Most attributes of one element.
const MOST_ATTRIBUTES: usize = 256;
/// Longest name of an element or attribute, bytes.
const LONGEST_NAME: usize = 1_024;

/// The character of a predefined or numeric reference; `None` for another name.
pub(crate) fn resolve(name: &str) -> Result<Option<char>, Fault> {
    let Some(number) = name.strip_prefix('#') else {
        return Ok(match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        });
    };
    let (digits, radix) = number
        .strip_prefix('x')
        .map_or((number, 10), |hex| (hex, 16));
    let code = digits
        .chars()
        .all(|c| c.is_digit(radix))
        .then(|| u32::from_str_radix(digits, radix));
    code.and_then(Result::ok)
        .and_then(char::from_u32)
        .filter(|c| is_xml_char(*c))
        .map(Some)
        .ok_or_else(|| {
            let name = clip(name, 20);
            Fault::new(format!("`&{name};` is not a character that XML allows"))
        })
}

/// XML 1.0, production 2.
fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// What the guard does not look for: the two characters above U+001F that production 2 leaves out.
pub(crate) fn check_characters(text: &str) -> Result<(), Fault> {
    match text.chars().find(|c| !is_xml_char(*c)) {
        None => Ok(()),
        Some(c) => Err(Fault::new(format!(
            "the character U+{:04X} may not stand in XML",
            u32::from(c)
        ))),
    }
}

/// Splits what follows the name in a tag into names and raw values (XML 1.0, production 41).
pub(crate) fn pairs(raw: &str) -> Result<Vec<(&str, &str)>, Fault> {
    let space = [' ', '\t', '\n', '\r'];
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut rest = raw;
    loop {
        let next = rest.trim_start_matches(space);
        if next.is_empty() {
            return Ok(pairs);
        }
        if next.len() == rest.len() {
            return Err(Fault::new(
                "two attributes without white space between them",
            ));
        }
        let (name, value) = next.split_once('=').ok_or_else(broken)?;
        let (name, value) = (
            name.trim_end_matches(space),
            value.trim_start_matches(space),
        );
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or_else(broken)?;
        let (value, tail) = value[1..].split_once(quote).ok_or_else(broken)?;
        if pairs.iter().any(|(known, _)| *known == name) {
            let name = clip(name, 40);
            return Err(Fault::new(format!(
                "the attribute `{name}` stands twice in one tag"
            )));
        }
        if pairs.len() == MOST_ATTRIBUTES {
            return Err(Fault::new(format!(
                "an element has over {MOST_ATTRIBUTES} attributes"
            )));
        }
        pairs.push((name, value));
        rest = tail;
    }
}

fn broken() -> Fault {
    Fault::new("an attribute is not written name=\"value\"")
}

/// XML 1.0, production 23.
pub(crate) fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), Fault> {
    let text: &str = declaration;
    let wanted = ["version", "encoding", "standalone"];
    let pairs = pairs(text.strip_prefix("xml").unwrap_or_default())?;
    let mut order = wanted.iter();
    let in_order = pairs
        .iter()
        .all(|(name, _)| order.any(|wanted| wanted == name));
    let valid = pairs.iter().all(|(name, value)| match *name {
        "version" => value
            .strip_prefix("1.")
            .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())),
        "encoding" => {
            let goes_on = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            value.starts_with(|c: char| c.is_ascii_alphabetic()) && value.bytes().all(goes_on)
        }
        _ => matches!(*value, "yes" | "no"),
    });
    if in_order && valid && pairs.first().is_some_and(|(name, _)| *name == "version") {
        return Ok(());
    }
    Err(Fault::new("the XML declaration is broken")
        .hint("write <?xml version=\"1.0\" encoding=\"UTF-8\"?>"))
}

/// XML 1.0, production 5.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    if name.len() > LONGEST_NAME {
        return Err(Fault::new(format!(
            "a name is longer than {LONGEST_NAME} bytes"
        )));
    }
    if name.starts_with(starts_name) && name.chars().all(|c| starts_name(c) || continues_name(c)) {
        return Ok(());
    }
    Err(Fault::new(format!("`{}` is not a name", clip(name, 40)))
        .hint("a `<` or `&` in text is written &lt; or &amp;"))
}

fn starts_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z')
        || matches!(c, '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}')
        || matches!(c, '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}')
        || matches!(c, '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}')
        || matches!(c, '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn continues_name(c: char) -> bool {
    matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

pub(crate) fn lone_ampersand() -> Fault {
    Fault::new("an `&` here starts no reference").hint("an `&` in text is written &amp;")
}
