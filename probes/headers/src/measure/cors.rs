//! Asks a URL as other origins: with GET, and with the preflight of a browser.

use http::Method;
use readygate_sdk::ProbeError;
use readygate_web::{Request, Response};

use super::{Asker, is_final};
use crate::{
    judge::site::is_address,
    parse::list,
    record::{CorsAnswer, Origin},
};

impl Asker<'_> {
    /// What every origin is answered.
    pub(super) async fn cors(&self, declared: &str) -> Result<Vec<CorsAnswer>, ProbeError> {
        let url = readygate_web::resolve(declared, self.cx.target())?;
        let mut answers = Vec::new();
        for (origin, sent) in self.origins(&url) {
            let get = self.request(Method::GET, declared)?;
            answers.push(self.as_origin(declared, get, origin, &sent, None).await?);
            let methods: Vec<&str> = self.config.cors.methods.iter().collect();
            let asked = match origin {
                Origin::Allowed if !methods.is_empty() => methods,
                _ => vec![methods.first().copied().unwrap_or("GET")],
            };
            for method in asked {
                // A browser's preflight carries no credentials.
                let preflight = Request::new(Method::OPTIONS, url.clone());
                let answer = self
                    .as_origin(declared, preflight, origin, &sent, Some(method))
                    .await?;
                answers.push(answer);
            }
        }
        Ok(answers)
    }

    fn origins(&self, url: &url::Url) -> Vec<(Origin, String)> {
        let host = url.host_str().unwrap_or_default();
        // Nobody can have put it on a list before.
        let label = format!(
            "rg{:x}",
            self.cx.now().as_nanosecond().unsigned_abs() & 0xff_ffff_ffff
        );
        let mut origins = vec![
            (Origin::Foreign, format!("https://{label}.example")),
            (Origin::Null, "null".to_owned()),
            (Origin::Prefix, format!("https://{host}.{label}.example")),
        ];
        if !is_address(host) {
            origins.push((Origin::Suffix, format!("https://{label}{host}")));
        }
        if url.scheme() == "https" {
            origins.push((Origin::Insecure, format!("http://{host}")));
        }
        if host.contains('.') && !is_address(host) {
            let parent = host.split_once('.').map_or(host, |(_, parent)| parent);
            let parent = if parent.contains('.') { parent } else { host };
            origins.push((Origin::Sibling, format!("https://{label}.{parent}")));
        }
        let named = |origin: Origin, texts: &readygate_sdk::Texts| -> Vec<_> {
            let plain = texts.iter().filter(|text| !text.contains('*'));
            plain.map(|text| (origin, text.to_owned())).collect()
        };
        origins.extend(named(Origin::Allowed, &self.config.cors.allowed));
        origins.extend(named(Origin::Denied, &self.config.cors.denied));
        origins
    }

    async fn as_origin(
        &self,
        declared: &str,
        mut request: Request,
        origin: Origin,
        sent: &str,
        preflight: Option<&str>,
    ) -> Result<CorsAnswer, ProbeError> {
        request.set("origin", sent, false)?;
        if let Some(method) = preflight {
            request.set("access-control-request-method", method, false)?;
        }
        let mut answer = CorsAnswer {
            declared: declared.to_owned(),
            url: self.cx.mask(&request.subject()),
            method: request.method.to_string(),
            asked_for: preflight.map(str::to_owned),
            origin,
            sent: sent.to_owned(),
            status: None,
            allow_origin: None,
            allow_credentials: false,
            allow_methods: None,
            varies: false,
            error: None,
        };
        match self.client.send(&request).await {
            Ok(response) => note(&response, &mut answer),
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => answer.error = Some(error.to_string()),
        }
        Ok(answer)
    }
}

fn note(response: &Response, answer: &mut CorsAnswer) {
    let text = |name: &str| {
        let values: Vec<_> = response.values(name).map(String::from_utf8_lossy).collect();
        (!values.is_empty()).then(|| readygate_sdk::excerpt(&values.join(", "), 1024))
    };
    answer.status = Some(response.status.as_u16());
    answer.allow_origin = text("access-control-allow-origin").map(|v| v.trim().to_owned());
    // Browsers compare the value with `true` as it is.
    answer.allow_credentials =
        text("access-control-allow-credentials").is_some_and(|v| v.trim() == "true");
    answer.allow_methods = text("access-control-allow-methods");
    let vary = text("vary").unwrap_or_default();
    // What turns everybody away, such as a limit or a gateway without a server behind it, was never
    // asked who may read.
    let status = response.status.as_u16();
    if matches!(status, 429 | 502..=504) && answer.allow_origin.is_none() {
        answer.error = Some(format!(
            "it answers {status}, which says nothing of origins"
        ));
    }
    answer.varies = list(&vary).any(|name| name == "*" || name.eq_ignore_ascii_case("origin"));
}
