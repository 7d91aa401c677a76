//! SIMD levels: the instruction sets that the kernels are compiled for.

use std::fmt;
use std::str::FromStr;

/// An instruction set that the kernels are compiled for and that this CPU has.
///
/// A value is proof that the CPU has the instructions, so it can be passed to any kernel.
/// All levels add the same products in the same order, except in bfloat16 those
/// [with tiles](Self::has_tiles). Those that round a · b + c once (see
/// [`SimdLevel::is_fused`]) give the same bits and differ in speed only; the portable level of an
/// x86-64 CPU rounds twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SimdLevel(Isa);

/// The instruction sets, whether this CPU has them or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Isa {
    /// Avx512, and in bfloat16 tile registers (AMX).
    Amx,
    /// 512-bit registers (AVX-512F).
    Avx512,
    /// 256-bit registers with fused multiply-add (AVX2 and FMA).
    Avx2,
    /// The `wide` crate: what every CPU of the target has (SSE2 on x86-64, NEON on ARM64).
    Portable,
}

/// Whether `wide` rounds a · b + c once: where the compiler may use such an instruction.
pub(super) const PORTABLE_IS_FUSED: bool =
    cfg!(any(target_feature = "fma", all(target_arch = "aarch64", target_feature = "neon")));

impl SimdLevel {
    /// Names of all levels, widest first, as the option `--simd` spells them.
    pub const NAMES: [&str; 4] = ["amx", "avx512", "avx2", "portable"];
    const ALL: [Self; 4] =
        [Self(Isa::Amx), Self(Isa::Avx512), Self(Isa::Avx2), Self(Isa::Portable)];

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
    /// Returns whether a · b + c is rounded once (fused multiply-add) and not twice. Levels for
    /// which it is true give the same bits.
    pub fn is_fused(self) -> bool {
        self.0 != Isa::Portable || PORTABLE_IS_FUSED
    }
    /// Returns whether products in bfloat16 may use tile registers (AMX). Their sums have another order
    /// than those of the other levels, so in bfloat16 the bits are others.
    pub fn has_tiles(self) -> bool {
        self.0 == Isa::Amx
    }
    /// Returns the instruction set.
    #[inline]
    pub(super) fn isa(self) -> Isa {
        self.0
    }
    fn is_supported(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Isa::Amx => super::amx::are_available(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Amx | Isa::Avx512 | Isa::Avx2 => false,
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
            None => {
                Err(format!("unknown SIMD level {name:?}: expected amx, avx512, avx2 or portable"))
            }
        }
    }
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
    #[cfg(target_arch = "aarch64")]
    {
        let found = [
            ("neon", std::arch::is_aarch64_feature_detected!("neon")),
            ("dotprod", std::arch::is_aarch64_feature_detected!("dotprod")),
            ("bf16", std::arch::is_aarch64_feature_detected!("bf16")),
            ("sve", std::arch::is_aarch64_feature_detected!("sve")),
        ];
        found.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vec::new()
}
