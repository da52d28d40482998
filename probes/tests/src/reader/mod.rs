//! Reads one report, in constant memory, whatever its size.
//!
//! `source` decodes, `guard` bounds, `xml` checks that the document is well-formed, and a module
//! for each format tells a [`Sink`] what it finds. A further XML format adds its module and a variant
//! of [`Report`]; one that is not XML branches off in [`read`].

mod claims;
mod formats;
mod junit;

#[cfg(test)]
mod tests;

use std::io::Read;

use readygate_reports::{Digest, Fault, Guard, Position, Source, Started, xml};

use crate::measurement::{Claims, FailureKind};

/// The state of a test case; the worst thing that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Passed,
    Skipped,
    Failing(FailureKind),
}

/// One test case.
#[derive(Debug, Clone)]
pub(crate) struct Case<'a> {
    /// Name of the innermost suite around it.
    pub suite: &'a str,
    pub name: &'a str,
    pub classname: &'a str,
    pub file: &'a str,
    pub line: Option<u64>,
    /// Where it starts in the report.
    pub at: Position,
    pub state: State,
    /// Failed attempts are recorded beside the pass.
    pub flaky: bool,
    /// An attribute says that it failed, and nothing else does.
    pub contradictory: bool,
    /// The `time` attribute; `Err` when it is no number of seconds.
    pub seconds: Option<Result<f64, ()>>,
    pub message: &'a str,
}

/// A failure of a whole suite.
#[derive(Debug, Clone)]
pub(crate) struct SuiteFault<'a> {
    pub suite: &'a str,
    pub at: Position,
    pub message: &'a str,
}

/// Hears what a report holds, in the order of the report.
pub(crate) trait Sink {
    /// A test case has ended.
    fn on_case(&mut self, case: &Case<'_>);
    /// A suite has started.
    fn on_suite(&mut self);
    /// A suite failed outside any test case.
    fn on_suite_error(&mut self, error: &SuiteFault<'_>);
}

/// What a report says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct About {
    /// `junit`.
    pub format: &'static str,
    /// WHATWG name of the encoding.
    pub encoding: &'static str,
    pub claims: Claims,
    /// The oldest timestamp inside.
    pub started: Option<Started>,
    /// Entities where test cases could stand.
    pub unexpanded: u64,
}

/// Reads one report into `sink`. On a fault, the sink has heard what stands before it.
///
/// `stop` is asked now and then; once it says so, the reading ends with a fault.
pub(crate) fn read<R: Read>(
    raw: R,
    stop: &dyn Fn() -> bool,
    sink: &mut dyn Sink,
) -> Result<(About, Digest), Fault> {
    let source = Source::open(raw, stop)?;
    let encoding = source.encoding();
    if let Some(found) = formats::without_markup(source.head()) {
        return Err(formats::unsupported(found));
    }
    let guard = Guard::new(source);
    let mut xml = xml::Xml::new(guard);
    let mut report = Report::Unknown(sink);
    let read = xml.read(&mut report);
    let about = report.close(read.is_ok());
    read?;
    let digest = xml.into_inner().into_inner().digest()?;
    Ok((About { encoding, ..about }, digest))
}

/// The format of an XML report, which its root element decides.
enum Report<'s> {
    Unknown(&'s mut dyn Sink),
    Junit(junit::Junit<'s>),
    Unsupported,
}

impl Report<'_> {
    /// Ends the reading; of a report that breaks off, what is sure is still told to the sink.
    fn close(self, complete: bool) -> About {
        match self {
            Self::Junit(junit) => junit.close(complete),
            Self::Unknown(_) | Self::Unsupported => About::default(),
        }
    }
}

impl xml::Visitor for Report<'_> {
    fn start(&mut self, element: &xml::Element<'_>) -> Result<(), Fault> {
        if let Self::Unknown(_) = self {
            formats::of_root(element).map_err(|found| formats::unsupported(&found))?;
            if let Self::Unknown(sink) = std::mem::replace(self, Self::Unsupported) {
                *self = Self::Junit(junit::Junit::new(sink));
            }
        }
        match self {
            Self::Junit(junit) => junit.start(element),
            Self::Unknown(_) | Self::Unsupported => Ok(()),
        }
    }

    fn end(&mut self) {
        if let Self::Junit(junit) = self {
            junit.end();
        }
    }

    fn text(&mut self, piece: &str) {
        if let Self::Junit(junit) = self {
            junit.text(piece);
        }
    }

    fn unexpanded(&mut self) {
        if let Self::Junit(junit) = self {
            junit.unexpanded();
        }
    }
}
