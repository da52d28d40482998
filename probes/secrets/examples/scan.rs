//! The probe alone, without the gate around it: measures the current folder and prints the measurement as
//! JSON. The one argument is the `with` block, as JSON. `cargo xtask bench secrets` times it.

#![expect(clippy::print_stdout, reason = "prints what it measures")]

use std::{error::Error, time::Duration};

use readygate_sdk::{Cx, Probe as _};
use readygate_secrets::{Secrets, SecretsConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let with = std::env::args().nth(1).unwrap_or_else(|| "{}".to_owned());
    let config: SecretsConfig = serde_json::from_str(&with)?;
    Secrets::validate(&config)?;
    let cx = Cx::builder(Duration::from_secs(600)).build();
    let measurement = Secrets::measure(&config, &cx).await?;
    println!("{}", serde_json::to_string(&measurement)?);
    Ok(())
}
