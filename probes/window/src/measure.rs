//! What the clock says about the windows. Knows no thresholds.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use readygate_sdk::{ErrorKind, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Recurring, WindowConfig,
    calendar::{self, Calendar},
};

/// The windows at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowMeasurement {
    /// The moment, UTC.
    pub taken_at: Timestamp,
    /// Times in which a deployment may start.
    pub allow: Vec<RecurringState>,
    /// Times in which it may not.
    pub freeze: Vec<RecurringState>,
    /// When the allowed time ends, touching windows taken together, UTC; absent outside of one.
    /// Looked for over 48 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Timestamp>,
    /// When the next freeze begins that has not begun, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_freeze: Option<Timestamp>,
    /// The value of `CI_DEPLOY_FREEZE`, where it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitlab: Option<String>,
}

/// One span at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecurringState {
    /// Its reason, or its schedule.
    pub name: String,
    /// When the current span began, UTC; absent outside of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When the current span ends, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When the next span begins, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
}

pub fn state(
    config: &WindowConfig,
    at: Timestamp,
    gitlab: Option<&str>,
) -> Result<WindowMeasurement, ProbeError> {
    let calendars = |windows: &[Recurring], twice| {
        windows
            .iter()
            .map(|window| calendar(window, twice))
            .collect::<Result<Vec<_>, _>>()
    };
    let allow = calendars(&config.allow, false)?;
    let freeze = calendars(&config.freeze, true)?;
    let states = |windows: &[Recurring], calendars: &[Calendar]| {
        let pairs = windows.iter().zip(calendars);
        pairs
            .map(|(window, calendar)| look(window, calendar, at))
            .collect()
    };
    Ok(WindowMeasurement {
        taken_at: at,
        allow: states(&config.allow, &allow),
        freeze: states(&config.freeze, &freeze),
        open_until: calendar::open_until(&allow, at),
        next_freeze: freeze.iter().filter_map(|f| f.next(at)).min(),
        gitlab: gitlab.filter(|value| !value.is_empty()).map(str::to_owned),
    })
}

fn calendar(window: &Recurring, twice: bool) -> Result<Calendar, ProbeError> {
    let failed = |kind, message: String| {
        ProbeError::new(kind, window.name(), "reading the schedule", message)
    };
    Ok(Calendar {
        cron: window
            .schedule
            .parse()
            .map_err(|m| failed(ErrorKind::BadData, m))?,
        zone: TimeZone::get(&window.zone).map_err(|e| failed(ErrorKind::BadData, e.to_string()))?,
        duration: SignedDuration::try_from(window.duration.0)
            .map_err(|e| failed(ErrorKind::BadData, e.to_string()))?,
        twice,
    })
}

fn look(window: &Recurring, calendar: &Calendar, at: Timestamp) -> RecurringState {
    let since = calendar.open_since(at);
    RecurringState {
        name: window.name(),
        since,
        until: since.and_then(|s| s.checked_add(calendar.duration).ok()),
        next: calendar.next(at),
    }
}
