//! Documents.

use readygate_sdk::{Checks, Location};

use super::shown;
use crate::{
    DocumentConfig, DocumentRecord, LinkState, SourceMeasurement, documents::names_version, rules,
};

pub(super) fn judge(config: &DocumentConfig, measurement: &SourceMeasurement, checks: &mut Checks) {
    let path = &config.path;
    let Some(found) = measurement.documents.iter().find(|d| d.path == *path) else {
        let check = checks.check(&rules::DOCUMENT_MISSING, path);
        check.unmeasured("the measurement did not look at this document");
        return;
    };
    let check = checks
        .check(&rules::DOCUMENT_MISSING, path)
        .expected("a document with text in it");
    if let Some(problem) = &found.unreadable {
        check.unmeasured(format!("the document could not be read: {problem}"));
        return;
    }
    if !found.exists || found.characters == 0 {
        let what = if found.exists {
            "the document is empty"
        } else {
            "nothing is at this path"
        };
        check
            .message(what)
            .actual(if found.exists { "no text" } else { "nothing" })
            .fail();
        return;
    }
    let length = format!("{} characters", found.characters);
    check.message("the document is there").actual(length).pass();
    let version = measurement.version.as_deref();
    if config.names_version {
        names_the_version(found, version, checks);
    }
    if config.changelog {
        changelog(found, version, checks);
    }
    for heading in &config.headings {
        section(found, heading, checks);
    }
    if config.links {
        links(found, checks);
    }
}

fn names_the_version(found: &DocumentRecord, version: Option<&str>, checks: &mut Checks) {
    let check = checks.check(&rules::DOCUMENT_LACKS_VERSION, &found.path);
    match (version, found.names_version) {
        (Some(version), Some(true)) => {
            check
                .expected(version)
                .message(format!("the document names {version}"))
                .pass();
        }
        (Some(version), Some(false)) => check
            .expected(version)
            .actual("the version is not named")
            .message(format!(
                "the document does not name {version}, the version being released"
            ))
            .fail(),
        _ => check.unmeasured("the target has no `version` to look for"),
    }
}

fn changelog(found: &DocumentRecord, version: Option<&str>, checks: &mut Checks) {
    let check = checks.check(&rules::CHANGELOG, &found.path);
    let Some(version) = version else {
        check.unmeasured("the target has no `version` to look for");
        return;
    };
    let check = check.expected(format!(
        "a heading that names {version}, with text below it"
    ));
    let heading = found
        .headings
        .iter()
        .find(|h| names_version(&h.text, version));
    let Some(heading) = heading else {
        let newest = found
            .headings
            .iter()
            .find(|h| h.text.chars().any(|c| c.is_ascii_digit()));
        let newest = newest.map_or("no heading with a version".to_owned(), |h| h.text.clone());
        check
            .message(format!("no heading names {version}"))
            .actual(newest)
            .fail();
        return;
    };
    let check = check
        .actual(heading.text.clone())
        .at(at(found, heading.line));
    let open = ["unreleased", "tbd", "tba", "work in progress"];
    if open
        .iter()
        .any(|word| heading.text.to_lowercase().contains(word))
    {
        check
            .message("the heading says that the version is not released yet")
            .fail();
    } else if heading.filled {
        check
            .message(format!("`{}` has its text", heading.text))
            .pass();
    } else {
        check.message("the heading has no text below it").fail();
    }
}

fn section(found: &DocumentRecord, wanted: &str, checks: &mut Checks) {
    let check = checks
        .check(&rules::DOCUMENT_LACKS_SECTION, &found.path)
        .expected(format!("a section `{wanted}` with text in it"));
    let like = |text: &str| {
        text.trim()
            .to_lowercase()
            .contains(&wanted.trim().to_lowercase())
    };
    let mut sections = found.headings.iter().filter(|h| like(&h.text)).peekable();
    match (
        sections.peek().copied(),
        sections.clone().find(|h| h.filled),
    ) {
        (_, Some(heading)) => check
            .actual(heading.text.clone())
            .message(format!("`{}` has its text", heading.text))
            .pass(),
        (Some(heading), None) => check
            .actual("an empty section")
            .message(format!("`{}` has no text below it", heading.text))
            .at(at(found, heading.line))
            .fail(),
        (None, None) => {
            check
                .actual("no such heading")
                .message(format!("no section `{wanted}`"))
                .fail();
        }
    }
}

fn links(found: &DocumentRecord, checks: &mut Checks) {
    let links = &found.links;
    let check = checks
        .check(&rules::DEAD_LINK, &found.path)
        .expected("every local link resolves")
        .actual(format!("{} of {} do not", links.dead_total, links.local));
    let Some(first) = links.dead.first() else {
        let external = match links.external {
            0 => String::new(),
            n => format!("; {n} to other hosts not followed"),
        };
        check
            .message(format!("{} local links resolve{external}", links.local))
            .pass();
        return;
    };
    let lines = links.dead.iter().map(|link| {
        let what = match link.state {
            LinkState::NoFile => "no such file",
            LinkState::NoHeading => "no such heading",
        };
        format!("line {}: {}: {what}", link.line, link.target)
    });
    check
        .message(format!("`{}` leads nowhere", first.target))
        .at(at(found, first.line))
        .details(shown(lines, links.dead_total))
        .fail();
}

fn at(found: &DocumentRecord, line: u64) -> Location {
    Location {
        file: found.path.clone(),
        line: Some(line),
        column: None,
    }
}
