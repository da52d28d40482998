//! Credentials of a request.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use readygate_sdk::{ConfigError, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// Credentials of the request; they never go to another origin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// Name and password (RFC 7617).
    Basic(BasicAuth),
    /// A token (RFC 6750).
    Bearer(Secret),
}

/// Name and password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// Name of the user; may not hold a colon.
    pub user: String,
    /// The user's password.
    pub password: Secret,
}

impl Auth {
    /// The value of the `Authorization` header.
    pub fn header(&self) -> String {
        match self {
            Self::Basic(auth) => basic(&auth.user, auth.password.expose()),
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
        }
    }

    /// What must be masked.
    pub fn secret(&self) -> &str {
        match self {
            Self::Basic(auth) => auth.password.expose(),
            Self::Bearer(token) => token.expose(),
        }
    }

    /// What it is, without its value: `bearer token`.
    pub fn shown(&self) -> String {
        match self {
            Self::Basic(auth) => format!("password of {}", auth.user),
            Self::Bearer(_) => "bearer token".to_owned(),
        }
    }

    /// Adds what cannot work, at a JSON pointer.
    pub fn validate(&self, at: &str, error: &mut ConfigError) {
        match self {
            // RFC 7617, section 2: the first colon ends the name.
            Self::Basic(basic) if basic.user.contains(':') => {
                let at = format!("{at}/basic/user");
                error.add(at, "a user name may not hold a colon", None);
            }
            Self::Bearer(token) if token.expose().trim().is_empty() => {
                let hint = Some("is the variable set?");
                error.add(format!("{at}/bearer"), "the token is empty", hint);
            }
            Self::Bearer(token) if http::HeaderValue::try_from(token.expose()).is_err() => {
                let message = "the token holds characters that no header may hold";
                let hint = Some("is there a line feed at its end?");
                error.add(format!("{at}/bearer"), message, hint);
            }
            _ => {}
        }
    }
}

/// `Basic ...` (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
