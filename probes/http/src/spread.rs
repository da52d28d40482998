//! Asks a load balancer often enough to meet its instances.

use http::header::COOKIE;
use readygate_sdk::{Cx, ProbeError};
use readygate_web::{Request, Response};

use crate::{
    config::HttpConfig,
    exchange::Exchange,
    facts::Recorder,
    grown::SpreadConfig,
    record::{Instance, SpreadRecord, StickyRecord},
};

const MOST_INSTANCES: usize = 100;
/// Errors that are kept; each says much the same.
const ERRORS: usize = 5;

/// Sends the requests of `spread`, one after the other, each over a connection of its own.
pub(crate) async fn spread(
    spread: &SpreadConfig,
    exchange: &Exchange<'_>,
    request: &Request,
    recorder: &Recorder<'_>,
    cx: &Cx,
) -> Result<SpreadRecord, ProbeError> {
    let planned = spread.planned();
    let mut record = SpreadRecord {
        source: spread.by.to_string(),
        requests: planned.into(),
        instances: Vec::new(),
        unnamed: 0,
        unnamed_statuses: Vec::new(),
        unanswered: 0,
        errors: Vec::new(),
        sticky: None,
    };
    let mut cookies = None;
    for n in 1..=planned {
        cx.progress(&format!("request {n} of {planned} to the load balancer"));
        match exchange.fetch(request).await {
            Ok((arrival, _)) => {
                let response = &arrival.response;
                cookies = cookies.or_else(|| Some(pairs(response)));
                if let Some(name) = recorder.name_at(&spread.by, response) {
                    note(&mut record.instances, name, response, recorder);
                } else {
                    record.unnamed += 1;
                    let status = response.status.as_u16();
                    if !record.unnamed_statuses.contains(&status) {
                        record.unnamed_statuses.push(status);
                    }
                }
            }
            Err(error) if cx.is_over() => return Err(recorder.error(error)),
            Err(error) => {
                record.unanswered += 1;
                if record.errors.len() < ERRORS {
                    record.errors.push(recorder.error(error));
                }
            }
        }
    }
    if spread.sticky {
        let cookies = cookies.unwrap_or_default();
        record.sticky = Some(sticky(spread, cookies, exchange, request, recorder, cx).await?);
    }
    Ok(record)
}

fn note(instances: &mut Vec<Instance>, name: String, response: &Response, recorder: &Recorder<'_>) {
    let config: &HttpConfig = recorder.config;
    let version = config.version.as_ref();
    let version = version.map(|source| recorder.name_at(source, response).unwrap_or_default());
    let status = response.status.as_u16();
    let known = instances.iter().position(|instance| instance.name == name);
    let index = known.unwrap_or_else(|| {
        instances.push(Instance {
            name,
            times: 0,
            statuses: Vec::new(),
            versions: Vec::new(),
        });
        instances.len() - 1
    });
    let instance = &mut instances[index];
    instance.times += 1;
    if !instance.statuses.contains(&status) {
        instance.statuses.push(status);
    }
    if let Some(version) = version
        && !instance.versions.contains(&version)
    {
        instance.versions.push(version);
    }
    instances.truncate(MOST_INSTANCES);
}

/// `name=value` of every cookie that a response sets.
fn pairs(response: &Response) -> Vec<String> {
    let cookies = response.values("set-cookie");
    let pairs = cookies.filter_map(|value| {
        let pair = std::str::from_utf8(value).ok()?.split(';').next()?;
        pair.contains('=').then(|| pair.trim().to_owned())
    });
    pairs.collect()
}

async fn sticky(
    spread: &SpreadConfig,
    cookies: Vec<String>,
    exchange: &Exchange<'_>,
    request: &Request,
    recorder: &Recorder<'_>,
    cx: &Cx,
) -> Result<StickyRecord, ProbeError> {
    let name = |pair: &String| pair.split('=').next().unwrap_or_default().to_owned();
    let mut record = StickyRecord {
        cookies: cookies.iter().map(name).collect(),
        answered: 0,
        lost: 0,
        instances: Vec::new(),
    };
    if cookies.is_empty() {
        return Ok(record);
    }
    let mut request = request.clone();
    let before = request.headers.get(COOKIE).and_then(|v| v.to_str().ok());
    let all: Vec<_> = before
        .into_iter()
        .chain(cookies.iter().map(String::as_str))
        .collect();
    let all = all.join("; ");
    request.set("cookie", &all, true)?;
    for _ in 0..spread.planned() {
        let found = match exchange.fetch(&request).await {
            Ok((arrival, _)) => recorder.name_at(&spread.by, &arrival.response),
            Err(error) if cx.is_over() => return Err(recorder.error(error)),
            Err(_) => None,
        };
        match found {
            Some(name) => {
                record.answered += 1;
                if !record.instances.contains(&name) {
                    record.instances.push(name);
                }
            }
            None => record.lost += 1,
        }
    }
    Ok(record)
}
