//! The one list of probes. Schema, docs, `explain` and the conformance suite derive from it.
//!
//! Explicit on purpose: a probe missing from a gate must be a compile error, and crates that
//! register themselves at link time can be dropped by the linker without a word.

use std::{any::Any, sync::Arc};

use futures::future::BoxFuture;
use readygate_sdk::{
    Alias, Bound as Limit, Check, Checks, ConfigError, Cx, ErrorKind, Footprint, Meta, Metrics,
    Probe, ProbeError,
};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::config::{Node, Sink, decode};

/// What the gate knows of one probe.
#[derive(Debug)]
pub struct Entry {
    /// Identity and documentation.
    pub meta: &'static Meta,
    /// Schema of its `with`.
    pub config_schema: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of its measurement.
    pub measurement_schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads a `with` block; mistakes go to the sink.
    pub bind: fn(&Node, &Sink) -> Option<Arc<dyn BoundProbe>>,
    /// Reads an expectation in the spelling of another tool.
    pub alias: fn(&str, &str) -> Option<Alias>,
    /// Metrics and checks that a recorded measurement would give under another config.
    pub readable: fn(&Value) -> Result<(), String>,
}

/// A probe with its config.
pub trait BoundProbe: Send + Sync {
    /// Identity and documentation.
    fn meta(&self) -> &'static Meta;
    /// Tells it what the gate expects; what contradicts its config comes back.
    fn expect(&mut self, bounds: &[Limit]) -> Result<(), ConfigError>;
    /// The config, for what is done with it besides measuring.
    fn config(&self) -> &dyn Any;
    /// What cannot work, found without I/O.
    fn validate(&self) -> Result<(), ConfigError>;
    /// What it will touch.
    fn footprint(&self) -> Footprint;
    /// Measures, and gives the record as JSON: what is judged is always what was recorded.
    fn measure<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Value, ProbeError>>;
    /// Judges a recorded measurement. Pure.
    fn evaluate(&self, measurement: &Value) -> Result<(Metrics, Vec<Check>), ProbeError>;
}

struct Bound<P: Probe> {
    config: P::Config,
}

impl<P: Probe> BoundProbe for Bound<P> {
    fn meta(&self) -> &'static Meta {
        const { &P::META }
    }

    fn expect(&mut self, bounds: &[Limit]) -> Result<(), ConfigError> {
        P::expect(&mut self.config, bounds)
    }

    fn config(&self) -> &dyn Any {
        &self.config
    }

    fn validate(&self) -> Result<(), ConfigError> {
        P::validate(&self.config)
    }

    fn footprint(&self) -> Footprint {
        P::footprint(&self.config)
    }

    fn measure<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Value, ProbeError>> {
        Box::pin(async move {
            let measurement = P::measure(&self.config, cx).await?;
            serde_json::to_value(&measurement).map_err(|e| unreadable(P::META.id, &e))
        })
    }

    fn evaluate(&self, measurement: &Value) -> Result<(Metrics, Vec<Check>), ProbeError> {
        let measurement: P::Measurement =
            serde::Deserialize::deserialize(measurement).map_err(|e| unreadable(P::META.id, &e))?;
        let mut checks = Checks::new();
        P::judge(&self.config, &measurement, &mut checks);
        Ok((P::metrics(&measurement), checks.into_vec()))
    }
}

/// NaN is the usual reason: JSON has none, and a record that cannot be read back cannot be judged.
fn unreadable(probe: &str, error: &serde_json::Error) -> ProbeError {
    let message = format!("the measurement does not survive JSON: {error}");
    ProbeError::new(
        ErrorKind::BadData,
        probe,
        "reading the measurement",
        message,
    )
}

const fn entry<P: Probe>() -> Entry {
    Entry {
        meta: &P::META,
        config_schema: |generator| generator.subschema_for::<P::Config>(),
        measurement_schema: |generator| generator.subschema_for::<P::Measurement>(),
        bind: |node, sink| {
            decode::<P::Config>(node, sink).map(|config| Arc::new(Bound::<P> { config }) as _)
        },
        alias: P::alias,
        readable: |value| {
            let parsed: Result<P::Measurement, _> = serde::Deserialize::deserialize(value);
            parsed.map(drop).map_err(|e| e.to_string())
        },
    }
}

macro_rules! registry {
    ($($probe:ty),* $(,)?) => {
        /// Every probe, by name.
        pub static PROBES: &[Entry] = &[$(entry::<$probe>()),*];
    };
}

registry! {
    readygate_access::Access,
    readygate_audit::Audit,
    readygate_command::Command,
    readygate_coverage::Coverage,
    readygate_dns::Dns,
    readygate_files::Files,
    readygate_headers::Headers,
    readygate_http::Http,
    readygate_lint::Lint,
    readygate_load::Load,
    readygate_mongodb::Mongodb,
    readygate_ports::Ports,
    readygate_prometheus::Prometheus,
    readygate_redis::Redis,
    readygate_review::Review,
    readygate_secrets::Secrets,
    readygate_signoff::Signoff,
    readygate_source::Source,
    readygate_tests::Tests,
    readygate_tls::Tls,
    readygate_window::Window,
}

/// The probe of this name.
pub fn find(id: &str) -> Option<&'static Entry> {
    PROBES.iter().find(|entry| entry.meta.id == id)
}

/// Names of all probes.
pub fn ids() -> impl Iterator<Item = &'static str> {
    PROBES.iter().map(|entry| entry.meta.id)
}
