//! The `prometheus` probe: what a Prometheus server knows of the system, judged by a gate.
//!
//! Targets that must be scraped and up, alerts that must not fire, alert rules that must be there and
//! be evaluated, and the values of PromQL queries. The HTTP API is that of
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>.

mod answers;
mod api;
mod config;
mod glob;
mod judge;
mod judge_alerts;
mod judge_rules;
mod measure;
mod measurement;
mod metrics;
mod promql;
mod quantile;
mod queries;
mod rules;
mod silences;
mod text;
mod validate;

use readygate_sdk::{
    Activity, Bound, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError, Unit,
};
use readygate_web::{Auth, has_userinfo, shown_text, validate::escape};

pub use config::{
    Alertmanager, AlertsConfig, Firing, PrometheusConfig, QueryConfig, QueryUnit, Reduce,
    RulesConfig, UpConfig,
};
pub use measurement::{
    AlertRecord, AlertingRecord, BucketRecord, JobRecord, PrometheusMeasurement, QueryRecord,
    RuleRecord, ServerRecord, Silences, TargetRecord,
};

/// Judges what a Prometheus server knows.
#[derive(Debug, Clone, Copy)]
pub struct Prometheus;

impl Probe for Prometheus {
    const META: Meta = Meta {
        id: "prometheus",
        summary: "What a Prometheus server knows: targets, alerts, alert rules, PromQL queries",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = PrometheusConfig;
    type Measurement = PrometheusMeasurement;

    fn expect(config: &mut PrometheusConfig, bounds: &[Bound]) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        for bound in bounds {
            let at = format!("/{}", escape(&bound.metric));
            if bound.every.or(bound.lasting).is_some() {
                let message = format!("`{}` is measured once, not in windows", bound.metric);
                let hint = "write the window in PromQL (`rate(...[5m])`), and leave `for ...` out";
                error.add(at, message, Some(hint));
                continue;
            }
            let Some(name) = bound.metric.strip_prefix("query.") else {
                continue;
            };
            let Some(query) = config.queries.get(name) else {
                let message = format!("no query of the gate has the name `{name}`");
                error.add(at, message, Some("add it to `queries`"));
                continue;
            };
            let (unit, wanted) = (query.unit.base().0, bound.value.unit);
            if wanted == unit {
                continue;
            }
            let name = unit.name();
            // A bare number is a count, and never compared with anything else.
            let (message, hint) = if wanted == Unit::Count {
                let message = format!("the bound has no unit, and the query is in `{name}`");
                (
                    message,
                    "write the bound with its unit: `0.5%`, `200ms`, `64MiB`, `100/s`, `10MB/s`",
                )
            } else {
                let wanted = wanted.name();
                let message = format!("the bound is in `{wanted}`, and the query is in `{name}`");
                (message, "set `unit` of the query")
            };
            error.add(at, message, Some(hint));
        }
        error.into_result()
    }

    fn validate(config: &PrometheusConfig) -> Result<(), ConfigError> {
        validate::validate(config)
    }

    fn footprint(config: &PrometheusConfig) -> Footprint {
        let secret = config.secret_headers.keys();
        let mut credentials: Vec<_> = secret.map(|name| format!("header {name}")).collect();
        let mut contacts = vec![shown_text(&config.url)];
        let mut of = |auth: Option<&Auth>, url: &str| match auth {
            Some(auth) => credentials.push(auth.shown()),
            None if has_userinfo(url) => credentials.push("credentials in the URL".to_owned()),
            None => {}
        };
        of(config.auth.as_ref(), &config.url);
        let alerts = config.alerts.as_ref();
        if let Some(manager) = alerts.and_then(|a| a.alertmanager.as_ref()) {
            contacts.push(shown_text(&manager.url));
            of(manager.auth.as_ref(), &manager.url);
        }
        Footprint {
            contacts,
            credentials,
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(
        config: &PrometheusConfig,
        cx: &Cx,
    ) -> Result<PrometheusMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &PrometheusMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &PrometheusConfig, record: &PrometheusMeasurement, checks: &mut Checks) {
        judge::judge(config, record, checks);
    }
}
