//! What worker processes and their parent say to each other: frames of a length (four bytes, big
//! endian), a kind (one byte) and content.
//!
//! Down: the job (JSON), the start (a time of the monotonic clock, JSON), the end of the stress, a stop. Up: reports (a
//! length, JSON with counters, and histograms in the HDR V2 format, each with its length) and the
//! message of a failure.

use std::io::{self, Read, Write};

use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize};

use super::tally::{Bucket, Counts, Gauges, Interval, RouteTally, TIMES, Times};

/// No frame is longer, unless something else writes to the pipe.
const LONGEST: u32 = 256 << 20;

/// A frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub kind: u8,
    pub content: Vec<u8>,
}

/// To the child: what to do.
pub(super) const JOB: u8 = 1;
/// To the child: begin at this time.
pub(super) const START: u8 = 2;
/// To the child: begin nothing new, and end.
pub(super) const STOP: u8 = 3;
/// To the child: end at once.
pub(super) const HALT: u8 = 4;
/// To the child: end the stress, as of this time.
pub(super) const CALM: u8 = 7;
/// To the parent: a report.
pub(super) const REPORT: u8 = 5;
/// To the parent: why it cannot go on.
pub(super) const FAILURE: u8 = 6;

/// The bytes of a frame.
pub(super) fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(content.len() + 5);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.push(kind);
    bytes.extend_from_slice(content);
    bytes
}

/// Reads a frame; nothing at the end of the stream.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let (length, kind) = header(head)?;
    let mut content = vec![0; length];
    from.read_exact(&mut content)?;
    Ok(Some(Frame { kind, content }))
}

/// Length and kind.
pub(super) fn header(head: [u8; 5]) -> io::Result<(usize, u8)> {
    let [a, b, c, d, kind] = head;
    let length = u32::from_be_bytes([a, b, c, d]);
    if length > LONGEST || !(JOB..=CALM).contains(&kind) {
        return Err(io::Error::other("what came is no frame of a load worker"));
    }
    Ok((usize::try_from(length).unwrap_or(usize::MAX), kind))
}

#[derive(Serialize, Deserialize)]
struct Header {
    worker: u32,
    end: u64,
    gauges: Gauges,
    connect: bool,
    buckets: Vec<BucketHeader>,
}

#[derive(Serialize, Deserialize)]
struct BucketHeader {
    phase: u16,
    slot: i64,
    begun: u64,
    unsent: u64,
    own_lag: bool,
    routes: Vec<(Counts, [bool; TIMES])>,
}

/// The content of a report.
pub(super) fn encode(interval: &Interval) -> Result<Vec<u8>, String> {
    let bucket = |b: &Bucket| BucketHeader {
        phase: b.phase,
        slot: b.slot,
        begun: b.begun,
        unsent: b.unsent,
        own_lag: b.own_lag.is_some(),
        routes: b
            .routes
            .iter()
            .map(|r| (r.counts.clone(), has(r)))
            .collect(),
    };
    let header = Header {
        worker: interval.worker,
        end: interval.end,
        gauges: interval.gauges.clone(),
        connect: interval.connect.is_some(),
        buckets: interval.buckets.iter().map(bucket).collect(),
    };
    let header = serde_json::to_vec(&header).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    put(&header, &mut out);
    let mut serializer = V2Serializer::new();
    for times in all(interval) {
        let mut blob = Vec::new();
        serializer
            .serialize(times, &mut blob)
            .map_err(|e| e.to_string())?;
        put(&blob, &mut out);
    }
    Ok(out)
}

fn has(route: &RouteTally) -> [bool; TIMES] {
    std::array::from_fn(|i| route.times[i].is_some())
}

/// All histograms in the order of the header.
fn all(interval: &Interval) -> impl Iterator<Item = &Times> {
    interval
        .connect
        .iter()
        .chain(interval.buckets.iter().flat_map(|b| {
            let routes = b.routes.iter().flat_map(|r| r.times.iter().flatten());
            b.own_lag.iter().chain(routes)
        }))
}

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

fn get<'a>(content: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let short = || "a report of a load worker is cut short".to_owned();
    let (head, rest) = content.split_first_chunk::<4>().ok_or_else(short)?;
    let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
    let piece = rest.get(..length).ok_or_else(short)?;
    *content = &rest[length..];
    Ok(piece)
}

/// Reads the content of a report.
pub(super) fn decode(mut content: &[u8]) -> Result<Interval, String> {
    let header: Header = serde_json::from_slice(get(&mut content)?).map_err(|e| e.to_string())?;
    let mut deserializer = Deserializer::new();
    let mut next = |there: bool| -> Result<Option<Times>, String> {
        if !there {
            return Ok(None);
        }
        let mut blob = get(&mut content)?;
        let times = deserializer
            .deserialize(&mut blob)
            .map_err(|e| e.to_string())?;
        Ok(Some(times))
    };
    let mut interval = Interval {
        worker: header.worker,
        end: header.end,
        gauges: header.gauges,
        connect: next(header.connect)?,
        buckets: Vec::new(),
    };
    for bucket in header.buckets {
        let own_lag = next(bucket.own_lag)?;
        let mut routes = Vec::with_capacity(bucket.routes.len());
        for (counts, has) in bucket.routes {
            let mut route = RouteTally {
                counts,
                ..RouteTally::default()
            };
            for (times, there) in route.times.iter_mut().zip(has) {
                *times = next(there)?;
            }
            routes.push(route);
        }
        interval.buckets.push(Bucket {
            phase: bucket.phase,
            slot: bucket.slot,
            routes,
            own_lag,
            begun: bucket.begun,
            unsent: bucket.unsent,
        });
    }
    Ok(interval)
}

/// Writes a frame and sends it off.
pub(super) fn write(to: &mut impl Write, kind: u8, content: &[u8]) -> io::Result<()> {
    to.write_all(&frame(kind, content))?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tally::{Kind, Time, record};

    #[test]
    fn a_report_comes_back_as_it_was() {
        let mut route = RouteTally::default();
        route.counts.status(200);
        route.counts.scheduled = 3;
        for nanos in [1_000, 55_000, 7_000_000_000] {
            route.record(Time::Response, nanos);
        }
        route.fail(Kind::Timeout, 5_000_000_000);
        let mut interval = Interval {
            worker: 3,
            end: 77,
            ..Interval::default()
        };
        interval.gauges.open = 5;
        record(&mut interval.connect, 9_000);
        interval.buckets.push(Bucket {
            slot: -2,
            routes: vec![RouteTally::default(), route],
            begun: 3,
            ..Bucket::default()
        });
        let back = decode(&encode(&interval).unwrap()).unwrap();
        assert_eq!((back.worker, back.end), (3, 77));
        assert_eq!(back.gauges, interval.gauges);
        assert_eq!(back.connect, interval.connect);
        let (a, b) = (&back.buckets[0], &interval.buckets[0]);
        assert_eq!((a.slot, a.begun), (b.slot, b.begun));
        assert_eq!(a.routes[1].counts, b.routes[1].counts);
        assert_eq!(a.routes[1].times, b.routes[1].times);
        assert_eq!(a.routes[0].times, b.routes[0].times);
    }

    #[test]
    fn cut_and_foreign_bytes_are_refused() {
        let whole = encode(&Interval::default()).unwrap();
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "{length} bytes");
        }
        assert!(header(*b"hello").is_err());
        assert_eq!(read(&mut &b"\0\0"[..]).unwrap(), None);
    }
}
