//! Hashes of scripts and style sheets.

use readygate_sdk::{Checks, excerpt};
use url::Url;

use super::{Case, error_if, site::site};
use crate::{
    parse::{html::Resource, integrity},
    rules,
};

pub(super) fn judge(case: Case<'_>, checks: &mut Checks) {
    let Some(document) = &case.answer.document else {
        return;
    };
    let subject = case.subject();
    let page = Url::parse(&case.answer.url).ok();
    let base = document.base.as_deref();
    let base = page.as_ref().map(|page| {
        base.and_then(|b| page.join(b).ok())
            .unwrap_or_else(|| page.clone())
    });
    let mut bare: Vec<(bool, String)> = Vec::new();
    let mut invalid = Vec::new();
    let mut hashed = 0_u32;
    for resource in document.scripts.iter().chain(&document.styles) {
        let shown = excerpt(&resource.url, 200);
        match resource
            .integrity
            .as_deref()
            .filter(|value| !value.trim().is_empty())
        {
            Some(value) if integrity::is_valid(value) => hashed += 1,
            Some(value) => invalid.push(format!("{shown}: `{}`", excerpt(value, 100))),
            None => bare.extend(
                foreign(resource, base.as_ref(), page.as_ref()).map(|grave| (grave, shown)),
            ),
        }
    }
    bare.sort_by_key(|(grave, _)| !grave);
    let check = checks.check(&rules::SRI_MISSING, &subject);
    match (bare.first(), &document.unread) {
        (Some((grave, first)), _) => {
            let how = if *grave {
                "over plain HTTP and without a hash"
            } else {
                "from another site without a hash"
            };
            check
                .level(error_if(*grave))
                .message(format!("{first} is loaded {how}"))
                .details(bare.iter().skip(1).take(19).map(|(_, url)| url.clone()))
                .fail();
        }
        (None, Some(reason)) => {
            check.unmeasured(format!("what the document loads is not known: {reason}"));
        }
        (None, None) => check
            .message("nothing of another site is loaded without a hash")
            .pass(),
    }
    if hashed == 0 && invalid.is_empty() {
        return;
    }
    let check = checks.check(&rules::SRI_INVALID, &subject);
    match invalid.split_first() {
        Some((first, more)) => check
            .message(format!("browsers take no hash from {first}"))
            .details(more.iter().take(19).cloned())
            .fail(),
        None => check.message("every `integrity` holds a hash").pass(),
    }
}

/// Whether a resource of another site comes over plain HTTP; nothing for one of the same site.
fn foreign(resource: &Resource, base: Option<&Url>, page: Option<&Url>) -> Option<bool> {
    let (base, page) = (base?, page?);
    let url = base.join(&resource.url).ok()?;
    let plain = url.scheme() == "http";
    if !plain && url.scheme() != "https" {
        return None;
    }
    let own = site(url.host_str()?) == site(page.host_str()?);
    (!own || (plain && page.scheme() == "https")).then_some(plain)
}
