//! Running programs.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// A cargo command in a workspace; the cargo that runs this tool.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root);
    command
}

/// Runs to the end with the output shown; whether it succeeded.
pub fn succeeds(command: &mut Command) -> Result<bool, String> {
    let status = command.status().map_err(|e| {
        let program = Path::new(command.get_program());
        format!("{}: {e}", program.display())
    })?;
    Ok(status.success())
}

/// Runs to the end with the output shown; an error unless it succeeded.
pub fn must(what: &str, command: &mut Command) -> Result<(), String> {
    if succeeds(command)? {
        Ok(())
    } else {
        Err(format!("{what} failed"))
    }
}

/// Runs without output; whether it could be started and succeeded.
pub fn quietly(command: &mut Command) -> bool {
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// Runs without output, but no longer than `limit`; whether it succeeded in that time.
pub fn quietly_within(command: &mut Command, limit: Duration) -> bool {
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = silent.spawn() else {
        return false;
    };
    let pid = child.id();
    let (done, ended) = channel();
    let waiter = std::thread::spawn(move || {
        let _ = done.send(child.wait().is_ok_and(|status| status.success()));
    });
    match ended.recv_timeout(limit) {
        Ok(succeeded) => succeeded,
        Err(RecvTimeoutError::Disconnected) => false,
        Err(RecvTimeoutError::Timeout) => {
            quietly(Command::new("kill").arg(pid.to_string()));
            let _ = waiter.join();
            false
        }
    }
}

/// Time since the start of something.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "how long a chore takes is shown and nothing depends on it"
        )]
        Self(Instant::now())
    }

    /// Seconds so far.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_ended() {
        let limit = Duration::from_millis(100);
        let watch = Stopwatch::start();
        assert!(!quietly_within(Command::new("sleep").arg("20"), limit));
        assert!(watch.seconds() < 10.0);
        assert!(quietly_within(
            &mut Command::new("true"),
            Duration::from_secs(10)
        ));
        assert!(!quietly_within(
            &mut Command::new("false"),
            Duration::from_secs(10)
        ));
        assert!(!quietly(&mut Command::new("no-such-program")));
    }
}
