//! Authorities for certificates, and the domains by which CAA records name them.

/// What an issuer is called in certificates, in lower case, and its domains: as the authorities
/// publish them for the Common CA Database (CCADB).
const KNOWN: &[(&str, &[&str])] = &[
    ("let's encrypt", &["letsencrypt.org"]),
    ("google trust services", &["pki.goog"]),
    (
        "digicert",
        &["digicert.com", "www.digicert.com", "symantec.com"],
    ),
    ("sectigo", &["sectigo.com", "comodoca.com", "usertrust.com"]),
    ("zerossl", &["sectigo.com"]),
    (
        "amazon",
        &[
            "amazon.com",
            "amazontrust.com",
            "awstrust.com",
            "amazonaws.com",
        ],
    ),
    ("globalsign", &["globalsign.com"]),
    ("ssl.com", &["ssl.com"]),
    ("godaddy", &["godaddy.com", "starfieldtech.com"]),
    ("buypass", &["buypass.com", "buypass.no"]),
    ("actalis", &["actalis.it"]),
    ("certum", &["certum.pl", "certum.eu"]),
    ("microsoft", &["microsoft.com"]),
];

/// The domains, in lower case, of which one must be permitted; empty where the issuer is unknown.
pub(crate) fn domains(issuer: &str) -> Vec<String> {
    let issuer = issuer.trim().trim_end_matches('.').to_lowercase();
    // An organisation comes with its form: `DigiCert Inc`, `GoDaddy.com, Inc.`
    let named = |name: &str| {
        issuer
            .strip_prefix(name)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    if crate::names::parse(&issuer).is_some() && issuer.contains('.') {
        return vec![issuer];
    }
    let known = KNOWN.iter().find(|(name, _)| named(name));
    known.map_or_else(Vec::new, |(_, domains)| {
        domains.iter().map(|&domain| domain.to_owned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::domains;

    #[test]
    fn domains_and_organisations_are_understood() {
        assert_eq!(domains("letsencrypt.org"), ["letsencrypt.org"]);
        assert_eq!(domains("Let's Encrypt"), ["letsencrypt.org"]);
        assert_eq!(domains("DigiCert Inc")[0], "digicert.com");
        assert_eq!(domains("My own authority"), Vec::<String>::new());
        assert_eq!(domains(""), Vec::<String>::new());
        assert_eq!(domains("Amazonas"), Vec::<String>::new());
    }
}
