//! The README's console blocks say what the binary says.

use std::{fs::File, time::SystemTime};

#[test]
fn console_blocks_are_true() {
    // A checkout is older than its last commit; the tests of the example have just run.
    let report = File::options()
        .append(true)
        .open("fixtures/readme/reports/unit.xml")
        .unwrap();
    #[expect(clippy::disallowed_methods, reason = "the time of a file on disk")]
    report.set_modified(SystemTime::now()).unwrap();
    trycmd::TestCases::new().case("README.md");
}
