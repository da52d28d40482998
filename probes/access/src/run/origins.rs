//! CORS: origins that must be allowed, and strangers.

use readygate_sdk::ProbeError;
use readygate_web::resolve;

use super::claim;
use crate::{
    ask::{Asker, Plan},
    config::Cors,
    record::{Claim, Control, Kind, Try},
};

/// GET and OPTIONS from each origin: some services answer only one of them carelessly.
pub(crate) async fn cors(cors: &Cors, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let mut claim = claim(Kind::Cors, asker.subject(&http::Method::GET, &cors.url));
    claim.private = cors.private;
    let plain = asker.signed(http::Method::GET, &cors.url, cors.user.as_deref())?;
    let role = cors.user.as_deref();
    let plan = Plan::new("no origin", Control::Positive, "2xx|3xx", plain, role);
    claim.tries.push(plan.run(asker).await);
    for origin in cors.allowed.iter().filter(|origin| !origin.contains('*')) {
        claim.tries.push(
            one(
                cors,
                asker,
                http::Method::GET,
                origin,
                Control::Positive,
                None,
            )
            .await?,
        );
        for method in &cors.methods {
            let method = http::Method::from(*method);
            let asked = Some(method.as_str());
            let preflight = http::Method::OPTIONS;
            claim
                .tries
                .push(one(cors, asker, preflight, origin, Control::Positive, asked).await?);
        }
    }
    for origin in strangers(cors, asker)? {
        claim.tries.push(
            one(
                cors,
                asker,
                http::Method::GET,
                &origin,
                Control::Negative,
                None,
            )
            .await?,
        );
        let preflight = http::Method::OPTIONS;
        claim.tries.push(
            one(
                cors,
                asker,
                preflight,
                &origin,
                Control::Negative,
                Some("GET"),
            )
            .await?,
        );
    }
    Ok(claim)
}

async fn one(
    cors: &Cors,
    asker: &Asker<'_>,
    method: http::Method,
    origin: &str,
    control: Control,
    preflight_for: Option<&str>,
) -> Result<Try, ProbeError> {
    // A preflight carries no credentials (Fetch, section 3.2.2).
    let user = cors.user.as_deref().filter(|_| preflight_for.is_none());
    let mut request = asker.signed(method.clone(), &cors.url, user)?;
    request.set("origin", origin, false)?;
    let name = match preflight_for {
        Some(wanted) => {
            request.set("access-control-request-method", wanted, false)?;
            format!("preflight for {wanted} from {origin}")
        }
        None => format!("{method} from {origin}"),
    };
    let wanted = preflight_for.unwrap_or_default();
    Ok(Plan::new(name, control, wanted, request, user)
        .run(asker)
        .await)
}

/// Origins that nobody declared, each against one careless way to compare.
fn strangers(cors: &Cors, asker: &Asker<'_>) -> Result<Vec<String>, ProbeError> {
    let url = resolve(&cors.url, asker.cx.target())?;
    let host = url.host_str().unwrap_or_default();
    let random = format!("rg{}", asker.random);
    let mut origins = vec![
        format!("https://{random}.example"),
        "null".to_owned(),
        // An end that is not anchored.
        format!("https://{host}.{random}.example"),
        // A suffix without its dot.
        format!("https://{random}{host}"),
        // Whoever takes over any name below.
        format!("https://{random}.{}", parent(host)),
    ];
    if url.scheme() == "https" {
        // Whoever listens on the way.
        origins.push(format!("http://{host}"));
    }
    origins.retain(|origin| !cors.allowed.iter().any(|allowed| covers(allowed, origin)));
    origins.extend(cors.denied.iter().cloned());
    Ok(origins)
}

/// The name above a host with three labels or more; two may be a public suffix.
fn parent(host: &str) -> &str {
    let is_address = host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[');
    match host.split_once('.') {
        Some((_, rest)) if rest.contains('.') && !is_address => rest,
        _ => host,
    }
}

fn covers(allowed: &str, origin: &str) -> bool {
    match allowed.split_once('*') {
        Some((before, after)) => {
            origin.len() >= before.len() + after.len()
                && origin.starts_with(before)
                && origin.ends_with(after)
        }
        None => allowed == origin,
    }
}
