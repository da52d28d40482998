//! Runs the program and records what it did.

use std::{collections::BTreeMap, path::Path};

use readygate_sdk::{
    Cx, ErrorKind, ProbeError, excerpt,
    process::{self, Ended, Finished, Job},
};

use crate::{
    CommandConfig, CommandMeasurement, Protocol, Reply, external,
    output::{self, Kept, Masking},
    plugin,
};

const READING: &str = "reading its output";

pub async fn measure(config: &CommandConfig, cx: &Cx) -> Result<CommandMeasurement, ProbeError> {
    let masking = Masking::new(config, cx);
    let job = job(config, cx)?;
    let finished = process::run(&job, cx)
        .await
        .map_err(|error| explain(error, config, &masking))?;
    let (config, program) = (config.clone(), program(config));
    cx.blocking(&program.clone(), READING, move || {
        Recording {
            config: &config,
            masking: &masking,
            program,
        }
        .record(&finished, job.keep)
    })
    .await
}

/// The program as people know it.
fn program(config: &CommandConfig) -> String {
    match config.argv.first() {
        Some(program) => program.clone(),
        None => "/bin/sh".to_owned(),
    }
}

fn job(config: &CommandConfig, cx: &Cx) -> Result<Job, ProbeError> {
    let directory = cx.resolve(config.directory.as_deref().unwrap_or("."));
    let directory = std::path::absolute(&directory).map_err(|error| {
        let shown = directory.display().to_string();
        ProbeError::new(ErrorKind::Connect, shown, "entering the folder", error)
    })?;
    let mut argv = match &config.shell {
        Some(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
        None => config.argv.clone(),
    };
    if let Some(program) = argv.first_mut()
        && program.contains('/')
    {
        // Whether a relative program is looked for before or after the change of folder, the
        // standard library leaves open.
        *program = directory.join(&*program).to_string_lossy().into_owned();
    }
    let mut environment: BTreeMap<String, String> = config.env.clone();
    let secrets = config.secret_env.iter();
    environment.extend(secrets.map(|(name, value)| (name.clone(), value.expose().to_owned())));
    let stdin = match config.protocol {
        Protocol::Json => Some(external::request(config, cx).to_string()),
        _ => config.stdin.clone(),
    };
    Ok(Job {
        argv,
        directory,
        environment,
        stdin: stdin.map(String::into_bytes),
        keep: config.keep(),
    })
}

/// Names the program as configured, and takes secrets out of its last words.
fn explain(mut error: ProbeError, config: &CommandConfig, masking: &Masking) -> ProbeError {
    error.subject = program(config);
    if masking.is_needed()
        && error.message.contains("[... ")
        && let Some(at) = error.message.find("; it last said: ")
    {
        // Half a secret next to the gap would not be known for one.
        error.message.truncate(at);
    }
    error.message = masking.text(&error.message);
    if let ([program], ErrorKind::Connect) = (&config.argv[..], error.kind)
        && program.contains(' ')
        && !Path::new(program).exists()
    {
        let hint = "write each argument as an item of its own: argv: [npm, test]";
        error.hint = Some(hint.to_owned());
    }
    error
}

struct Recording<'a> {
    config: &'a CommandConfig,
    masking: &'a Masking,
    program: String,
}

impl Recording<'_> {
    fn record(self, finished: &Finished, keep: usize) -> Result<CommandMeasurement, ProbeError> {
        let (config, masking) = (self.config, self.masking);
        let out = Kept::new(&finished.stdout, keep);
        let err = Kept::new(&finished.stderr, keep);
        let broken = |e| ProbeError::new(ErrorKind::Internal, &self.program, READING, e);
        let stderr = err.record(&config.stderr, masking).map_err(broken)?;
        let reply = match config.protocol {
            Protocol::Json => Some(self.reply(finished.ended, &out, &stderr.text)?),
            _ => None,
        };
        let stdout = out.record(&config.stdout, masking).map_err(broken)?;
        let plugin = (config.protocol == Protocol::Nagios).then(|| match out.whole() {
            Some(bytes) => plugin::parse(&masking.mask(bytes)),
            None => plugin::parse(&stdout.text),
        });
        let json = config
            .reads_json()
            .then(|| output::read_json(&out, config, masking));
        Ok(CommandMeasurement {
            secret_variables: config.secret_env.keys().cloned().collect(),
            ended: finished.ended,
            duration_us: u64::try_from(finished.took.as_micros()).unwrap_or(u64::MAX),
            stdout,
            stderr,
            json,
            plugin,
            reply,
            program: self.program,
        })
    }

    /// What the program answered; anything else than a readable answer is an error.
    fn reply(&self, ended: Ended, out: &Kept, stderr: &str) -> Result<Reply, ProbeError> {
        let error = |kind, message: String| {
            let error = ProbeError::new(kind, &self.program, READING, message);
            match stderr.trim() {
                "" => error,
                said => error.hint(format!("on standard error it said: {}", excerpt(said, 400))),
            }
        };
        if ended != Ended::Code(0) {
            let message = format!("{ended}; a probe that could measure ends with 0");
            return Err(error(ErrorKind::Protocol, message));
        }
        let Some(bytes) = out.whole() else {
            let message = "its answer is longer than `output_limit`".to_owned();
            return Err(error(ErrorKind::BadData, message));
        };
        let mut reply = external::parse(bytes)
            .map_err(|problem| error(ErrorKind::Protocol, self.masking.text(&problem)))?;
        reply.each_text(|text| *text = self.masking.text(text));
        for metric in reply.metrics.values_mut() {
            self.masking.value(&mut metric.value);
        }
        if !(reply.checks.is_empty() && reply.metrics.is_empty()) {
            return Ok(reply);
        }
        Err(match reply.error {
            None => error(
                ErrorKind::NoData,
                "it reports no check and no metric".to_owned(),
            ),
            Some(told) => ProbeError {
                kind: told.kind.into(),
                subject: told.subject.unwrap_or_else(|| self.program.clone()),
                phase: told.phase.unwrap_or_else(|| "measuring".to_owned()),
                message: told.message,
                hint: told.hint,
            },
        })
    }
}
