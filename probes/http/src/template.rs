//! `{{name}}`: what an earlier step captured, put into a later one.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use readygate_sdk::Secret;
use readygate_web::Auth;
use serde_json::Value;

use crate::config::HttpConfig;

/// Captured values by name.
pub(crate) type Values = BTreeMap<String, String>;

/// Every `{{name}}` of a text.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    })
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(mut text: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        if let Some(rest) = text.strip_prefix("{{")
            && let Some((inside, after)) = rest.split_once("}}")
        {
            text = after;
            return Some(Piece::Name(inside.trim()));
        }
        // At least one character, so that `{{` without an end is text.
        let skip = text.chars().next().map_or(0, char::len_utf8);
        let end = text[skip..].find("{{").map_or(text.len(), |at| at + skip);
        let (piece, rest) = text.split_at(end);
        text = rest;
        Some(Piece::Text(piece))
    })
}

/// `text` with its names replaced, or the first name without a value.
fn fill(text: &str, values: &Values, encode: impl Fn(&str) -> String) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name(name) => {
                let value = values.get(name).ok_or_else(|| name.to_owned())?;
                out.push_str(&encode(value));
            }
        }
    }
    Ok(out)
}

/// `config` with every name replaced, or the first name without a value.
pub(crate) fn filled(config: &HttpConfig, values: &Values) -> Result<HttpConfig, String> {
    let plain = |text: &str| fill(text, values, str::to_owned);
    let mut config = config.clone();
    config.url = fill(&config.url, values, |value| {
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
    })?;
    // What is captured is a secret, and so is a header that carries it.
    let (carriers, open) = std::mem::take(&mut config.headers)
        .into_iter()
        .partition(|(_, value)| names(value).next().is_some());
    config.headers = open;
    let carriers: BTreeMap<String, String> = carriers;
    for (name, value) in carriers {
        config.secret_headers.insert(name, Secret::new(value));
    }
    for value in config.secret_headers.values_mut() {
        *value = Secret::new(plain(value.expose())?);
    }
    if let Some(body) = &mut config.body {
        *body = plain(body)?;
    }
    if let Some(json) = &mut config.json {
        *json = fill_json(json, values)?;
    }
    for value in config.form.iter_mut().flat_map(BTreeMap::values_mut) {
        *value = plain(value)?;
    }
    match &mut config.auth {
        Some(Auth::Bearer(token)) => *token = Secret::new(plain(token.expose())?),
        Some(Auth::Basic(basic)) => {
            basic.user = plain(&basic.user)?;
            basic.password = Secret::new(plain(basic.password.expose())?);
        }
        None => {}
    }
    Ok(config)
}

fn fill_json(value: &Value, values: &Values) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text, values, str::to_owned)?),
        Value::Array(items) => {
            let items = items.iter().map(|item| fill_json(item, values));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), fill_json(value, values)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// Every text of a request that may hold names, with the JSON pointer of its field.
pub(crate) fn texts(config: &HttpConfig) -> Vec<(&'static str, String)> {
    let mut texts = vec![("url", config.url.clone())];
    texts.extend(config.headers.values().map(|v| ("headers", v.clone())));
    let secrets = config.secret_headers.values();
    texts.extend(secrets.map(|v| ("secret_headers", v.expose().to_owned())));
    texts.extend(config.body.iter().map(|v| ("body", v.clone())));
    texts.extend(config.json.iter().map(|v| ("json", v.to_string())));
    let form = config.form.iter().flat_map(BTreeMap::values);
    texts.extend(form.map(|v| ("form", v.clone())));
    match &config.auth {
        Some(Auth::Bearer(token)) => texts.push(("auth", token.expose().to_owned())),
        Some(Auth::Basic(basic)) => {
            texts.push(("auth", basic.user.clone()));
            texts.push(("auth", basic.password.expose().to_owned()));
        }
        None => {}
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_filled() {
        let values: Values = [("a".to_owned(), "x/y".to_owned())].into();
        let plain = |text: &str| fill(text, &values, str::to_owned);
        for (text, filled) in [
            ("no name", Ok("no name".to_owned())),
            ("1{{a}}2{{ a }}", Ok("1x/y2x/y".to_owned())),
            ("{{a", Ok("{{a".to_owned())),
            ("é{{{a}}", Err("{a".to_owned())),
            ("{{b}}", Err("b".to_owned())),
        ] {
            assert_eq!(plain(text), filled, "{text}");
        }
        let config: HttpConfig =
            serde_saphyr::from_str("{url: '/{{a}}', json: {k: ['{{a}}', 1]}}").unwrap();
        let filled = filled(&config, &values).unwrap();
        assert_eq!(filled.url, "/x%2Fy");
        assert_eq!(filled.json.unwrap().to_string(), r#"{"k":["x/y",1]}"#);
    }
}
