//! Takes the samples of one endpoint.

use readygate_sdk::{Cx, ErrorKind, ProbeError};

use readygate_web::{Client, Settings};

use crate::{
    config::HttpConfig, exchange::Exchange, facts::Recorder, record::HttpMeasurement,
    request::Prepared,
};

/// Sends the request as often as the config says. With more than one sample, one without an answer
/// is recorded as such; there must be an answer at all, and the time must suffice for all samples.
pub(crate) async fn measure(config: &HttpConfig, cx: &Cx) -> Result<HttpMeasurement, ProbeError> {
    let target_version = target_version(config, cx)?;
    let Prepared {
        request,
        masker,
        longest_secret,
    } = Prepared::new(config, cx.target())?;
    let recorder = Recorder {
        config,
        cx,
        masker: &masker,
        longest_secret,
    };
    let subject = recorder.mask(&request.subject());
    let settings = Settings {
        ca: config.ca.clone(),
        resolve: config.resolve.clone(),
        max_body: config.max_body.0,
        ..Settings::default()
    };
    let client = Client::build(&settings, cx).await?;
    let exchange = Exchange {
        client: &client,
        recorder: &recorder,
    };
    let method = request.method.to_string();
    let mut record = HttpMeasurement::new(subject.clone(), method, target_version);
    for sample in 1..=config.samples {
        if config.samples > 1 {
            cx.progress(&format!("{subject}: sample {sample} of {}", config.samples));
        }
        match exchange.run(&request).await {
            Ok((answer, latency)) => record.add(answer, latency),
            Err(mut error) if cx.is_over() => {
                if config.samples > 1 {
                    error.message =
                        format!("{} (sample {sample} of {})", error.message, config.samples);
                }
                return Err(recorder.error(error));
            }
            Err(error) if config.samples > 1 => record.add_failed(recorder.error(error)),
            Err(error) => return Err(recorder.error(error)),
        }
    }
    let first_error = record.errors().next().cloned();
    match first_error {
        Some(error) if record.answers.is_empty() => Err(error),
        _ => Ok(record),
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
