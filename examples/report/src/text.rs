//! Numbers and foreign texts as the page shows them.

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Three digits and a unit, as in 3.14 ms.
pub fn duration(nanoseconds: u64) -> String {
    let n = nanoseconds as f64;
    let (value, unit) = match nanoseconds {
        0 => return "0".into(),
        1..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (n / 1e3, "µs"),
        1_000_000..1_000_000_000 => (n / 1e6, "ms"),
        _ => (n / 1e9, "s"),
    };
    format!("{} {unit}", digits(value))
}

/// A number of at least 0 with three digits, or three decimals.
pub fn digits(value: f64) -> String {
    let decimals = match value {
        0.0 => 0,
        ..0.0995 => 3,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A share of 1, as in 17 %.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p > 0.0 && p < 0.5 => "less than 1 %".into(),
        p => format!("{p:.0} %"),
    }
}

/// As in 1 batch, 2 batches.
pub fn count(n: u64, one: &str, several: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        let shown = [0, 7, 999, 1000, 99_960, 1_234_567, 13_080_000_000].map(duration);
        assert_eq!(shown, ["0", "7 ns", "999 ns", "1.00 µs", "100 µs", "1.23 ms", "13.1 s"]);
    }

    #[test]
    fn small_numbers_have_three_decimals() {
        let shown = [0.0, 0.0047, 0.672, 1.0, 12.34, 99.96, 1234.5].map(digits);
        assert_eq!(shown, ["0", "0.005", "0.67", "1.00", "12.3", "100", "1234"]);
    }

    #[test]
    fn small_shares_are_not_nothing() {
        assert_eq!(
            [0.0, 0.001, 0.174, 1.0].map(percent),
            ["0 %", "less than 1 %", "17 %", "100 %"]
        );
    }
}
