//! Blanks out comments and strings, so that only code is looked at: a breakpoint in a comment stops
//! nothing, and a string that says `console.log` prints nothing.
//!
//! No parser: it knows how comments and strings begin and end in a family of languages. Where it is
//! in doubt (a regular expression in JavaScript), code stays code, so that nothing is hidden.

/// How a language writes comments and strings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    /// What begins a comment that ends with the line.
    pub line: &'static [&'static str],
    /// What begins and ends a comment over several lines.
    pub block: Option<(&'static str, &'static str)>,
    /// Whether such comments nest.
    pub nests: bool,
    /// What begins and ends a string; longer ones first.
    pub strings: &'static [Quote],
}

/// A kind of string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quote {
    /// Its delimiter, the same on both sides.
    pub mark: &'static str,
    /// Whether it may go over several lines.
    pub multiline: bool,
    /// Whether a backslash takes the next character along.
    pub escapes: bool,
}

const fn quote(mark: &'static str, multiline: bool) -> Quote {
    Quote {
        mark,
        multiline,
        escapes: true,
    }
}

/// C, Java, Go, C#, Kotlin, Swift and the like.
pub(crate) const C_LIKE: Syntax = Syntax {
    line: &["//"],
    block: Some(("/*", "*/")),
    nests: false,
    strings: &[
        quote("\"\"\"", true),
        quote("\"", false),
        quote("'", false),
        Quote {
            mark: "`",
            multiline: true,
            escapes: false,
        },
    ],
};

/// JavaScript and TypeScript.
pub(crate) const JAVASCRIPT: Syntax = Syntax {
    line: &["//"],
    block: Some(("/*", "*/")),
    nests: false,
    strings: &[quote("\"", false), quote("'", false), quote("`", true)],
};

/// Rust, whose single quote is mostly a lifetime.
pub(crate) const RUST: Syntax = Syntax {
    line: &["//"],
    block: Some(("/*", "*/")),
    nests: true,
    strings: &[quote("\"", true)],
};

/// Python.
pub(crate) const PYTHON: Syntax = Syntax {
    line: &["#"],
    block: None,
    nests: false,
    strings: &[
        quote("\"\"\"", true),
        quote("'''", true),
        quote("\"", false),
        quote("'", false),
    ],
};

/// Ruby, Elixir.
pub(crate) const RUBY: Syntax = Syntax {
    line: &["#"],
    block: Some(("\n=begin", "\n=end")),
    nests: false,
    strings: &[quote("\"", true), quote("'", true)],
};

/// PHP.
pub(crate) const PHP: Syntax = Syntax {
    line: &["//", "#"],
    block: Some(("/*", "*/")),
    nests: false,
    strings: &[quote("\"", true), quote("'", true)],
};

/// `text` with every comment and string replaced by spaces, byte for byte; line feeds stay.
pub(crate) fn code_only(text: &str, syntax: &Syntax) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = skipped(bytes, at, syntax);
        if end > at {
            blank(&bytes[at..end], &mut out);
            at = end;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    // Blanks replace whole bytes of a character: what is left may be no UTF-8 any more.
    String::from_utf8_lossy(&out).into_owned()
}

fn blank(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(bytes.iter().map(|b| if *b == b'\n' { b'\n' } else { b' ' }));
}

/// Where the comment or string that begins at `at` ends; `at` itself where none begins.
fn skipped(bytes: &[u8], at: usize, syntax: &Syntax) -> usize {
    let rest = &bytes[at..];
    if let Some((open, close)) = syntax.block
        && rest.starts_with(open.as_bytes())
    {
        return at + block(rest, open.as_bytes(), close.as_bytes(), syntax.nests);
    }
    if syntax
        .line
        .iter()
        .any(|mark| rest.starts_with(mark.as_bytes()))
    {
        return at + line_end(rest);
    }
    let quote = syntax
        .strings
        .iter()
        .find(|q| rest.starts_with(q.mark.as_bytes()));
    quote.map_or(at, |quote| {
        string(rest, quote).map_or(at, |length| at + length)
    })
}

fn line_end(rest: &[u8]) -> usize {
    rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
}

/// Length of a block comment; one that never ends goes to the end of the file.
fn block(rest: &[u8], open: &[u8], close: &[u8], nests: bool) -> usize {
    let (mut at, mut depth) = (open.len(), 1_u32);
    while at < rest.len() {
        if rest[at..].starts_with(close) {
            at += close.len();
            depth -= 1;
            if depth == 0 {
                return at;
            }
        } else if nests && rest[at..].starts_with(open) {
            at += open.len();
            depth += 1;
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of a string, or `None` where the quote is none: it does not end on its line.
fn string(rest: &[u8], quote: &Quote) -> Option<usize> {
    let mark = quote.mark.as_bytes();
    let mut at = mark.len();
    while at < rest.len() {
        if quote.escapes && rest[at] == b'\\' {
            at += 2;
        } else if rest[at..].starts_with(mark) {
            return Some(at + mark.len());
        } else if rest[at] == b'\n' && !quote.multiline {
            return None;
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_and_strings_become_blanks() {
        for (syntax, text, code) in [
            (JAVASCRIPT, "a(); // b()\nc()", "a();       \nc()"),
            (JAVASCRIPT, "x = `a\nb()`; y", "x =   \n    ; y"),
            (JAVASCRIPT, "'it\\'s' + b", "        + b"),
            (JAVASCRIPT, "don't()\nb()", "don't()\nb()"),
            (RUST, "/* a /* b */ c */ d", "                  d"),
            (RUST, "fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            (
                PYTHON,
                "\"\"\"a\nprint()\"\"\"\nb # c",
                "    \n          \nb    ",
            ),
            (C_LIKE, "/* never ends", "             "),
        ] {
            assert_eq!(code_only(text, &syntax), code, "{text}");
        }
    }

    proptest! {
        #[test]
        fn lengths_and_line_feeds_stay(text in "[a-z'\"`/*#\\\\\n =begin]{0,80}") {
            for syntax in [C_LIKE, JAVASCRIPT, RUST, PYTHON, RUBY, PHP] {
                let code = code_only(&text, &syntax);
                prop_assert_eq!(code.len(), text.len());
                let feeds = |t: &str| t.match_indices('\n').map(|(i, _)| i).collect::<Vec<_>>();
                prop_assert_eq!(feeds(&code), feeds(&text));
            }
        }
    }
}
