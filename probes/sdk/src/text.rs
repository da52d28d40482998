//! Text from outside: shown, never obeyed.

use std::fmt::Write as _;

/// Makes text that came from outside harmless in terminals and CI logs, and keeps it readable.
///
/// - control characters (ANSI escapes among them) and bidirectional controls become `\u{..}`;
/// - CI log commands (`::set-output::`, `##[error]`, `##vso[...]`) are broken up with a space, so
///   that a log processor does not see them;
/// - line feeds and tabs stay; carriage returns go.
pub fn defang(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.replace("\r\n", "\n").split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let escaped = escape_controls(line);
        let line = escaped.replace("##[", "# #[").replace("##vso[", "# #vso[");
        let indent = line.len() - line.trim_start().len();
        if line[indent..].starts_with("::") {
            out.push_str(&line[..indent]);
            out.push_str(": :");
            out.push_str(&line[indent + 2..]);
        } else {
            out.push_str(&line);
        }
    }
    out
}

fn escape_controls(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        let hidden = c.is_control() && c != '\t'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
            || matches!(c, '\u{fffe}' | '\u{ffff}');
        if hidden {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// At most `max` characters of `text`, cut in the middle with a note of how many are missing.
pub fn excerpt(text: &str, max: usize) -> String {
    let total = text.chars().count();
    if total <= max {
        return text.to_owned();
    }
    let head = max * 2 / 3;
    let tail = max - head;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(total - tail).collect();
    format!("{start} [... {} characters ...] {end}", total - head - tail)
}

/// Whether `text` names `what` as a word of its own: `a` is not named by "a path that has an a in
/// it" unless it stands alone.
pub fn mentions(text: &str, what: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !what.is_empty()
        && text.match_indices(what).any(|(at, _)| {
            let quoted = text[..at].ends_with('`') || what.chars().count() > 3;
            quoted
                && !part_of_word(text[..at].chars().next_back())
                && !part_of_word(text[at + what.len()..].chars().next())
        })
}

/// `1 file`, `2 files`; `plural` where the word is irregular.
pub fn count_of(n: u64, singular: &str, plural: &str) -> String {
    format!("{n} {}", if n == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_commands_are_broken_up() {
        assert_eq!(
            defang("::error::x\n  ::set-output name=a::b"),
            ": :error::x\n  : :set-output name=a::b"
        );
        assert_eq!(
            defang("a ##[group]b ##vso[task]"),
            "a # #[group]b # #vso[task]"
        );
        assert_eq!(defang("module::test stays"), "module::test stays");
    }

    #[test]
    fn controls_become_visible() {
        assert_eq!(defang("\u{1b}[31mred\u{202e}"), "\\u{1b}[31mred\\u{202e}");
        assert_eq!(defang("a\r\nb\tc"), "a\nb\tc");
        assert_eq!(defang("a\u{1b}\u{7}\rb"), "a\\u{1b}\\u{7}\\u{d}b");
    }

    #[test]
    fn a_short_name_is_not_found_inside_of_words() {
        assert!(!mentions("nothing is at this path", "a"));
        assert!(!mentions("a path", "a"));
        assert!(mentions("`a` is missing", "a"));
        assert!(mentions("db1:27017 does not answer", "db1:27017"));
        assert!(!mentions("paths are missing", "path"));
    }

    #[test]
    fn defanging_twice_changes_nothing() {
        for text in ["::x::", "\u{1b}[0m", "##[x]", "  :: y"] {
            assert_eq!(defang(&defang(text)), defang(text));
        }
    }
}
