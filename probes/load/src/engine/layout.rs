//! Where the workers run and which addresses they use: what the limits of open files and of local
//! ports allow, told before anything is opened.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{
    clock::whole,
    spec::{Protocol, Shape, Spec},
};

/// File descriptors of a process that are no connections.
const SPARE_FILES: u64 = 64;
/// Those that are kept free where connections are split over processes.
const SPLIT_SPARE: u64 = 200;
/// A core carries so many requests a second at half its time, roughly (20 us each).
const PER_CORE: f64 = 25_000.0;

/// What this machine allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Hard limit of open files.
    pub files: u64,
    /// Files that are open now.
    pub open: u64,
    /// Local ports for outgoing connections, first and last.
    pub ports: (u16, u16),
    /// Cores.
    pub cores: u32,
}

/// Who does the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Worker processes; 0: threads of this process.
    pub processes: u32,
    /// Threads of each process.
    pub threads: u32,
    /// Source addresses to go through.
    pub sources: Vec<IpAddr>,
    pub notes: Vec<String>,
}

impl Layout {
    /// Workers over all processes.
    pub(super) fn workers(&self) -> u32 {
        self.threads * self.processes.max(1)
    }
}

/// Lays the run out, or says exactly what is missing.
pub(super) fn layout(
    spec: &Spec,
    targets: &[SocketAddr],
    limits: &Limits,
) -> Result<Layout, String> {
    let mut notes = Vec::new();
    let sources = sources(spec, targets, limits, &mut notes)?;
    // One without a connection would fail its share of the requests.
    let processes = processes(spec, limits)?.min(spec.connections.max(1));
    let wanted = spec.threads.unwrap_or_else(|| threads(spec, limits.cores));
    let threads = match (processes, spec.threads) {
        (0 | 1, _) | (_, Some(_)) => wanted,
        (n, None) => wanted.div_ceil(n),
    };
    let most = (spec.connections / processes.max(1)).max(1);
    Ok(Layout {
        processes,
        threads: threads.clamp(1, most),
        sources,
        notes,
    })
}

fn processes(spec: &Spec, limits: &Limits) -> Result<u32, String> {
    let connections = u64::from(spec.connections);
    if let Some(asked) = spec.processes.filter(|n| *n > 0) {
        let each = connections.div_ceil(u64::from(asked));
        if each + SPARE_FILES > limits.files {
            return Err(format!(
                "{connections} connections over {asked} processes need {} open files each, and \
                 the hard limit is {}: use {} processes, or raise the limit (`ulimit -Hn`)",
                each + SPARE_FILES,
                limits.files,
                split(connections, limits)?
            ));
        }
        return Ok(asked);
    }
    if connections + SPARE_FILES + limits.open <= limits.files {
        return Ok(0);
    }
    split(connections, limits)
}

fn split(connections: u64, limits: &Limits) -> Result<u32, String> {
    let each = limits.files.saturating_sub(SPLIT_SPARE);
    if each < SPLIT_SPARE {
        return Err(format!(
            "the hard limit of open files is {} (`ulimit -Hn`), too few for any load",
            limits.files
        ));
    }
    u32::try_from(connections.div_ceil(each)).map_err(|e| e.to_string())
}

fn threads(spec: &Spec, cores: u32) -> u32 {
    if matches!(spec.shape, Shape::Closed { think } if !think.is_zero()) || spec.connections < 8 {
        return 1;
    }
    let Shape::Open { .. } = spec.shape else {
        return cores;
    };
    let rates = spec.phases.iter().filter_map(|p| p.rate);
    let wanted = whole((rates.fold(0.0, f64::max) / PER_CORE).ceil());
    u32::try_from(wanted).unwrap_or(cores).clamp(1, cores)
}

/// Each pair of a source and a target address has the range of local ports once; connecting gets
/// slow when half of it is used, for the kernel looks through one half first.
fn sources(
    spec: &Spec,
    targets: &[SocketAddr],
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<Vec<IpAddr>, String> {
    let (first, last) = limits.ports;
    let range = u64::from(last.saturating_sub(first)) + 1;
    let needed = match spec.protocol {
        _ if !spec.keepalive => 0,
        Protocol::Auto | Protocol::Http1 | Protocol::Http2 { .. } => u64::from(spec.connections),
    };
    let each = targets.len().max(1) as u64;
    let given = &spec.connect.sources;
    let pairs = given.len().max(1) as u64 * each;
    if needed <= pairs * range / 2 {
        return Ok(given.clone());
    }
    let loopback = targets.iter().all(|t| t.ip().is_loopback() && t.is_ipv4());
    if given.is_empty() && loopback {
        let n = needed.div_ceil(each * range / 2);
        if n > 254 {
            return Err(format!("{needed} connections need {n} source addresses"));
        }
        notes.push(format!(
            "{needed} connections need {n} source addresses on the loopback: 127.0.1.1 to \
             127.0.1.{n} were used."
        ));
        let address = |n: u64| IpAddr::V4(Ipv4Addr::new(127, 0, 1, u8::try_from(n).unwrap_or(1)));
        return Ok((1..=n).map(address).collect());
    }
    if needed <= pairs * range {
        notes.push(format!(
            "{needed} connections over {pairs} pairs of addresses use more than half of the \
             {range} local ports ({first}-{last}): opening them is slow."
        ));
        return Ok(given.clone());
    }
    let missing = needed.div_ceil(each * range) - given.len().max(1) as u64;
    Err(format!(
        "{needed} connections to {each} address{} of the target do not fit: a source address has \
         {range} local ports ({first}-{last}) for each. Missing: {missing} more source \
         address{} in `sockets.source_ips`{}, or more addresses of the target, or a wider \
         `net.ipv4.ip_local_port_range`, or more machines (`engine: locust`)",
        plural(each),
        plural(missing),
        if given.is_empty() {
            " (list the one in use as well)"
        } else {
            ""
        },
    ))
}

fn plural(n: u64) -> &'static str {
    if n == 1 { "" } else { "es" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(connections: u32) -> Spec {
        let mut spec = Spec::get("http://127.0.0.1:80/".parse().unwrap(), "/");
        spec.connections = connections;
        spec
    }

    const LIMITS: Limits = Limits {
        files: 20_000,
        open: 30,
        ports: (32_768, 60_999),
        cores: 2,
    };

    fn target(ip: &str) -> Vec<SocketAddr> {
        vec![SocketAddr::new(ip.parse().unwrap(), 80)]
    }

    #[test]
    fn fifty_thousand_on_the_loopback() {
        let layout = layout(&spec(50_000), &target("127.0.0.1"), &LIMITS).unwrap();
        assert_eq!((layout.processes, layout.threads), (3, 1));
        assert_eq!(layout.sources.len(), 4);
        assert_eq!(layout.sources[3].to_string(), "127.0.1.4");
    }

    #[test]
    fn few_connections_stay_in_this_process() {
        let layout = layout(&spec(1_000), &target("127.0.0.1"), &LIMITS).unwrap();
        assert_eq!((layout.processes, layout.workers()), (0, 1));
        assert!(layout.sources.is_empty() && layout.notes.is_empty());
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = layout(&spec(60_000), &target("10.0.0.1"), &LIMITS).unwrap_err();
        assert!(
            error.contains("Missing: 2 more source addresses"),
            "{error}"
        );
        let slow = layout(&spec(20_000), &target("10.0.0.1"), &LIMITS).unwrap();
        assert!(slow.notes[0].contains("more than half"), "{:?}", slow.notes);
        let mut spec = spec(50_000);
        spec.processes = Some(2);
        let error = layout(&spec, &target("127.0.0.1"), &LIMITS).unwrap_err();
        assert!(error.contains("use 3 processes"), "{error}");
    }

    #[test]
    fn a_high_rate_gets_more_threads() {
        let mut spec = spec(1_000);
        spec.phases = vec![super::super::spec::Phase {
            name: "measure".into(),
            kind: super::super::spec::PhaseKind::Measure,
            rate: Some(45_000.0),
            users: None,
            duration: std::time::Duration::from_secs(1),
        }];
        let layout = layout(&spec, &target("127.0.0.1"), &LIMITS).unwrap();
        assert_eq!(layout.threads, 2);
    }

    #[test]
    fn no_worker_is_without_a_connection() {
        let mut spec = spec(10);
        spec.processes = Some(64);
        let layout = layout(&spec, &target("127.0.0.1"), &LIMITS).unwrap();
        assert_eq!((layout.processes, layout.workers()), (10, 10));
    }
}
