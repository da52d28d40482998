//! Files in any encoding.

use super::bytes;

const XML: &str =
    "<testsuite name='ü'>\n<testcase name='é€'><failure message='ß'/></testcase></testsuite>";

#[track_caller]
fn check(raw: &[u8], encoding: &str) {
    let mut outcome = bytes(raw);
    assert_eq!(outcome.states(), [1, 0, 1, 0, 0]);
    assert_eq!(outcome.about().encoding, encoding);
    let failure = outcome.tally.failures().next().unwrap();
    assert_eq!(
        (failure.test.name.as_str(), failure.message.as_str()),
        ("é€", "ß")
    );
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let unit = |u: u16| {
        if big {
            u.to_be_bytes()
        } else {
            u.to_le_bytes()
        }
    };
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn byte_order_marks_and_declarations_are_obeyed() {
    check(XML.as_bytes(), "UTF-8");
    check(format!("\u{feff}{XML}").as_bytes(), "UTF-8");
    check(&utf16(&format!("\u{feff}{XML}"), false), "UTF-16LE");
    check(&utf16(&format!("\u{feff}{XML}"), true), "UTF-16BE");
    let declared = format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{XML}");
    check(&utf16(&declared, false), "UTF-16LE");
    check(&utf16(&declared, true), "UTF-16BE");
    let latin = format!("<?xml version='1.0' encoding = 'ISO-8859-15' ?>{XML}");
    let latin: Vec<u8> = latin
        .chars()
        .map(|c| {
            if c == '€' {
                0xa4
            } else {
                u8::try_from(u32::from(c)).unwrap()
            }
        })
        .collect();
    check(&latin, "ISO-8859-15");
}

#[test]
fn bytes_that_are_not_in_the_encoding_are_a_fault_at_their_place() {
    assert_eq!(
        bytes(b"<testsuite>\n\xc3\xa9\xff</testsuite>").fault(),
        "2:2: the bytes here are not UTF-8"
    );
    let mut cut = utf16("\u{feff}<testsuite/>", false);
    cut.pop();
    assert!(
        bytes(&cut)
            .fault()
            .contains("the bytes here are not UTF-16LE")
    );
}

#[test]
fn a_wrong_declaration_is_a_fault() {
    for (label, expected) in [
        (
            "UTF-16",
            "the encoding is declared as UTF-16, but the bytes are not",
        ),
        ("x-nonsense", "the encoding `x-nonsense` is unknown"),
    ] {
        let xml = format!("<?xml version=\"1.0\" encoding=\"{label}\"?><testsuite/>");
        assert_eq!(bytes(xml.as_bytes()).fault(), expected);
    }
    assert!(bytes(b"\xff\xfe\0\0<\0\0\0").fault().contains("UTF-32"));
}
