//! Words for people, on standard error.

/// `eprintln!` that never panics: a training must not end because nobody reads its words any more
/// (`fer train 2>&1 | head`), or because the disk behind them is full.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
pub(crate) use tell;
