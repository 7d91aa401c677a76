//! Whether this CPU and system have tile registers.

use std::sync::OnceLock;

/// Returns whether this CPU has the registers and AVX-512, and the system lets this process use them.
pub fn are_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| cpu_has_tiles() && system_saves_tiles())
}

/// Returns whether the CPU has AMX-TILE, AMX-BF16 and AVX-512.
fn cpu_has_tiles() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16_AND_TILE: u32 = 1 << 22 | 1 << 24;
    if !is_x86_feature_detected!("avx512f") || __cpuid(0).eax < 7 {
        return false;
    }
    __cpuid_count(7, 0).edx & BF16_AND_TILE == BF16_AND_TILE
}

/// Asks Linux for the permission that it wants before a process uses the registers, because they make its
/// saved state larger. The kernel refuses where it does not know them.
fn system_saves_tiles() -> bool {
    #[cfg(target_os = "linux")]
    {
        const ARCH_PRCTL: isize = 158;
        const REQUEST_PERMISSION: usize = 0x1023;
        const TILE_DATA: usize = 18;
        let result: isize;
        // SAFETY: a system call that reads and writes no memory of this process.
        unsafe {
            std::arch::asm!(
                "syscall", inlateout("rax") ARCH_PRCTL => result, in("rdi") REQUEST_PERMISSION,
                in("rsi") TILE_DATA, lateout("rcx") _, lateout("r11") _, options(nostack),
            );
        }
        result == 0
    }
    #[cfg(not(target_os = "linux"))]
    false
}
