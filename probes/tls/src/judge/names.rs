//! Is it for this name, and for servers?

use std::net::IpAddr;

use readygate_sdk::Checks;

use super::AboutChain;
use crate::{rules, x509::Certificate};

pub(super) fn judge(about: &AboutChain<'_>, checks: &mut Checks) {
    let Some(leaf) = about.chain.walk.leaf().filter(|l| l.unreadable.is_none()) else {
        return;
    };
    name(about, leaf, checks);
    purpose(about, leaf, checks);
}

fn name(about: &AboutChain<'_>, leaf: &Certificate, checks: &mut Checks) {
    let wanted = &about.about.peer.name;
    let all: Vec<&str> = leaf
        .dns_names
        .iter()
        .chain(&leaf.ip_addresses)
        .map(String::as_str)
        .collect();
    let shown = match all.as_slice() {
        [] => "no subject alternative name".to_owned(),
        some => some.iter().take(6).copied().collect::<Vec<_>>().join(", "),
    };
    let check = about
        .check(&rules::WRONG_NAME, checks)
        .expected(wanted)
        .actual(&shown);
    let matches = match wanted.parse::<IpAddr>() {
        Ok(ip) => leaf.ip_addresses.iter().any(|text| text.parse() == Ok(ip)),
        Err(_) => leaf.dns_names.iter().any(|pattern| covers(pattern, wanted)),
    };
    if matches {
        check
            .message(format!("the certificate is for {wanted}"))
            .pass();
    } else if leaf.names_cut {
        check.unmeasured("the certificate has more names than are recorded");
    } else if all.is_empty() {
        check
            .message(format!(
                "the certificate has {shown}, so it is for no name at all"
            ))
            .fail();
    } else {
        check
            .message(format!("the certificate is for {shown}, not for {wanted}"))
            .fail();
    }
}

/// RFC 9525, section 6.3: a wildcard is the whole leftmost label, and stands for one label.
fn covers(pattern: &str, name: &str) -> bool {
    let pattern = pattern.trim_end_matches('.').to_ascii_lowercase();
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if pattern == name {
        return !pattern.contains('*');
    }
    match (pattern.strip_prefix("*."), name.split_once('.')) {
        // `*.com` covers nothing; and no second wildcard.
        (Some(rest), Some((label, tail))) => {
            !label.is_empty() && rest == tail && rest.contains('.') && !rest.contains('*')
        }
        _ => false,
    }
}

fn purpose(about: &AboutChain<'_>, leaf: &Certificate, checks: &mut Checks) {
    let serves = |c: &Certificate| {
        c.purposes
            .as_ref()
            .is_none_or(|all| all.iter().any(|p| p == "serverAuth" || p == "any"))
    };
    let check = about
        .check(&rules::WRONG_PURPOSE, checks)
        .expected("CA:FALSE and the purpose serverAuth");
    // Intermediates may be limited to purposes, too.
    let above = about
        .chain
        .walk
        .on_path()
        .skip(1)
        .filter(|(_, c)| c.unreadable.is_none());
    let limited = above.into_iter().find(|(_, c)| !serves(c));
    if leaf.is_ca {
        check
            .actual("CA:TRUE")
            .message("the server uses the certificate of an authority (CA:TRUE)")
            .fail();
    } else if !serves(leaf) {
        let all = leaf.purposes.clone().unwrap_or_default().join(", ");
        let message = format!("the certificate is for {all}, not for TLS servers");
        check.actual(all).message(message).fail();
    } else if let Some((_, authority)) = limited {
        let all = authority.purposes.clone().unwrap_or_default().join(", ");
        let message = format!(
            "its issuer {} may certify for {all} only",
            authority.subject
        );
        check.actual(all).message(message).fail();
    } else {
        check.message("the certificate is for TLS servers").pass();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(covers("*.edge.test", "a.edge.test"));
        assert!(covers("EDGE.test", "edge.TEST."));
        for (pattern, name) in [
            ("*.edge.test", "edge.test"),
            ("*.edge.test", "a.b.edge.test"),
            ("*.test", "edge.test"),
            ("a*.edge.test", "ab.edge.test"),
            ("*", "edge.test"),
            ("*.*.test", "a.b.test"),
            ("edge.test\\u{0}.evil.test", "edge.test"),
            ("", "edge.test"),
        ] {
            assert!(!covers(pattern, name), "{pattern} {name}");
        }
    }
}
