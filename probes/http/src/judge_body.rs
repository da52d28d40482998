//! Applies what is asked of headers and bodies. Pure.

use readygate_sdk::Checks;

use crate::{
    config::{HttpConfig, VersionSource},
    judge::{Evidence, Finding, settle},
    matcher::Matcher,
    record::{Answer, Found, HttpMeasurement},
    rules,
};

/// A record that was made for another config does not hold what this one asks.
const NOT_RECORDED: &str =
    "the record does not hold it; measure again, and keep secrets out of what is looked for";

/// One response header.
pub(crate) fn header(answer: &Answer, name: &str, matcher: &Matcher) -> Finding {
    let facts = &answer.facts.headers;
    let Some(fact) = facts
        .iter()
        .find(|fact| fact.name.eq_ignore_ascii_case(name))
    else {
        return Finding::Unknown(NOT_RECORDED.to_owned());
    };
    if fact.values.is_empty() {
        let found = "absent".to_owned();
        return if matcher.wants_absence() {
            Finding::Holds(found)
        } else {
            Finding::Broken(found)
        };
    }
    let found = fact.values.join("`, `");
    let found = format!("`{found}`");
    if matcher.wants_absence() {
        return Finding::Broken(found);
    }
    if fact.cut && !matcher.wants_presence_only() {
        return Finding::Unknown("the values are too long or too many to be recorded".to_owned());
    }
    if fact.values.iter().all(|value| matcher.holds_text(value)) {
        Finding::Holds(found)
    } else {
        Finding::Broken(found)
    }
}

/// Pushes every check on the body, and on the version.
pub(crate) fn judge(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    if config.asks_body() {
        readable(config, record, checks);
    }
    if config.asks_json() {
        let check = checks.check(&rules::NOT_JSON, &record.url).expected("JSON");
        settle(check, record, "the body", Evidence::Body, is_json);
    }
    for (pointer, matcher) in &config.body_json {
        let shown = if pointer.is_empty() {
            "the document"
        } else {
            pointer
        };
        let check = checks
            .check(&rules::BODY_JSON, &record.url)
            .expected(format!("{shown}: {matcher}"));
        settle(
            check,
            record,
            &format!("`{shown}`"),
            Evidence::None,
            |answer| json(answer, pointer, matcher),
        );
    }
    let wanted = config.contains.iter().map(|text| (text, true));
    let unwanted = config.not_contains.iter().map(|text| (text, false));
    for (text, wanted) in wanted.chain(unwanted) {
        let with = if wanted { "with" } else { "without" };
        let check = checks
            .check(&rules::BODY_TEXT, &record.url)
            .expected(format!("a body {with} `{text}`"));
        let what = format!("`{text}` in the body");
        settle(check, record, &what, Evidence::Body, |answer| {
            contains(answer, text, wanted)
        });
    }
    if let Some(source) = &config.version {
        version(source, record, checks);
    }
}

/// Says that a body was cut or is unreadable, where that leaves something open.
fn readable(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    for answer in record.answers.iter().filter(|a| leaves_open(config, a)) {
        let rule = if answer.body.unread_encoding.is_some() {
            &rules::UNREAD_ENCODING
        } else {
            &rules::TRUNCATED_BODY
        };
        if let Some(reason) = answer.body.unknown() {
            checks
                .check(rule, &record.url)
                .hint(rule.fix)
                .unmeasured(reason);
            return;
        }
    }
}

/// Whether the rest of the body would matter: a text that was found is found.
fn leaves_open(config: &HttpConfig, answer: &Answer) -> bool {
    let facts = &answer.facts;
    let found = |text: &str| facts.texts.iter().any(|f| f.text == text && f.present);
    config.asks_json()
        || config.texts().any(|text| !found(text))
        || matches!(config.version, Some(VersionSource::Text(_)))
            && facts.version.as_ref().is_none_or(|v| v.value.is_none())
}

fn is_json(answer: &Answer) -> Finding {
    match (&answer.body.json_error, answer.body.unknown()) {
        (Some(cause), _) => Finding::Broken(format!("not JSON: {cause}")),
        (None, Some(reason)) => Finding::Unknown(reason),
        (None, None) => Finding::Holds("JSON".to_owned()),
    }
}

fn json(answer: &Answer, pointer: &str, matcher: &Matcher) -> Finding {
    if answer.body.json_error.is_some() {
        return Finding::Broken("nowhere: the body is not JSON".to_owned());
    }
    if let Some(reason) = answer.body.unknown() {
        return Finding::Unknown(reason);
    }
    let facts = &answer.facts.json;
    let Some(fact) = facts.iter().find(|fact| fact.pointer == pointer) else {
        return Finding::Unknown(NOT_RECORDED.to_owned());
    };
    let (found, holds) = match &fact.found {
        Found::Missing => ("absent".to_owned(), Some(matcher.wants_absence())),
        Found::Value(value) => (value.to_string(), Some(matcher.holds_json(value))),
        Found::Present => ("present".to_owned(), presence(matcher)),
        Found::TooLong(bytes) => (
            format!("{bytes} bytes of JSON, too many to be recorded"),
            presence(matcher),
        ),
    };
    match holds {
        Some(true) => Finding::Holds(found),
        Some(false) => Finding::Broken(found),
        None => Finding::Unknown(found),
    }
}

/// What can be said of a value that is there and not known.
fn presence(matcher: &Matcher) -> Option<bool> {
    if matcher.wants_absence() {
        Some(false)
    } else {
        matcher.wants_presence_only().then_some(true)
    }
}

fn contains(answer: &Answer, text: &str, wanted: bool) -> Finding {
    let fact = answer.facts.texts.iter().find(|fact| fact.text == text);
    match (fact, answer.body.unknown()) {
        (Some(fact), _) if fact.present && wanted => Finding::Holds("present".to_owned()),
        (Some(fact), _) if fact.present => Finding::Broken("present".to_owned()),
        (_, Some(reason)) => Finding::Unknown(reason),
        (Some(_), None) if wanted => Finding::Broken("absent".to_owned()),
        (Some(_), None) => Finding::Holds("absent".to_owned()),
        (None, None) => Finding::Unknown(NOT_RECORDED.to_owned()),
    }
}

fn version(source: &VersionSource, record: &HttpMeasurement, checks: &mut Checks) {
    let check = checks.check(&rules::VERSION_MISMATCH, &record.url);
    let Some(wanted) = &record.target_version else {
        return check.unmeasured("the record holds no version of the target; measure again");
    };
    let of_body = !matches!(source, VersionSource::Header(_));
    let source = source.to_string();
    settle(
        check.expected(wanted),
        record,
        "the running version",
        Evidence::None,
        |answer| {
            let fact = answer.facts.version.as_ref();
            let Some(fact) = fact.filter(|fact| fact.source == source) else {
                return Finding::Unknown(NOT_RECORDED.to_owned());
            };
            match (&fact.value, answer.body.unknown()) {
                (Some(found), _) if same_version(found, wanted) => Finding::Holds(found.clone()),
                (Some(found), _) => Finding::Broken(found.clone()),
                (None, Some(reason)) if of_body => Finding::Unknown(reason),
                (None, _) => Finding::Broken(format!("not named by the response ({source})")),
            }
        },
    );
}

/// `v4.0.0` and `4.0.0` are one version; nothing else is taken for the same.
pub(crate) fn same_version(a: &str, b: &str) -> bool {
    fn bare(text: &str) -> &str {
        let text = text.trim();
        text.strip_prefix(['v', 'V'])
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(text)
    }
    bare(a) == bare(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_v_makes_no_other_version() {
        for (a, b, same) in [
            ("4.0.0", "v4.0.0", true),
            ("4.0.0", " 4.0.0\n", true),
            ("4.0.0", "4.0.0-rc1", false),
            ("4.0.0", "4.0", false),
            ("version", "ersion", false),
        ] {
            assert_eq!(same_version(a, b), same, "{a} and {b}");
        }
    }
}
