//! Applies the rules to a measurement. Pure.

use readygate_sdk::{Checks, Unit};

use crate::{AuditMeasurement, rules};

pub fn judge(measurement: &AuditMeasurement, checks: &mut Checks) {
    let size = Unit::Bytes.format(measurement.bytes as f64);
    checks
        .check(&rules::NOT_YET, &measurement.address)
        .message(format!("it answered {size}, and nothing judges them yet"))
        .fail();
}
