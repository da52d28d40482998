//! Tries every claim of the config, one after the other.

mod burst;
mod forms;
mod identity;
mod origins;
mod values;

pub(crate) use burst::{AFTERWARDS, MOST_REQUESTS};

use readygate_sdk::{Cx, ProbeError, Target};

use crate::{
    ask::Asker,
    config::{AccessConfig, Part, reads},
    matrix,
    record::{AccessMeasurement, Claim, Kind},
};

/// Tries everything; without a single answer there is nothing to judge.
pub(crate) async fn measure(
    config: &AccessConfig,
    cx: &Cx,
) -> Result<AccessMeasurement, ProbeError> {
    // Before the first request: a matrix that cannot be read is no reason to send any.
    let rows = match config
        .authorization
        .as_ref()
        .and_then(|a| Some((a, a.matrix.as_ref()?)))
    {
        Some((authorization, path)) => matrix::read(path, authorization.writes, config, cx).await?,
        None => Vec::new(),
    };
    let asker = Asker::new(config, cx).await?;
    let mut claims = Vec::new();
    for cors in &config.cors {
        claims.push(origins::cors(cors, &asker).await?);
    }
    for authentication in &config.authentication {
        claims.push(identity::authentication(authentication, &asker).await?);
    }
    for row in &rows {
        claims.push(identity::route(row, &asker).await?);
    }
    for object in config.authorization.iter().flat_map(|a| &a.objects) {
        claims.push(identity::object(object, &asker).await?);
    }
    for xss in &config.xss {
        claims.push(values::xss(xss, &asker).await?);
    }
    for input in &config.input {
        claims.push(values::input(input, &asker).await?);
    }
    for csrf in &config.csrf {
        claims.push(forms::csrf(csrf, &asker).await?);
    }
    for injection in &config.injection {
        claims.push(values::injection(injection, &asker).await?);
    }
    // Last: a burst may shut the other ones out.
    for limit in &config.rate_limit {
        claims.push(burst::rate_limit(limit, &asker).await?);
    }
    let tries = || claims.iter().flat_map(|claim| &claim.tries);
    let answered = tries().any(|t| t.status.is_some())
        || claims
            .iter()
            .any(|c| c.rate.as_ref().is_some_and(|r| r.sent > r.unanswered));
    let bursts = claims.iter().filter_map(|c| c.rate.as_ref()?.error.clone());
    match tries()
        .find_map(|t| t.error.clone())
        .or_else(|| bursts.into_iter().next())
    {
        Some(error) if !answered => Err(error),
        _ => Ok(AccessMeasurement { claims }),
    }
}

/// A claim that nothing was tried for yet.
fn claim(kind: Kind, subject: String) -> Claim {
    Claim {
        kind,
        subject,
        refused: None,
        untried: Vec::new(),
        private: false,
        tries: Vec::new(),
        rate: None,
    }
}

/// Why a part that writes or sends bursts is not tried on this target.
fn forbidden(asker: &Asker<'_>, part: Part, method: readygate_web::Method) -> Option<String> {
    if part == Part::Authorization && reads(method) {
        return None;
    }
    let allowed = asker.config.allow_production.contains(&part);
    (is_production(asker.cx.target()) && !allowed).then(|| {
        "it writes or sends bursts, and the target is production; `allow_production` lets it run there".to_owned()
    })
}

/// Whether the environment, or the name where none is given, says production.
fn is_production(target: &Target) -> bool {
    let name = target.environment.as_deref().unwrap_or(&target.name);
    let lower = name.to_ascii_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    words.iter().enumerate().any(|(index, word)| {
        let before = index.checked_sub(1).and_then(|i| words.get(i));
        matches!(*word, "production" | "prod" | "prd" | "live")
            && !before.is_some_and(|b| matches!(*b, "non" | "pre" | "not"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_recognized() {
        for (environment, name, yes) in [
            (None, "production", true),
            (None, "eu-prod", true),
            (Some("staging"), "production", false),
            (Some("PROD"), "x", true),
            (None, "pre-prod", false),
            (None, "preproduction", false),
            (None, "", false),
        ] {
            let target = Target {
                name: name.to_owned(),
                environment: environment.map(str::to_owned),
                ..Target::default()
            };
            assert_eq!(is_production(&target), yes, "{environment:?} {name}");
        }
    }
}
