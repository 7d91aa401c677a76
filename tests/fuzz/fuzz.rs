//! One target under libFuzzer; `FER_FUZZ` names it. `tests/external/fuzz.sh` builds and runs it.
#![no_main]

mod targets;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<targets::Target> = LazyLock::new(|| {
    let wanted = std::env::var("FER_FUZZ").unwrap_or_default();
    let found = targets::TARGETS.iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("FER_FUZZ={wanted:?}: no such target")).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
