//! One entry point for each parser, for fuzzing and property tests: any bytes go in, and what must
//! hold of every result is asserted.

use readygate_sdk::{Checks, Probe as _};
use url::Url;

use crate::{
    Headers, HeadersConfig, HeadersMeasurement, Page, Plain, answer_of, observatory,
    parse::{cookie, csp, hsts, html, integrity},
};

/// `Set-Cookie`: the value never comes out, and names stay short.
pub fn set_cookie(raw: &[u8]) {
    let cookie = cookie::parse(raw);
    assert!(cookie.name.chars().count() <= 120);
    assert!(cookie.value_bytes <= raw.len() as u64);
    assert!(cookie.unknown.len() <= 24);
    let too_long = cookie.value_bytes > cookie::MOST_BYTES as u64;
    assert!(!too_long || cookie.dropped.is_some());
    let _ = (cookie.is_session(), cookie.is_anti_csrf());
}

/// `Content-Security-Policy`: every directive has a name in lower case, and comes once.
pub fn policy(raw: &[u8]) {
    let text = String::from_utf8_lossy(raw);
    for policy in csp::parse_list(&text) {
        assert!(!policy.directives.is_empty());
        for (at, directive) in policy.directives.iter().enumerate() {
            assert!(
                !directive.name.is_empty()
                    && !directive.name.contains(|c: char| c.is_ascii_whitespace())
            );
            let mut before = policy.directives[..at].iter();
            assert!(before.all(|d| d.name != directive.name));
        }
        let _ = (policy.nonces(), policy.script_elements(), policy.objects());
    }
    for word in text.split_whitespace() {
        let _ = (
            csp::is_broad(word),
            csp::is_insecure(word),
            integrity::is_valid(word),
        );
    }
}

/// `Strict-Transport-Security`: what is accepted has digits for its age.
pub fn transport(raw: &[u8]) {
    let text = String::from_utf8_lossy(raw);
    if hsts::parse(&text).is_ok() {
        assert!(text.to_ascii_lowercase().contains("max-age"));
        assert!(text.bytes().any(|b| b.is_ascii_digit()));
    }
}

/// HTML: what is kept is bounded.
pub fn document(raw: &[u8]) {
    let document = html::read(&String::from_utf8_lossy(raw));
    assert!(document.scripts.len() <= 500 && document.styles.len() <= 500);
}

/// A whole response: judged by every profile, scored, and measured; no answer is worth nothing.
pub fn response(raw: &[u8]) {
    let Ok(url) = Url::parse("https://shop.example.net/") else {
        return;
    };
    let Ok(answer) = answer_of(raw, &url) else {
        return;
    };
    let record = HeadersMeasurement {
        pages: vec![Page {
            declared: "/".to_owned(),
            url: url.to_string(),
            answer: Some(answer),
            ..Page::default()
        }],
        plain: Some(Plain {
            url: "none".to_owned(),
            ..Plain::default()
        }),
        ..HeadersMeasurement::default()
    };
    if let Ok(scan) = observatory::scan(&record.pages[0], &record) {
        assert_eq!(scan.tests.len(), observatory::TESTS.len());
        assert!(scan.known_score() <= 145, "more than every bonus together");
        // Nobody asked as another origin, so that one test is not known.
        assert!(scan.score().is_err());
    }
    for profile in ["default", "helmet", "owasp", "observatory"] {
        let json = serde_json::json!({"pages": ["/"], "profile": profile});
        let Ok(config) = serde_json::from_value::<HeadersConfig>(json) else {
            continue;
        };
        let mut checks = Checks::new();
        Headers::judge(&config, &record, &mut checks);
        assert!(
            !checks.as_slice().is_empty(),
            "a response that no rule looks at"
        );
    }
    let _ = Headers::metrics(&record);
}
