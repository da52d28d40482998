//! Runs the tool, finds its results, reads them.

use readygate_reports::gather;
use readygate_sdk::{Cx, ProbeError};

use crate::{
    config::{LoadConfig, SourceKind, spec},
    engine, fleet,
    measurement::{EngineRun, Imported, LoadMeasurement, Model, Safe, cap},
    merge,
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

/// Puts load on the target.
async fn run(config: &LoadConfig, cx: &Cx) -> Result<LoadMeasurement, ProbeError> {
    let spec = spec(config, cx).await?;
    let measured_at = cx.now();
    let report = engine::run(spec, cx).await?;
    Ok(LoadMeasurement::of_engine(
        measured_at,
        EngineRun::new(config, report),
    ))
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
