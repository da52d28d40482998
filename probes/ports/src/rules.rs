//! The rules of the probe.

use readygate_sdk::{Level, Rule};

pub const UNRESOLVED: Rule = Rule {
    code: "ports/unresolved",
    level: Level::Error,
    summary: "the host of a port cannot be looked up",
    why: "A name without an address says nothing of a port: neither that it is open nor that it is \
          closed.",
    fix: "check the spelling, and the name servers of the machine that runs the gate",
    source: "",
};

pub const NOT_OPEN: Rule = Rule {
    code: "ports/not-open",
    level: Level::Error,
    summary: "a port that must be open does not accept connections",
    why: "Clients take any of the addresses of a name. One that is refused or not answered is an \
          outage for a part of them.",
    fix: "start the service, let it listen on this address, and open the firewall; \
          `ss -ltn` on the host shows what listens",
    source: "https://www.rfc-editor.org/rfc/rfc9293#section-3.5.2",
};

pub const NOT_CLOSED: Rule = Rule {
    code: "ports/not-closed",
    level: Level::Error,
    summary: "a port that must be closed accepts connections",
    why: "What listens is attacked within minutes. Data stores, debuggers and administration \
          belong behind a firewall, for IPv6 as for IPv4.",
    fix: "let the service listen on an inner address only, and close the port in the firewall, for \
          IPv6 too",
    source: "https://www.cisa.gov/news-events/directives/bod-23-02-implementation-guidance-mitigating-risk-internet-exposed-management-interfaces",
};

pub const OPEN_STORE: Rule = Rule {
    code: "ports/open-store",
    level: Level::Error,
    summary: "a data store serves anybody who connects",
    why: "Stores without a password are found by scanners, read, deleted and held for ransom.",
    fix: "switch authentication on (`requirepass`, `security.authorization: enabled`, SASL, \
          `xpack.security.enabled: true`), and close the port to strangers",
    source: "https://owasp.org/Top10/A05_2021-Security_Misconfiguration/",
};

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[UNRESOLVED, NOT_OPEN, NOT_CLOSED, OPEN_STORE];
