//! Memory that does not grow, and content that is left out without changing what counts.

use std::{
    fmt::Write as _,
    io::{BufReader, Read},
};

use readygate_reports::{Fault, Guard, KEEP, xml};

use super::{Outcome, from, text};
use crate::config::Retries;

/// Repeats a piece between a start and an end, without ever holding the whole.
struct Endless {
    parts: Vec<(Vec<u8>, u64)>,
    at: usize,
}

impl Endless {
    fn new(parts: &[(&str, u64)]) -> Self {
        let parts = parts
            .iter()
            .map(|(text, times)| (text.as_bytes().to_vec(), *times));
        Self {
            parts: parts.collect(),
            at: 0,
        }
    }
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let Some((piece, times)) = self.parts.iter_mut().find(|(_, times)| *times > 0) else {
            return Ok(0);
        };
        let n = (piece.len() - self.at).min(into.len());
        into[..n].copy_from_slice(&piece[self.at..self.at + n]);
        self.at += n;
        if self.at == piece.len() {
            self.at = 0;
            *times -= 1;
        }
        Ok(n)
    }
}

/// Peak memory of this process, bytes; nextest gives each test a process of its own.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

const LIMIT: u64 = 6 << 20;

/// Bytes of a large report and of a large node; without optimisation, reading is slow.
const LARGE: u64 = if cfg!(debug_assertions) {
    8 << 20
} else {
    50 << 20
};

#[track_caller]
fn within_limit(parts: &[(&str, u64)]) -> Outcome {
    let before = peak();
    let outcome = from(Endless::new(parts), Retries::Separate);
    let grown = peak() - before;
    println!("grew by {grown} bytes");
    assert!(grown < LIMIT, "grew by {grown} bytes");
    outcome
}

#[test]
#[cfg(target_os = "linux")]
fn a_huge_report_is_read_in_constant_memory() {
    let case = "<testcase classname='com.example.SomeTest' name='does something' time='0.01'>\
                <failure message='no'>stack</failure></testcase>\n";
    let times = LARGE / case.len() as u64;
    let outcome = within_limit(&[("<testsuite>", 1), (case, times), ("</testsuite>", 1)]);
    assert_eq!(outcome.states(), [times, 0, times, 0, 0]);
}

#[test]
#[cfg(target_os = "linux")]
fn one_huge_node_is_read_in_constant_memory() {
    let end = "<testcase><failure/></testcase></testsuite>";
    for (open, piece, close) in [
        ("<system-out><![CDATA[", "<b>]] ü", "]]></system-out>"),
        ("<system-out>", "text &lt; &#65; ü", "</system-out>"),
        ("<!--", "- a ü", "-->"),
        ("<?pi ", "a? ü", "?>"),
        ("<system-out a='", "text &lt; ü", "'/>"),
    ] {
        let times = LARGE / piece.len() as u64;
        let parts = [
            ("<testsuite>", 1),
            (open, 1),
            (piece, times),
            (close, 1),
            (end, 1),
        ];
        assert_eq!(within_limit(&parts).states(), [1, 0, 1, 0, 0], "{open}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn markup_without_end_is_a_fault_and_not_memory() {
    for (parts, expected) in [
        (
            [("<testsuite", 1), (" a='1'", 9_000_000)],
            "a tag is longer",
        ),
        ([("<testsuite", 1), ("a", 90_000_000)], "a tag is longer"),
        (
            [("<!DOCTYPE a [", 1), ("<!ENTITY a 'b'>", 9_000_000)],
            "the DOCTYPE is longer",
        ),
        (
            [("<testsuite>", 1), ("<testsuite>", 9_000_000)],
            "nested deeper than 256",
        ),
        (
            [("<testsuite>&", 1), ("a", 90_000_000)],
            "starts no reference",
        ),
        (
            [("<testsuite>", 1), ("\0", 90_000_000)],
            "the control character",
        ),
    ] {
        let said = within_limit(&parts).fault();
        assert!(said.contains(expected), "{said}");
    }
    let attributes: Vec<_> = (0..300).map(|n| format!(" a{n}='1'")).collect();
    let attributes = attributes.concat();
    assert!(
        text(&format!("<testsuite{attributes}/>"))
            .fault()
            .contains("over 256 attributes")
    );
}

/// Whatever the length of a run and however its end falls on the limit, the rest is read.
#[test]
fn a_run_that_ends_near_the_limit_is_cut_without_harm() {
    let keep = KEEP as usize;
    for (open, fill, close) in [
        ("<x><![CDATA[", "a", "]]></x>"),
        ("<x><![CDATA[", "]", "]]></x>"),
        ("<x><![CDATA[", "]]", "]]></x>"),
        ("<x><![CDATA[", "é", "]]></x>"),
        ("<x>", "a", "</x>"),
        ("<x>", "&amp;", "</x>"),
        ("<x>", "]]", "</x>"),
        ("<x>", "💥", "</x>"),
        ("<x a=\"", "'>", "\"/>"),
        ("<x a=\"", "&lt;", "\"/>"),
        ("<!--", "- ", "-->"),
        ("<!--", "é", "-->"),
        ("<?p ", "?", "?>"),
        ("<?p ", "? >", "?>"),
    ] {
        for extra in 0..8 {
            let times = (keep - 4 + extra) / fill.len() + 1;
            let odd = "a".repeat(extra % 5);
            let run = odd + &fill.repeat(times);
            let xml = format!(
                "<testsuite>\n{open}{run}{close}\n<testcase><failure/></testcase></testsuite>"
            );
            let mut outcome = text(&xml);
            assert_eq!(outcome.states(), [1, 0, 1, 0, 0], "{open}{fill} {extra}");
            let line = outcome.tally.failures().next().unwrap().test.report_line;
            assert_eq!(line, 3, "{open}{fill} {extra}");
        }
    }
}

#[test]
fn lines_are_counted_in_what_is_left_out() {
    let lines = "line\n".repeat(100_000);
    let xml = format!("<testsuite><a><![CDATA[{lines}]]></a>\n<testcase></testsuite>");
    assert!(
        text(&xml)
            .fault()
            .starts_with("100002:11: expected `</testcase>`")
    );
}

/// Names of elements and pieces of text, as the parser tells them.
#[derive(Default)]
struct Heard(String);

impl xml::Visitor for Heard {
    fn start(&mut self, element: &xml::Element<'_>) -> Result<(), Fault> {
        let xml::Element { name, at, .. } = element;
        write!(self.0, "<{name} {}:{}>", at.line, at.column).unwrap();
        Ok(())
    }
    fn end(&mut self) {
        self.0 += "</>";
    }
    fn text(&mut self, piece: &str) {
        self.0 += piece;
    }
    fn unexpanded(&mut self) {
        self.0 += "&";
    }
}

#[test]
fn buffers_of_any_size_give_the_same() {
    let xml = "<?xml version=\"1.0\"?>\n<!-- a-b --><!DOCTYPE t [<!ENTITY a 'b'>]>\r\n<t a='x&amp;y' b=\"é\">\
               é&lt;&a;<![CDATA[<]]]]>\n <u/><?pi x?></t>\n";
    let hear = |size: usize| {
        let mut heard = Heard::default();
        let guard = Guard::new(BufReader::with_capacity(size, xml.as_bytes()));
        xml::Xml::new(guard).read(&mut heard).unwrap();
        heard.0
    };
    let expected = "\n\r\n<t 3:1>é<&<]]\n <u 4:2></></>\n";
    for size in 1..80 {
        assert_eq!(hear(size), expected, "{size}");
    }
}
