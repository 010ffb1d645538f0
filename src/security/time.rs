//! The time of day, and times of the Gregorian calendar.

/// Returns milliseconds since 1970 at the system's last tick, at most ten milliseconds ago: checks of permissions ask often, and the exact
/// time costs several times as much.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    // A clock before 1970 is 1970.
    seconds.unwrap_or(0).saturating_mul(1000) + nanos.unwrap_or(0) / 1_000_000
}

/// Returns milliseconds since 1970.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn now() -> u64 {
    super::policy::millis(std::time::SystemTime::now())
}

/// Returns the days from 1970-01-01 to a date.
pub(super) fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that a leap day is the last day of its year.
    let (year, month) = match month > 2 {
        true => (year, month - 3),
        false => (year - 1, month + 9),
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Writes milliseconds since 1970-01-01T00:00:00Z as in `2026-11-28T16:00:00.000Z` (RFC 3339), at most the last of the year 9999.
pub fn rfc3339(millis: u64) -> String {
    // The year 9999 is the last one of the form.
    let millis = millis.min(253_402_300_799_999);
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let days = i64::try_from(days).unwrap_or(0);
    // An estimate that is at most one year too late.
    let mut year = 1970 + days / 365;
    while days_since_1970(year, 1, 1) > days {
        year -= 1;
    }
    let mut month = 12;
    while days_since_1970(year, month, 1) > days {
        month -= 1;
    }
    let day = days - days_since_1970(year, month, 1) + 1;
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_texts_agree() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(millis), text);
        }
        assert_eq!(days_since_1970(2100, 3, 1), 4_107_542_400_000 / 86_400_000);
    }
}
