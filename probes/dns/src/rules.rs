//! The rules of the probe.

use readygate_sdk::{Level, Rule};

pub const NO_ANSWER: Rule = Rule {
    code: "dns/no-answer",
    level: Level::Error,
    summary: "a resolver gave no answer",
    why: "SERVFAIL, REFUSED and silence say nothing about the record. SERVFAIL often means that \
          the name servers of the zone are down or that its DNSSEC signatures are wrong, and then \
          users get no answer either.",
    fix: "ask by hand: `dig @SERVER NAME TYPE`, and again with `+cd` for a SERVFAIL: if it answers \
          then, the signatures are wrong",
    source: "https://www.rfc-editor.org/rfc/rfc8914",
};

pub const MISSING_RECORD: Rule = Rule {
    code: "dns/missing-record",
    level: Level::Error,
    summary: "the name does not exist, or has no such record",
    why: "What is not in the name system cannot be reached.",
    fix: "add the record to the zone, or correct the name in the config; `dig @SERVER NAME TYPE`",
    source: "https://www.rfc-editor.org/rfc/rfc2308",
};

pub const UNEXPECTED_RECORDS: Rule = Rule {
    code: "dns/unexpected-records",
    level: Level::Error,
    summary: "the records are not those that were declared",
    why: "A name that leads elsewhere sends users to the old system, or to somebody else's.",
    fix: "correct the zone, wait until the old records have left the caches, or correct the config",
    source: "",
};

pub const RESOLVERS_DISAGREE: Rule = Rule {
    code: "dns/resolvers-disagree",
    level: Level::Warning,
    summary: "resolvers give different answers",
    why: "Part of the users sees other records than the rest: an old answer in a cache, a split \
          horizon, or name servers that differ. A name that is balanced by geography or in turns \
          may do so on purpose.",
    fix: "compare with the authoritative servers (`zones`), and wait for the TTL to pass",
    source: "",
};

pub const CNAME_LOOP: Rule = Rule {
    code: "dns/cname-loop",
    level: Level::Error,
    summary: "the aliases (CNAME) of a name lead in a circle, or there are more than 8 of them",
    why: "Resolvers give up on a circle and on a long chain, each at a number of its own, and the \
          name does not resolve.",
    fix: "let the alias name its target directly",
    source: "https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2",
};

pub const DANGLING_CNAME: Rule = Rule {
    code: "dns/dangling-cname",
    level: Level::Error,
    summary: "an alias (CNAME) names a target that does not exist",
    why: "Whoever can register the target, often the name of a deleted cloud resource, serves what \
          he likes under your name, gets certificates for it and reads its cookies.",
    fix: "remove the alias, or create the target again",
    source: "https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing/02-Configuration_and_Deployment_Management_Testing/10-Test_for_Subdomain_Takeover",
};

pub const CNAME_CONFLICT: Rule = Rule {
    code: "dns/cname-conflict",
    level: Level::Error,
    summary: "an alias (CNAME) stands beside other records of the same name, or at the top of a zone",
    why: "A name with an alias can have no other records. What resolvers make of it depends on \
          what they asked for first: mail or the whole zone stop working for some, some of the time.",
    fix: "use address records, or what your provider offers for it (ALIAS, flattening)",
    source: "https://www.rfc-editor.org/rfc/rfc1912#section-2.4",
};

pub const PRIVATE_ADDRESS: Rule = Rule {
    code: "dns/private-address",
    level: Level::Warning,
    summary: "the answer holds an address that the internet cannot reach",
    why: "Users outside get no connection, or reach a machine of their own network. It also shows \
          the inner layout to everybody.",
    fix: "publish the public address; where the name is meant for an inner network, set \
          `allow_private: true`",
    source: "https://www.rfc-editor.org/rfc/rfc6890",
};

pub const DEAD_ADDRESS: Rule = Rule {
    code: "dns/dead-address",
    level: Level::Error,
    summary: "an address of the answer does not accept connections",
    why: "Clients take any of the addresses, and IPv6 first. A dead one among them delays or fails \
          a part of the connections, while a check that tries only the first looks well.",
    fix: "start the service on this address, open the firewall for it, or remove the record",
    source: "https://www.rfc-editor.org/rfc/rfc8305",
};

pub const TTL_TOO_LONG: Rule = Rule {
    code: "dns/ttl-too-long",
    level: Level::Error,
    summary: "records may be cached longer than declared",
    why: "After a cutover, or a way back, resolvers keep the old address for as long as the TTL \
          that they last saw.",
    fix: "lower the TTL, and wait for the old one to pass before the cutover",
    source: "https://www.rfc-editor.org/rfc/rfc1912#section-2.2",
};

pub const FEW_NAME_SERVERS: Rule = Rule {
    code: "dns/few-name-servers",
    level: Level::Error,
    summary: "the zone has too few name servers",
    why: "A zone with one name server disappears with it.",
    fix: "add a second name server, best in another network",
    source: "https://www.rfc-editor.org/rfc/rfc2182",
};

pub const NAME_SERVER_FAILS: Rule = Rule {
    code: "dns/name-server-fails",
    level: Level::Error,
    summary: "a name server does not answer for the zone, by UDP and by TCP",
    why: "Resolvers pick any of the name servers. One that is down or not responsible delays look-ups \
          or fails them. One whose name does not exist can be registered by somebody else, who \
          then answers for the zone. Without TCP large answers get lost.",
    fix: "repair the server, or remove it from the NS records here and at the parent; \
          `dig @SERVER ZONE SOA +norecurse`, and the same with `+tcp`",
    source: "https://www.rfc-editor.org/rfc/rfc7766",
};

pub const SERIALS_DIFFER: Rule = Rule {
    code: "dns/serials-differ",
    level: Level::Error,
    summary: "name servers hold different versions of the zone (SOA serial)",
    why: "Part of the users gets the old zone. It passes by itself within seconds after a change; \
          where it stays, transfers to the secondary fail, and at the end the zone expires there.",
    fix: "try again after a minute (`retry`); then look at the log of the secondary for failed transfers",
    source: "https://www.rfc-editor.org/rfc/rfc1912#section-2.2",
};

pub const SERVERS_DISAGREE: Rule = Rule {
    code: "dns/servers-disagree",
    level: Level::Error,
    summary: "authoritative name servers give different answers",
    why: "Which answer a user gets is chance.",
    fix: "bring the zone on all name servers to the same version",
    source: "https://www.rfc-editor.org/rfc/rfc2182",
};

pub const ZONE_TRANSFER_OPEN: Rule = Rule {
    code: "dns/zone-transfer-open",
    level: Level::Error,
    summary: "a name server gives the whole zone to anybody",
    why: "The zone lists every machine, the forgotten ones too.",
    fix: "allow transfers (AXFR) to the secondary servers only, by key or address",
    source: "https://www.rfc-editor.org/rfc/rfc5936#section-5",
};

pub const DNSSEC_INVALID: Rule = Rule {
    code: "dns/dnssec-invalid",
    level: Level::Error,
    summary: "the zone is not signed, or its signatures do not hold",
    why: "Without a chain of signatures answers can be forged. With a broken one the zone does not \
          exist for everybody whose resolver validates.",
    fix: "sign the zone and publish its DS record at the parent; `delv ZONE SOA` and dnsviz show \
          where the chain breaks",
    source: "https://www.rfc-editor.org/rfc/rfc4035",
};

pub const CAA_FORBIDS: Rule = Rule {
    code: "dns/caa-forbids",
    level: Level::Error,
    summary: "CAA records do not let the authority issue certificates for the name",
    why: "The next renewal is refused, and the certificate runs out.",
    fix: "add `0 issue \"DOMAIN OF THE AUTHORITY\"` (`issuewild` for wildcards), or correct `issuer`; \
          the `tls` probe names the issuer of the certificate in use",
    source: "https://www.rfc-editor.org/rfc/rfc8659",
};

pub const SPF: Rule = Rule {
    code: "dns/spf",
    level: Level::Error,
    summary: "the zone does not say which servers send its mail (SPF), or lets all do it",
    why: "Without SPF, with two records of it, or with `+all`, anybody sends mail in the name of \
          the zone, or its own mail is refused.",
    fix: "publish one TXT record: `v=spf1 mx -all`; `v=spf1 -all` where no mail is sent",
    source: "https://www.rfc-editor.org/rfc/rfc7208",
};

pub const DMARC: Rule = Rule {
    code: "dns/dmarc",
    level: Level::Error,
    summary: "the zone does not say what becomes of forged mail (DMARC), or too little",
    why: "Large receivers refuse mail of zones without DMARC, and `p=none` lets forged mail pass.",
    fix: "publish one TXT record at `_dmarc`: `v=DMARC1; p=reject; rua=mailto:...`",
    source: "https://www.rfc-editor.org/rfc/rfc7489",
};

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[
    NO_ANSWER,
    MISSING_RECORD,
    UNEXPECTED_RECORDS,
    RESOLVERS_DISAGREE,
    CNAME_LOOP,
    DANGLING_CNAME,
    CNAME_CONFLICT,
    PRIVATE_ADDRESS,
    DEAD_ADDRESS,
    TTL_TOO_LONG,
    FEW_NAME_SERVERS,
    NAME_SERVER_FAILS,
    SERIALS_DIFFER,
    SERVERS_DISAGREE,
    ZONE_TRANSFER_OPEN,
    DNSSEC_INVALID,
    CAA_FORBIDS,
    SPF,
    DMARC,
];
