//! SIMD levels: what the CPU has, what the process uses.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// A set of instructions that the micro-kernels are written for, widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// 512-bit registers (AVX-512F).
    Avx512,
    /// 256-bit registers with fused multiply-add.
    Avx2,
    /// The `wide` crate: whatever width the compiler was told.
    Portable,
}

impl Level {
    /// Every level, widest first.
    pub const ALL: [Level; 3] = [Level::Avx512, Level::Avx2, Level::Portable];

    /// Whether this CPU runs it.
    pub fn is_supported(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx512 | Level::Avx2 => false,
            Level::Portable => true,
        }
    }

    /// Name as the option `--simd` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Avx512 => "avx512",
            Level::Avx2 => "avx2",
            Level::Portable => "portable",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Level::ALL
            .into_iter()
            .find(|level| level.name() == s)
            .ok_or_else(|| format!("unknown SIMD level {s:?}: expected avx512, avx2 or portable"))
    }
}

/// 0 = not chosen yet, otherwise 1 + place in [`Level::ALL`].
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The widest level of this CPU.
pub fn detected() -> Level {
    Level::ALL.into_iter().find(|level| level.is_supported()).unwrap_or(Level::Portable)
}

/// The level in use: the one forced by [`set_level`], else the widest.
///
/// Levels differ in speed only: all of them add the same products in the same order with the same
/// fused rounding.
pub fn level() -> Level {
    match CHOSEN.load(Ordering::Relaxed) {
        0 => {
            let level = detected();
            store(level);
            level
        }
        n => Level::ALL[n as usize - 1],
    }
}

fn store(level: Level) {
    let place = Level::ALL.iter().position(|&l| l == level).unwrap_or(0);
    CHOSEN.store(place as u8 + 1, Ordering::Relaxed);
}

/// Forces a level for the whole process; `None` returns to the widest.
///
/// # Errors
/// A level that this CPU does not run.
pub fn set_level(level: Option<Level>) -> Result<(), String> {
    let level = level.unwrap_or_else(detected);
    if !level.is_supported() {
        return Err(format!(
            "SIMD level {level} is not available on this CPU; the widest is {}",
            detected()
        ));
    }
    store(level);
    Ok(())
}

/// Whether the CPU has every instruction that the crate was compiled for (x86-64-v3).
///
/// Call it before anything else: below this floor the program would end in an illegal instruction.
/// The CPU is asked directly, because `is_x86_feature_detected!` answers "yes" without looking for
/// whatever the compiler was told to assume.
pub fn supports_baseline() -> bool {
    #[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
    {
        use std::arch::x86_64::{__cpuid, __cpuid_count};
        // SAFETY: every x86-64 CPU has the CPUID instruction, and it changes nothing. Leaves above
        // the highest one answer with another leaf's bits, so the highest is asked first.
        #[allow(unused_unsafe)] // safe functions since Rust 1.94
        let (highest, basic, extended, amd) = unsafe {
            (__cpuid(0).eax, __cpuid(1).ecx, __cpuid_count(7, 0).ebx, __cpuid(0x8000_0001).ecx)
        };
        highest >= 7 && has_baseline(basic, extended, amd)
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
    true
}

/// FMA, MOVBE, OSXSAVE, AVX, F16C in leaf 1; BMI1, AVX2, BMI2 in leaf 7; LZCNT in leaf 0x80000001.
#[cfg(any(test, all(target_arch = "x86_64", target_feature = "avx2")))]
fn has_baseline(basic: u32, extended: u32, amd: u32) -> bool {
    const BASIC: u32 = 1 << 12 | 1 << 22 | 1 << 27 | 1 << 28 | 1 << 29;
    const EXTENDED: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    const AMD: u32 = 1 << 5;
    basic & BASIC == BASIC && extended & EXTENDED == EXTENDED && amd & AMD == AMD
}

/// Features of this CPU that matter for the kernels, narrowest first.
pub fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let found = [
            ("sse4.2", is_x86_feature_detected!("sse4.2")),
            ("avx", is_x86_feature_detected!("avx")),
            ("avx2", is_x86_feature_detected!("avx2")),
            ("fma", is_x86_feature_detected!("fma")),
            ("avx512f", is_x86_feature_detected!("avx512f")),
            ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
        ];
        found.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_cpu_is_recognised() {
        // Haswell (2013), Ivy Bridge (2012, no AVX2), and a Haswell without one feature each.
        let haswell = (0x7ffa_fbff, 0x0000_27ab, 0x0000_0021);
        assert!(has_baseline(haswell.0, haswell.1, haswell.2));
        assert!(!has_baseline(0x7fba_e3ff, 0x0000_0281, 0x0000_0001));
        for bit in [12, 22, 27, 28, 29] {
            assert!(!has_baseline(haswell.0 & !(1 << bit), haswell.1, haswell.2), "{bit}");
        }
        for bit in [3, 5, 8] {
            assert!(!has_baseline(haswell.0, haswell.1 & !(1 << bit), haswell.2), "{bit}");
        }
        assert!(!has_baseline(haswell.0, haswell.1, 0x1));
        assert!(supports_baseline());
    }
}
