//! The part of a config that names a command and reports.

use std::{collections::BTreeMap, path::Path};

use readygate_sdk::{ConfigError, Cx, ErrorKind, Period, ProbeError};

use crate::find::Pattern;

/// The fields that such probes have in common; each config names them itself.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// `run`: program and arguments.
    pub run: Option<&'a [String]>,
    /// `directory`: the folder of `run`.
    pub directory: Option<&'a Path>,
    /// `env`: added to the environment of `run`.
    pub env: &'a BTreeMap<String, String>,
    /// `reports`: paths or globs.
    pub reports: Option<&'a [String]>,
    /// `max_age` of the reports.
    pub max_age: Option<Period>,
}

impl Plan<'_> {
    /// Finds what cannot work, without I/O.
    pub fn validate(&self, error: &mut ConfigError) {
        self.validate_run(error);
        match self.reports {
            None if self.max_age.is_some() => {
                let message = "`max_age` is the age of `reports`, which are not given";
                error.add("/max_age", message, None);
            }
            Some([]) => {
                let message = "`reports` is an empty list, so nothing would be read";
                error.add("/reports", message, None);
            }
            _ => {}
        }
        for (index, pattern) in self.reports.iter().copied().flatten().enumerate() {
            if let Err(message) = Pattern::new(pattern) {
                error.add(format!("/reports/{index}"), message, None);
            }
        }
    }

    fn validate_run(&self, error: &mut ConfigError) {
        let nameless = |run: &[String]| run.first().is_none_or(|program| program.trim().is_empty());
        if self.run.is_some_and(nameless) {
            let hint = "write program and arguments: [npm, test]";
            error.add("/run", "`run` names no program", Some(hint));
        }
        if self.run.is_none() && self.directory.is_some() {
            let message = "`directory` is the folder of `run`, which is not given";
            error.add("/directory", message, None);
        }
        if self.run.is_none() && !self.env.is_empty() {
            let message = "`env` is the environment of `run`, which is not given";
            error.add("/env", message, None);
        }
        let bad = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
        for name in self.env.keys().filter(bad) {
            let message = format!("`{name}` cannot be the name of an environment variable");
            error.add("/env", message, None);
        }
    }

    /// The patterns of `reports`.
    ///
    /// # Errors
    /// None after a validation without problems.
    pub fn patterns(&self) -> Result<Vec<Pattern>, ProbeError> {
        let patterns = self.reports.iter().copied().flatten();
        patterns
            .map(|text| Pattern::new(text))
            .collect::<Result<_, _>>()
            .map_err(|e| ProbeError::new(ErrorKind::Internal, "reports", "reading the patterns", e))
    }

    /// What the probe reaches: the command line and the patterns.
    pub fn contacts(&self) -> Vec<String> {
        let command = self.run.map(|argv| argv.join(" "));
        let reports = self.reports.iter().copied().flatten().cloned();
        command.into_iter().chain(reports).collect()
    }
}

/// The fault of whatever was cut short, by the deadline or by an interruption.
///
/// # Errors
/// [`ErrorKind::Cancelled`] or [`ErrorKind::Timeout`], when that is so.
pub fn in_time(cx: &Cx, subject: &str, phase: &str) -> Result<(), ProbeError> {
    if cx.cancellation().is_cancelled() {
        let reason = "the run was interrupted";
        return Err(ProbeError::new(
            ErrorKind::Cancelled,
            subject,
            phase,
            reason,
        ));
    }
    if cx.is_over() {
        let reason = "the time of the gate was over";
        return Err(ProbeError::new(ErrorKind::Timeout, subject, phase, reason)
            .hint("raise `timeout` of the gate"));
    }
    Ok(())
}
