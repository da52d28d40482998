//! Text that may stand in XML 1.0: filtered, capped, and safe inside CDATA.

/// The characters of XML 1.0, <https://www.w3.org/TR/xml/#charsets>.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// One line for an attribute, at most about `max` bytes.
///
/// Parsers turn line feeds in attributes into spaces anyway; doing it here keeps names comparable.
pub fn attribute(text: &str, max: usize) -> String {
    // Four times as much leaves room for what is dropped.
    let clean: String = prefix(text, max.saturating_mul(4))
        .chars()
        .filter(|c| is_xml(*c))
        .collect();
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= max {
        return line;
    }
    format!("{}…", prefix(&line, max))
}

/// The longest start of `text` with at most `max` bytes.
fn prefix(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Collects the lines of a text node and stops at a limit.
pub struct Node {
    text: String,
    max: usize,
    cut: bool,
}

impl Node {
    /// A node of at most about `max` bytes.
    pub const fn new(max: usize) -> Self {
        Self {
            text: String::new(),
            max,
            cut: false,
        }
    }

    /// Adds a line, or as much of it as fits.
    pub fn line(&mut self, label: &str, text: &str) -> &mut Self {
        if self.cut {
            return self;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(label);
        let room = self.max.saturating_sub(self.text.len());
        let shown = prefix(text, room);
        self.cut = shown.len() < text.len();
        self.text.extend(shown.chars().filter(|c| is_xml(*c)));
        self
    }

    /// The same, if there is something to add.
    pub fn maybe(&mut self, label: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.line(label, text),
            None => self,
        }
    }

    /// The node, ready to stand between `<![CDATA[` and `]]>`.
    ///
    /// The writer passes CDATA on as it is, so a `]]>` inside is split over two sections here.
    /// GitLab and Azure DevOps obey `[[ATTACHMENT|path]]`; a text from outside may not use it.
    pub fn finish(self) -> String {
        let mut text = self
            .text
            .replace("[[ATTACHMENT|", "[ [ATTACHMENT|")
            .replace("]]>", "]]]]><![CDATA[>");
        if self.cut {
            text.push_str("\n[cut here; the json report has the rest]");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_one_clean_line() {
        assert_eq!(attribute(" a\n\tb\u{1b}[0m \u{ffff}", 99), "a b[0m");
        assert_eq!(attribute("one two three", 9), "one two t…");
        assert_eq!(attribute("ééé", 3), "é…");
    }

    #[test]
    fn nodes_are_cut_with_a_note_and_never_end_cdata() {
        let mut node = Node::new(20);
        node.line("", "a]]>b\u{0}\u{fffe}")
            .line("expected: ", "123456789");
        assert_eq!(
            node.finish(),
            "a]]]]><![CDATA[>b\nexpected: 1234\n[cut here; the json report has the rest]"
        );
    }

    #[test]
    fn attachments_cannot_be_asked_for_from_outside() {
        let mut node = Node::new(99);
        node.line("", "[[ATTACHMENT|/etc/passwd]]");
        assert_eq!(node.finish(), "[ [ATTACHMENT|/etc/passwd]]");
    }
}
