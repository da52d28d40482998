//! Rate limits: one bounded burst, and what comes after it.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use readygate_sdk::{ErrorKind, ProbeError};
use readygate_web::{Request, Statuses};

use super::{claim, forbidden};
use crate::{
    ask::Asker,
    config::{Part, RateLimit},
    record::{Claim, Kind, RateFact, Round},
};

/// Requests of one claim, all together.
pub(crate) const MOST_REQUESTS: u64 = 50;
/// Requests that are under way at a time.
const SIDE_BY_SIDE: usize = 8;
const ROUNDS: usize = 3;
/// Rounds of three requests, and one after the time to recover.
pub(crate) const AFTERWARDS: u64 = 3 * ROUNDS as u64 + 1;
/// Fill levels are kept in whole seconds at times.
const SLACK: Duration = Duration::from_millis(500);

impl RateLimit {
    /// How many more requests may pass.
    pub(crate) fn slack(&self) -> u64 {
        let tenth = u64::from(self.limit).div_ceil(10);
        self.tolerance.map_or(tenth, u64::from)
    }

    /// Requests of the burst: as many as may pass, and some that may not.
    pub(crate) fn burst(&self) -> u64 {
        let most = MOST_REQUESTS - AFTERWARDS;
        (u64::from(self.limit) + self.slack() + 3).min(most)
    }
}

/// A burst that must end in refusals, the same with another address in `X-Forwarded-For`, and a
/// request after the time to recover.
pub(crate) async fn rate_limit(config: &RateLimit, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let method = http::Method::from(config.method);
    let mut claim = claim(Kind::RateLimit, asker.subject(&method, &config.url));
    if let Some(why) = forbidden(asker, Part::RateLimit, config.method) {
        claim.refused = Some(why);
        return Ok(claim);
    }
    let refused = config
        .refused
        .clone()
        .unwrap_or_else(|| Statuses::of_codes(&[429]));
    let mut request = asker.signed(method, &config.url, config.user.as_deref())?;
    if let Some(json) = &config.json {
        request.set("content-type", "application/json", false)?;
        request.body = Some(json.to_string().into_bytes());
    }
    let burst = Burst {
        asker,
        request,
        refused,
    };
    let mut fact = RateFact {
        limit: config.limit.into(),
        tolerance: config.slack(),
        sent: config.burst(),
        recovery_asked: config.recovers_after.is_some(),
        ..RateFact::default()
    };
    burst.fire(&mut fact).await;
    if fact.limited > 0 {
        for round in 0..ROUNDS {
            fact.rounds.push(burst.round(round).await?);
        }
        if let Some(period) = config.recovers_after {
            let wait = period.0 + SLACK;
            if wait < asker.cx.remaining() {
                asker.cx.sleep(wait).await?;
                fact.recovered = burst.refused(&burst.request).await.map(|refused| !refused);
            }
        }
    }
    claim.rate = Some(fact);
    Ok(claim)
}

struct Burst<'a> {
    asker: &'a Asker<'a>,
    request: Request,
    refused: Statuses,
}

impl Burst<'_> {
    async fn fire(&self, fact: &mut RateFact) {
        let answers = stream::iter(0..fact.sent).map(|_| self.asker.send(&self.request));
        let answers: Vec<_> = answers.buffer_unordered(SIDE_BY_SIDE).collect().await;
        for answer in answers {
            match answer {
                Ok(response) => {
                    let status = response.status.as_u16();
                    if self.refused.allow(status) {
                        fact.limited += 1;
                        for name in crate::ask::limit_headers(&response) {
                            if !fact.headers.contains(&name) {
                                fact.headers.push(name);
                            }
                        }
                    } else if status >= 500 {
                        fact.faults += 1;
                    } else {
                        fact.passed += 1;
                    }
                }
                Err(error) => {
                    fact.unanswered += 1;
                    fact.error.get_or_insert(error);
                }
            }
        }
    }

    async fn round(&self, number: usize) -> Result<Round, ProbeError> {
        let mut spoofed = self.request.clone();
        // Addresses for documentation (RFC 5737) belong to nobody.
        let address = format!("203.0.113.{}", 17 + 50 * number);
        spoofed.set("x-forwarded-for", &address, false)?;
        if self.asker.cx.is_over() {
            let message = "the deadline passed amid the burst";
            return Err(ProbeError::new(
                ErrorKind::Timeout,
                self.request.subject(),
                "trying the limit",
                message,
            ));
        }
        Ok(Round {
            before: self.refused(&self.request).await,
            spoofed: self.refused(&spoofed).await,
            after: self.refused(&self.request).await,
        })
    }

    /// Whether a request is refused; `None` without an answer.
    async fn refused(&self, request: &Request) -> Option<bool> {
        let response = self.asker.send(request).await.ok()?;
        Some(self.refused.allow(response.status.as_u16()))
    }
}
