//! What stands around a line: fences, headings, list markers.

/// A fence that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// First word after the backticks, in lower case: `bash`; empty for none.
    pub language: String,
    mark: char,
    length: usize,
}

impl Fence {
    /// Whether the fence holds a program, where `[x]` and `___` are code.
    pub fn is_code(&self) -> bool {
        !matches!(
            self.language.as_str(),
            "" | "text" | "txt" | "plain" | "plaintext" | "none" | "markdown" | "md" | "checklist"
        )
    }

    /// A line that closes it.
    pub fn closing(&self) -> String {
        self.mark.to_string().repeat(self.length)
    }

    /// Whether it holds commands.
    pub fn is_shell(&self) -> bool {
        matches!(
            self.language.as_str(),
            "bash" | "sh" | "shell" | "zsh" | "fish" | "console" | "shell-session" | "powershell"
        )
    }
}

/// Whether a line opens a fence; CommonMark 0.31, section 4.5, with any indent, as in lists.
pub fn opens(content: &str) -> Option<Fence> {
    let (mark, length, rest) = ticks(content)?;
    let info = rest.trim();
    if length < 3 || (mark == '`' && info.contains('`')) {
        return None;
    }
    let word = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    Some(Fence {
        language: word.to_lowercase(),
        mark,
        length,
    })
}

/// Whether a line closes the fence.
pub fn closes(content: &str, fence: &Fence) -> bool {
    ticks(content).is_some_and(|(mark, length, rest)| {
        mark == fence.mark && length >= fence.length && rest.trim().is_empty()
    })
}

fn ticks(content: &str) -> Option<(char, usize, &str)> {
    let inner = content.trim_start_matches([' ', '\t', '>']);
    let mark = inner.chars().next().filter(|c| "`~".contains(*c))?;
    let rest = inner.trim_start_matches(mark);
    Some((mark, inner.len() - rest.len(), rest))
}

/// Level and place of the text of an ATX heading.
pub fn heading(content: &str) -> Option<(usize, usize)> {
    // A byte order mark may stand before the title.
    let inner = content.trim_start_matches([' ', '\u{feff}']);
    let rest = inner.trim_start_matches('#');
    let level = inner.len() - rest.len();
    let separate = rest.is_empty() || rest.starts_with([' ', '\t']);
    let indent = content.len() - inner.len();
    ((1..=6).contains(&level) && indent <= 3 && separate)
        .then_some((level, content.len() - rest.len()))
}

/// Level of the heading that a line of `===` or `---` makes of the line before it.
pub fn underline(content: &str) -> Option<usize> {
    let inner = content.trim();
    let all = |mark: char| inner.len() >= 3 && inner.chars().all(|c| c == mark);
    if all('=') {
        Some(1)
    } else {
        all('-').then_some(2)
    }
}

/// The text of a heading: no closing `#`, no emphasis, no emoji before and after it.
pub fn heading_text(raw: &str) -> String {
    let text = raw.trim().trim_end_matches('#').replace("**", "");
    let word = |c: char| c.is_alphanumeric() || "([{\"'`".contains(c);
    let text = text.trim_start_matches(|c| !word(c));
    let ending = |c: char| c.is_alphanumeric() || ")]}\"'`!?.%".contains(c);
    text.trim_end_matches(|c| !ending(c)).to_owned()
}

/// Where the text of a line begins: after quotes, table bars, list markers, tree lines.
pub fn body(content: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &content[at..];
        let inner = rest.trim_start_matches([' ', '\t', '>', '|', '├', '└', '─', '│']);
        at = content.len() - inner.len();
        let digits = inner.trim_start_matches(|c: char| c.is_ascii_digit());
        let numbered = digits.len() < inner.len() && digits.starts_with(['.', ')']);
        let marker = if numbered {
            inner.len() - digits.len() + 1
        } else {
            let bullet = inner.chars().next().filter(|c| "-*+•·–".contains(*c));
            bullet.map_or(0, char::len_utf8)
        };
        let after = &inner[marker..];
        if marker == 0 || !(after.is_empty() || after.starts_with([' ', '\t'])) {
            return at;
        }
        at += marker;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences() {
        let fence = opens("```bash title=x").unwrap();
        assert!(fence.is_shell() && fence.is_code());
        assert!(closes("````", &fence) && !closes("~~~", &fence) && !closes("``` x", &fence));
        assert!(
            opens("``").is_none() && opens("``` `x` ```").is_none() && opens("a ```").is_none()
        );
        assert!(!opens("  ~~~").unwrap().is_code());
        assert!(closes("> ```", &opens("> ```text").unwrap()));
    }

    #[test]
    fn headings() {
        assert_eq!(heading("### 1. Code"), Some((3, 3)));
        assert!(heading("#tag").is_none() && heading("    # code").is_none());
        assert!(heading("####### seven").is_none());
        assert_eq!(underline("==="), Some(1));
        assert_eq!(underline("- -"), None);
        assert_eq!(
            heading_text(" 🎯 **Pre-Deploy (1 h)** ##"),
            "Pre-Deploy (1 h)"
        );
        assert_eq!(heading_text(" 🎉"), "");
    }

    #[test]
    fn bodies() {
        for (line, text) in [
            ("  - □ x", "□ x"),
            ("> 12) x", "x"),
            ("├─ Rate: 1", "Rate: 1"),
            ("| x | y |", "x | y |"),
            ("**bold**", "**bold**"),
            ("-5 degrees", "-5 degrees"),
            ("1. ", ""),
            ("", ""),
        ] {
            assert_eq!(&line[body(line)..], text, "{line}");
        }
    }
}
