//! What follows from the series: pure functions.

use super::{config::PLATEAU, measurement::Usage};

/// Minutes of steady memory that a slope needs.
const MINUTES: usize = (PLATEAU.as_secs() / 60) as usize;
/// Shares that the 95th percentile of CPU needs: one above it.
const SHARES: usize = 20;
/// A fall by more than this share of the level is a collection of garbage, not noise.
const FALL: f64 = 0.05;
/// Valleys of waves that a slope needs.
const VALLEYS: usize = 4;
/// Scales a median absolute deviation to a standard deviation of the normal distribution.
const SIGMA: f64 = 1.4826;

/// How memory develops on its plateau.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Percent of the level in an hour.
    pub percent_per_hour: f64,
    /// The same at the lower end of the 95 % confidence interval.
    pub low: f64,
    /// Where the plateau begins, seconds.
    pub from_s: f64,
    /// Its length in minutes.
    pub minutes: u32,
    /// Median of its points, bytes.
    pub level: f64,
}

/// The slope (Theil-Sen) of the smallest memory of each minute, after the warm-up, or what is missing.
///
/// The warm-up is detected, not assumed: the plateau is what fits the line through the last half, going back
/// in time as far as it fits. A leak from the start is therefore all plateau, and a cache that fills is
/// not.
pub fn slope(looks: &[Usage], window: (f64, f64)) -> Result<Slope, String> {
    let minima = minima(looks, window);
    let Some((last, _)) = minima.last().filter(|_| minima.len() >= MINUTES) else {
        return Err(format!(
            "memory was watched for {} whole minutes under load; a leak takes {MINUTES} minutes of \
             steady memory to tell",
            minima.len()
        ));
    };
    let points = lows(&minima)?;
    let steady = &points[plateau(&points)..];
    let from_s = steady[0].0;
    let minutes = whole((last + 60.0 - from_s) / 60.0);
    if (minutes as usize) < MINUTES {
        return Err(format!(
            "memory settled only {minutes} minutes before the end; a leak takes {MINUTES} minutes \
             of steady memory to tell"
        ));
    }
    let level = median(steady.iter().map(|(_, bytes)| *bytes));
    if level <= 0.0 {
        return Err("memory is reported as 0 bytes".into());
    }
    let (middle, low) = theil_sen(steady);
    let percent = |per_second: f64| 100.0 * 3600.0 * per_second / level;
    Ok(Slope {
        percent_per_hour: percent(middle),
        low: percent(low),
        from_s,
        minutes,
        level,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "minutes of a run: few, and never below zero"
)]
fn whole(minutes: f64) -> u32 {
    minutes.round() as u32
}

/// The smallest memory of each whole minute of the window that has a look: time and bytes.
fn minima(looks: &[Usage], (from, to): (f64, f64)) -> Vec<(f64, f64)> {
    let mut minima: Vec<(f64, f64)> = Vec::new();
    for look in looks.iter().filter(|l| l.at_s >= from && l.at_s < to) {
        let begin = ((look.at_s - from) / 60.0).floor() * 60.0 + from;
        if begin + 60.0 > to {
            break;
        }
        let bytes = look.memory as f64;
        match minima.last_mut() {
            Some((at, least)) if (*at - begin).abs() < 1e-6 => *least = least.min(bytes),
            _ => minima.push((begin, bytes)),
        }
    }
    minima
}

/// Index of the first minute of the plateau.
fn plateau(minima: &[(f64, f64)]) -> usize {
    let half = minima.len() / 2;
    let tail = &minima[half..];
    let (slope, _) = theil_sen(tail);
    let level = median(tail.iter().map(|(t, bytes)| bytes - slope * t));
    let off = |(t, bytes): &(f64, f64)| (bytes - (level + slope * t)).abs();
    let spread = SIGMA * median(tail.iter().map(&off));
    let size = median(tail.iter().map(|(_, bytes)| *bytes));
    let band = (4.0 * spread).max(0.02 * size);
    // One minute off the line is noise, two in a row are another phase.
    let mut start = half;
    while start > 0 {
        let here = off(&minima[start - 1]) <= band;
        let before = start > 1 && off(&minima[start - 2]) <= band;
        if !here && !before {
            break;
        }
        start -= 1;
    }
    start
}

/// Of memory that rises and is collected in waves of several minutes, the valleys: the wave itself is no
/// leak. Of other memory, everything.
fn lows(minima: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, String> {
    let level = median(minima.iter().map(|(_, bytes)| *bytes));
    let valleys: Vec<(f64, f64)> = minima
        .windows(2)
        .filter(|pair| pair[0].1 - pair[1].1 > FALL * level)
        .map(|pair| pair[1])
        .collect();
    match valleys.len() {
        0 | 1 => Ok(minima.to_vec()),
        n if n < VALLEYS => Err(format!(
            "memory rises and falls in waves, of which {n} ended; a leak takes {VALLEYS} to tell"
        )),
        _ => Ok(valleys),
    }
}

/// The median of the slopes of all pairs (Theil 1950), of which a third of the points may be wild, and the
/// lower end of its 95 % confidence interval (Sen 1968).
fn theil_sen(points: &[(f64, f64)]) -> (f64, f64) {
    // Pairs grow with the square: 600 points are 180,000 pairs.
    let step = points.len().div_ceil(600).max(1);
    let points: Vec<&(f64, f64)> = points.iter().step_by(step).collect();
    let mut slopes = Vec::new();
    for (index, (t1, y1)) in points.iter().enumerate() {
        let later = points[index + 1..].iter();
        slopes.extend(later.map(|(t2, y2)| (y2 - y1) / (t2 - t1)));
    }
    if slopes.is_empty() {
        return (0.0, f64::NEG_INFINITY);
    }
    slopes.sort_by(f64::total_cmp);
    let n = points.len() as f64;
    let width = 1.96 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let rank = whole(((slopes.len() as f64 - width) / 2.0).max(0.0));
    (median(slopes.iter().copied()), slopes[rank as usize])
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// CPU over the window in percent of one core: mean, and 95th percentile of the times between looks.
pub struct Cpu {
    /// All CPU time by all time.
    pub mean: Result<f64, String>,
    /// By nearest rank.
    pub p95: Result<f64, String>,
}

/// From the looks within the window.
pub fn cpu(looks: &[Usage], (from, to): (f64, f64)) -> Cpu {
    let inside = looks.iter().filter(|l| l.at_s >= from && l.at_s <= to);
    let inside: Vec<&Usage> = inside.collect();
    let share = |a: &Usage, b: &Usage| 100.0 * (b.cpu_s - a.cpu_s) / (b.at_s - a.at_s);
    let mean = match (inside.first(), inside.last()) {
        (Some(first), Some(last)) if last.at_s > first.at_s => Ok(share(first, last)),
        _ => Err("CPU was looked at less than twice while it was measured".to_owned()),
    };
    let mut shares: Vec<f64> = inside.windows(2).map(|p| share(p[0], p[1])).collect();
    shares.sort_by(f64::total_cmp);
    let p95 = if shares.len() < SHARES {
        Err(format!(
            "CPU was looked at over {} times between looks; a 95th percentile takes {SHARES}",
            shares.len()
        ))
    } else {
        Ok(shares[(shares.len() * 95).div_ceil(100) - 1])
    };
    Cpu { mean, p95 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: f64 = 1e6;

    /// A look every 5 s, of memory by minute.
    fn looks(minutes: u32, memory: impl Fn(f64) -> f64) -> Vec<Usage> {
        let look = |i: u32| {
            let at_s = f64::from(i) * 5.0;
            Usage {
                at_s,
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a test"
                )]
                memory: memory(at_s / 60.0) as u64,
                cpu_s: at_s * 0.5,
            }
        };
        (0..=minutes * 12).map(look).collect()
    }

    fn of(minutes: u32, memory: impl Fn(f64) -> f64) -> Result<Slope, String> {
        slope(&looks(minutes, memory), (0.0, f64::from(minutes) * 60.0))
    }

    /// A repeatable noise of one sign: garbage that waits to be collected.
    fn noise(minute: f64) -> f64 {
        ((minute * 12.9898).sin() * 43_758.545).fract().abs()
    }

    #[test]
    fn flat_memory_with_garbage_is_flat() {
        let slope = of(60, |m| 100.0 * MB + 20.0 * MB * noise(m)).unwrap();
        assert!(
            slope.low < 1.0 && slope.percent_per_hour.abs() < 2.0,
            "{slope:?}"
        );
        assert_eq!(slope.minutes, 60);
    }

    #[test]
    fn a_leak_from_the_start_is_one() {
        let slope = of(45, |m| {
            100.0 * MB + 5.0 * MB * m / 60.0 + 3.0 * MB * noise(m)
        })
        .unwrap();
        assert!((3.5..6.5).contains(&slope.percent_per_hour), "{slope:?}");
        assert!(slope.low > 0.0, "{slope:?}");
        assert_eq!(slope.minutes, 45);
    }

    #[test]
    fn a_small_leak_is_told_from_the_bound() {
        let grown = |by: f64| move |m: f64| 200.0 * MB * (1.0 + by * m / 60.0) + MB * noise(m);
        assert!(of(60, grown(0.02)).unwrap().percent_per_hour > 1.5);
        assert!(of(60, grown(0.005)).unwrap().percent_per_hour < 0.8);
    }

    #[test]
    fn a_cache_that_fills_is_no_leak() {
        let slope = of(60, |m| {
            MB * (100.0 + 80.0 * (1.0 - (-m / 3.0).exp())) + MB * noise(m)
        })
        .unwrap();
        assert!(slope.percent_per_hour.abs() < 1.0, "{slope:?}");
        assert!((30..60).contains(&slope.minutes), "{slope:?}");
        assert!(slope.from_s > 60.0);
    }

    #[test]
    fn a_leak_after_a_warm_up_is_one() {
        let memory = |m: f64| MB * (100.0 + 80.0 * (1.0 - (-m / 3.0).exp()) + m * 0.15);
        let slope = of(60, memory).unwrap();
        assert!((4.0..6.0).contains(&slope.percent_per_hour), "{slope:?}");
    }

    #[test]
    fn waves_of_garbage_are_no_leak_and_a_rising_floor_is() {
        let wave = |m: f64| 60.0 * MB * ((m % 9.0) / 9.0);
        let slope = of(75, |m| 100.0 * MB + wave(m)).unwrap();
        assert!(slope.percent_per_hour.abs() < 1.0, "{slope:?}");
        let slope = of(75, |m| 100.0 * MB + wave(m) + 0.2 * MB * m).unwrap();
        assert!(slope.percent_per_hour > 4.0, "{slope:?}");
        let why = of(31, |m| 100.0 * MB + 60.0 * MB * ((m % 13.0) / 13.0)).unwrap_err();
        assert!(why.contains("waves"), "{why}");
    }

    #[test]
    fn what_is_too_short_says_what_is_missing() {
        let why = of(29, |_| MB).unwrap_err();
        assert!(
            why.contains("29 whole minutes") && why.contains("30 minutes"),
            "{why}"
        );
        let why = of(40, |m| if m < 15.0 { MB * (1.0 + m) } else { 300.0 * MB }).unwrap_err();
        assert!(why.contains("settled only 25 minutes"), "{why}");
        assert!(slope(&[], (0.0, 3600.0)).is_err());
        assert!(of(40, |_| 0.0).is_err());
    }

    #[test]
    fn cpu_is_a_share_of_one_core() {
        let looks = looks(2, |_| MB);
        let cpu = cpu(&looks, (0.0, 120.0));
        assert!((cpu.mean.unwrap() - 50.0).abs() < 1e-9);
        assert!((cpu.p95.unwrap() - 50.0).abs() < 1e-9);
        let few = super::cpu(&looks, (10.0, 30.0));
        assert!(few.mean.is_ok() && few.p95.is_err());
        assert!(super::cpu(&looks, (500.0, 600.0)).mean.is_err());
    }
}
