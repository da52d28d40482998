//! Applies the rules to a record. Pure.

mod cookies;
mod cors;
mod csp;
mod csp_syntax;
mod integrity;
mod missing;
mod page;
mod profile;
mod redirect;
pub(crate) mod site;
mod transport;

use readygate_sdk::{Checks, Level};

use crate::{
    config::HeadersConfig,
    record::{Answer, HeadersMeasurement, Kind, Page},
    rules,
};

/// Longest excerpt of a header in a message.
pub(crate) const SHOWN: usize = 300;

/// Pushes every check of one gate.
pub(crate) fn judge(config: &HeadersConfig, record: &HeadersMeasurement, checks: &mut Checks) {
    for page in &record.pages {
        judge_page(config, page, record, checks);
    }
    cors::judge(config, record, checks);
    if let Some(plain) = &record.plain {
        redirect::judge(plain, checks);
    }
    profile::observatory(config, record, checks);
    missing::judge(config, record, checks);
}

/// A page, and what its checks are about.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) config: &'a HeadersConfig,
    pub(crate) page: &'a Page,
    pub(crate) answer: &'a Answer,
    pub(crate) captured: bool,
}

impl Case<'_> {
    /// The URL; for a capture the file.
    pub(crate) fn subject(&self) -> String {
        subject(self.page, self.captured)
    }

    /// Whether a person or a program may read the answer for one user only.
    pub(crate) fn is_private(&self) -> bool {
        self.config.is_private(&self.page.declared)
    }
}

pub(crate) fn subject(page: &Page, captured: bool) -> String {
    let text = if captured { &page.declared } else { &page.url };
    text.clone()
}

fn judge_page(
    config: &HeadersConfig,
    page: &Page,
    record: &HeadersMeasurement,
    checks: &mut Checks,
) {
    let subject = subject(page, record.captured);
    let Some(answer) = &page.answer else {
        let reason = page
            .error
            .as_ref()
            .map_or_else(|| "there is no answer".to_owned(), ToString::to_string);
        checks.check(&rules::NO_ANSWER, subject).unmeasured(reason);
        return;
    };
    status(page, answer, &subject, checks);
    let case = Case {
        config,
        page,
        answer,
        captured: record.captured,
    };
    cookies::judge(case, checks);
    if cut(answer, &subject, checks) {
        // Headers depend on each other, and one of them is not known.
        return;
    }
    csp::judge(case, checks);
    page::judge(case, checks);
    transport::judge(case, checks);
    integrity::judge(case, checks);
    profile::judge(case, checks);
}

/// The answer must be the declared one, or its headers say nothing.
fn status(page: &Page, answer: &Answer, subject: &str, checks: &mut Checks) {
    let expected = match page.kind {
        Kind::Page | Kind::Api | Kind::Static => "2xx, 401 or 403",
        Kind::NotFound => "404 or 410",
        Kind::ServerError => "5xx",
    };
    let check = checks
        .check(&rules::UNEXPECTED_STATUS, subject)
        .expected(expected)
        .actual(answer.status.to_string());
    let fine = match page.kind {
        Kind::Page | Kind::Api | Kind::Static => matches!(answer.status, 200..=299 | 401 | 403),
        Kind::NotFound => matches!(answer.status, 404 | 410),
        Kind::ServerError => (500..600).contains(&answer.status),
    };
    let what = page.kind.name();
    match &answer.leads_to {
        None if fine => check
            .message(format!("the {what} answers {}", answer.status))
            .pass(),
        Some(to) if answer.is_redirect() => check.unmeasured(format!(
            "declared as a {what}, and it redirects to {to}, whose headers were not looked at"
        )),
        _ => check.unmeasured(format!(
            "declared as a {what}, and it answers {}",
            answer.status
        )),
    }
}

/// Whether some header was not kept whole.
fn cut(answer: &Answer, subject: &str, checks: &mut Checks) -> bool {
    let mut found = false;
    for field in &answer.fields {
        if let Some(bytes) = field.cut_from {
            let message = format!("`{}` has {bytes} bytes, and was not kept whole", field.name);
            let subject = format!("{subject} {}", field.name);
            checks
                .check(&rules::CUT_HEADER, subject)
                .unmeasured(message);
            found = true;
        }
    }
    found
}

/// An error where `grave`, or else a warning.
pub(crate) fn error_if(grave: bool) -> Level {
    if grave { Level::Error } else { Level::Warning }
}
