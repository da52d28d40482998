//! The README's console blocks say what the binary says.

#[test]
fn console_blocks_are_true() {
    trycmd::TestCases::new().case("README.md");
}
