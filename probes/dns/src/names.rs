//! Names and data of records, as texts that can be compared.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::{Name, RData, Record, RecordType};
use readygate_sdk::excerpt;

use crate::config::RecordKind;

/// Characters of one record that are kept.
const KEPT: usize = 1_000;

/// Reads a domain name, absolute.
pub(crate) fn parse(text: &str) -> Option<Name> {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "/@:\\\"".contains(c);
    if text.is_empty() || text == "." || text.contains(strange) {
        return None;
    }
    let mut name = Name::from_str_relaxed(text).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// In lower case, in ASCII (Punycode), without the dot at the end.
pub(crate) fn normal(text: &str) -> String {
    parse(text).map_or_else(|| text.to_lowercase(), |name| shown(&name))
}

/// A name as `normal` writes it; the root is `.`.
pub(crate) fn shown(name: &Name) -> String {
    let text = name.to_lowercase().to_ascii();
    match text.strip_suffix('.') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

pub(crate) fn wire_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Caa => RecordType::CAA,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Ns => RecordType::NS,
        RecordKind::Ptr => RecordType::PTR,
        RecordKind::Soa => RecordType::SOA,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::Txt => RecordType::TXT,
    }
}

/// The data of a record, as a config would write it.
pub(crate) fn data(record: &Record) -> String {
    let text = match &record.data {
        RData::A(a) => a.0.to_string(),
        RData::AAAA(aaaa) => aaaa.0.to_string(),
        RData::CNAME(name) => shown(&name.0),
        RData::NS(name) => shown(&name.0),
        RData::PTR(name) => shown(&name.0),
        RData::MX(mx) => format!("{} {}", mx.preference, shown(&mx.exchange)),
        RData::SRV(srv) => format!(
            "{} {} {} {}",
            srv.priority,
            srv.weight,
            srv.port,
            shown(&srv.target)
        ),
        RData::SOA(soa) => format!(
            "{} {} {} {} {} {} {}",
            shown(&soa.mname),
            shown(&soa.rname),
            soa.serial,
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum
        ),
        RData::TXT(txt) => {
            let bytes: Vec<u8> = txt.txt_data.iter().flatten().copied().collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        RData::CAA(caa) => format!(
            "{} {} \"{}\"",
            caa.flags(),
            caa.tag.to_lowercase(),
            String::from_utf8_lossy(&caa.value)
        ),
        other => format!("{other}"),
    };
    excerpt(&text, KEPT)
}

/// What a config writes, in the form of [`data`]; the error is a sentence for the user.
pub(crate) fn wanted(kind: RecordKind, text: &str) -> Result<String, String> {
    let wrong = |shape: &str| format!("`{text}` is not {shape}");
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| word.parse::<u32>().is_ok();
    match kind {
        RecordKind::A => text
            .parse::<Ipv4Addr>()
            .map(|ip| ip.to_string())
            .map_err(|_| wrong("an IPv4 address")),
        RecordKind::Aaaa => text
            .parse::<Ipv6Addr>()
            .map(|ip| ip.to_string())
            .map_err(|_| wrong("an IPv6 address")),
        RecordKind::Cname | RecordKind::Ns | RecordKind::Ptr => parse(text)
            .map(|name| shown(&name))
            .ok_or_else(|| wrong("a domain name")),
        RecordKind::Mx => match words[..] {
            [preference, host] if number(preference) => {
                Ok(format!("{preference} {}", normal_or_root(host)))
            }
            _ => Err(wrong("a preference and a host: 10 mx1.example.com")),
        },
        RecordKind::Srv => match words[..] {
            [a, b, c, host] if [a, b, c].into_iter().all(number) => {
                Ok(format!("{a} {b} {c} {}", normal_or_root(host)))
            }
            _ => Err(wrong(
                "priority, weight, port and host: 10 5 443 a.example.com",
            )),
        },
        RecordKind::Soa => match words[..] {
            [primary, mailbox, ref times @ ..]
                if times.len() == 5 && times.iter().all(|word| number(word)) =>
            {
                let times = times.join(" ");
                Ok(format!("{} {} {times}", normal(primary), normal(mailbox)))
            }
            _ => Err(wrong("two names and five numbers")),
        },
        RecordKind::Caa => {
            let parts: Vec<&str> = text.splitn(3, char::is_whitespace).collect();
            match parts[..] {
                [flags, tag, value] if number(flags) => {
                    let value = value.trim().trim_matches('"');
                    Ok(format!("{flags} {} \"{value}\"", tag.to_lowercase()))
                }
                _ => Err(wrong("flags, tag and value: 0 issue \"letsencrypt.org\"")),
            }
        }
        RecordKind::Txt => Ok(excerpt(text, KEPT)),
    }
}

fn normal_or_root(host: &str) -> String {
    if host == "." {
        host.to_owned()
    } else {
        normal(host)
    }
}

/// Why the internet cannot reach an address: the special ranges of RFC 6890.
pub(crate) fn special(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (127, ..) => Some("loopback"),
        (0, ..) => Some("of no network"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("private"),
        (169, 254, _) => Some("link-local"),
        (100, 64..=127, _) => Some("of a carrier's NAT"),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("for documentation"),
        (198, 18 | 19, _) => Some("for benchmarks"),
        (192, 0, 0) | (240.., ..) => Some("reserved"),
        (224..=239, ..) => Some("multicast"),
        _ => None,
    }
}

fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return special_v4(v4).or(Some("an IPv4 address in IPv6 form"));
    }
    let [first, second, ..] = ip.segments();
    match first {
        _ if ip.is_loopback() => Some("loopback"),
        _ if ip.is_unspecified() => Some("of no network"),
        0xfc00..=0xfdff => Some("private"),
        0xfe80..=0xfebf => Some("link-local"),
        0xfec0..=0xfeff => Some("site-local"),
        0xff00.. => Some("multicast"),
        0x2001 if second == 0xdb8 => Some("for documentation"),
        0x3fff if second < 0x1000 => Some("for documentation"),
        0x0100 => Some("for discarding"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_in_one_form() {
        assert_eq!(normal("Shop.Example.COM."), "shop.example.com");
        assert_eq!(normal("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(normal("_dmarc.example.com"), "_dmarc.example.com");
        let long = format!("{}.example", "a".repeat(64));
        for wrong in ["", ".", "a b", "a..b", "http://a", "a@b", &long] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn wanted_records_take_the_form_of_answers() {
        let wanted = |kind, text: &str| wanted(kind, text).unwrap();
        assert_eq!(wanted(RecordKind::Aaaa, "2001:DB8:0::1"), "2001:db8::1");
        assert_eq!(
            wanted(RecordKind::Mx, "10  MX1.Example.com."),
            "10 mx1.example.com"
        );
        assert_eq!(wanted(RecordKind::Mx, "0 ."), "0 .");
        assert_eq!(
            wanted(RecordKind::Caa, "0 ISSUE letsencrypt.org"),
            "0 issue \"letsencrypt.org\""
        );
        for (kind, text) in [
            (RecordKind::A, "::1"),
            (RecordKind::A, "10.0.0"),
            (RecordKind::Cname, "a b"),
            (RecordKind::Mx, "mx1.example.com"),
            (RecordKind::Caa, "letsencrypt.org"),
        ] {
            assert!(super::wanted(kind, text).is_err(), "{text}");
        }
    }

    #[test]
    fn special_addresses_are_told_from_public_ones() {
        for text in [
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
        ] {
            assert!(special(text.parse().unwrap()).is_some(), "{text}");
        }
        for text in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert_eq!(special(text.parse().unwrap()), None, "{text}");
        }
    }
}
