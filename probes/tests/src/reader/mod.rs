//! Reads one report, in constant memory, whatever its size.
//!
//! `source` decodes, `guard` bounds, `xml` checks that the document is well-formed, and a module
//! for each format tells a [`Sink`] what it finds. A further XML format adds its module and a variant
//! of [`Report`]; one that is not XML branches off in [`read`].

mod claims;
mod documents;
mod dotnet;
mod events;
mod formats;
mod gotest;
mod junit;
mod tap;

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

impl Case<'_> {
    /// A case of which only the state is known.
    fn new(at: Position, state: State) -> Self {
        Self {
            suite: "",
            name: "",
            classname: "",
            file: "",
            line: None,
            at,
            state,
            flaky: false,
            contradictory: false,
            seconds: None,
            message: "",
        }
    }
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
    /// `junit`, `tap`, ...
    pub format: &'static str,
    /// WHATWG name of the encoding.
    pub encoding: &'static str,
    pub claims: Claims,
    /// The oldest timestamp inside.
    pub started: Option<Started>,
    /// Entities where test cases could stand.
    pub unexpanded: u64,
    /// The commit that it names.
    pub commit: Option<String>,
}

/// Reads one report into `sink`. On a fault, the sink has heard what stands before it.
///
/// `stop` is asked now and then; once it says so, the reading ends with a fault.
pub(crate) fn read<R: Read>(
    raw: R,
    stop: &dyn Fn() -> bool,
    sink: &mut dyn Sink,
) -> Result<(About, Digest), Fault> {
    let mut source = Source::open(raw, stop)?;
    let encoding = source.encoding();
    let head = source.head();
    let about = match head.trim_start().as_bytes().first() {
        Some(b'<') => xml_report(&mut source, sink),
        _ if gotest::starts(head) => gotest::read(&mut source, sink),
        _ => match events::of_head(head) {
            Some(stream) => events::read(stream, &mut source, sink),
            None => document_or_tap(&mut source, sink),
        },
    }?;
    let digest = source.digest()?;
    Ok((About { encoding, ..about }, digest))
}

fn document_or_tap<R: Read>(
    source: &mut Source<'_, R>,
    sink: &mut dyn Sink,
) -> Result<About, Fault> {
    let head = source.head();
    match head.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => documents::read(source, sink),
        _ if tap::starts(head) => tap::read(source, sink),
        _ => {
            let found = match formats::without_markup(head) {
                Some(found) => found.to_owned(),
                None => format!("text that starts with `{}`", tap::first_line(head)),
            };
            Err(formats::unsupported(&found))
        }
    }
}

fn xml_report<R: Read>(source: &mut Source<'_, R>, sink: &mut dyn Sink) -> Result<About, Fault> {
    let mut xml = xml::Xml::new(Guard::new(source));
    let mut report = Report::Unknown(sink);
    let read = xml.read(&mut report);
    let about = report.close(read.is_ok());
    read?;
    Ok(about)
}

/// The format of an XML report, which its root element decides.
enum Report<'s> {
    Unknown(&'s mut dyn Sink),
    Junit(junit::Junit<'s>),
    Dotnet(dotnet::Dotnet<'s>),
    Unsupported,
}

impl Report<'_> {
    /// Ends the reading; of a report that breaks off, what is sure is still told to the sink.
    fn close(self, complete: bool) -> About {
        match self {
            Self::Junit(junit) => junit.close(complete),
            Self::Dotnet(dotnet) => dotnet.close(complete),
            Self::Unknown(_) | Self::Unsupported => About::default(),
        }
    }

    fn visitor(&mut self) -> Option<&mut dyn xml::Visitor> {
        match self {
            Self::Junit(junit) => Some(junit),
            Self::Dotnet(dotnet) => Some(dotnet),
            Self::Unknown(_) | Self::Unsupported => None,
        }
    }
}

impl xml::Visitor for Report<'_> {
    fn start(&mut self, element: &xml::Element<'_>) -> Result<(), Fault> {
        if let Self::Unknown(_) = self {
            let dialect = dotnet::Dialect::of(element.name);
            if dialect.is_none() {
                formats::of_root(element).map_err(|found| formats::unsupported(&found))?;
            }
            if let Self::Unknown(sink) = std::mem::replace(self, Self::Unsupported) {
                *self = match dialect {
                    Some(dialect) => Self::Dotnet(dotnet::Dotnet::new(dialect, sink)),
                    None => Self::Junit(junit::Junit::new(sink)),
                };
            }
        }
        self.visitor()
            .map_or(Ok(()), |visitor| visitor.start(element))
    }

    fn end(&mut self) {
        if let Some(visitor) = self.visitor() {
            visitor.end();
        }
    }

    fn text(&mut self, piece: &str) {
        if let Some(visitor) = self.visitor() {
            visitor.text(piece);
        }
    }

    fn unexpanded(&mut self) {
        if let Some(visitor) = self.visitor() {
            visitor.unexpanded();
        }
    }
}
