//! Reports: one file per format, each a pure function of the record.
//!
//! Nothing here reads the clock, the environment or the terminal, so `readygate render` gives the
//! same bytes as the live run. The verdict is the record's; no report decides anything.

mod console;
mod json;
mod junit;

use std::{fmt, str::FromStr};

use crate::record::Run;

/// How a report for people looks; machine formats ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Emit ANSI colours; never the only signal.
    pub color: bool,
    /// Use words and ASCII marks in place of glyphs.
    pub ascii: bool,
    /// Columns to fill.
    pub width: usize,
    /// List every check, every metric and all evidence.
    pub verbose: bool,
}

impl Style {
    /// What files get: no colour, glyphs, 100 columns, not verbose.
    pub const fn plain() -> Self {
        Self {
            color: false,
            ascii: false,
            width: 100,
            verbose: false,
        }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self::plain()
    }
}

/// Why a report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The record does not fit into JSON.
    #[error("write the json report: {0}")]
    Json(#[from] serde_json::Error),
    /// The XML writer gave up.
    #[error("write the junit report: {0}")]
    Junit(#[from] junit_report::Error),
}

/// A format that was asked for and does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown report format `{name}`{}; known are {}", did_you_mean(.suggestion.as_ref()), known())]
pub struct UnknownFormat {
    /// What was asked for.
    pub name: String,
    /// The nearest known format, if one is near.
    pub suggestion: Option<Format>,
}

/// One line here and one file are a format: variant, name, and how it renders.
macro_rules! formats {
    ($($(#[$about:meta])* $variant:ident $name:literal => $render:expr;)+) => {
        /// A report format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$about])* $variant,)+
        }

        impl Format {
            /// The name on the command line and in the config.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Every format.
            pub const fn all() -> &'static [Self] {
                &[$(Self::$variant,)+]
            }
        }

        /// Renders a sealed record.
        pub fn render(format: Format, run: &Run, style: &Style) -> Result<Vec<u8>, RenderError> {
            type Render = fn(&Run, &Style) -> Result<Vec<u8>, RenderError>;
            let render: Render = match format {
                $(Format::$variant => $render,)+
            };
            render(run, style)
        }
    };
}

formats! {
    /// For people, in a terminal or a CI log.
    Console "console" => |run, style| Ok(console::render(run, style).into_bytes());
    /// The run record itself.
    Json "json" => |run, _| Ok(json::render(run)?);
    /// JUnit XML, which GitLab, Jenkins, Azure DevOps and GitHub actions read.
    Junit "junit" => |run, _| Ok(junit::render(run)?);
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::all();
        if let Some(format) = known.iter().find(|format| format.name() == name) {
            return Ok(*format);
        }
        let lower = name.to_lowercase();
        let suggestion = known
            .iter()
            .map(|format| (strsim::damerau_levenshtein(&lower, format.name()), *format))
            .filter(|(distance, _)| *distance <= 2)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, format)| format);
        Err(UnknownFormat {
            name: name.to_owned(),
            suggestion,
        })
    }
}

fn did_you_mean(suggestion: Option<&Format>) -> String {
    suggestion.map_or_else(String::new, |format| format!(", did you mean `{format}`?"))
}

fn known() -> String {
    let names: Vec<_> = Format::all().iter().map(|format| format.name()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for format in Format::all() {
            assert_eq!(format.name().parse(), Ok(*format));
        }
    }

    #[test]
    fn a_misspelt_format_gets_a_suggestion() {
        let says = |name: &str| name.parse::<Format>().unwrap_err().to_string();
        assert_eq!(
            says("JUnti"),
            "unknown report format `JUnti`, did you mean `junit`?; known are console, json, junit"
        );
        assert_eq!(
            says("sarif"),
            "unknown report format `sarif`; known are console, json, junit"
        );
    }
}
