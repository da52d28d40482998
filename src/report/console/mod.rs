//! For people.
use crate::{record::Run, report::Style};
/// Renders.
pub fn render(run: &Run, _style: &Style) -> String {
    run.verdict.name().to_owned()
}
