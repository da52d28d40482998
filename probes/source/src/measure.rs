//! Looks at each section that is asked for; one that fails leaves the others alone.

use readygate_sdk::{Cx, ProbeError};

use crate::{Answer, SourceConfig, SourceMeasurement, debug, documents, environment, git};

pub(crate) async fn measure(
    config: &SourceConfig,
    cx: &Cx,
) -> Result<SourceMeasurement, ProbeError> {
    let mut measurement = SourceMeasurement {
        version: cx.target().version.clone(),
        commit: cx.target().commit.clone(),
        ..SourceMeasurement::default()
    };
    if let Some(git) = &config.git {
        measurement.git = Some(Answer::from_result(git::measure(git, cx).await));
    }
    let (files, inner) = (config.clone(), cx.clone());
    let read = move || {
        measurement.documents = files
            .documents
            .iter()
            .map(|d| documents::measure(d, &inner))
            .collect();
        let environment = files.environment.as_ref();
        measurement.environment =
            environment.map(|e| Answer::from_result(environment::measure(e, &inner)));
        let debug = files.debug.as_ref();
        measurement.debug = debug.map(|d| Answer::from_result(debug::measure(d, &inner)));
        Ok(measurement)
    };
    cx.blocking("the repository", "reading the files", read)
        .await
}
