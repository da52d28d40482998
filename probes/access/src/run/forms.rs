//! CSRF: the same request from the service's own page, and from another site.

use readygate_sdk::{ErrorKind, ProbeError};
use readygate_web::{Request, Response, resolve};
use serde_json::Value;

use super::{claim, forbidden};
use crate::{
    ask::{Asker, Plan},
    config::{Csrf, CsrfToken, Part, TokenPlace, TokenSource},
    record::{Claim, Control, Kind},
};

/// From elsewhere without the token, then from the own page with it.
pub(crate) async fn csrf(config: &Csrf, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let method = http::Method::from(config.method);
    let mut claim = claim(Kind::Csrf, asker.subject(&method, &config.url));
    if let Some(why) = forbidden(asker, Part::Csrf, config.method) {
        claim.refused = Some(why);
        return Ok(claim);
    }
    let token = match &config.token {
        Some(token) => match fetch(token, config, asker).await {
            Ok(found) => Some((&token.to, found)),
            Err(error) => {
                claim.refused = Some(format!("the token could not be had: {error}"));
                return Ok(claim);
            }
        },
        None => None,
    };
    let stranger = format!("https://rg{}.example", asker.random);
    let request = form(config, None, asker)?;
    let request = from(request, &stranger, "cross-site")?;
    let name = "from another site, without a token";
    let plan = Plan::new(name, Control::Negative, "4xx", request, Some(&config.user));
    claim.tries.push(plan.run(asker).await);
    let own = resolve(&config.url, asker.cx.target())?
        .origin()
        .ascii_serialization();
    let token = token.as_ref().map(|(to, found)| (*to, found.as_str()));
    let request = from(form(config, token, asker)?, &own, "same-origin")?;
    let wanted = config.status.as_ref();
    let wanted = wanted.map_or_else(|| "2xx|3xx".to_owned(), ToString::to_string);
    let name = "from the own page";
    let plan = Plan::new(
        name,
        Control::Positive,
        &wanted,
        request,
        Some(&config.user),
    );
    claim.tries.push(plan.run(asker).await);
    Ok(claim)
}

/// What a browser says of the page that sends a form (Fetch Metadata, section 2).
fn from(mut request: Request, origin: &str, site: &str) -> Result<Request, ProbeError> {
    request.set("origin", origin, false)?;
    request.set("referer", &format!("{origin}/"), false)?;
    request.set("sec-fetch-site", site, false)?;
    request.set("sec-fetch-mode", "navigate", false)?;
    Ok(request)
}

fn form(
    config: &Csrf,
    token: Option<(&TokenPlace, &str)>,
    asker: &Asker<'_>,
) -> Result<Request, ProbeError> {
    let mut request = asker.signed(config.method.into(), &config.url, Some(&config.user))?;
    let mut fields = config.form.clone();
    match token {
        Some((TokenPlace::Field(name), value)) => {
            fields.insert(name.clone(), value.to_owned());
        }
        Some((TokenPlace::Header(name), value)) => request.set(name, value, true)?,
        None => {}
    }
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    request.body = Some(text.extend_pairs(fields).finish().into_bytes());
    request.set("content-type", "application/x-www-form-urlencoded", false)?;
    Ok(request)
}

async fn fetch(token: &CsrfToken, config: &Csrf, asker: &Asker<'_>) -> Result<String, ProbeError> {
    let request = asker.signed(http::Method::GET, &token.url, Some(&config.user))?;
    let response = asker.send(&request).await?;
    let found = find(&token.from, &response).filter(|found| !found.trim().is_empty());
    found.ok_or_else(|| {
        let message = format!("the response ({}) holds none", response.status.as_u16());
        ProbeError::new(
            ErrorKind::BadData,
            asker.mask(&request.subject()),
            "fetching the token",
            message,
        )
    })
}

fn find(source: &TokenSource, response: &Response) -> Option<String> {
    match source {
        TokenSource::Header(name) => response.text(name),
        TokenSource::Json(pointer) => {
            let document: Value = serde_json::from_slice(&response.body.bytes).ok()?;
            document.pointer(pointer)?.as_str().map(str::to_owned)
        }
        TokenSource::Text(pattern) => pattern.find(&response.body.text()?).map(str::to_owned),
    }
}
