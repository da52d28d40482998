//! Hits and misses of Redis servers, as INFO counts them.

use std::time::Duration;

use readygate_sdk::{Secret, Texts};
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo as _, RedisConnectionInfo,
    aio::MultiplexedConnection,
};

use super::config::RedisConfig;

/// Connecting and one answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Counters of all servers together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// Keys found.
    pub hits: u64,
    /// Keys not found.
    pub misses: u64,
    /// Which starts of the servers they belong to.
    pub runs: Vec<String>,
}

/// The servers, with connections that are opened when needed.
pub struct Servers(Vec<Server>);

struct Server {
    name: String,
    client: Client,
    connection: Option<MultiplexedConnection>,
}

impl Servers {
    /// Connects to none of them yet.
    pub fn new(config: &RedisConfig) -> Result<Self, String> {
        let RedisConfig { url, .. } = config;
        let Texts(urls) = url;
        let servers = urls.iter().map(|url| Server::new(url, config));
        servers.collect::<Result<_, _>>().map(Self)
    }

    /// Asks all of them; one that does not answer spoils the sum.
    pub async fn look(&mut self) -> Result<Counters, String> {
        let mut sum = Counters {
            hits: 0,
            misses: 0,
            runs: Vec::new(),
        };
        let asked = futures_of(&mut self.0);
        for told in asked.await {
            let (hits, misses, run) = told?;
            sum.hits += hits;
            sum.misses += misses;
            sum.runs.push(run);
        }
        Ok(sum)
    }
}

/// All at once: a node that hangs holds up nobody else.
async fn futures_of(servers: &mut [Server]) -> Vec<Result<(u64, u64, String), String>> {
    let mut asking = tokio::task::JoinSet::new();
    for (index, server) in servers.iter_mut().enumerate() {
        let (client, name) = (server.client.clone(), server.name.clone());
        let held = server.connection.take();
        asking.spawn(async move {
            let told = tokio::time::timeout(PATIENCE, info(&client, held)).await;
            let told = told.unwrap_or_else(|_| Err("does not answer in time".into()));
            (index, told.map_err(|why| format!("{name}: {why}")))
        });
    }
    let mut all = Vec::new();
    while let Some(joined) = asking.join_next().await {
        let Ok((index, told)) = joined else {
            all.push(Err("asking was given up".to_owned()));
            continue;
        };
        all.push(told.map(|(connection, hits, misses, run)| {
            servers[index].connection = Some(connection);
            (index, (hits, misses, run))
        }));
    }
    // In the order of the servers, whoever answered first.
    all.sort_by_key(|told| told.as_ref().map_or(usize::MAX, |(index, _)| *index));
    let told = all.into_iter().map(|told| told.map(|(_, told)| told));
    told.collect()
}

async fn info(
    client: &Client,
    held: Option<MultiplexedConnection>,
) -> Result<(MultiplexedConnection, u64, u64, String), String> {
    let plain = |e: redis::RedisError| e.to_string();
    let mut connection = if let Some(held) = held {
        held
    } else {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let opening = client.get_multiplexed_async_connection_with_config(&config);
        opening.await.map_err(plain)?
    };
    let command = redis::cmd("INFO");
    let text: String = command.query_async(&mut connection).await.map_err(plain)?;
    let (hits, misses, run) = parse(&text)?;
    Ok((connection, hits, misses, run))
}

/// `field:value` lines.
fn parse(text: &str) -> Result<(u64, u64, String), String> {
    let field = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(field, _)| *field == name);
        found.next().map(|(_, value)| value.trim())
    };
    let count = |name: &str| {
        let value = field(name).and_then(|value| value.parse().ok());
        value.ok_or_else(|| format!("INFO has no {name}"))
    };
    let run = field("run_id").unwrap_or_default().to_owned();
    Ok((count("keyspace_hits")?, count("keyspace_misses")?, run))
}

impl Server {
    fn new(url: &str, config: &RedisConfig) -> Result<Self, String> {
        let info = url.into_connection_info();
        let info = info.map_err(|e| format!("{url}: {e}"))?;
        let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(user) = &config.username {
            settings = settings.set_username(user);
        }
        // A default user that asks for no password refuses an empty one.
        let named = config.username.is_some();
        let password = config.password.as_ref().map(Secret::expose);
        if let Some(password) = password.filter(|text| named || !text.is_empty()) {
            settings = settings.set_password(password);
        }
        let client = Client::open(info.set_redis_settings(settings));
        Ok(Self {
            name: url.to_owned(),
            client: client.map_err(|e| format!("{url}: {e}"))?,
            connection: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_read_by_field() {
        let text = "# Server\r\nrun_id:abc\r\n# Stats\r\nkeyspace_hits:12\r\nkeyspace_misses:3\r\n";
        assert_eq!(parse(text), Ok((12, 3, "abc".into())));
        let why = parse("keyspace_hits:1\r\n").unwrap_err();
        assert!(why.contains("keyspace_misses"));
    }

    #[test]
    fn an_empty_password_is_none_unless_a_user_is_named() {
        let sent = |config: serde_json::Value| {
            let config: RedisConfig = serde_json::from_value(config).unwrap();
            let server = Server::new("redis://127.0.0.1:1", &config).unwrap();
            let settings = server.client.get_connection_info().redis_settings();
            settings.password().map(str::to_owned)
        };
        let with = |password| serde_json::json!({"url": "redis://a", "password": password});
        assert_eq!(sent(with("")), None);
        assert_eq!(sent(with("x")).as_deref(), Some("x"));
        let mut named = with("");
        named["username"] = "gate".into();
        assert_eq!(sent(named).as_deref(), Some(""));
    }
}
