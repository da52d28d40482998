//! Applies the rules to a measurement. Pure.

use std::collections::BTreeSet;

use readygate_sdk::{CheckBuilder, Checks, Level};

use crate::{
    PortsConfig, PortsMeasurement,
    config::{StoreKind, Vantage},
    measurement::{AddressFacts, Nearness, PortFacts, PortState, StoreAnswer, StoreFacts},
    rules,
};

pub fn judge(config: &PortsConfig, measurement: &PortsMeasurement, checks: &mut Checks) {
    let scene = Scene::new(config, measurement);
    for port in &measurement.open {
        scene.each(port, checks, |address, subject, checks| {
            open(address, subject, checks);
        });
    }
    for port in &measurement.closed {
        scene.each(port, checks, |address, subject, checks| {
            let check = checks
                .check(&rules::NOT_CLOSED, subject)
                .expected("closed or filtered")
                .actual(actual(address));
            scene.closed(address, check);
        });
    }
    for port in &measurement.stores {
        scene.each(port, checks, |address, subject, checks| {
            if address.state != PortState::Open {
                checks
                    .check(&rules::OPEN_STORE, subject)
                    .actual(actual(address))
                    .hint("name the port of the store, or remove it from `stores`")
                    .unmeasured("the store cannot be reached, so it was not asked");
            }
        });
    }
    scene.missing(measurement, checks);
}

/// A record that was made under another config may lack what this one asks for.
const NOT_HELD: &str = "the record does not hold it; measure again";

/// What is known of the network as a whole.
struct Scene<'a> {
    config: &'a PortsConfig,
    /// Addresses of which some port answered.
    alive: BTreeSet<&'a str>,
    /// Some control was reached.
    control: bool,
}

fn ip_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(ip, _)| ip)
}

impl<'a> Scene<'a> {
    fn new(config: &'a PortsConfig, measurement: &'a PortsMeasurement) -> Self {
        let answered = |a: &&AddressFacts| matches!(a.state, PortState::Open | PortState::Closed);
        let lists = [
            &measurement.open,
            &measurement.closed,
            &measurement.stores,
            &measurement.controls,
        ];
        let all = lists.into_iter().flatten().flat_map(|port| &port.addresses);
        let controls = measurement.controls.iter().flat_map(|p| &p.addresses);
        Self {
            config,
            alive: all.filter(answered).map(|a| ip_of(&a.address)).collect(),
            control: controls.filter(|a| a.state == PortState::Open).count() > 0,
        }
    }

    /// What the config asks for and the record does not hold is not known.
    fn missing(&self, measurement: &PortsMeasurement, checks: &mut Checks) {
        let lists = [
            (&self.config.open, &measurement.open, &rules::NOT_OPEN),
            (&self.config.closed, &measurement.closed, &rules::NOT_CLOSED),
        ];
        for (wanted, held, rule) in lists {
            for place in PortsConfig::places(wanted) {
                let place = place.to_string();
                if !held.iter().any(|port| port.place == place) {
                    checks.check(rule, self.name(&place)).unmeasured(NOT_HELD);
                }
            }
        }
        let held = [&measurement.open, &measurement.closed, &measurement.stores];
        for store in &self.config.stores {
            for place in PortsConfig::places(std::slice::from_ref(&store.at)) {
                let place = place.to_string();
                let mut ports = held.into_iter().flatten().filter(|p| p.place == place);
                // Every open address must have been asked as this kind of store.
                let asked = |port: &PortFacts| {
                    let mut open = port.addresses.iter().filter(|a| a.state == PortState::Open);
                    open.all(|a| a.store.as_ref().is_some_and(|s| s.kind == store.kind))
                };
                if !ports.any(asked) {
                    checks
                        .check(&rules::OPEN_STORE, self.name(&place))
                        .expected(format!("asked as {}", name_of(store.kind)))
                        .unmeasured(NOT_HELD);
                }
            }
        }
    }

    /// Whether the config names a store there; the record may come from one that did not.
    fn declares(&self, place: &str) -> bool {
        let stores = self.config.stores.iter().map(|store| store.at.clone());
        let places = PortsConfig::places(&stores.collect::<Vec<_>>());
        places.iter().any(|p| p.to_string() == place)
    }

    /// The place, with its label.
    fn name(&self, place: &str) -> String {
        match self.label(place) {
            Some(label) => format!("{place} ({label})"),
            None => place.to_owned(),
        }
    }

    /// Judges every address of a port.
    fn each(
        &self,
        port: &PortFacts,
        checks: &mut Checks,
        judge: impl Fn(&AddressFacts, &str, &mut Checks),
    ) {
        let name = self.name(&port.place);
        if port.addresses.is_empty() {
            let why = port.unresolved.as_deref().unwrap_or("no address");
            return checks
                .check(&rules::UNRESOLVED, &name)
                .hint(rules::UNRESOLVED.fix)
                .unmeasured(format!("the host cannot be looked up: {why}"));
        }
        for address in &port.addresses {
            let subject = if address.address == port.place {
                name.clone()
            } else {
                format!("{name} at {}", address.address)
            };
            judge(address, &subject, checks);
            if let Some(facts) = &address.store {
                let declared = facts.declared || self.declares(&port.place);
                store(facts, declared, &subject, checks);
            }
        }
    }

    fn label(&self, place: &str) -> Option<&str> {
        let of = |at: &str| {
            crate::place::parse(at).is_ok_and(|all| all.iter().any(|p| p.to_string() == place))
        };
        let mut labels = self.config.labels.iter();
        labels
            .find(|label| of(&label.at))
            .map(|label| label.text.as_str())
    }

    fn closed(&self, address: &AddressFacts, check: CheckBuilder<'_>) {
        let here = self.config.vantage == Vantage::Here;
        let own = matches!(address.vantage, Nearness::Loopback | Nearness::SameMachine);
        let inside = own || address.vantage == Nearness::Private;
        match address.state {
            PortState::Open if own && !here => check
                .hint(FROM_OUTSIDE)
                .unmeasured("something listens, and whether a firewall shields it cannot be seen from the target itself"),
            PortState::Open => check
                .message("it accepts connections, and must be closed")
                .fail(),
            PortState::Closed => check.message("nothing listens").pass(),
            PortState::Filtered | PortState::Unreachable if inside && !here => check
                .hint(FROM_OUTSIDE)
                .unmeasured("a firewall towards the outside cannot be seen from inside its network"),
            PortState::Filtered | PortState::Unreachable if self.is_live(address) => check
                .message("a firewall lets nothing through")
                .pass(),
            PortState::Filtered | PortState::Unreachable => check
                .hint(
                    "name a port of this host under `open`, or one beyond the same firewalls under `controls`",
                )
                .unmeasured("nothing at this address answers, which a broken network would explain as well as a firewall"),
            PortState::NoRoute => check
                .hint("run the gate from a machine with IPv4 and IPv6, or set `family`")
                .unmeasured("this machine has no way to such addresses"),
            PortState::Untried => check.unmeasured("the connection could not be tried"),
        }
    }

    /// Whether this machine is known to get through to the host, or to its surroundings.
    fn is_live(&self, address: &AddressFacts) -> bool {
        self.control || self.alive.contains(ip_of(&address.address))
    }
}

const FROM_OUTSIDE: &str = "run this gate from a machine outside; if the claim is about this very \
                            place, set `vantage: here`";

fn open(address: &AddressFacts, subject: &str, checks: &mut Checks) {
    let check = checks
        .check(&rules::NOT_OPEN, subject)
        .expected("open")
        .actual(actual(address));
    match address.state {
        PortState::Open => check.message("it accepts connections").pass(),
        PortState::Closed => check.message("nothing listens").fail(),
        PortState::Filtered => check
            .message("nothing answers")
            .hint("is there a firewall between the gate and the host, and is the host up?")
            .fail(),
        PortState::Unreachable => check.message("the network cannot reach it").fail(),
        PortState::NoRoute => check
            .hint("run the gate from a machine with IPv4 and IPv6, or set `family`")
            .unmeasured("this machine has no way to such addresses"),
        PortState::Untried => check.unmeasured("the connection could not be tried"),
    }
}

/// `filtered, from 10.0.0.6`
fn actual(address: &AddressFacts) -> String {
    let state = match address.state {
        PortState::Open => "open",
        PortState::Closed => "closed",
        PortState::Filtered => "filtered",
        PortState::Unreachable => "unreachable",
        PortState::NoRoute => "no route",
        PortState::Untried => "not tried",
    };
    let reason = match address.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    let place = match address.vantage {
        Nearness::Loopback => ", over loopback",
        Nearness::SameMachine => ", on this machine",
        Nearness::Private => ", in a private network",
        Nearness::Public => "",
    };
    let from = address
        .from
        .as_ref()
        .map_or_else(String::new, |from| format!(", from {from}"));
    format!("{state}{reason}{from}{place}")
}

const fn name_of(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Redis => "Redis",
        StoreKind::Mongodb => "MongoDB",
        StoreKind::Memcached => "memcached",
        StoreKind::Elasticsearch => "Elasticsearch",
    }
}

fn store(facts: &StoreFacts, declared: bool, subject: &str, checks: &mut Checks) {
    let name = name_of(facts.kind);
    let check = checks
        .check(&rules::OPEN_STORE, subject)
        .expected("no service without credentials");
    let check = match facts.said.as_str() {
        "" => check,
        said => check.actual(said),
    };
    // A store that is only guessed by its port may be something else, and need not weigh.
    let guessed = |check: CheckBuilder<'_>, why: String| {
        if declared {
            check.hint(BEHIND_TLS).unmeasured(why);
        } else {
            check.level(Level::Warning).hint(BEHIND_TLS).unmeasured(why);
        }
    };
    match facts.answer {
        StoreAnswer::Served => check
            .message(format!("{name} serves anybody who connects"))
            .fail(),
        StoreAnswer::Refused => check
            .message(format!("{name} does not serve a stranger"))
            .pass(),
        StoreAnswer::Other => guessed(
            check,
            format!("what answers is not clearly {name} in plain text"),
        ),
        StoreAnswer::Silent => guessed(check, format!("nothing answers to the question of {name}")),
    }
}

const BEHIND_TLS: &str = "a store that speaks TLS only is not asked here; let the probe of the store \
                          do it, or correct `stores`";

#[cfg(test)]
mod tests {
    use readygate_sdk::{Checks, Level};

    /// What is guessed by the port need not weigh; what the config names does.
    #[test]
    fn a_store_that_only_the_config_of_now_names_weighs() {
        let record = r#"{"open": [{"place": "10.0.0.5:6379", "addresses": [{
            "address": "10.0.0.5:6379", "state": "open", "vantage": "private",
            "store": {"kind": "redis", "answer": "silent"}}]}]}"#;
        let record = serde_json::from_str(record).unwrap();
        for (stores, level) in [
            ("[]", Level::Warning),
            (
                r#"[{"at": "10.0.0.5:6379", "kind": "redis"}]"#,
                Level::Error,
            ),
        ] {
            let config = format!(r#"{{"open": ["10.0.0.5:6379"], "stores": {stores}}}"#);
            let mut checks = Checks::new();
            super::judge(
                &serde_json::from_str(&config).unwrap(),
                &record,
                &mut checks,
            );
            let of_store = |c: &&readygate_sdk::Check| c.rule == "ports/open-store";
            let check = checks.as_slice().iter().find(of_store).unwrap();
            assert_eq!(check.level, level, "{stores}");
        }
    }
}
