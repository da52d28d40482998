//! `Cx`: the only door of a probe to the world.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{ErrorKind, Masker, ProbeError};

/// The wall clock, which tests can replace.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the wall clock"
        )]
        Timestamp::now()
    }
}

/// The system to be released, as the config names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Its name: `production`.
    pub name: String,
    /// Base URL that relative URLs resolve against.
    pub url: Option<String>,
    /// Environment, if it differs from the name.
    pub environment: Option<String>,
    /// The version being released.
    pub version: Option<String>,
    /// The commit being released.
    pub commit: Option<String>,
}

type ProgressFn = dyn Fn(&str) + Send + Sync;

/// What a probe may use while it measures.
#[derive(Clone)]
pub struct Cx {
    target: Arc<Target>,
    directory: Arc<Path>,
    environment: Arc<BTreeMap<String, String>>,
    deadline: Instant,
    cancel: CancellationToken,
    clock: Arc<dyn Clock>,
    masker: Arc<Masker>,
    progress: Arc<ProgressFn>,
}

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment may hold secrets and stays out.
        f.debug_struct("Cx")
            .field("target", &self.target)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Cx {
    /// Starts a context that ends after `timeout`.
    pub fn builder(timeout: Duration) -> CxBuilder {
        CxBuilder {
            target: Target::default(),
            directory: PathBuf::from("."),
            environment: BTreeMap::new(),
            timeout,
            cancel: CancellationToken::new(),
            clock: Arc::new(SystemClock),
            masker: Arc::new(Masker::new([])),
            progress: Arc::new(|_| ()),
        }
    }

    /// The system to be released.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The folder that relative paths of the config resolve against.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A path of the config, resolved.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }

    /// The environment that child processes get: a short list of harmless variables
    /// (`PATH`, `HOME`, `LANG`, ...) and what the config passes on by name.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// When the measurement must have ended. The engine gives half a second of grace to a probe
    /// that reports what it has; after that it is cut off.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Time left, zero when it is over.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The token that ends all waits when the run is interrupted.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Now, in UTC.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `text` with every secret of the run masked. The record is masked as a whole anyway; this is
    /// for text that is about to be cut, where half a secret would slip through.
    pub fn mask(&self, text: &str) -> String {
        self.masker.mask(text)
    }

    /// Tells the person who watches what is going on.
    pub fn progress(&self, message: &str) {
        (self.progress)(message);
    }

    /// Awaits `work` until the deadline or cancellation, and says on what it waited.
    pub async fn within<T>(
        &self,
        subject: &str,
        phase: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, ProbeError> {
        let started = Instant::now();
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => {
                Err(ProbeError::new(ErrorKind::Cancelled, subject, phase, "the run was interrupted"))
            }
            done = tokio::time::timeout_at(self.deadline, work) => done.map_err(|_| {
                let waited = crate::Unit::Seconds.format((started.elapsed().as_secs_f64() * 1e3).round() / 1e3);
                ProbeError::new(ErrorKind::Timeout, subject, phase, format!("no answer within {waited}"))
                    .hint("raise `timeout` of the gate if the target is known to be slow")
            }),
        }
    }

    /// Sleeps, but no longer than to the deadline or cancellation.
    pub async fn sleep(&self, duration: Duration) -> Result<(), ProbeError> {
        self.within("the gate", "waiting", tokio::time::sleep(duration))
            .await
    }

    /// Runs blocking work (files, parsing) off the async threads, until the deadline.
    ///
    /// The closure itself cannot be interrupted: long loops should look at
    /// [`Cx::is_over`] now and then.
    pub async fn blocking<T: Send + 'static>(
        &self,
        subject: &str,
        phase: &str,
        work: impl FnOnce() -> Result<T, ProbeError> + Send + 'static,
    ) -> Result<T, ProbeError> {
        match self
            .within(subject, phase, tokio::task::spawn_blocking(work))
            .await?
        {
            Ok(result) => result,
            Err(join) => Err(ProbeError::new(
                ErrorKind::Internal,
                subject,
                phase,
                panic_text(join),
            )),
        }
    }

    /// Whether the deadline has passed or the run was interrupted.
    pub fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || self.remaining().is_zero()
    }
}

fn panic_text(join: tokio::task::JoinError) -> String {
    match join.try_into_panic() {
        Ok(payload) => {
            let text = payload
                .downcast_ref::<&str>()
                .map(|s| (*s).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned());
            format!("panicked: {}", text.as_deref().unwrap_or("no message"))
        }
        Err(_) => "was cancelled".to_owned(),
    }
}

/// Builds a [`Cx`].
pub struct CxBuilder {
    target: Target,
    directory: PathBuf,
    environment: BTreeMap<String, String>,
    timeout: Duration,
    cancel: CancellationToken,
    clock: Arc<dyn Clock>,
    masker: Arc<Masker>,
    progress: Arc<ProgressFn>,
}

impl CxBuilder {
    /// The system to be released.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// The folder that relative paths resolve against.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// The environment for child processes.
    #[must_use]
    pub fn environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// The token that interrupts.
    #[must_use]
    pub fn cancellation(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// The secrets of the run.
    #[must_use]
    pub fn masker(mut self, masker: Arc<Masker>) -> Self {
        self.masker = masker;
        self
    }

    /// The wall clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where progress messages go.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// The context; its time starts now.
    pub fn build(self) -> Cx {
        Cx {
            target: Arc::new(self.target),
            directory: self.directory.into(),
            environment: Arc::new(self.environment),
            deadline: Instant::now() + self.timeout.min(Duration::from_secs(86_400 * 30)),
            cancel: self.cancel,
            clock: self.clock,
            masker: self.masker,
            progress: self.progress,
        }
    }
}
