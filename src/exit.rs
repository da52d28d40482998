//! Exit codes: the contract with every CI that calls readygate.
//!
//! They depend on the verdict alone. No format and no reporter ever changes the code.

/// GO, possibly with warnings or waivers.
pub const GO: u8 = 0;
/// NO-GO: a blocking check failed, or a report could not be written.
pub const NO_GO: u8 = 1;
/// Usage or config error, or nothing was selected: nothing was measured.
pub const USAGE: u8 = 2;
/// INCONCLUSIVE: a blocking gate could not be measured.
pub const INCONCLUSIVE: u8 = 3;
/// PENDING: only sign-offs are missing.
pub const PENDING: u8 = 4;
/// Rollback advised, from the watch after a deployment.
pub const ROLLBACK: u8 = 5;
/// Interrupted by SIGINT; the partial record and reports were written.
pub const INTERRUPTED: u8 = 130;
/// Terminated by SIGTERM or SIGHUP; the partial record and reports were written.
pub const TERMINATED: u8 = 143;

/// What each code means, for the documentation.
pub const MEANINGS: &[(u8, &str)] = &[
    (GO, "go, possibly with warnings or waivers"),
    (
        NO_GO,
        "no-go: a blocking check failed, or a report could not be written",
    ),
    (
        USAGE,
        "usage or config error, or nothing was selected: nothing was measured",
    ),
    (
        INCONCLUSIVE,
        "inconclusive: a blocking gate could not be measured",
    ),
    (PENDING, "only sign-offs are missing"),
    (
        ROLLBACK,
        "rollback advised, from the watch after a deployment",
    ),
    (
        INTERRUPTED,
        "interrupted (SIGINT); the partial record and the reports are written",
    ),
    (
        TERMINATED,
        "terminated (SIGTERM); the partial record and the reports are written",
    ),
];
