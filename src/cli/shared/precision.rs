//! The option `--precision`.

use crate::console::eprintln_safe;
use fer_kernels::Precision;
use fer_kernels::arch::has_bf16_products;

/// Reads the value of `--precision`.
///
/// # Errors
/// Another word than f32 or bf16.
pub fn precision(name: &str) -> Result<Precision, String> {
    name.parse()
}

/// Returns the precision, and notes on standard error where the CPU has no instructions for it.
pub fn noted(precision: Precision) -> Precision {
    if precision == Precision::Bf16 && !has_bf16_products() {
        eprintln_safe!(
            "bf16: this CPU has no bfloat16 products (AMX or AVX512_BF16); results are the same, but \
             slower than in f32"
        );
    }
    precision
}
