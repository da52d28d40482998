//! What debug code looks like, by language. To teach it a language, add an entry to [`LANGUAGES`].

use crate::{
    DebugKind,
    lexer::{C_LIKE, JAVASCRIPT, PHP, PYTHON, RUBY, RUST, Syntax},
};

/// One language.
#[derive(Debug)]
pub(crate) struct Language {
    /// Extensions of its files.
    pub extensions: &'static [&'static str],
    /// Its comments and strings.
    pub syntax: Syntax,
    /// Regular expressions over its code, with their kind; the first group is the name shown.
    pub marks: &'static [(DebugKind, &'static str)],
}

use DebugKind::{Breakpoint, Focus, Print};

/// Every known language.
pub(crate) const LANGUAGES: &[Language] = &[
    Language {
        extensions: &[
            "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte",
        ],
        syntax: JAVASCRIPT,
        marks: &[
            (Breakpoint, r"(?:^|[;{})\s])(debugger)\s*(?:[;}]|$)"),
            (
                Print,
                r"(?:^|[^\w$.])(console\s*\.\s*(?:log|debug|trace|dir|table|count|time))\s*\(",
            ),
            (Print, r"(?:^|[^\w$.])(alert)\s*\("),
            (
                Focus,
                r"(?:^|[^\w$.])((?:it|test|describe|context|suite|specify)(?:\.(?:concurrent|sequential|parallel|serial|each))*\.only)\b",
            ),
            (Focus, r"(?:^|[^\w$.])(fit|fdescribe|fcontext)\s*\("),
        ],
    },
    Language {
        extensions: &["py"],
        syntax: PYTHON,
        marks: &[
            (Breakpoint, r"(?:^|[^\w.])(breakpoint)\s*\(\s*\)"),
            (
                Breakpoint,
                r"(?:^|[^\w.])((?:i?pdb|pudb|ipdb)\s*\.\s*set_trace)\s*\(",
            ),
            (Breakpoint, r"^\s*(?:import|from)\s+(i?pdb|pudb|ipdb)\b"),
            (Print, r"(?:^|[^\w.])(p?print)\s*\("),
        ],
    },
    Language {
        extensions: &["rs"],
        syntax: RUST,
        marks: &[(Breakpoint, r"(?:^|[^\w])(dbg!)\s*[(\[{]")],
    },
    Language {
        extensions: &["go"],
        syntax: C_LIKE,
        marks: &[
            (Breakpoint, r"(?:^|[^\w.])(runtime\.Breakpoint)\s*\("),
            (
                Breakpoint,
                r"(?:^|[^\w.])(spew\.(?:Dump|Printf|Println))\s*\(",
            ),
            (Print, r"(?:^|[;{}\s])(print|println)\s*\("),
        ],
    },
    Language {
        extensions: &["java", "kt", "kts", "scala", "groovy"],
        syntax: C_LIKE,
        marks: &[
            (
                Print,
                r"(?:^|[^\w.])(System\s*\.\s*(?:out|err)\s*\.\s*print(?:ln|f)?)\s*\(",
            ),
            (Print, r"(\.printStackTrace)\s*\(\s*\)"),
        ],
    },
    Language {
        extensions: &["cs"],
        syntax: C_LIKE,
        marks: &[
            (
                Breakpoint,
                r"(?:^|[^\w.])(Debugger\s*\.\s*(?:Break|Launch))\s*\(",
            ),
            (Print, r"(?:^|[^\w.])(Console\s*\.\s*Write(?:Line)?)\s*\("),
        ],
    },
    Language {
        extensions: &["rb", "rake"],
        syntax: RUBY,
        marks: &[
            (
                Breakpoint,
                r"(?:^|[^\w.])(binding\s*\.\s*(?:pry|irb|break|b))\b",
            ),
            (Breakpoint, r"^\s*(byebug|debugger)\b\s*(?:$|[;#])"),
            (Print, r"^\s*(puts|p|pp)\s+[^=.\s]"),
            (Focus, r"(?:^|[^\w.])(fit|fdescribe|fcontext)\s"),
        ],
    },
    Language {
        extensions: &["php"],
        syntax: PHP,
        marks: &[
            (Breakpoint, r"(?:^|[^\w>$:\\])(xdebug_break|dd)\s*\("),
            (
                Print,
                r"(?:^|[^\w>$:\\])(var_dump|print_r|var_export|dump|debug_zval_refcount|debug_print_backtrace)\s*\(",
            ),
        ],
    },
    Language {
        extensions: &["swift"],
        syntax: C_LIKE,
        marks: &[(Print, r"(?:^|[^\w.])(print|debugPrint|dump)\s*\(")],
    },
    Language {
        extensions: &["dart"],
        syntax: C_LIKE,
        marks: &[
            (Breakpoint, r"(?:^|[^\w.])(debugger)\s*\("),
            (Print, r"(?:^|[^\w.])(print|debugPrint)\s*\("),
        ],
    },
    Language {
        extensions: &["ex", "exs"],
        syntax: RUBY,
        marks: &[
            (Breakpoint, r"(?:^|[^\w.])(IEx\.pry|dbg)\s*\("),
            (Print, r"(?:^|[^\w.])(IO\.(?:inspect|puts))\b"),
        ],
    },
];
