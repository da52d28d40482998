//! What an Alertmanager says is silenced, and whether that is an alert of this server.

use readygate_sdk::{Cx, ProbeError};

use crate::{
    answers::{GlobalPart, Labels, LoadedConfig, ManagedAlert},
    api::Api,
    config::{Alertmanager, PrometheusConfig},
};

/// Where the labels stand that the server adds to its alerts on their way.
const CONFIG: &str = "api/v1/status/config";

/// The alerts of an Alertmanager, which may have those of several servers.
pub(crate) struct Managed {
    /// Labels, and whether it is silenced.
    alerts: Vec<(Labels, bool)>,
    /// The labels that this server adds, or why they are not known.
    external: Result<Labels, String>,
}

impl Default for Managed {
    fn default() -> Self {
        Self {
            alerts: Vec::new(),
            external: Ok(Labels::new()),
        }
    }
}

/// Asks the Alertmanager; and the server, where something is silenced.
pub(crate) async fn ask(
    prometheus: &Api<'_>,
    config: &PrometheusConfig,
    manager: &Alertmanager,
    cx: &Cx,
) -> Result<Managed, ProbeError> {
    let api = Api::at(config, &manager.url, manager.auth.as_ref(), cx).await?;
    let pairs = [
        ("active", "true"),
        ("silenced", "true"),
        ("inhibited", "true"),
    ];
    let alerts: Vec<ManagedAlert> = api.plain("api/v2/alerts", &pairs).await?;
    let alerts: Vec<_> = alerts
        .into_iter()
        .map(|alert| (alert.labels, !alert.status.silenced_by.is_empty()))
        .collect();
    let external = if alerts.iter().any(|(_, silenced)| *silenced) {
        external(prometheus, cx).await?
    } else {
        Ok(Labels::new())
    };
    Ok(Managed { alerts, external })
}

async fn external(api: &Api<'_>, cx: &Cx) -> Result<Result<Labels, String>, ProbeError> {
    match api.if_served::<LoadedConfig>(CONFIG).await {
        Ok(Some(config)) => Ok(external_labels(&config.yaml).map_err(|why| api.text(&why))),
        Ok(None) => Ok(Err(format!("the server has no `{CONFIG}`"))),
        Err(error) if cx.is_over() => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// `global.external_labels` of a config as the server writes it; the rest may be long.
fn external_labels(yaml: &str) -> Result<Labels, String> {
    let is_inside = |line: &&str| line.starts_with([' ', '#', '\t']) || line.is_empty();
    let mut lines = yaml.lines().skip_while(|line| !line.starts_with("global:"));
    let Some(first) = lines.next() else {
        return Ok(Labels::new());
    };
    let rest: Vec<&str> = lines.take_while(is_inside).collect();
    let part: GlobalPart = serde_saphyr::from_str(&format!("{first}\n{}\n", rest.join("\n")))
        .map_err(|error| format!("its config cannot be read: {error}"))?;
    let labels = part.global.and_then(|global| global.external_labels);
    Ok(labels.unwrap_or_default())
}

impl Managed {
    /// Whether an alert of this server is silenced. On its way it gets external labels; one with
    /// others is of another server. Where several are of this one, each must be silenced.
    pub fn silences(&self, labels: &Labels) -> Result<bool, String> {
        let has_ours = |theirs: &Labels| labels.iter().all(|(n, v)| theirs.get(n) == Some(v));
        let same = || self.alerts.iter().filter(|(theirs, _)| has_ours(theirs));
        let mut more = same().flat_map(|(theirs, _)| theirs.iter());
        let none = Labels::new();
        let external = match &self.external {
            Ok(external) => external,
            Err(why) => {
                let has_more = more.any(|(name, _)| !labels.contains_key(name));
                if has_more && same().any(|(_, silenced)| *silenced) {
                    return Err(format!(
                        "the Alertmanager has one that is, and may have it of another server, for the external labels of this one are not known: {why}"
                    ));
                }
                &none
            }
        };
        let is_ours = |theirs: &Labels| {
            let mut more = theirs.iter().filter(|(n, _)| !labels.contains_key(*n));
            more.all(|(name, value)| external.get(name) == Some(value))
        };
        let mut ours = same().filter(|(theirs, _)| is_ours(theirs)).peekable();
        Ok(ours.peek().is_some() && ours.all(|(_, silenced)| *silenced))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let pairs = pairs.iter();
        pairs
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn external_labels_are_read() {
        let yaml = "global:\n  scrape_interval: 15s\n  external_labels:\n    env: production\n    replica: \"1\"\n\
                    alerting:\n  alertmanagers: []\nscrape_configs:\n- job_name: {}\n";
        let wanted = labels(&[("env", "production"), ("replica", "1")]);
        assert_eq!(external_labels(yaml), Ok(wanted));
        assert_eq!(
            external_labels("global:\n  scrape_interval: 15s\n"),
            Ok(Labels::new())
        );
        assert_eq!(external_labels("scrape_configs: []\n"), Ok(Labels::new()));
        assert!(external_labels("global: [\n").is_err());
    }

    #[test]
    fn an_alert_of_another_server_silences_nothing() {
        let down = labels(&[("alertname", "Down")]);
        let of = |env: &str, silenced| {
            let labels = labels(&[("alertname", "Down"), ("env", env)]);
            (labels, silenced)
        };
        let here = || Ok(labels(&[("env", "production"), ("replica", "1")]));
        let unknown = || Err("status 403".to_owned());
        for (alerts, external, wanted) in [
            (vec![of("production", true)], here(), Ok(true)),
            (vec![of("staging", true)], here(), Ok(false)),
            (vec![of("staging", true)], Ok(Labels::new()), Ok(false)),
            (
                vec![of("staging", false), of("production", true)],
                here(),
                Ok(true),
            ),
            (
                vec![of("staging", true), of("production", false)],
                here(),
                Ok(false),
            ),
            (vec![(down.clone(), true)], here(), Ok(true)),
            (
                vec![(down.clone(), true), of("production", false)],
                here(),
                Ok(false),
            ),
            (vec![(down.clone(), true)], unknown(), Ok(true)),
            (vec![of("production", false)], unknown(), Ok(false)),
            (vec![of("production", true)], unknown(), Err(())),
            (
                vec![(down.clone(), true), of("production", false)],
                unknown(),
                Err(()),
            ),
            (vec![], unknown(), Ok(false)),
        ] {
            let shown = format!("{alerts:?} {external:?}");
            let managed = Managed { alerts, external };
            let found = managed.silences(&down).map_err(|_| ());
            assert_eq!(found, wanted, "{shown}");
        }
    }
}
