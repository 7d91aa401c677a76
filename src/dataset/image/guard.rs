//! Turns a panic of a decoder into an error of its file.

use crate::dataset::image::samples::damaged;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder of another crate on untrusted bytes. A panic inside it is an error, and is not printed.
pub(super) fn guarded<T>(
    format: &str,
    decode: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !DECODING.get() {
                usual(panic);
            }
        }));
    });
    DECODING.set(true);
    // The decoder owns what it changes, and is dropped.
    let result = catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(false);
    let gave_up = || damaged(format, "its decoder gave up");
    result.unwrap_or_else(|_| Err(gave_up()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_the_next_picture_is_read() {
        let word: Result<(), String> = guarded("PNG", || panic!("range end index 3 out of range"));
        assert!(word.unwrap_err().contains("damaged PNG"));
        assert_eq!(guarded("PNG", || Ok(7)), Ok(7));
    }
}
