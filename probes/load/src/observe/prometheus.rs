//! Instant queries to a Prometheus server.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries>

use readygate_sdk::{Cx, ProbeError};
use readygate_web::{Client, Method, Request, Settings};
use serde_json::Value;
use url::Url;

use super::config::PrometheusConfig;

/// A server with its queries.
pub struct Prometheus {
    client: Client,
    requests: Vec<Request>,
}

impl Prometheus {
    /// Prepares the requests; sends none.
    pub async fn new(config: &PrometheusConfig, cx: &Cx) -> Result<Self, ProbeError> {
        let settings = Settings {
            ca: config.ca.clone(),
            ..Settings::default()
        };
        let client = Client::build(&settings, cx).await?;
        let base = readygate_web::resolve(&config.url, cx.target())?;
        let mut requests = Vec::new();
        for query in &config.queries {
            let mut request = Request::new(Method::Get.into(), of(&base, &query.query));
            if let Some(token) = &config.token {
                request.set("authorization", &format!("Bearer {}", token.expose()), true)?;
            }
            requests.push(request);
        }
        Ok(Self { client, requests })
    }

    /// The number that a query gives now.
    pub async fn ask(&self, index: usize) -> Result<f64, String> {
        let request = self.requests.get(index).ok_or("there is no such query")?;
        let response = self.client.send(request).await.map_err(|e| e.to_string())?;
        let text = response.body.text().ok_or("the answer is no text")?;
        let status = response.status.as_u16();
        value(&text).map_err(|why| format!("status {status}: {why}"))
    }

    /// How many queries there are.
    pub fn len(&self) -> usize {
        self.requests.len()
    }
}

fn of(base: &Url, query: &str) -> Url {
    let mut url = base.clone();
    let path = format!("{}/api/v1/query", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url.query_pairs_mut().append_pair("query", query);
    url
}

/// A scalar, or a vector of one element.
fn value(text: &str) -> Result<f64, String> {
    let answer: Value = serde_json::from_str(text).map_err(|_| "the answer is no JSON")?;
    if answer["status"] != "success" {
        let why = answer["error"]
            .as_str()
            .unwrap_or("the server says no error");
        return Err(readygate_sdk::excerpt(why, 200));
    }
    let (data, result) = (&answer["data"], &answer["data"]["result"]);
    let sample = match data["resultType"].as_str() {
        Some("scalar") => &result[1],
        Some("vector") => match result.as_array().map(Vec::as_slice) {
            Some([one]) => &one["value"][1],
            Some([]) => return Err("the query gives no series".into()),
            _ => {
                return Err(
                    "the query gives several series; aggregate them with `sum(...)`".into(),
                );
            }
        },
        _ => return Err("the query gives neither a number nor a vector".into()),
    };
    let number: Option<f64> = sample.as_str().and_then(|text| text.parse().ok());
    match number {
        Some(number) if number.is_finite() => Ok(rounded(number)),
        _ => Err(format!("the query gives {sample}, which is no number")),
    }
}

/// To ten digits: such a number survives JSON exactly.
fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_taken_and_nothing_else() {
        let vector = |series: &str| {
            format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#
            )
        };
        let one = r#"{"metric":{},"value":[1.5,"42.5"]}"#;
        assert_eq!(value(&vector(one)), Ok(42.5));
        assert!(value(&vector("")).unwrap_err().contains("no series"));
        assert!(
            value(&vector(&format!("{one},{one}")))
                .unwrap_err()
                .contains("sum")
        );
        let nan = r#"{"metric":{},"value":[1.5,"NaN"]}"#;
        assert!(value(&vector(nan)).unwrap_err().contains("NaN"));
        let long = r#"{"metric":{},"value":[1.5,"0.1234567890123456"]}"#;
        assert_eq!(value(&vector(long)), Ok(0.123_456_789));
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}"#;
        assert_eq!(value(scalar), Ok(7.0));
        let refused = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        assert_eq!(value(refused), Err("parse error".into()));
        assert!(value("<html>").is_err() && value("{}").is_err());
    }

    #[test]
    fn the_path_before_the_api_stays() {
        let base = Url::parse("http://p:9090/prom/").unwrap();
        let url = of(&base, "up{a=\"b\"} + 1");
        assert!(
            url.as_str()
                .starts_with("http://p:9090/prom/api/v1/query?query=up"),
            "{url}"
        );
        assert!(
            !url.as_str().contains('+') || url.as_str().contains("%2B"),
            "{url}"
        );
    }
}
