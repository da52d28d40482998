//! The `with` block of a `dns` gate.

use std::{fmt, time::Duration};

use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{issuer, names, server::Server};

/// Which names to look up, whom to ask, and what must come back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsConfig {
    /// Resolvers to ask: `1.1.1.1`, `10.0.0.2:53`, `tcp://10.0.0.2:53` (never by UDP). Those of
    /// `/etc/resolv.conf` when left out. All of them are asked, and must answer.
    #[serde(default)]
    pub servers: Vec<String>,
    /// How long one question may take, its repetition and a change to TCP included.
    #[serde(default = "three_seconds")]
    pub query_timeout: Period,
    /// Records to look up.
    #[serde(default)]
    pub records: Vec<RecordConfig>,
    /// Zones whose authoritative name servers are asked, each by itself. The records that lie in a
    /// zone are asked there too.
    #[serde(default)]
    pub zones: Vec<ZoneConfig>,
    /// Whether the authorities for certificates that these names use may issue for them.
    pub caa: Option<CaaConfig>,
    /// Private, loopback and other addresses that the internet cannot reach are meant to be in the
    /// answers, as for names of an internal network.
    #[serde(default)]
    pub allow_private: bool,
    /// Resolvers that are trusted to validate DNSSEC, reached over a network that is trusted too:
    /// `127.0.0.1`. Needed where a zone says `dnssec: true`.
    #[serde(default)]
    pub validating: Vec<String>,
}

const fn three_seconds() -> Period {
    Period(Duration::from_secs(3))
}

/// One name and type, and what must come back. Without `equals`, `contains` and `absent` there
/// must be some record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordConfig {
    /// The name, whole: `shop.example.com`. Search domains do not apply.
    pub name: String,
    /// The type of the records.
    #[serde(rename = "type")]
    pub kind: RecordKind,
    /// Exactly these records, in any order, as `dig +short` shows them: `192.0.2.1`,
    /// `10 mx1.example.com`, `0 issue "letsencrypt.org"`. A TXT record is its text, without quotes.
    pub equals: Option<Vec<String>>,
    /// These records, and perhaps others.
    pub contains: Option<Vec<String>>,
    /// There must be no such record.
    #[serde(default)]
    pub absent: bool,
    /// The longest time that the records may be cached (TTL), as before a cutover. Known only from
    /// an authoritative server, so `zones` must list the zone of the name.
    pub max_ttl: Option<Period>,
    /// Connects to this TCP port on every address of the answer; types A and AAAA only.
    pub connect: Option<u16>,
}

/// A type of records.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Which authorities may issue certificates.
    Caa,
    /// The name that this one stands for.
    Cname,
    /// Mail exchangers: `10 mx1.example.com`.
    Mx,
    /// Name servers.
    Ns,
    /// The name of an address, under `in-addr.arpa`.
    Ptr,
    /// Start of authority: primary, mailbox, serial and four times.
    Soa,
    /// Services: `10 5 5060 sip.example.com`.
    Srv,
    /// Texts.
    Txt,
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        })
    }
}

/// A zone and what its name servers must do.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneConfig {
    /// Name of the zone: `example.com`.
    pub name: String,
    /// Addresses of the name servers to ask, in place of those that the NS records name: for a
    /// hidden primary, or a delegation that is still to come.
    #[serde(default)]
    pub name_servers: Vec<String>,
    /// How many name servers there must be at least.
    #[serde(default = "two")]
    pub min_name_servers: u16,
    /// Asks every name server for a transfer of the whole zone (AXFR), which it must refuse.
    #[serde(default)]
    pub refuse_transfer: bool,
    /// The zone must be signed, with an unbroken chain from the root, as the resolvers under
    /// `validating` see it.
    #[serde(default)]
    pub dnssec: bool,
    /// The zone must say which servers send its mail (SPF).
    #[serde(default)]
    pub spf: bool,
    /// The zone must say what becomes of forged mail (DMARC), this or stricter.
    pub dmarc: Option<DmarcPolicy>,
}

const fn two() -> u16 {
    2
}

/// What a receiver is asked to do with mail that fails DMARC; later is stricter.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// Nothing; reports only.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

/// Names with certificates, and who issues them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaaConfig {
    /// The authority: the domain by which CAA records name it (`letsencrypt.org`), or the
    /// organisation that a probe of kind `tls` shows as issuer (`Let's Encrypt`), where it is known.
    pub issuer: String,
    /// Names of the certificates; `*.example.com` is a wildcard.
    pub names: Vec<String>,
}

/// Most records, zones, names and servers, each.
const MOST: usize = 100;

impl DnsConfig {
    /// The zone that a name lies in: the longest that is listed.
    pub(crate) fn zone_of(&self, name: &str) -> Option<usize> {
        let name = names::normal(name);
        let inside = |zone: &str| name == zone || name.ends_with(&format!(".{zone}"));
        let zones = self.zones.iter().enumerate();
        zones
            .map(|(index, zone)| (names::normal(&zone.name), index))
            .filter(|(zone, _)| inside(zone))
            .max_by_key(|(zone, _)| zone.len())
            .map(|(_, index)| index)
    }

    /// Finds what cannot work, without I/O; every problem, not the first only.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        if self.records.is_empty() && self.zones.is_empty() && self.caa.is_none() {
            let hint = "records: [{ name: shop.example.com, type: A }]";
            error.add("", "nothing to look up", Some(hint));
        }
        if self.query_timeout.0.is_zero() {
            let hint = Some("query_timeout: 3s");
            error.add("/query_timeout", "no server answers in no time", hint);
        }
        let sizes = [
            ("/servers", self.servers.len()),
            ("/records", self.records.len()),
            ("/zones", self.zones.len()),
            ("/validating", self.validating.len()),
        ];
        for (pointer, _) in sizes.into_iter().filter(|(_, size)| *size > MOST) {
            error.add(pointer, format!("more than {MOST}"), None);
        }
        servers(&self.servers, "/servers", &mut error);
        servers(&self.validating, "/validating", &mut error);
        for (index, record) in self.records.iter().enumerate() {
            self.check_record(&format!("/records/{index}"), record, &mut error);
        }
        for (index, zone) in self.zones.iter().enumerate() {
            self.check_zone(&format!("/zones/{index}"), zone, &mut error);
        }
        if let Some(caa) = &self.caa {
            check_caa(caa, &mut error);
        }
        error.into_result()
    }

    fn check_record(&self, at: &str, record: &RecordConfig, error: &mut ConfigError) {
        name(&record.name, &format!("{at}/name"), error);
        let wants = record.equals.is_some() || record.contains.is_some();
        if record.absent && (wants || record.max_ttl.is_some() || record.connect.is_some()) {
            let message = "a record that must be absent has no other properties";
            error.add(format!("{at}/absent"), message, None);
        }
        for (key, list) in [("equals", &record.equals), ("contains", &record.contains)] {
            let Some(list) = list else { continue };
            if list.is_empty() {
                let hint = Some("write `absent: true` where there must be none");
                error.add(format!("{at}/{key}"), format!("`{key}` is empty"), hint);
            }
            for (index, text) in list.iter().enumerate() {
                if let Err(message) = names::wanted(record.kind, text) {
                    error.add(format!("{at}/{key}/{index}"), message, None);
                }
            }
        }
        let of_addresses = matches!(record.kind, RecordKind::A | RecordKind::Aaaa);
        if record.connect.is_some() && !of_addresses {
            let message = "only A and AAAA records are addresses to connect to";
            error.add(format!("{at}/connect"), message, None);
        }
        if record.connect == Some(0) {
            error.add(format!("{at}/connect"), "there is no port 0", None);
        }
        if record.max_ttl.is_some() && self.zone_of(&record.name).is_none() {
            error.add(
                format!("{at}/max_ttl"),
                "only an authoritative server tells the whole TTL, and `zones` lists no zone of this name",
                Some("zones: [{ name: example.com }]"),
            );
        }
    }

    fn check_zone(&self, at: &str, zone: &ZoneConfig, error: &mut ConfigError) {
        name(&zone.name, &format!("{at}/name"), error);
        if zone.name_servers.len() > MOST {
            error.add(
                format!("{at}/name_servers"),
                format!("more than {MOST}"),
                None,
            );
        }
        servers(&zone.name_servers, &format!("{at}/name_servers"), error);
        if zone.min_name_servers == 0 {
            let message = "a zone without a name server does not exist";
            error.add(format!("{at}/min_name_servers"), message, None);
        }
        if zone.dnssec && self.validating.is_empty() {
            error.add(
                format!("{at}/dnssec"),
                "DNSSEC is seen through a resolver that validates, and `validating` names none",
                Some("validating: [\"127.0.0.1\"], where unbound or the like runs"),
            );
        }
    }
}

fn name(text: &str, at: &str, error: &mut ConfigError) {
    if names::parse(text).is_none() {
        error.add(at, format!("`{text}` is not a domain name"), None);
    }
}

fn servers(list: &[String], at: &str, error: &mut ConfigError) {
    for (index, text) in list.iter().enumerate() {
        if Server::parse(text).is_none() {
            let hint = "write an IP address: 10.0.0.2, 10.0.0.2:53, [2001:db8::2]:53";
            let message = format!("`{text}` is not the address of a server");
            error.add(format!("{at}/{index}"), message, Some(hint));
        } else if list[..index].contains(text) {
            let message = format!("`{text}` is listed twice");
            error.add(format!("{at}/{index}"), message, None);
        }
    }
}

fn check_caa(caa: &CaaConfig, error: &mut ConfigError) {
    if issuer::domains(&caa.issuer).is_empty() {
        error.add(
            "/caa/issuer",
            format!("`{}` is not an authority known here", caa.issuer),
            Some("write the domain by which it asks to be named in CAA records: letsencrypt.org"),
        );
    }
    if caa.names.is_empty() || caa.names.len() > MOST {
        let message = format!("`names` must list 1 to {MOST} names");
        error.add("/caa/names", message, None);
    }
    for (index, text) in caa.names.iter().enumerate() {
        let bare = text.strip_prefix("*.").unwrap_or(text);
        name(bare, &format!("/caa/names/{index}"), error);
    }
}
