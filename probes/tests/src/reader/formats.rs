//! Recognises reports by their content, those that are not supported too: a user who points the
//! probe at the wrong file must learn what it is.

use readygate_reports::{Fault, clip, xml::Element};

/// The fault for something that is no test report.
pub(super) fn unsupported(found: &str) -> Fault {
    Fault::new(format!(
        "this is no test report of a known format but {found}"
    ))
    .hint("let the test runner write JUnit XML, TAP, TRX, or one of the JSON formats")
}

/// `Err` with what it looks like, for a root element that is not JUnit's.
pub(super) fn of_root(root: &Element<'_>) -> Result<(), String> {
    let namespace = root.get("xmlns").unwrap_or_default();
    if namespace.contains("check.sourceforge.net") {
        return Err("a report of libcheck, which shares only the name of the root".to_owned());
    }
    let found = match root.name {
        "testsuites" | "testsuite" => return Ok(()),
        "testng-results" => "a TestNG report",
        "TestLog" | "TestResult" => "a Boost.Test report",
        "TestCase" => "a Qt Test report",
        "Site" => "a CTest report",
        "testExecutions" => "a SonarQube test report",
        "valgrindoutput" => "a Valgrind report",
        "checkstyle" => "a Checkstyle report, which holds lint findings",
        "coverage" => "a coverage report",
        "report" => "perhaps a JaCoCo coverage report",
        "html" => "an HTML page",
        other => {
            return Err(format!("XML with the root element `{}`", clip(other, 60)));
        }
    };
    Err(found.to_owned())
}

/// What a text without markup is, where it is something well known.
pub(super) fn without_markup(head: &str) -> Option<&'static str> {
    let first = head.trim_start().lines().next().unwrap_or_default();
    Some(match first {
        "" => "white space",
        _ if first.starts_with("%PDF") => "a PDF",
        _ if first.starts_with("mode: ") => "a coverage profile of Go",
        _ if first.starts_with("TN:") || first.starts_with("SF:") => "an LCOV coverage report",
        _ => return None,
    })
}
