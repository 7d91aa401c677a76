//! Training curves in the terminal.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use crate::render::chart::Epoch;

/// Returns whether standard output is a terminal and `NO_COLOR` is not set (no-color.org).
pub fn color_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::io::stdout().is_terminal()
}

const ROWS: usize = 8;
const TRAIN: &str = "\x1b[36m";
const VALIDATION: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// Draws accuracy and loss side by side, about `width` columns wide: braille dots in two colours, or,
/// without `color`, letters: `t` training, `v` validation, `*` both.
pub fn curves(epochs: &[Epoch], width: usize, color: bool) -> String {
    let columns = (width.saturating_sub(22) / 2).clamp(10, 60);
    let accuracy = panel(epochs, columns, color, |e| {
        [e.train_accuracy * 100.0, e.validation_accuracy * 100.0]
    });
    let loss = panel(epochs, columns, color, |e| [e.train_loss, e.validation_loss]);
    let paint = |code: &str, text: &str| match color {
        true => format!("{code}{text}{RESET}"),
        false => text.to_string(),
    };
    let keys = match color {
        true => format!("{} {}", paint(TRAIN, "⠶ training"), paint(VALIDATION, "⠶ validation")),
        false => "t training  v validation  * both".into(),
    };
    let mut text = String::new();
    let _ = writeln!(text, "{:>8} {:<columns$}  {:>8} loss   {keys}", "", "accuracy %", "");
    for (left, right) in accuracy.iter().zip(&loss) {
        let _ = writeln!(text, "{left}  {right}");
    }
    let last = epochs.last().map_or(0, |e| e.epoch);
    let first = epochs.first().map_or(0, |e| e.epoch);
    let axis = format!("epoch {first}…{last}");
    let _ = writeln!(text, "{:>8} {axis:<columns$}  {:>8} {axis}", "", "");
    text
}

/// Returns the rows of one panel, each `8 + 1 + columns` wide; values are (training, validation).
fn panel(
    epochs: &[Epoch],
    columns: usize,
    color: bool,
    pick: impl Fn(&Epoch) -> [f64; 2],
) -> Vec<String> {
    let values: Vec<[f64; 2]> = epochs.iter().map(pick).collect();
    let finite = values.iter().flatten().copied().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
    let span = if high > low { high - low } else { 1.0 };
    // A braille sign has 2 × 4 dots, a letter one.
    let (dots_x, dots_y) = if color { (2, 4) } else { (1, 1) };
    let mut cells = vec![[0u8; 2]; columns * ROWS];
    for series in 0..2 {
        for x in 0..columns * dots_x {
            let Some(value) = sample(&values, series, x, columns * dots_x) else { continue };
            let height = (ROWS * dots_y - 1) as f64;
            let y = ((high - value) / span * height).round() as usize;
            let cell = y / dots_y * columns + x / dots_x;
            cells[cell][series] |= braille_dot(x % dots_x, y % dots_y);
        }
    }
    let row = |y: usize| {
        let label = match y {
            0 => format!("{high:>8.3}"),
            y if y == ROWS - 1 => format!("{low:>8.3}"),
            _ => " ".repeat(8),
        };
        let signs = cells[y * columns..(y + 1) * columns].iter();
        let line: String =
            signs.map(|cell| if color { colored(*cell) } else { plain(*cell) }).collect();
        format!("{label} {line}")
    };
    (0..ROWS).map(row).collect()
}

/// Returns the value at dot column `x` of `width`, interpolated between epochs.
fn sample(values: &[[f64; 2]], series: usize, x: usize, width: usize) -> Option<f64> {
    let at = x as f64 / (width - 1) as f64 * values.len().checked_sub(1)? as f64;
    let (a, b) = (values[at as usize][series], values[at.ceil() as usize][series]);
    let value = if at.fract() == 0.0 { a } else { a + (b - a) * at.fract() };
    value.is_finite().then_some(value)
}

/// Returns the bit of a dot in the Unicode braille patterns (U+2800): columns of three, then the bottom
/// row.
fn braille_dot(x: usize, y: usize) -> u8 {
    match (x, y) {
        (x, 3) => 0x40 << x,
        (0, y) => 1 << y,
        (_, y) => 8 << y,
    }
}

fn plain(cell: [u8; 2]) -> String {
    match cell.map(|dots| dots != 0) {
        [true, true] => "*",
        [true, false] => "t",
        [false, true] => "v",
        [false, false] => " ",
    }
    .into()
}

/// Returns the dots of both series as one character in the colour of validation where both have dots.
fn colored(cell: [u8; 2]) -> String {
    let sign = char::from_u32(0x2800 + (cell[0] | cell[1]) as u32).unwrap_or(' ');
    match cell {
        [0, 0] => " ".into(),
        [_, 0] => format!("{TRAIN}{sign}{RESET}"),
        _ => format!("{VALIDATION}{sign}{RESET}"),
    }
}
