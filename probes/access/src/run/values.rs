//! Input, markup and queries: what a value may do.

use readygate_sdk::ProbeError;
use readygate_web::Request;
use serde_json::{Value, json};

use super::{claim, forbidden};
use crate::{
    ask::{Asker, Plan},
    config::{Injection, Input, Part, Xss},
    record::{Claim, Control, Kind, Try},
};

/// What a refusal of malformed input looks like (RFC 9110, section 15.5).
const REFUSED: &str = "400|405|413|415|422";

fn with_json(mut request: Request, body: Vec<u8>) -> Result<Request, ProbeError> {
    request.set("content-type", "application/json", false)?;
    request.body = Some(body);
    Ok(request)
}

/// A valid body once, and bodies that are wrong in one way each.
pub(crate) async fn input(input: &Input, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let method = http::Method::from(input.method);
    let role = input.user.as_deref();
    let mut claim = claim(Kind::Input, asker.subject(&method, &input.url));
    if let Some(why) = forbidden(asker, Part::Input, input.method) {
        claim.refused = Some(why);
        return Ok(claim);
    }
    let blank = || asker.signed(method.clone(), &input.url, role);
    let json = |value: &Value| with_json(blank()?, value.to_string().into_bytes());
    let mut malformed = input.json.to_string().into_bytes();
    malformed.pop();
    let mut plans = vec![
        ("malformed JSON".to_owned(), with_json(blank()?, malformed)?),
        ("an empty body".to_owned(), with_json(blank()?, Vec::new())?),
    ];
    for (name, body) in wrong(input) {
        plans.push((name, json(&body)?));
    }
    let mut text = json(&input.json)?;
    text.set("content-type", "text/plain", false)?;
    plans.push(("JSON sent as text/plain".to_owned(), text));
    for (name, request) in plans {
        let plan = Plan::new(name, Control::Negative, REFUSED, request, role);
        claim.tries.push(plan.run(asker).await);
    }
    // No service serves this method by accident.
    if let Ok(method) = http::Method::from_bytes(b"RGCHECK") {
        let request = asker.signed(method, &input.url, role)?;
        let wanted = format!("{REFUSED}|404|501");
        let plan = Plan::new(
            "an unknown method",
            Control::Negative,
            &wanted,
            request,
            role,
        );
        claim.tries.push(plan.run(asker).await);
    }
    let wanted = input.status.to_string();
    let request = json(&input.json)?;
    let plan = Plan::new("the valid body", Control::Positive, &wanted, request, role);
    claim.tries.push(plan.run(asker).await);
    Ok(claim)
}

/// The valid body, wrong in one field each.
fn wrong(input: &Input) -> Vec<(String, Value)> {
    let mut bodies = Vec::new();
    for field in &input.required {
        let mut without = input.json.clone();
        without.as_object_mut().map(|fields| fields.remove(field));
        bodies.push((format!("without `{field}`"), without));
        let mut wrong = input.json.clone();
        // An object is neither a text, nor a number, nor a list; nor is the other a shape of it.
        wrong[field] = match &input.json[field] {
            Value::Object(_) => json!([1]),
            _ => json!({"rg": [1]}),
        };
        bodies.push((format!("`{field}` of another type"), wrong));
    }
    if let (Some(size), Some(field)) = (input.oversize, input.required.first()) {
        let mut long = input.json.clone();
        long[field] = "x".repeat(usize::try_from(size.0).unwrap_or(0)).into();
        bodies.push((format!("`{field}` of {size}"), long));
    }
    bodies
}

/// A harmless value that must come back, and one with markup that must not.
pub(crate) async fn xss(xss: &Xss, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let get = http::Method::GET;
    let role = xss.user.as_deref();
    let mut claim = claim(Kind::Xss, asker.subject(&get, &xss.url));
    let marker = format!("rg{}", asker.random);
    // Its end is marked too: what stands between the two tells what became of the markup.
    let canary = format!("{marker}'\"><gr{}", asker.random);
    for (name, control, value) in [
        ("a harmless value", Control::Positive, &marker),
        ("a value with markup", Control::Negative, &canary),
    ] {
        let mut request = asker.signed(get.clone(), &xss.url, role)?;
        replace(&mut request, &xss.parameter, value);
        let mut plan = Plan::new(name, control, "2xx|3xx|4xx", request, role);
        plan.canary = Some(value);
        claim.tries.push(plan.run(asker).await);
    }
    Ok(claim)
}

/// Sets a query parameter in place of any of its name.
fn replace(request: &mut Request, name: &str, value: &str) {
    let kept: Vec<(String, String)> = request
        .url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    request
        .url
        .query_pairs_mut()
        .clear()
        .extend_pairs(kept)
        .append_pair(name, value);
}

/// Values that mean something to a database, beside harmless ones of the same shape.
pub(crate) async fn injection(config: &Injection, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let method = http::Method::from(config.method);
    let mut claim = claim(Kind::Injection, asker.subject(&method, &config.url));
    if let Some(why) = forbidden(asker, Part::Injection, config.method) {
        claim.refused = Some(why);
        return Ok(claim);
    }
    let value = &config.value;
    let wanted = config.status.to_string();
    let texts = [
        ("the harmless value", Control::Positive, value.clone()),
        // Its length again: what differs between the two is noise.
        (
            "the harmless value, again",
            Control::Positive,
            value.clone(),
        ),
        (
            "a value that nobody has",
            Control::Negative,
            format!("rg{}", asker.random),
        ),
        ("a quote", Control::Negative, format!("{value}'")),
        ("two quotes", Control::Negative, format!("{value}''")),
        (
            "a condition that holds",
            Control::Negative,
            format!("{value}' AND '1'='1"),
        ),
        (
            "a condition that does not",
            Control::Negative,
            format!("{value}' AND '1'='2"),
        ),
    ];
    for (name, control, text) in texts {
        let request = carrying(config, asker, &Value::String(text))?;
        claim
            .tries
            .push(ask(name, control, &wanted, request, config, asker).await);
    }
    let (name, request) = if config.json.is_some() {
        (
            "an operator in place of the value",
            carrying(config, asker, &json!({"$ne": null}))?,
        )
    } else {
        let mut request = asker.signed(method, &config.url, config.user.as_deref())?;
        replace(
            &mut request,
            &format!("{}[$ne]", config.parameter),
            &format!("rg{}", asker.random),
        );
        ("an operator in the name of the parameter", request)
    };
    claim
        .tries
        .push(ask(name, Control::Negative, &wanted, request, config, asker).await);
    Ok(claim)
}

async fn ask(
    name: &str,
    control: Control,
    wanted: &str,
    request: Request,
    config: &Injection,
    asker: &Asker<'_>,
) -> Try {
    Plan::new(name, control, wanted, request, config.user.as_deref())
        .run(asker)
        .await
}

fn carrying(config: &Injection, asker: &Asker<'_>, value: &Value) -> Result<Request, ProbeError> {
    let mut request = asker.signed(config.method.into(), &config.url, config.user.as_deref())?;
    if let Some(body) = &config.json {
        let mut body = body.clone();
        body[&config.parameter] = value.clone();
        return with_json(request, body.to_string().into_bytes());
    }
    replace(
        &mut request,
        &config.parameter,
        value.as_str().unwrap_or_default(),
    );
    Ok(request)
}
