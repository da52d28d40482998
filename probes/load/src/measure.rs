//! Makes the load, or runs a tool, finds its results and reads them.

use jiff::{SignedDuration, Timestamp};
use readygate_reports::gather;
use readygate_sdk::{Cx, ProbeError};
use readygate_web::Settings;

use crate::{
    config::{LoadConfig, SourceKind, spec},
    engine::{
        self,
        report::{PhaseReport, Report},
        spec::{PhaseKind, Spec, Step},
    },
    fleet,
    measurement::{EngineRun, Imported, LoadMeasurement, Model, Safe, Watched, cap},
    merge,
    observe::{self, Side},
    reader::{self, Reading},
};

/// Makes the load, or reads what was measured.
pub(crate) async fn measure(config: &LoadConfig, cx: &Cx) -> Result<LoadMeasurement, ProbeError> {
    match config.source() {
        SourceKind::Import => import(config, cx).await,
        SourceKind::Engine => run(config, cx).await,
        SourceKind::Locust | SourceKind::K6 => fleet::measure(config, cx).await,
    }
}

/// Puts load on the target, and watches it meanwhile.
async fn run(config: &LoadConfig, cx: &Cx) -> Result<LoadMeasurement, ProbeError> {
    let spec = spec(config, cx).await?;
    let measured_at = cx.now();
    let watcher = config
        .observe
        .as_ref()
        .map(|watched| (watched, observe::start(watched, side(config, &spec), cx)));
    let report = engine::run(spec, cx).await;
    let window = report.as_ref().ok().and_then(window);
    let observed = match watcher {
        Some((watched, watcher)) => Some(Watched {
            min_lookups: watched.min_lookups,
            seen: watcher.finish(window).await,
        }),
        None => None,
    };
    Ok(LoadMeasurement::of_engine(
        measured_at,
        EngineRun::new(config, report?),
        observed,
    ))
}

/// When the load was measured, from and to.
fn window(report: &Report) -> Option<(Timestamp, Timestamp)> {
    let measured = |p: &&PhaseReport| p.kind == PhaseKind::Measure;
    let first = report.phases.iter().find(measured)?;
    let last = report.phases.iter().rfind(measured)?;
    let at = |seconds: f64| {
        let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
        report.started.checked_add(since).ok()
    };
    Some((at(first.at_s)?, at(last.at_s + last.ran_s)?))
}

/// The first request of the load, for what caches say of it.
fn side(config: &LoadConfig, spec: &Spec) -> Option<Side> {
    let steps = spec.scenarios.iter().flat_map(|scenario| &scenario.steps);
    let plain = |step: &&Step| {
        step.method == "GET" && step.target.variables().is_ok_and(|names| names.is_empty())
    };
    let step = steps.into_iter().find(plain)?;
    let url = spec.base.join(&step.target.0).ok()?;
    let headers = step.headers.iter();
    let headers =
        headers.filter(|(_, value)| value.variables().is_ok_and(|names| names.is_empty()));
    let tls = config.tls.as_ref();
    Some(Side {
        url,
        headers: headers
            .map(|(name, value)| (name.clone(), value.0.clone()))
            .collect(),
        settings: Settings {
            ca: tls
                .and_then(|tls| tls.ca.as_ref())
                .map(|path| path.display().to_string()),
            ..Settings::default()
        },
    })
}

/// The command first, then the files.
async fn import(config: &LoadConfig, cx: &Cx) -> Result<LoadMeasurement, ProbeError> {
    let (format, model, corrected) = (config.format, config.model, config.latency_corrected);
    let gathered = gather::gather(&config.plan(), cx, move |_, source| {
        let mut reading = reader::read(source, format)?;
        declare(&mut reading, model, corrected);
        Ok(reading)
    })
    .await?;
    let readings: Vec<&Reading> = gathered.files.iter().map(|(_, reading)| reading).collect();
    let total = merge::merge(&readings);
    let files_total = gathered.files.len() as u64;
    let files = gathered.files.into_iter().take(cap::FILES);
    Ok(LoadMeasurement {
        measured_at: cx.now(),
        source: SourceKind::Import,
        command: gathered.command,
        commit: gathered.commit,
        gaps: gathered.gaps,
        files_total,
        total,
        locust: None,
        k6: None,
        files: files
            .map(|(file, reading)| Imported {
                file,
                result: reading.result,
            })
            .collect(),
        observed: None,
        engine: None,
    })
}

/// What the user knows and the file does not say.
fn declare(reading: &mut Reading, model: Option<Model>, corrected: bool) {
    let result = &mut reading.result;
    if result.model == Model::Unknown {
        result.model = model.unwrap_or_default();
    }
    if corrected && result.corrected != Safe::Yes {
        result.corrected = Safe::Yes;
        result
            .notes
            .push("`latency_corrected` is declared in the config".to_owned());
    }
}
