//! Follows a plain HTTP URL as a browser would that has never been there.

use http::Method;
use readygate_sdk::{ErrorKind, ProbeError};
use readygate_web::Request;

use super::Asker;
use crate::record::{Plain, Step};

/// A browser follows 20; ten are more than any site needs.
const MOST_REDIRECTS: usize = 10;

impl Asker<'_> {
    /// Where `http_url` leads; nothing when the config names none.
    pub(super) async fn plain(&self) -> Result<Option<Plain>, ProbeError> {
        let Some(text) = &self.config.http_url else {
            return Ok(None);
        };
        let mut plain = Plain {
            url: text.clone(),
            ..Plain::default()
        };
        if text == "none" {
            return Ok(Some(plain));
        }
        let url = readygate_web::resolve(text, self.cx.target())?;
        // None of the config's headers: they are not for plain HTTP, and not for other hosts.
        let mut request = Request::new(Method::GET, url);
        plain.url = self.cx.mask(&request.subject());
        self.cx.progress(&plain.url);
        loop {
            let response = match self.client.send(&request).await {
                Ok(response) => response,
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => {
                    plain.closed =
                        plain.steps.is_empty() && error.message.starts_with("connection refused");
                    plain.error = Some(error).filter(|_| !plain.closed);
                    return Ok(Some(plain));
                }
            };
            let shown = self.cx.mask(&request.subject());
            let before = plain.steps.iter().any(|step| step.url == shown);
            plain.steps.push(Step {
                url: shown,
                status: response.status.as_u16(),
            });
            let next = response
                .location()
                .map(|to| request.redirected(response.status, &to));
            let Some(Ok(next)) = next else {
                return Ok(Some(plain));
            };
            if before || plain.steps.len() > MOST_REDIRECTS {
                plain.endless = true;
                return Ok(Some(plain));
            }
            request = next;
        }
    }
}
