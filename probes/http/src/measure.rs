//! Takes the samples of one endpoint, or goes through the steps.

use std::{collections::BTreeMap, time::Duration};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use readygate_web::{Arrival, Client, Response, Settings, shown_text};

use crate::{
    cache::{self, CacheState},
    capture,
    config::HttpConfig,
    exchange::Exchange,
    facts::Recorder,
    grown::{Capture, Step},
    openapi,
    record::{Answer, CaptureFact, HttpMeasurement, Latency, StepRecord},
    request::{Masking, Prepared},
    spread,
    template::{self, Values},
};

/// How often a response is asked for until a cache has it, and how long the cache gets for it
/// (Cloudflare stores after the first miss; the next one within a few hundred milliseconds hits).
const CACHE_ASKS: usize = 3;
const CACHE_PAUSE: Duration = Duration::from_millis(300);

/// Measures what the config asks for.
pub(crate) async fn measure(config: &HttpConfig, cx: &Cx) -> Result<HttpMeasurement, ProbeError> {
    // Before the first request: a document that cannot be read is no reason to send any.
    let document = match &config.openapi {
        Some(path) => Some(openapi::read(path, cx).await?),
        None => None,
    };
    let mut record = if config.steps.is_empty() {
        let mut secrets = Vec::new();
        endpoint(config, cx, &mut secrets, &BTreeMap::new())
            .await?
            .0
    } else {
        steps(config, cx).await?
    };
    record.openapi = document.map(|document| document.seen(&record));
    Ok(record)
}

/// Goes through the steps. One that gets no answer does not keep those from being sent that need
/// nothing of it; with no answer at all there is nothing to judge.
async fn steps(config: &HttpConfig, cx: &Cx) -> Result<HttpMeasurement, ProbeError> {
    let mut values = Values::new();
    let mut secrets = Vec::new();
    let mut first_error = None;
    let first = config.steps.first();
    let (url, method) = first.map_or_else(Default::default, |step| {
        (
            shown_text(&step.url),
            http::Method::from(step.method).to_string(),
        )
    });
    let mut record = HttpMeasurement::new(url, method, None);
    for step in &config.steps {
        cx.progress(&format!("step {}", step.name));
        let (done, error) = one_step(config, step, cx, &mut values, &mut secrets).await;
        first_error = first_error.or(error);
        record.steps.push(done);
    }
    match first_error {
        Some(error) if record.steps.iter().all(|s| s.record.answers.is_empty()) => Err(error),
        _ => Ok(record),
    }
}

async fn one_step(
    config: &HttpConfig,
    step: &Step,
    cx: &Cx,
    values: &mut Values,
    secrets: &mut Vec<String>,
) -> (StepRecord, Option<ProbeError>) {
    let method = http::Method::from(step.method).to_string();
    let mut done = StepRecord {
        name: step.name.clone(),
        not_sent: None,
        record: HttpMeasurement::new(shown_text(&step.url), method, None),
        captures: Vec::new(),
    };
    if cx.is_over() {
        done.not_sent = Some("the time of the gate was over".to_owned());
        return (done, None);
    }
    let alone = match template::filled(&step.alone(config), values) {
        Ok(alone) => alone,
        Err(name) => {
            done.not_sent = Some(format!(
                "it needs `{name}`, which no step before it captured"
            ));
            return (done, None);
        }
    };
    match endpoint(&alone, cx, secrets, &step.capture).await {
        Ok((record, captured)) => {
            done.record = record;
            for (name, source) in &step.capture {
                let found = captured.get(name);
                let missing = found.and_then(|found| found.as_ref().err().cloned());
                done.captures.push(CaptureFact {
                    name: name.clone(),
                    source: source.to_string(),
                    missing,
                });
                if let Some(Ok(value)) = found {
                    values.insert(name.clone(), value.clone());
                }
            }
            (done, None)
        }
        Err(error) => {
            done.record.add_failed(error.clone());
            (done, Some(error))
        }
    }
}

type Captured = BTreeMap<String, Result<String, String>>;

/// Sends the request as often as the config says. With more than one sample, one without an answer
/// is recorded as such; there must be an answer at all, and the time must suffice for all samples.
/// What is captured becomes a secret before anything is recorded.
async fn endpoint(
    config: &HttpConfig,
    cx: &Cx,
    secrets: &mut Vec<String>,
    captures: &BTreeMap<String, Capture>,
) -> Result<(HttpMeasurement, Captured), ProbeError> {
    let target_version = target_version(config, cx)?;
    let Prepared {
        request,
        secrets: own,
    } = Prepared::new(config, cx.target())?;
    secrets.extend(own);
    let client = client(config, cx).await?;
    let exchange = Exchange {
        client: &client,
        redirects: config.redirects,
    };
    let mut masking = Masking::new(secrets);
    let mut captured = Captured::new();
    let subject = cx.mask(&masking.masker.mask(&request.subject()));
    let method = request.method.to_string();
    let mut record = HttpMeasurement::new(subject.clone(), method, target_version);
    for sample in 1..=config.samples {
        if config.samples > 1 {
            cx.progress(&format!("{subject}: sample {sample} of {}", config.samples));
        }
        let sent = fetch(config, &exchange, &request, cx).await;
        if let Ok((arrival, ..)) = &sent
            && !captures.is_empty()
        {
            captured = take(captures, &arrival.response);
            secrets.extend(captured.values().flatten().cloned());
            masking = Masking::new(secrets);
        }
        let recorder = recorder(config, cx, &masking);
        match sent {
            Ok((arrival, latency, said)) => {
                let mut answer = answer(&recorder, &request, &arrival, &said);
                if !captures.is_empty() {
                    // Beside what is captured there is more that nobody may see: refresh tokens.
                    answer.body.excerpt.clear();
                }
                record.add(answer, latency);
            }
            Err(error) if cx.is_over() => {
                return Err(recorder.error(numbered(error, sample, config.samples)));
            }
            Err(error) if config.samples > 1 => record.add_failed(recorder.error(error)),
            Err(error) => return Err(recorder.error(error)),
        }
    }
    let first_error = record.errors().next().cloned();
    if let (Some(error), true) = (first_error, record.answers.is_empty()) {
        return Err(error);
    }
    if let Some(plan) = &config.spread {
        let recorder = recorder(config, cx, &masking);
        let spread = spread::spread(plan, &exchange, &request, &recorder, cx).await?;
        record.spread = Some(spread);
    }
    Ok((record, captured))
}

/// What is kept of a response; the caches before it `said` something.
fn answer(
    recorder: &Recorder<'_>,
    request: &readygate_web::Request,
    arrival: &Arrival,
    said: &[String],
) -> Answer {
    let mut answer = recorder.answer(request, arrival);
    if let Some(fact) = &mut answer.cache {
        let all = said.iter().chain(&fact.said);
        fact.said = all.map(|text| recorder.mask(text)).collect();
    }
    answer
}

/// Names the sample that was under way.
fn numbered(mut error: ProbeError, sample: u8, of: u8) -> ProbeError {
    if of > 1 {
        error.message = format!("{} (sample {sample} of {of})", error.message);
    }
    error
}

async fn client(config: &HttpConfig, cx: &Cx) -> Result<Client, ProbeError> {
    let settings = Settings {
        ca: config.ca.clone(),
        resolve: config.resolve.clone(),
        max_body: config.max_body.0,
        ..Settings::default()
    };
    Client::build(&settings, cx).await
}

fn take(captures: &BTreeMap<String, Capture>, response: &Response) -> Captured {
    let found = captures
        .iter()
        .map(|(name, source)| (name.clone(), capture::capture(source, response)));
    found.collect()
}

fn recorder<'a>(config: &'a HttpConfig, cx: &'a Cx, masking: &'a Masking) -> Recorder<'a> {
    Recorder {
        config,
        cx,
        masker: &masking.masker,
        longest_secret: masking.longest_secret,
    }
}

/// One sample; where a cache must answer, asked for again while it has nothing. The third part is
/// what it said before.
async fn fetch(
    config: &HttpConfig,
    exchange: &Exchange<'_>,
    request: &readygate_web::Request,
    cx: &Cx,
) -> Result<(Arrival, Latency, Vec<String>), ProbeError> {
    let mut said = Vec::new();
    loop {
        let (arrival, latency) = exchange.fetch(request).await?;
        let fact = cache::observe(request, &arrival);
        let again = fact.state == CacheState::Miss && said.len() + 1 < CACHE_ASKS;
        // A wrong status is for the judge, not to be asked away.
        let wanted = config.status.allow(arrival.response.status.as_u16());
        if config.cdn.is_none() || !again || !wanted {
            return Ok((arrival, latency, said));
        }
        said.extend(fact.said);
        cx.sleep(CACHE_PAUSE).await?;
    }
}

fn target_version(config: &HttpConfig, cx: &Cx) -> Result<Option<String>, ProbeError> {
    if config.version.is_none() {
        return Ok(None);
    }
    let version = cx.target().version.clone().filter(|v| !v.trim().is_empty());
    let message = "`version` compares with the target's version, which is not set";
    version.map(Some).ok_or_else(|| {
        ProbeError::new(
            ErrorKind::BadData,
            "target.version",
            "reading the config",
            message,
        )
        .hint("set `target.version` in readygate.yaml, or leave `version` out of this gate")
    })
}
