//! Fitting texts into columns, by what a terminal shows and not by bytes.

use readygate_sdk::defang;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// One line of at most `max` columns.
pub fn cut(text: &str, max: usize, ellipsis: &str) -> String {
    let line = text.replace(['\n', '\t'], " ");
    if width(&line) <= max {
        return line;
    }
    let (mut start, _) = split(&line, max.saturating_sub(width(ellipsis)));
    start = start.trim_end();
    format!("{start}{ellipsis}")
}

/// Fills up to `columns` with spaces.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// Breaks a text into at most `lines` lines of at most `max` columns.
///
/// A break makes a new start of a line, where a CI would obey `::set-output`; so each line is
/// defanged once more.
pub fn wrap(text: &str, max: usize, lines: usize, ellipsis: &str) -> Vec<String> {
    let max = max.max(8);
    let mut out: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        fill(paragraph, max, lines + 1, &mut out);
        if out.len() > lines {
            out.truncate(lines);
            if let Some(last) = out.last_mut() {
                let (start, _) = split(last, max.saturating_sub(width(ellipsis)));
                *last = format!("{}{ellipsis}", start.trim_end());
            }
            break;
        }
    }
    out.iter().map(|line| defang(line)).collect()
}

/// Joins parts, and breaks between them rather than inside.
pub fn join(parts: &[String], separator: &str, max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        let part = &part.replace(['\n', '\t'], " ");
        match lines.last_mut() {
            Some(line) if width(line) + width(separator) + width(part) <= max => {
                line.push_str(separator);
                line.push_str(part);
            }
            _ => lines.extend(wrap(part, max, usize::MAX - 1, "")),
        }
    }
    lines
}

fn fill(paragraph: &str, max: usize, lines: usize, out: &mut Vec<String>) {
    let mut line = String::new();
    let mut columns = 0;
    for mut word in paragraph.split_whitespace() {
        if !line.is_empty() && columns + 1 + width(word) > max {
            out.push(std::mem::take(&mut line));
            columns = 0;
        }
        while out.len() < lines {
            let (start, rest) = split(word, max);
            if rest.is_empty() {
                break;
            }
            out.push(start.to_owned());
            word = rest;
        }
        if out.len() >= lines {
            return;
        }
        if !line.is_empty() {
            line.push(' ');
            columns += 1;
        }
        line.push_str(word);
        columns += width(word);
    }
    if !line.is_empty() {
        out.push(line);
    }
}

/// Splits before the character that would pass `max` columns; the start is never empty.
fn split(text: &str, max: usize) -> (&str, &str) {
    let mut columns = 0;
    for (at, c) in text.char_indices() {
        columns += c.width().unwrap_or(0);
        if columns > max && at > 0 {
            return text.split_at(at);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_counts_columns() {
        assert_eq!(cut("abcdef", 6, "…"), "abcdef");
        assert_eq!(cut("abcdefg", 6, "…"), "abcde…");
        assert_eq!(cut("界界界界", 6, "…"), "界界…");
        assert_eq!(cut("a\nb\tc", 6, "…"), "a b c");
    }

    #[test]
    fn wrap_breaks_at_words_and_inside_long_ones() {
        assert_eq!(wrap("one two three", 8, 9, "…"), ["one two", "three"]);
        assert_eq!(
            wrap("abcdefghijkl xyz", 8, 9, "…"),
            ["abcdefgh", "ijkl xyz"]
        );
        assert_eq!(wrap("first\nsecond", 20, 9, "…"), ["first", "second"]);
        assert_eq!(wrap("", 20, 9, "…"), Vec::<String>::new());
    }

    #[test]
    fn join_breaks_between_parts() {
        let parts = ["1 failed", "2 passed", "0 ms"].map(str::to_owned);
        assert_eq!(join(&parts, " | ", 19), ["1 failed | 2 passed", "0 ms"]);
        assert_eq!(join(&parts, " | ", 18), ["1 failed", "2 passed | 0 ms"]);
    }

    #[test]
    fn wrap_says_when_lines_are_missing() {
        let lines = wrap("aaa bbb ccc ddd eee fff", 8, 2, "...");
        assert_eq!(lines, ["aaa bbb", "ccc d..."]);
    }

    #[test]
    fn a_break_never_makes_a_log_command() {
        assert_eq!(
            wrap("xxxxxxx ::error::y", 10, 9, "…"),
            ["xxxxxxx", ": :error::y"]
        );
    }
}
