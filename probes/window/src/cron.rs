//! The five fields of cron, as POSIX `crontab` has them, with names, ranges and steps.

use std::str::FromStr;

use jiff::civil::Date;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A parsed schedule. Each set is a bit mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether either kind of day is enough, because both are restricted.
    either_day: bool,
}

/// One field: its name, its least and greatest value, and names for values.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        name: "day of month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &MONTHS,
    },
    Field {
        name: "day of week",
        least: 0,
        most: 7,
        names: &DAYS,
    },
];

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = words[..] else {
            return Err(format!(
                "`{text}` has {} fields, a schedule has five",
                words.len()
            ));
        };
        let [minutes, hours, days, months, weekdays] = FIELDS;
        let weekday_set = weekdays.read(weekday)?;
        Ok(Self {
            minutes: minutes.read(minute)?,
            hours: hours.read(hour)?,
            days: days.read(day)?,
            months: months.read(month)?,
            // 7 is Sunday too.
            weekdays: (weekday_set | (weekday_set >> 7)) & 0x7f,
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        })
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<u64, String> {
        text.split(',')
            .try_fold(0, |set, part| Ok(set | self.part(part)?))
    }

    /// `*`, `5`, `1-5`, `*/15`, `8-18/2`.
    fn part(&self, part: &str) -> Result<u64, String> {
        let wrong = |why: &str| format!("`{part}` is no {}: {why}", self.name);
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|s| *s > 0)),
            None => (part, Some(1)),
        };
        let step: usize = step.ok_or_else(|| wrong("the step is no number above zero"))?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if part.contains('/') => (self.value(range)?, self.most),
            None => (self.value(range)?, self.value(range)?),
        };
        if from > to {
            return Err(wrong("the range runs backwards; write it as two"));
        }
        Ok((from..=to).step_by(step).fold(0, |set, n| set | (1 << n)))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let upper = text.to_ascii_uppercase();
        if let Some(at) = self.names.iter().position(|name| *name == upper) {
            return Ok(u32::try_from(at).unwrap_or_default() + self.least);
        }
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text
            .parse()
            .ok()
            .filter(|n| digits && (self.least..=self.most).contains(n));
        number.ok_or_else(|| {
            format!(
                "`{text}` is no {}: {} to {}",
                self.name, self.least, self.most
            )
        })
    }
}

const fn has(set: u64, value: i8) -> bool {
    value >= 0 && set & (1 << value) != 0
}

impl Cron {
    /// Whether it begins at some time of this day.
    pub fn on(&self, day: Date) -> bool {
        let weekday = has(self.weekdays, day.weekday().to_sunday_zero_offset());
        let number = has(self.days, day.day());
        let fits = if self.either_day {
            weekday || number
        } else {
            weekday && number
        };
        has(self.months, day.month()) && fits
    }

    /// Hours and minutes of a day at which it begins, in order.
    pub fn times(&self) -> impl DoubleEndedIterator<Item = (i8, i8)> + use<> {
        let (hours, minutes) = (self.hours, self.minutes);
        (0..24)
            .filter(move |hour| has(hours, *hour))
            .flat_map(move |hour| {
                (0..60)
                    .filter(move |minute| has(minutes, *minute))
                    .map(move |minute| (hour, minute))
            })
    }

    /// Whether any day at all fits: the 30th of February does not. The calendar repeats its
    /// weekdays after 28 years within a century.
    pub fn ever(&self) -> bool {
        let mut day = Date::constant(2000, 1, 1);
        for _ in 0..(28 * 366) {
            if self.on(day) {
                return true;
            }
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => return false,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str, month: i8) -> Vec<i8> {
        let cron: Cron = text.parse().unwrap();
        (1..=28)
            .filter(|d| cron.on(Date::new(2026, month, *d).unwrap()))
            .collect()
    }

    fn times(text: &str) -> Vec<(i8, i8)> {
        text.parse::<Cron>().unwrap().times().collect()
    }

    #[test]
    fn fields_are_read() {
        assert_eq!(times("0 22 * * *"), [(22, 0)]);
        assert_eq!(times("*/30 8-9 * * *"), [(8, 0), (8, 30), (9, 0), (9, 30)]);
        assert_eq!(times("50/5 0,12 * * *").len(), 4);
        assert_eq!(times("* * * * *").len(), 1440);
        // November 2026: the 1st is a Sunday.
        assert_eq!(days("0 0 * * TUE,thu", 11), [3, 5, 10, 12, 17, 19, 24, 26]);
        assert_eq!(days("0 0 * * 0", 11), days("0 0 * * 7", 11));
        assert_eq!(days("0 0 * * SUN", 11), [1, 8, 15, 22]);
        assert_eq!(
            days("0 0 * * 5-7", 11),
            [1, 6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28]
        );
        assert_eq!(days("0 0 20 DEC *", 12), [20]);
        assert_eq!(days("0 0 20 DEC *", 11), [0; 0]);
    }

    #[test]
    fn with_both_kinds_of_days_either_counts() {
        assert_eq!(days("0 0 13 * FRI", 11), [6, 13, 20, 27]);
        assert_eq!(days("0 0 1 * MON", 11), [1, 2, 9, 16, 23]);
        // A star with a step is a star: both must fit.
        assert_eq!(days("0 0 */2 * SUN", 11), [1, 15]);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "-1 * * * *",
            "1,,2 * * * *",
            "@daily",
            "+5 * * * *",
            "* * L * *",
            "* * * * MON#2",
            "1- * * * *",
        ] {
            assert!(text.parse::<Cron>().is_err(), "{text}");
        }
        assert!(!"0 0 30 2 *".parse::<Cron>().unwrap().ever());
        assert!("0 0 29 2 *".parse::<Cron>().unwrap().ever());
    }
}
