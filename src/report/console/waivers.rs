//! The waivers of the policy: what each covered, how long it holds, and what is odd about it.

use super::{
    block::hang_note,
    pen::{Mark, Pen},
};
use crate::record::{Run, WaiverRecord};
use readygate_sdk::count_of;

/// Waivers that are listed.
const MOST: usize = 50;

/// Lists the waivers, those that need attention first; nothing when there are none.
pub fn list(run: &Run, pen: Pen, lines: &mut Vec<String>) {
    if run.waivers.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(pen.bold("Waivers"));
    let mut shown: Vec<&WaiverRecord> = run.waivers.iter().collect();
    shown.sort_by_key(|waiver| (waiver.valid, waiver.covered == 0));
    let missing = shown.len().saturating_sub(pen.at_most(MOST));
    for waiver in &shown[..shown.len() - missing] {
        one(waiver, pen, lines);
    }
    if missing > 0 {
        let more = count_of(missing as u64, "more waiver", "more waivers");
        lines.push(format!("  ... and {more}; see the json report"));
    }
}

fn one(waiver: &WaiverRecord, pen: Pen, lines: &mut Vec<String>) {
    let mark = match waiver.valid {
        true if waiver.covered > 0 => Mark::Waived,
        true => Mark::Noted,
        false => Mark::Warned,
    };
    let checks = count_of(waiver.covered as u64, "check", "checks");
    let until = crate::waiver::until(waiver.expires);
    let ticket = waiver.ticket.as_ref();
    let ticket = ticket.map_or_else(String::new, |t| format!(" ({t})"));
    let by = match &waiver.principal {
        Some(principal) => format!("{principal} as {}", waiver.approver),
        None => waiver.approver.clone(),
    };
    let text = format!(
        "{}: {checks}, until {until} by {by}{ticket}: {}",
        waiver.covers, waiver.reason
    );
    hang_note(mark, &text, pen, lines);
    for note in &waiver.notes {
        lines.extend(
            pen.wrap(note, pen.width() - 6, 3)
                .iter()
                .enumerate()
                .map(|(at, line)| format!("{}{line}", if at == 0 { "    " } else { "      " })),
        );
    }
}
