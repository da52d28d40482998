//! What the kernel tells of this machine and of the workers.

use std::{fs, num::NonZeroU64};

/// Timers of this thread fire when they are due, not up to 50 us later.
pub(super) fn precise_timers() {
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
}

/// Time that this thread was runnable but had no core, in nanoseconds.
pub(super) fn thread_waiting() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Ticks of all cores since boot (`/proc/stat`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    pub idle: u64,
    pub steal: u64,
    pub total: u64,
}

impl Ticks {
    /// Now.
    pub(super) fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find(|l| l.starts_with("cpu "))?;
        let ticks: Vec<u64> = line
            .split_ascii_whitespace()
            .skip(1)
            .map_while(|t| t.parse().ok())
            .collect();
        // user nice system idle iowait irq softirq steal; guest time is in user already.
        Some(Self {
            idle: ticks.get(3)? + ticks.get(4)?,
            steal: *ticks.get(7)?,
            total: ticks.iter().take(8).sum(),
        })
    }

    /// Steal and idle since `before`, as shares of all cores.
    pub(super) fn since(self, before: Self) -> Option<(f64, f64)> {
        let total = self.total.checked_sub(before.total).filter(|t| *t > 0)? as f64;
        let share = |now: u64, then: u64| now.saturating_sub(then) as f64 / total;
        Some((
            share(self.steal, before.steal),
            share(self.idle, before.idle),
        ))
    }
}

/// Resident bytes of a process, or of this one.
pub(super) fn resident(pid: Option<u32>) -> Option<u64> {
    let path = pid.map_or_else(
        || "/proc/self/status".to_owned(),
        |p| format!("/proc/{p}/status"),
    );
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Cores that this process may use.
pub(super) fn cores() -> u32 {
    std::thread::available_parallelism()
        .ok()
        .and_then(|n| u32::try_from(n.get()).ok())
        .unwrap_or(1)
}

/// File descriptors that are open in this process.
pub(super) fn open_files() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |d| d.count() as u64)
}

/// First and last port that the kernel chooses from for outgoing connections.
pub(super) fn port_range() -> (u16, u16) {
    let read = || {
        let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
        let mut numbers = text.split_ascii_whitespace().map(str::parse::<u16>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    read().unwrap_or((32_768, 60_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read() {
        let text = "cpu  10 0 20 60 10 0 0 5 3 0\ncpu0 1 1 1 1\n";
        let ticks = Ticks::parse(text).unwrap();
        assert_eq!((ticks.idle, ticks.steal, ticks.total), (70, 5, 105));
        let later = Ticks {
            idle: 120,
            steal: 15,
            total: 205,
        };
        assert_eq!(later.since(ticks), Some((0.1, 0.5)));
        assert_eq!(ticks.since(ticks), None);
    }
}
