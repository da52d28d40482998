//! What is not readable, and what is said about it.

use super::{bytes, suite, text};

/// A document, and how what is said about it starts.
const ILL_FORMED: &[(&str, &str)] = &[
    (
        "<testsuite><testcase>",
        "1:22: the file ends here while 2 elements are open",
    ),
    (
        "<testsuite>\n<testcase/>\n</testsuites>",
        "3:1: expected `</testsuite>`",
    ),
    ("<testsuite/></testsuite>", "1:13: close tag `</testsuite>`"),
    ("<testsuite/>\n<testsuite/>", "2:1: a second root element"),
    (
        "<?xml version=\"1.0\"?><testsuite/><?xml version=\"1.0\"?>",
        "1:34: an XML declaration",
    ),
    (
        "\n<?xml version=\"1.0\"?><testsuite/>",
        "2:1: an XML declaration",
    ),
    (
        "<?xml version='1.0' encodin='x'?><testsuite/>",
        "1:1: the XML declaration is broken",
    ),
    ("<testsuite/>tail", "1:13: text outside the root element"),
    ("<testsuite/>&lt;", "1:13: text outside the root element"),
    ("<testsuite/><![CDATA[]]>", "1:13: a CDATA section outside"),
    (
        "<testsuite name='<x>'/>",
        "1:18: a `<` inside an attribute value",
    ),
    ("<testsuite <x/>", "1:12: a `<` inside a tag"),
    (
        "<testsuite a='1' a='2'/>",
        "1:1: the attribute `a` stands twice",
    ),
    (
        "<testsuite a='1'b='2'/>",
        "1:1: two attributes without white space",
    ),
    (
        "<testsuite a=1/>",
        "1:1: an attribute is not written name=\"value\"",
    ),
    ("<testsuite a/>", "1:1: an attribute is not written"),
    (
        "<testsuite a='&nbsp;'/>",
        "1:1: the entity `&nbsp` is not defined",
    ),
    (
        "<testsuite>&nbsp;</testsuite>",
        "1:12: the entity `&nbsp` is not defined",
    ),
    (
        "<testsuite>a & b</testsuite>",
        "1:14: an `&` here starts no reference",
    ),
    (
        "<testsuite a='a & b'/>",
        "1:1: an `&` here starts no reference",
    ),
    (
        "<testsuite>&#27;</testsuite>",
        "1:12: `&#27;` is not a character",
    ),
    (
        "<testsuite>&#xD800;</testsuite>",
        "1:12: `&#xD800;` is not a character",
    ),
    (
        "<testsuite>&#+65;</testsuite>",
        "1:12: `&#+65;` is not a character",
    ),
    (
        "<testsuite>é\u{1b}[0m</testsuite>",
        "1:13: the control character U+001B",
    ),
    (
        "<testsuite>\0</testsuite>",
        "1:12: the control character U+0000",
    ),
    (
        "<testsuite>\u{fffe}</testsuite>",
        "1:12: the character U+FFFE",
    ),
    ("<testsuite>]]></testsuite>", "1:12: `]]>` in text"),
    (
        "<testsuite><![CDATA[x</testsuite>",
        "1:34: CDATA not closed",
    ),
    ("<testsuite><!-- x</testsuite>", "1:30: comment not closed"),
    (
        "<testsuite><!-- a -- b --></testsuite>",
        "1:21: `--` inside a comment",
    ),
    (
        "<testsuite><!ELEMENT a></testsuite>",
        "1:14: a `<!` here starts no comment",
    ),
    ("<testsuite><1/></testsuite>", "1:12: `1` is not a name"),
    (
        "<testsuite>< testcase/></testsuite>",
        "1:12: `` is not a name",
    ),
    (
        "<testsuite x:a='1'/>",
        "1:1: the namespace prefix `x` is not declared",
    ),
    (
        "<testsuite><b xmlns:x='u'/><x:a/></testsuite>",
        "1:28: the namespace prefix `x`",
    ),
    (
        "<testsuite><!DOCTYPE a></testsuite>",
        "1:12: a DOCTYPE that does not stand before",
    ),
    ("<testsuite", "1:11: tag not closed"),
    ("<!-- nothing -->", "1:17: there is no element"),
    ("", "the file is empty (0 bytes)"),
    (
        " \n ",
        "this is no test report of a known format but white space",
    ),
    ("\u{feff}", "the file holds nothing but a byte order mark"),
];

#[test]
fn what_is_not_well_formed_is_a_fault_at_its_place() {
    for (xml, expected) in ILL_FORMED {
        let said = text(xml).fault();
        assert!(said.starts_with(expected), "{xml}: {said}");
    }
}

#[test]
fn what_stands_before_a_fault_is_still_told() {
    let outcome = text(
        "<testsuite><testcase/><testcase><error/></testcase><testcase><failure>x</failure>\
         <system-out><![CDATA[cut",
    );
    let counts = outcome.counts();
    assert!(outcome.read.is_err());
    assert_eq!((counts.passed, counts.failed, counts.errors), (1, 1, 1));
    // A case without a failure so far may have one in the part that is missing.
    let open = text("<testsuite><testcase><system-out>cut");
    assert_eq!((open.read.is_err(), open.counts().total), (true, 0));
}

#[test]
fn other_formats_are_named() {
    for (input, expected) in [
        ("<coverage/>", "a coverage report"),
        ("<!DOCTYPE html><html/>", "an HTML page"),
        ("<testcase/>", "XML with the root element `testcase`"),
        (
            "<testsuites xmlns='http://check.sourceforge.net/ns'/>",
            "a report of libcheck",
        ),
        ("{\"numFailedTests\": 0}", "JSON"),
        (" [1]", "JSON"),
        (
            "All tests passed\n",
            "text that starts with `All tests passed`",
        ),
        ("mode: set\na.go:1.1,2.2 1 1\n", "a coverage profile of Go"),
        ("%PDF-1.7", "a PDF"),
    ] {
        let said = text(input).fault();
        assert!(
            said.contains("no test report of a known format but") && said.contains(expected),
            "{said}"
        );
    }
    assert!(bytes(b"\x1f\x8b\x08\x00").fault().contains("gzip"));
    assert!(bytes(b"PK\x03\x04").fault().contains("ZIP"));
}

#[test]
fn entities_are_never_expanded() {
    let laughs = (1..30).fold(String::from("<!ENTITY e0 'ha'>"), |dtd, n| {
        let m = n - 1;
        dtd + &format!("<!ENTITY e{n} '&e{m};&e{m};&e{m};&e{m};'>")
    });
    let doctype = format!("<!DOCTYPE t [{laughs}<!ENTITY x SYSTEM 'file:///etc/passwd'>]>");
    let harmless = text(&format!(
        "{doctype}<testsuite name='&e29;'><testcase><system-out>&e29;&x;</system-out></testcase></testsuite>"
    ));
    assert_eq!(harmless.states(), [1, 1, 0, 0, 0]);
    assert_eq!(harmless.about().unexpanded, 0);
    let hidden = text(&format!(
        "{doctype}<testsuite><testcase>&x;</testcase>&e0;</testsuite>"
    ));
    assert_eq!(hidden.about().unexpanded, 2);
}

#[test]
fn a_doctype_ends_where_it_ends() {
    for doctype in [
        "<!DOCTYPE t>",
        "<!DOCTYPE t SYSTEM '>'>",
        "<!DOCTYPE t [ <!-- it's > ]> --> <!ENTITY a \"]>\"> ]>",
        "<!DOCTYPE t PUBLIC \"-//x\" \"http://x/x.dtd\" [<?pi ?>]>",
    ] {
        let outcome = text(&format!(
            "{doctype}<testsuite><testcase><failure/></testcase></testsuite>"
        ));
        assert_eq!(outcome.states(), [1, 0, 1, 0, 0], "{doctype}");
    }
}

#[test]
fn references_and_white_space_in_attributes_are_resolved() {
    let mut outcome =
        suite("<testcase name='a&amp;&#x42;\r\n\tc&#10;d'><failure message='m'/></testcase>");
    let failure = outcome.tally.failures().next().unwrap();
    assert_eq!(failure.test.name, "a&B  c\nd");
}

#[test]
fn reading_stops_when_it_is_told_to() {
    let mut tally =
        crate::tally::Tally::new("r.xml", crate::config::Retries::Separate, &super::plain);
    let fault = crate::reader::read("<testsuite/>".as_bytes(), &|| true, &mut tally).unwrap_err();
    assert!(fault.reason.contains("the time was over"), "{fault}");
}

#[test]
fn an_error_of_the_file_system_is_a_fault() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let outcome = super::from(Broken, crate::config::Retries::Separate);
    assert!(outcome.fault().contains("the disk is gone"));
}
