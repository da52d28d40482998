//! Runs the tool that writes the reports.

use std::path::Path;

use readygate_sdk::{
    Cx, ProbeError,
    process::{self, Ended, Finished},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{number::to_millis, plan::Plan};

/// Bytes kept of each output stream of the command.
const OUTPUT: usize = 16 * 1_024;
/// Characters shown of it.
const SHOWN: usize = 2_000;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRun {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Exit code or signal.
    pub ended: Ended,
    /// From start to end, seconds, to the millisecond.
    pub seconds: f64,
    /// The end of what it printed: stderr, or stdout where stderr was empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// Runs the command of a plan, if it names one.
///
/// # Errors
/// As [`process::run`].
pub async fn run(plan: &Plan<'_>, cx: &Cx) -> Result<Option<CommandRun>, ProbeError> {
    let Some(argv) = plan.run else {
        return Ok(None);
    };
    cx.progress(&format!("running {}", argv.join(" ")));
    let job = process::Job {
        argv: argv.to_vec(),
        directory: cx.resolve(plan.directory.unwrap_or(Path::new(""))),
        environment: plan.env.clone(),
        stdin: None,
        keep: OUTPUT,
    };
    let finished = process::run(&job, cx).await?;
    Ok(Some(CommandRun {
        argv: argv.to_vec(),
        ended: finished.ended,
        seconds: to_millis(finished.took.as_secs_f64()),
        output: last_words(&finished, cx),
    }))
}

/// The end of stderr, or of stdout where stderr is empty: tools end with a summary.
fn last_words(finished: &Finished, cx: &Cx) -> String {
    let stream = if finished.stderr.text().trim().is_empty() {
        &finished.stdout
    } else {
        &finished.stderr
    };
    let text = cx.mask(&stream.text());
    let text = text.trim();
    match text.char_indices().rev().nth(SHOWN) {
        None => text.to_owned(),
        Some((start, _)) => format!("…{}", &text[start..]),
    }
}
