//! Progress: a bar with the remaining time on a terminal, plain lines elsewhere.

use crate::console::eprintln_safe;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, WeakProgressBar};
use std::io::IsTerminal as _;
use std::time::Duration;

/// Formats seconds: "1 h 02 min", "1 min 05 s" or "9 s".
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// Time between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// Starts a bar over `total` items; where standard error is not a terminal, a line every 30 s.
pub fn bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if plain() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        bar.set_prefix(what.to_owned());
        let watched = bar.downgrade();
        std::thread::spawn(move || print_lines(&watched));
        return bar;
    }
    let template = "{prefix} {wide_bar:.cyan/dim} {pos}/{len} {msg} ETA {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Prints the position of the bar until it is finished or dropped. Does not delay the end of the
/// program.
fn print_lines(watched: &WeakProgressBar) {
    loop {
        std::thread::sleep(PLAIN_EVERY);
        let Some(bar) = watched.upgrade().filter(|bar| !bar.is_finished()) else { return };
        let total = bar.length().unwrap_or(0);
        eprintln_safe!("{}", line(&bar.prefix(), bar.position(), total, bar.elapsed()));
    }
}

/// Returns a line such as "passes: 120 of 480, 30 s, 1 min 30 s left"; without the remaining time
/// before the first item.
fn line(what: &str, done: u64, total: u64, elapsed: Duration) -> String {
    let elapsed = elapsed.as_secs_f64();
    if total <= 1 {
        return format!("at work for {}", duration(elapsed)); // one item says nothing of the way
    }
    let left = match done {
        0 => String::new(),
        _ => format!(
            ", {} left",
            duration(elapsed * total.saturating_sub(done) as f64 / done as f64)
        ),
    };
    format!("{what}: {done} of {total}, {}{left}", duration(elapsed))
}

/// Whether to print plain lines instead of bars.
pub fn plain() -> bool {
    !std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_has_position_and_remaining_time() {
        let half_a_minute = Duration::from_secs(30);
        assert_eq!(
            line("passes", 120, 480, half_a_minute),
            "passes: 120 of 480, 30 s, 1 min 30 s left"
        );
        assert_eq!(line("passes", 0, 480, half_a_minute), "passes: 0 of 480, 30 s");
        assert_eq!(line("faces", 0, 1, half_a_minute), "at work for 30 s");
        assert_eq!(line("faces", 9, 9, half_a_minute), "faces: 9 of 9, 30 s, 0 s left");
    }
}
