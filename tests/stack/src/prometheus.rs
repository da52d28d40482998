//! Prometheus and its Alertmanager.

use std::{fs, path::Path};

use crate::server::{Launch, Server, StackError, find_program, folder, free_port};

const INSTALL: &str = "apt-get install prometheus";
const INSTALL_ALERTMANAGER: &str = "apt-get install prometheus-alertmanager";

/// Starts Prometheus with its scrape configs, more of its config, and alert rules, all in YAML.
/// `SELF` in any of them stands for its own address. It scrapes and evaluates every second; discovery
/// takes five seconds after the start.
pub fn prometheus(scrape_configs: &str, more: &str, rules: &str) -> Result<Server, StackError> {
    let program = find_program("prometheus").ok_or_else(|| StackError::Missing {
        program: "prometheus".into(),
        install: INSTALL,
    })?;
    let port = free_port()?;
    let folder = folder("prometheus")?;
    let own = format!("127.0.0.1:{port}");
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: [rules.yml]
{more}
scrape_configs:
{scrape_configs}
"
    );
    let rules = if rules.is_empty() {
        "groups: []"
    } else {
        rules
    };
    write(
        folder.path(),
        "prometheus.yml",
        &config.replace("SELF", &own),
    )?;
    write(folder.path(), "rules.yml", &rules.replace("SELF", &own))?;
    let data = folder.path().join("data");
    let argv = vec![
        program.display().to_string(),
        "--config.file=prometheus.yml".into(),
        format!("--storage.tsdb.path={}", data.display()),
        format!("--web.listen-address={own}"),
        "--web.enable-lifecycle".into(),
    ];
    let launch = Launch {
        name: "prometheus",
        argv,
        environment: Vec::new(),
        port,
        install: INSTALL,
    };
    Server::start(launch, folder)
}

/// Starts an Alertmanager that belongs to no cluster and tells nobody.
pub fn alertmanager() -> Result<Server, StackError> {
    let names = ["prometheus-alertmanager", "alertmanager"];
    let found = names.into_iter().find_map(find_program);
    let program = found.ok_or_else(|| StackError::Missing {
        program: "prometheus-alertmanager".into(),
        install: INSTALL_ALERTMANAGER,
    })?;
    let port = free_port()?;
    let folder = folder("alertmanager")?;
    let config = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n";
    write(folder.path(), "alertmanager.yml", config)?;
    let argv = vec![
        program.display().to_string(),
        "--config.file=alertmanager.yml".into(),
        format!("--storage.path={}", folder.path().display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".into(),
    ];
    let launch = Launch {
        name: "alertmanager",
        argv,
        environment: Vec::new(),
        port,
        install: INSTALL_ALERTMANAGER,
    };
    Server::start(launch, folder)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), StackError> {
    fs::write(folder.join(name), text).map_err(|error| StackError::Io {
        what: format!("writing {name}"),
        error,
    })
}
