//! One sample: the request, its redirects, the response and its body.

use readygate_sdk::ProbeError;
use readygate_web::{Arrival, Client, Request, shown};
use tokio::time::Instant;

use crate::{
    facts::Recorder,
    record::{Answer, Facts, Hop, Latency},
};

/// Characters kept of a `Location`.
const LOCATION_LENGTH: usize = 512;

/// Sends requests of one endpoint.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a Client,
    pub(crate) recorder: &'a Recorder<'a>,
}

impl Exchange<'_> {
    /// Sends `first`, follows redirects as far as the config allows, and reads the body.
    pub(crate) async fn run(&self, first: &Request) -> Result<(Answer, Latency), ProbeError> {
        let (arrival, latency) = self.fetch(first).await?;
        Ok((self.answer(&arrival), latency))
    }

    /// The response itself, unmasked, and how long it took with all its redirects.
    pub(crate) async fn fetch(&self, first: &Request) -> Result<(Arrival, Latency), ProbeError> {
        let started = Instant::now();
        let limit = self.recorder.config.redirects;
        let arrival = self.client.follow(first, limit).await?;
        let timings = arrival.response.timings;
        let total = (started.elapsed().as_secs_f64() * 1e6).round() / 1e6;
        let latency = Latency {
            dns: timings.dns,
            connect: timings.connect,
            tls: timings.tls,
            first_byte: timings.first_byte,
            body: timings.body,
            total: if arrival.hops.is_empty() {
                timings.total
            } else {
                total
            },
        };
        Ok((arrival, latency))
    }

    /// What is kept of a response.
    pub(crate) fn answer(&self, arrival: &Arrival) -> Answer {
        let recorder = self.recorder;
        let response = &arrival.response;
        let mut body = recorder.body(&response.body);
        let facts: Facts = recorder.facts(&response.headers, &response.body.bytes, &mut body);
        let shown = |url| recorder.text(&shown(url), usize::MAX);
        Answer {
            url: shown(&response.url),
            status: response.status.as_u16(),
            http_version: format!("{:?}", response.version),
            remote: response.remote.map(|address| address.to_string()),
            tls: response.tls.map(str::to_owned),
            headers: recorder.headers(&response.headers),
            headers_total: response.headers.len(),
            redirects: arrival
                .hops
                .iter()
                .map(|hop| Hop {
                    url: shown(&hop.url),
                    status: hop.status.as_u16(),
                    location: recorder.text(&readygate_web::shown(&hop.location), LOCATION_LENGTH),
                    elsewhere: hop.elsewhere,
                    seconds: hop.seconds,
                })
                .collect(),
            stopped: arrival.stopped,
            body,
            facts,
        }
    }
}
