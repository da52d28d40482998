//! The `TestRun` of the k6-operator for a gate.

use std::fmt::Write as _;

use serde_json::Value;

use super::{config::K6Config, script};

/// The version of k6 that the generated script is proven with.
const IMAGE: &str = "grafana/k6:1.1.0";

/// A ConfigMap with the script and a `TestRun`, as YAML, with a note on how to tell what came of it.
///
/// # Errors
/// A path without a target to resolve it against.
pub(crate) fn manifest(
    gate: &str,
    config: &K6Config,
    allowed: f64,
    target: Option<&str>,
) -> Result<String, String> {
    let name = dns_label(gate);
    let script = script::script(config, allowed, target)?;
    let mut out = note(&name, gate);
    let _ = write!(
        out,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  readygate.js: |\n"
    );
    for line in script.lines() {
        let line = line.trim_end();
        let _ = if line.is_empty() {
            writeln!(out)
        } else {
            writeln!(out, "    {line}")
        };
    }
    let _ = write!(
        out,
        "---\napiVersion: k6.io/v1alpha1\nkind: TestRun\nmetadata:\n  name: {name}\nspec:\n  parallelism: {}\n  \
         # Runners on one node would share its CPU and its ports.\n  separate: true\n  script:\n    configMap:\n      \
         name: {name}\n      file: readygate.js\n  \
         arguments: --quiet --no-color --no-usage-report --log-format json\n  runner:\n    image: {IMAGE}\n",
        config.segments
    );
    if !config.headers.is_empty() {
        let names: Vec<&str> = config.headers.keys().map(String::as_str).collect();
        let _ = write!(
            out,
            "    env:\n      # A JSON object with {}. It is not in this file, since it may be secret.\n      \
             - name: READYGATE_HEADERS\n        valueFrom:\n          secretKeyRef:\n            name: {name}\n            \
             key: headers\n",
            Value::from(names.join(", "))
        );
    }
    Ok(out)
}

fn note(name: &str, gate: &str) -> String {
    let gate = gate.replace(char::is_control, " ");
    let pods = format!("kubectl get pods -l k6_cr={name},runner=true");
    format!(
        "# The load gate {gate} as a TestRun of the k6-operator.\n\
         #\n\
         # The stage of a TestRun becomes \"finished\" even when runners failed, so look at each runner. Every exit\n\
         # code must be 0, and there must be as many as `parallelism`. 99 says that a threshold was crossed in that\n\
         # runner: k6 judges each runner alone.\n\
         #   {pods} -o jsonpath='{{range .items[*]}}{{.metadata.name}} \
         {{.status.containerStatuses[0].state.terminated.exitCode}}{{\"\\n\"}}{{end}}'\n\
         #\n\
         # Each runner prints its summary at the end. To judge the sum, collect them and read them with a gate of\n\
         # `probe: load`, `reports: [summaries/*.json]`, `format: k6-summary`:\n\
         #   for pod in $({pods} -o name); do kubectl logs $pod |\n\
         #     sed -n 's/.*READYGATE-SUMMARY-BEGIN \\(.*\\) READYGATE-SUMMARY-END.*/\\1/p' > summaries/${{pod#pod/}}.json; done\n\
         # An empty file is a runner that did not come to its end: that gate then finds it unreadable.\n"
    )
}

/// Names of services made by the operator are labels of DNS (RFC 1123): 63 characters, of which it
/// adds some.
fn dns_label(gate: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            c
        } else {
            '-'
        }
    };
    let label: String = gate.to_lowercase().chars().map(plain).take(40).collect();
    format!("readygate-{}", label.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels() {
        assert_eq!(dns_label("load.api_v2"), "readygate-load-api-v2");
        assert_eq!(dns_label(&"x.".repeat(60)).len(), 49);
    }
}
