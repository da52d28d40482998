//! The connection string: what it says, and clients made of it.

use std::{path::PathBuf, time::Duration};

use mongodb::options::{
    ClientOptions, ConnectionString, ReadPreference, SelectionCriteria, ServerAddress, Tls,
    TlsOptions,
};
use readygate_sdk::{Cx, ErrorKind, ProbeError};

use crate::{config::MongodbConfig, measurement::UriFacts};

/// Reads a connection string without I/O. The error holds nothing of user and password.
pub fn parse(uri: &str) -> Result<ConnectionString, String> {
    ConnectionString::parse(uri).map_err(|e| match *e.kind {
        // The parser quotes what it takes for a host or a port, which may be half a password.
        mongodb::error::ErrorKind::InvalidArgument { message, .. } if !quotes(&message, uri) => {
            message
        }
        _ => "is not a connection string: percent-encode user and password".to_owned(),
    })
}

fn quotes(message: &str, uri: &str) -> bool {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let Some((userinfo, _)) = rest.rsplit_once('@') else {
        return false;
    };
    let words = message.split(|c: char| !(c.is_alphanumeric() || "%+-_.~!$&'()*,;=".contains(c)));
    let parts = userinfo.split(['/', ':', '@', '?', '#', '[', ']']);
    let mut parts = parts.filter(|part| !part.is_empty());
    let words: Vec<_> = words.collect();
    parts.any(|part| words.contains(&part) || (part.len() > 3 && message.contains(part)))
}

/// What `plan` may show of it: hosts only.
pub fn hosts_of(uri: &str) -> Vec<String> {
    // The last `@`, wherever it is: a password that is not encoded may hold a slash.
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
    let hosts = rest.split(['/', '?']).next().unwrap_or_default();
    hosts.split(',').map(str::to_owned).collect()
}

/// Options of the URI, with SRV records looked up and the config's certificates in place.
pub async fn options(config: &MongodbConfig, cx: &Cx) -> Result<ClientOptions, ProbeError> {
    let uri = config.uri.expose();
    let parsed = parse(uri).map_err(|e| {
        ProbeError::new(
            ErrorKind::BadData,
            "uri",
            "reading the connection string",
            e,
        )
    })?;
    let subject = hosts_of(uri).join(",");
    let read = ClientOptions::parse(parsed);
    let read = cx
        .within(&subject, "looking up the seeds", async { read.await })
        .await?;
    let mut options = read.map_err(|e| {
        let message = cx.mask(&e.kind.to_string());
        ProbeError::new(
            ErrorKind::Connect,
            &subject,
            "looking up the seeds",
            message,
        )
        .hint("see for yourself: dig SRV _mongodb._tcp.HOST")
    })?;
    options.app_name = Some("readygate".to_owned());
    // A hung member is found by our own deadlines; these end what the driver does behind them.
    options.connect_timeout = Some(config.node_timeout.0);
    options.server_selection_timeout = Some(config.node_timeout.0);
    tls(config, cx, &mut options);
    Ok(options)
}

fn tls(config: &MongodbConfig, cx: &Cx, options: &mut ClientOptions) {
    let resolve = |path: PathBuf| cx.resolve(path);
    if let Some(Tls::Enabled(files)) = &mut options.tls {
        files.ca_file_path = files.ca_file_path.take().map(resolve);
        files.cert_key_file_path = files.cert_key_file_path.take().map(resolve);
    }
    let Some(wanted) = &config.tls else {
        return;
    };
    let mut files = match options.tls.take() {
        Some(Tls::Enabled(files)) => files,
        _ => TlsOptions::default(),
    };
    if let Some(ca) = &wanted.ca {
        files.ca_file_path = Some(cx.resolve(ca));
    }
    if let Some(cert_key) = &wanted.cert_key {
        files.cert_key_file_path = Some(cx.resolve(cert_key));
    }
    options.tls = Some(Tls::Enabled(files));
}

/// Options for asking one member directly.
///
/// The set's name is left out: with a wrong one the driver hides the member behind a time-out.
pub fn direct(options: &ClientOptions, host: &str, timeout: Duration) -> ClientOptions {
    let mut direct = options.clone();
    direct.hosts = vec![address(host)];
    direct.direct_connection = Some(true);
    direct.repl_set_name = None;
    direct.load_balanced = None;
    direct.srv_max_hosts = None;
    direct.connect_timeout = Some(timeout);
    direct.server_selection_timeout = Some(timeout);
    direct.max_pool_size = Some(1);
    direct.min_pool_size = None;
    direct.retry_reads = Some(false);
    direct.selection_criteria = None;
    direct.read_concern = None;
    direct.write_concern = None;
    direct
}

fn address(host: &str) -> ServerAddress {
    ServerAddress::parse(host).unwrap_or_else(|_| ServerAddress::Tcp {
        host: host.to_owned(),
        port: None,
    })
}

/// `host:port`, the port always written.
pub fn name(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Tcp { host, port } if host.contains(':') => {
            format!(
                "[{}]:{}",
                host.trim_matches(['[', ']']),
                port.unwrap_or(27017)
            )
        }
        ServerAddress::Tcp { host, port } => format!("{host}:{}", port.unwrap_or(27017)),
        other => other.to_string(),
    }
}

/// What the URI says that matters to an application.
pub fn facts(uri: &str, options: &ClientOptions) -> UriFacts {
    let write = options.write_concern.as_ref().and_then(|w| w.w.as_ref());
    UriFacts {
        seeds: options.hosts.iter().map(name).collect(),
        srv: uri.starts_with("mongodb+srv://"),
        replica_set: options.repl_set_name.clone(),
        direct: options.direct_connection == Some(true),
        tls: matches!(options.tls, Some(Tls::Enabled(_))),
        credentials: options.credential.is_some(),
        read_preference: options.selection_criteria.as_ref().map(mode),
        write_concern: write.map(|w| match w {
            mongodb::options::Acknowledgment::Nodes(n) => n.to_string(),
            mongodb::options::Acknowledgment::Majority => "majority".to_owned(),
            mongodb::options::Acknowledgment::Custom(tag) => tag.clone(),
            _ => "other".to_owned(),
        }),
        max_pool_size: options.max_pool_size,
        retry_writes: options.retry_writes,
    }
}

fn mode(criteria: &SelectionCriteria) -> String {
    let SelectionCriteria::ReadPreference(preference) = criteria else {
        return "custom".to_owned();
    };
    match preference {
        ReadPreference::Primary => "primary",
        ReadPreference::Secondary { .. } => "secondary",
        ReadPreference::PrimaryPreferred { .. } => "primaryPreferred",
        ReadPreference::SecondaryPreferred { .. } => "secondaryPreferred",
        ReadPreference::Nearest { .. } => "nearest",
        _ => "custom",
    }
    .to_owned()
}

/// Names of the credentials that the config uses.
pub fn credentials_of(config: &MongodbConfig) -> Vec<String> {
    let uri = config.uri.expose();
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let mut names = Vec::new();
    if authority.contains('@') {
        names.push("user and password of uri".to_owned());
    }
    if config
        .tls
        .as_ref()
        .is_some_and(|tls| tls.cert_key.is_some())
    {
        names.push("tls.cert_key".to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_hold_nothing_of_the_password() {
        for uri in [
            "mongodb://gate:hun/ter2@db1/",
            "mongodb://gate:hun:ter2@db1/",
            "mongodb://gate:hun@ter2@db1/",
            "mongodb://gate:hun?ter2@db1/",
            "mongodb://gate:hun%zzter2@db1/",
            "mongodb://gate:hun#ter2@db1:x/",
            "mongodb://gate:hun[ter2@db1/?a=b",
            "gate:hunter2@db1",
        ] {
            let error = parse(uri).err().unwrap_or_default();
            assert!(
                !error.contains("hun") && !error.contains("ter2"),
                "{uri}: {error}"
            );
        }
        assert!(parse("mongodb://db1/?maxPoolSise=3").is_err_and(|e| e.contains("maxpoolsise")));
    }

    #[test]
    fn plans_show_hosts_only() {
        let hosts = hosts_of("mongodb://gate:p%40ss@db1:27017,db2/shop?replicaSet=rs0");
        assert_eq!(hosts, ["db1:27017", "db2"]);
        assert_eq!(
            hosts_of("mongodb+srv://gate:x@set.example.net/"),
            ["set.example.net"]
        );
        for odd in [
            "mongodb://gate:pa/ss@db1/",
            "mongodb://gate:pa?ss@db1/",
            "gate:pass@db1",
        ] {
            let shown = hosts_of(odd).join(" ");
            assert!(!shown.contains("pa"), "{odd}: {shown}");
        }
    }
}
