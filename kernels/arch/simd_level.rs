//! SIMD levels: the instruction sets that the kernels are compiled for.

use std::fmt;
use std::str::FromStr;

/// An instruction set that the kernels are compiled for and that this CPU has.
///
/// A value is proof that the CPU has the instructions, so it can be passed to any kernel.
/// Levels differ in speed only: all of them add the same products in the same order with the same
/// fused rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SimdLevel(Isa);

/// The instruction sets, whether this CPU has them or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Isa {
    /// 512-bit registers (AVX-512F).
    Avx512,
    /// 256-bit registers with fused multiply-add (AVX2 and FMA).
    Avx2,
    /// The `wide` crate: the vector width that the compiler was told.
    Portable,
}

impl SimdLevel {
    /// Names of all levels, widest first, as the option `--simd` spells them.
    pub const NAMES: [&str; 3] = ["avx512", "avx2", "portable"];
    const ALL: [Self; 3] = [Self(Isa::Avx512), Self(Isa::Avx2), Self(Isa::Portable)];

    /// Returns the levels of this CPU, widest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_supported())
    }
    /// Returns the widest level of this CPU.
    pub fn widest() -> Self {
        Self::available().next().unwrap_or(Self(Isa::Portable))
    }
    /// Returns the name as the option `--simd` spells it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self.0 as usize]
    }
    /// Returns the instruction set.
    #[inline]
    pub(super) fn isa(self) -> Isa {
        self.0
    }
    fn is_supported(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx512 | Isa::Avx2 => false,
            Isa::Portable => true,
        }
    }
}

impl fmt::Display for SimdLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SimdLevel {
    type Err = String;
    /// Returns the level of this name; an error where it is unknown or the CPU lacks it.
    fn from_str(name: &str) -> Result<Self, String> {
        let level = Self::ALL.into_iter().find(|level| level.name() == name);
        match level {
            Some(level) if level.is_supported() => Ok(level),
            Some(_) => Err(format!(
                "SIMD level {name} is not available on this CPU; the widest is {}",
                Self::widest()
            )),
            None => Err(format!("unknown SIMD level {name:?}: expected avx512, avx2 or portable")),
        }
    }
}

/// Returns whether the CPU has every instruction that the crate was compiled for (x86-64-v3).
///
/// Call it first: on an older CPU the program would end in an illegal instruction. It executes
/// CPUID itself, because `is_x86_feature_detected!` returns true without a check for every feature
/// that the compiler was told to assume.
pub fn supports_baseline() -> bool {
    #[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
    {
        use std::arch::x86_64::{__cpuid, __cpuid_count};
        // SAFETY: every x86-64 CPU has the CPUID instruction, and it changes nothing. Above the
        // highest leaf it returns the bits of another leaf, so the highest is read first.
        #[allow(unused_unsafe)] // safe functions since Rust 1.94
        let (highest, basic, extended, amd) = unsafe {
            (__cpuid(0).eax, __cpuid(1).ecx, __cpuid_count(7, 0).ebx, __cpuid(0x8000_0001).ecx)
        };
        highest >= 7 && has_baseline(basic, extended, amd)
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
    true
}

/// Checks FMA, MOVBE, OSXSAVE, AVX, F16C in leaf 1; BMI1, AVX2, BMI2 in leaf 7; LZCNT in leaf
/// 0x80000001.
#[cfg(any(test, all(target_arch = "x86_64", target_feature = "avx2")))]
fn has_baseline(basic: u32, extended: u32, amd: u32) -> bool {
    const BASIC: u32 = 1 << 12 | 1 << 22 | 1 << 27 | 1 << 28 | 1 << 29;
    const EXTENDED: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    const AMD: u32 = 1 << 5;
    basic & BASIC == BASIC && extended & EXTENDED == EXTENDED && amd & AMD == AMD
}

/// Returns the features of this CPU that matter for the kernels, narrowest first.
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
