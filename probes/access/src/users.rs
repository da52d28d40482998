//! Credentials of test users, and spoiled ones.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use readygate_sdk::{ProbeError, Secret};
use readygate_web::{Auth, BasicAuth, Request};
use serde_json::Value;

use crate::config::User;

/// What may be shown of a user's credentials.
pub(crate) fn credentials((name, user): (&String, &User)) -> Vec<String> {
    let auth = user
        .auth
        .iter()
        .map(|auth| format!("{name}: {}", auth.shown()));
    let headers = user.secret_headers.keys();
    auth.chain(headers.map(|header| format!("{name}: header {header}")))
        .collect()
}

/// Every secret of a user.
pub(crate) fn secrets(user: &User) -> impl Iterator<Item = &str> {
    let auth = user.auth.iter().map(Auth::secret);
    auth.chain(user.secret_headers.values().map(Secret::expose))
}

/// Puts the credentials of a user into a request.
pub(crate) fn sign(request: &mut Request, user: &User) -> Result<(), ProbeError> {
    if let Some(auth) = &user.auth {
        request.set("authorization", &auth.header(), true)?;
    }
    for (name, value) in &user.secret_headers {
        request.set(name, value.expose(), true)?;
    }
    Ok(())
}

/// The user with another token in place of its own, wherever that is; `None` if it has no place.
pub(crate) fn with_token(user: &User, token: &str) -> User {
    let mut user = user.clone();
    match &mut user.auth {
        Some(auth) => *auth = Auth::Bearer(Secret::new(token)),
        None => {
            for (name, value) in &mut user.secret_headers {
                let text = if name.eq_ignore_ascii_case("cookie") {
                    cookies(value.expose(), token)
                } else {
                    token.to_owned()
                };
                *value = Secret::new(text);
            }
        }
    }
    user
}

/// The user with credentials that nobody has.
pub(crate) fn garbage(user: &User, random: &str) -> User {
    match &user.auth {
        Some(Auth::Basic(basic)) => {
            let password = Secret::new(random);
            let user_name = basic.user.clone();
            let auth = Auth::Basic(BasicAuth {
                user: user_name,
                password,
            });
            User {
                auth: Some(auth),
                ..user.clone()
            }
        }
        _ => with_token(user, random),
    }
}

/// Every cookie with the same value.
fn cookies(text: &str, value: &str) -> String {
    let names = text
        .split(';')
        .filter_map(|pair| Some(pair.split_once('=')?.0.trim()));
    names
        .map(|name| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("; ")
}

/// The token of a user, if it is a JWT (RFC 7519): bearer token, or the value of a cookie or header.
pub(crate) fn jwt(user: &User) -> Option<String> {
    let bearer = match &user.auth {
        Some(Auth::Bearer(token)) => Some(token.expose()),
        _ => None,
    };
    let headers = user.secret_headers.values().map(Secret::expose);
    let cookies = headers.flat_map(|value| value.split([';', '=', ' ']));
    let candidate = bearer
        .into_iter()
        .chain(cookies)
        .map(str::trim)
        .find(|t| is_jwt(t));
    candidate.map(str::to_owned)
}

fn is_jwt(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return false;
    };
    let decoded = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    !signature.is_empty()
        && decoded(header).is_some_and(|h| h.get("alg").is_some())
        && decoded(payload).is_some()
}

/// The same claims, unsigned (RFC 7519, section 6), under a spelling of `none`.
pub(crate) fn unsigned(token: &str, none: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{none}","typ":"JWT"}}"#));
    Some(format!("{header}.{payload}."))
}

/// The same token with one bit of its signature turned. The first byte's: the last character of
/// base64 has bits that mean nothing.
pub(crate) fn flipped(token: &str) -> Option<String> {
    let (head, signature) = token.rsplit_once('.')?;
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).ok()?;
    *bytes.first_mut()? ^= 1;
    Some(format!("{head}.{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_and_spoiled() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!(
            "{}.{}.{}",
            part(r#"{"alg":"HS256"}"#),
            part(r#"{"sub":"a"}"#),
            part("sig")
        );
        let user: User = serde_saphyr::from_str(&format!(
            "{{secret_headers: {{Cookie: 'a=1; jwt={token}'}}}}"
        ))
        .unwrap();
        assert_eq!(jwt(&user).as_deref(), Some(token.as_str()));
        assert!(unsigned(&token, "none").unwrap().ends_with('.'));
        let turned = flipped(&token).unwrap();
        assert!(turned != token && is_jwt(&turned));
        let other = with_token(&user, "x");
        assert_eq!(other.secret_headers["Cookie"].expose(), "a=x; jwt=x");
        assert_eq!(jwt(&User::default()), None);
    }
}
