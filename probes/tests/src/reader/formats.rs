//! Recognises reports by their content, those that are not supported too: a user who points the
//! probe at the wrong file must learn what it is.

use readygate_reports::{Fault, clip, xml::Element};

/// The fault for something that is not JUnit XML.
pub(super) fn unsupported(found: &str) -> Fault {
    Fault::new(format!("this is not a JUnit XML report but {found}"))
        .hint("let the test runner write JUnit XML; other formats are not supported yet")
}

/// `Err` with what it looks like, for a root element that is not JUnit's.
pub(super) fn of_root(root: &Element<'_>) -> Result<(), String> {
    let namespace = root.get("xmlns").unwrap_or_default();
    if namespace.contains("check.sourceforge.net") {
        return Err("a report of libcheck, which shares only the name of the root".to_owned());
    }
    let found = match root.name {
        "testsuites" | "testsuite" => return Ok(()),
        "TestRun" => "a TRX report of Visual Studio",
        "test-run" => "an NUnit 3 report",
        "test-results" => "an NUnit 2 report",
        "assemblies" | "assembly" => "an xUnit.net report",
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

/// What a text is that does not start with markup; `None` for one that does.
pub(super) fn without_markup(head: &str) -> Option<&'static str> {
    let text = head.trim_start();
    let first = text.lines().next().unwrap_or_default();
    Some(match text.as_bytes().first()? {
        b'<' => return None,
        b'{' | b'[' => "JSON (a report of Jest, Mocha, Playwright, CTRF or `go test -json`?)",
        _ if first.starts_with("TAP version") || is_tap(first) => "TAP",
        _ if first.starts_with("%PDF") => "a PDF",
        _ => "text without XML markup",
    })
}

fn is_tap(line: &str) -> bool {
    let plan = line
        .strip_prefix("1..")
        .is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()));
    plan || line.starts_with("ok ") || line.starts_with("not ok ")
}
