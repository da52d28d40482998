//! What the config asks for and the record does not hold, as when it was made under another config.

use readygate_sdk::Checks;

use crate::{
    config::HeadersConfig,
    record::{HeadersMeasurement, Origin},
    rules,
};

const NOT_HELD: &str = "the record does not hold it; measure again";

pub(super) fn judge(config: &HeadersConfig, record: &HeadersMeasurement, checks: &mut Checks) {
    let mut lacks = Vec::new();
    for (kind, url) in config.urls() {
        let held = |page: &&crate::record::Page| page.kind == kind && page.declared == url;
        if record.captured || !record.pages.iter().any(|page| held(&page)) {
            lacks.push(format!("{url} ({})", kind.name()));
        }
    }
    for file in config.from_file.iter() {
        let of_file = |declared: &str| {
            let rest = declared.strip_prefix(file);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        if !record.captured || !record.pages.iter().any(|page| of_file(&page.declared)) {
            lacks.push(file.to_owned());
        }
    }
    if let Some(url) = &config.http_url {
        // Masked parts tell nothing; scheme, host and port are never masked.
        let origin = |url: &str| url::Url::parse(url).ok().map(|url| url.origin());
        let held = record.plain.as_ref();
        if held.is_none_or(|plain| origin(&plain.url) != origin(url)) {
            lacks.push(format!("{url} (plain HTTP)"));
        }
    }
    if config.from_file.is_empty() {
        origins(config, record, &mut lacks);
    }
    for subject in lacks {
        checks
            .check(&rules::NO_ANSWER, subject)
            .unmeasured(NOT_HELD);
    }
}

/// URLs that were asked as no other origin, origins that were not sent, methods not asked for.
fn origins(config: &HeadersConfig, record: &HeadersMeasurement, lacks: &mut Vec<String>) {
    let named = !config.cors.urls.is_empty()
        || !config.cors.allowed.is_empty()
        || !config.cors.denied.is_empty();
    // Every measurement asks as other origins where there is a page or an API, so a list without any
    // is one that was left out.
    if record.cors.is_empty() && !named {
        return;
    }
    for url in config.cors_urls() {
        let answers = || record.cors.iter().filter(|c| c.declared == url);
        if answers().next().is_none() {
            lacks.push(format!("{url} as another origin"));
            continue;
        }
        let lists = [
            (Origin::Allowed, &config.cors.allowed),
            (Origin::Denied, &config.cors.denied),
        ];
        for (origin, texts) in lists {
            for sent in texts.iter().filter(|text| !text.contains('*')) {
                let as_it = || answers().filter(|c| c.origin == origin && c.sent == sent);
                if as_it().next().is_none() {
                    lacks.push(format!("{url} as {sent}"));
                    continue;
                }
                for method in config.cors.methods.iter() {
                    let asked = as_it().any(|c| c.asked_for.as_deref() == Some(method));
                    if origin == Origin::Allowed && !asked {
                        lacks.push(format!("{url} OPTIONS for {method} as {sent}"));
                    }
                }
            }
        }
    }
}
