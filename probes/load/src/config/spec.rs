//! Config to what the engine is told.

use std::{io::Read as _, path::Path, time::Duration};

use readygate_sdk::{Cx, ErrorKind, ProbeError, Quantity, Secret, Texts, Unit};
use readygate_web::Statuses;

use super::{
    AbortOn, LoadConfig, Reuse as Reusing, ScenarioConfig, Spread, StepConfig, Wire, bounds,
    check_shape, data, target,
};
use crate::engine::spec::{
    Abort, AbortMetric, Arrivals, BodyCheck, Capture, Connect, Phase, Protocol, Reuse, Scenario,
    Shape, Spec, StatusSet, Step, Template, Tls, quantum,
};

/// Largest PEM file.
const LARGEST_PEM: u64 = 1 << 20;
/// Streams in flight on each connection of HTTP/2.
pub(crate) const STREAMS: u32 = 100;
/// Grace of an abort condition: the first seconds of any load are rough.
const AFTER: Duration = Duration::from_secs(10);

/// What to send, with all files read and the URL resolved.
pub(crate) async fn spec(config: &LoadConfig, cx: &Cx) -> Result<Spec, ProbeError> {
    let mut scenarios = Vec::new();
    let mut base = None;
    for (index, scenario) in whole(config).iter().enumerate() {
        let mut steps = Vec::new();
        for step in &scenario.steps {
            let Some((method, url)) = step.requests().next() else {
                continue;
            };
            let (server, asked) = target::resolve(url, cx.target())?;
            base.get_or_insert(server);
            steps.push(one(config, step, method, asked));
        }
        let data = match &scenario.data {
            Some(path) => Some(data::read(path, &steps, cx).await?),
            None => None,
        };
        let name = scenario.name.clone();
        scenarios.push(Scenario {
            name: name.unwrap_or_else(|| format!("scenario {}", index + 1)),
            weight: scenario.weight.unwrap_or(1),
            steps,
            data,
        });
    }
    let Some(base) = base else {
        let message = "there is nothing to request";
        return Err(ProbeError::new(
            ErrorKind::Internal,
            "load",
            "reading the config",
            message,
        ));
    };
    let mut spec = Spec::get(base, "/");
    spec.scenarios = scenarios;
    spec.tls = tls(config, cx).await?;
    shaped(config, &mut spec);
    Ok(spec)
}

/// The scenarios, or the one that `url` stands for.
fn whole(config: &LoadConfig) -> Vec<ScenarioConfig> {
    let Some(url) = &config.url else {
        return config.scenarios.clone();
    };
    let mut step = StepConfig {
        body: config.body.clone(),
        json: config.json.clone(),
        contains: config.contains.clone(),
        not_contains: config.not_contains.clone(),
        ..StepConfig::default()
    };
    let url = Some(url.clone());
    match config.method {
        readygate_web::Method::Get => step.get = url,
        readygate_web::Method::Head => step.head = url,
        readygate_web::Method::Post => step.post = url,
        readygate_web::Method::Put => step.put = url,
        readygate_web::Method::Patch => step.patch = url,
        readygate_web::Method::Delete => step.delete = url,
        readygate_web::Method::Options => step.options = url,
    }
    vec![ScenarioConfig {
        name: None,
        weight: None,
        steps: vec![step],
        data: None,
    }]
}

fn shaped(config: &LoadConfig, spec: &mut Spec) {
    spec.shape = match (&config.open, &config.users) {
        (Some(open), _) => Shape::Open {
            arrivals: match open.arrivals {
                Spread::Uniform => Arrivals::Uniform,
                Spread::Poisson => Arrivals::Poisson,
            },
        },
        (None, Some(users)) => Shape::Closed {
            think: users.think.map_or(Duration::ZERO, |think| think.0),
        },
        (None, None) => Shape::Max,
    };
    spec.phases = config.phases();
    spec.connections = config.connections_asked();
    connected(config, spec);
    spec.timeout = config.response_timeout();
    spec.drain = config.response_timeout();
    let tightest = bounds::tightest(&config.bounds).map(Duration::from_secs_f64);
    spec.quantum = config
        .quantum
        .map_or_else(|| quantum(tightest), |quantum| quantum.0);
    if let Some(most) = config.max_backlog {
        spec.max_backlog = most.0;
    }
    // What is open comes due within it: a backlog is caught up as fast as connections come free.
    spec.cap = config
        .open
        .is_none()
        .then(|| check_shape::allowed(config).rate);
    spec.max_requests = config.max_requests;
    if let Some(most) = config.max_body {
        (spec.max_body, spec.max_kept) = (most.0, most.0);
    }
    spec.windows = config.windows.iter().map(|window| window.0).collect();
    spec.aborts = config
        .abort_on
        .iter()
        .filter_map(|a| abort(a).ok())
        .collect();
    spec.safety_stop = config.safety_stop.unwrap_or(true);
    if config
        .observe
        .as_ref()
        .is_some_and(|watched| watched.cache_headers)
    {
        spec.cache_every = looked_at(&spec.phases);
    }
    spec.seed = config.seed.unwrap_or(spec.seed);
}

fn connected(config: &LoadConfig, spec: &mut Spec) {
    let sockets = &config.sockets;
    let ramp = config.ramp().map(|ramp| ramp.as_secs_f64());
    spec.connect = Connect {
        rate: ramp
            .filter(|ramp| *ramp > 0.0)
            .map(|ramp| f64::from(spec.connections) / ramp),
        timeout: config.response_timeout(),
        sources: sockets.source_ips.clone(),
        ramp_limit: config.ramp_limit(),
        ..Connect::default()
    };
    spec.reuse = match sockets.reuse {
        Reusing::Fifo => Reuse::Fifo,
        Reusing::Lifo => Reuse::Lifo,
    };
    spec.keepalive = sockets.keepalive.unwrap_or(true);
    spec.protocol = match sockets.protocol {
        Wire::Auto => Protocol::Auto,
        Wire::Http1 => Protocol::Http1,
        Wire::Http2 => Protocol::Http2 {
            // A user has a connection of its own, and waits for its answer.
            streams: sockets
                .streams
                .unwrap_or(if config.users.is_some() { 1 } else { STREAMS }),
        },
    };
    spec.processes = sockets.processes;
    spec.threads = sockets.threads;
}

/// Some thousand cache headers a second tell enough.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive; what is out of range saturates"
)]
fn looked_at(phases: &[Phase]) -> u32 {
    const ENOUGH: f64 = 1_000.0;
    let rates = phases.iter().filter_map(|phase| phase.rate);
    (rates.fold(0.0, f64::max) / ENOUGH).max(1.0) as u32
}

fn one(config: &LoadConfig, step: &StepConfig, method: &str, asked: String) -> Step {
    let mut headers: Vec<(String, Template)> = Vec::new();
    let mut set = |name: &str, value: &str| {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.to_owned(), Template(value.to_owned())));
    };
    if step.json.is_some() {
        set("Content-Type", "application/json");
    }
    let plain = config.headers.iter().chain(&step.headers);
    plain.for_each(|(name, value)| set(name, value));
    let secret = config.secret_headers.iter().chain(&step.secret_headers);
    secret.for_each(|(name, value): (&String, &Secret)| set(name, value.expose()));
    let json = step.json.as_ref().map(ToString::to_string);
    Step {
        name: step.route(),
        method: method.to_uppercase(),
        target: Template(asked),
        headers,
        body: step.body.clone().or(json).map(Template),
        checks: checks(step),
        status: statuses(
            step.expect_status
                .as_ref()
                .or(config.expect_status.as_ref()),
        ),
        captures: step
            .capture
            .iter()
            .map(|(name, from)| Capture {
                name: name.clone(),
                from: from.0.clone(),
            })
            .collect(),
        pause: step.pause.map_or(Duration::ZERO, |pause| pause.0),
    }
}

fn checks(step: &StepConfig) -> Vec<BodyCheck> {
    let all = |texts: &Texts| texts.iter().map(str::to_owned).collect::<Vec<_>>();
    let contains = all(&step.contains).into_iter().map(BodyCheck::Contains);
    let lacks = all(&step.not_contains).into_iter().map(BodyCheck::Lacks);
    let matches = step.matches.clone().map(BodyCheck::Matches);
    let json = step
        .body_json
        .iter()
        .map(|(pointer, value)| BodyCheck::Json {
            pointer: pointer.clone(),
            equals: (!value.is_null()).then(|| value.clone()),
        });
    let length = step.min_body.map(|size| BodyCheck::Length {
        min: size.0,
        max: None,
    });
    contains
        .chain(lacks)
        .chain(matches)
        .chain(json)
        .chain(length)
        .collect()
}

/// Codes as ranges.
fn statuses(statuses: Option<&Statuses>) -> StatusSet {
    let Some(statuses) = statuses else {
        return StatusSet::default();
    };
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for code in (100..600).filter(|code| statuses.allow(*code)) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == code => *last = code,
            _ => ranges.push((code, code)),
        }
    }
    StatusSet(ranges)
}

/// A condition of `abort_on`, or the field that is wrong and why.
pub(crate) fn abort(condition: &AbortOn) -> Result<Abort, (&'static str, String)> {
    let (side, text, above) = match (&condition.above, &condition.below) {
        (Some(text), None) => ("above", text, true),
        (None, Some(text)) => ("below", text, false),
        (Some(_), Some(_)) => {
            return Err((
                "below",
                "`above` and `below` contradict each other".to_owned(),
            ));
        }
        (None, None) => return Err(("metric", "neither `above` nor `below` is given".to_owned())),
    };
    let (route, name) = split_route(&condition.metric);
    let (metric, unit) = match name {
        "error_rate" => (AbortMetric::ErrorRate, Unit::Percent),
        "throughput" => (AbortMetric::Throughput, Unit::PerSecond),
        name => {
            let percent = crate::metrics::percentile(name).ok_or_else(|| {
                let known = "`error_rate`, `throughput`, `latency.p95` and other percentiles";
                ("metric", format!("`{name}` cannot stop a run; {known} can"))
            })?;
            (AbortMetric::Latency { percent }, Unit::Seconds)
        }
    };
    let quantity: Quantity = text
        .parse()
        .map_err(|e| (side, format!("{e}; `{name}` takes {}", unit.spellings())))?;
    if quantity.unit != unit {
        return Err((side, format!("`{name}` takes {}", unit.spellings())));
    }
    let bound = match unit {
        Unit::Percent => quantity.value / 100.0,
        _ => quantity.value,
    };
    let over = condition
        .window
        .map_or_else(String::new, |window| format!(" over {window}"));
    Ok(Abort {
        expr: format!("{} {side} {quantity}{over}", condition.metric),
        metric,
        above,
        bound,
        window: condition.window.map(|window| window.0),
        after: condition.after.map_or(AFTER, |after| after.0),
        route,
    })
}

/// `routes./checkout.latency.p95` as `/checkout` and `latency.p95`.
fn split_route(metric: &str) -> (Option<String>, &str) {
    let Some(rest) = metric.strip_prefix("routes.") else {
        return (None, metric);
    };
    for name in [".latency.", ".error_rate", ".throughput"] {
        if let Some(at) = rest.rfind(name) {
            return (Some(rest[..at].to_owned()), &rest[at + 1..]);
        }
    }
    (None, metric)
}

async fn tls(config: &LoadConfig, cx: &Cx) -> Result<Option<Tls>, ProbeError> {
    let Some(tls) = &config.tls else {
        return Ok(None);
    };
    Ok(Some(Tls {
        sni: tls.sni.clone(),
        ca_pem: pem(tls.ca.as_deref(), cx).await?,
        client_cert_pem: pem(tls.client_cert.as_deref(), cx).await?,
        client_key_pem: pem(tls.client_key.as_deref(), cx).await?,
        insecure: tls.insecure,
    }))
}

async fn pem(path: Option<&Path>, cx: &Cx) -> Result<Option<String>, ProbeError> {
    let Some(path) = path else { return Ok(None) };
    let (shown, file) = (path.display().to_string(), cx.resolve(path));
    let subject = shown.clone();
    let read = move || {
        let fail = |message: String| {
            ProbeError::new(ErrorKind::BadData, &shown, "reading the file", message)
        };
        let mut text = String::new();
        std::fs::File::open(file)
            .and_then(|file| file.take(LARGEST_PEM).read_to_string(&mut text))
            .map_err(|e| fail(e.to_string()))?;
        if text.contains("-----BEGIN ") {
            Ok(text)
        } else {
            Err(fail("not a PEM file".to_owned())
                .hint("it begins with -----BEGIN CERTIFICATE-----"))
        }
    };
    cx.blocking(&subject, "reading the file", read)
        .await
        .map(Some)
}
