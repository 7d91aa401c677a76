//! `fer info`: the machine and the version.

use crate::bench::machine::cpu_name;
use crate::{Result, console};
use fer_kernels::{Context, SimdLevel, arch};
use serde::Serialize;

/// Arguments of `fer info`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Info {
    version: &'static str,
    simd: &'static str,
    simd_available: Vec<&'static str>,
    cpu: String,
    cpu_features: Vec<&'static str>,
    bf16: &'static str,
    compiled_for: String,
    threads: usize,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        simd: Context::global().simd.name(),
        simd_available: SimdLevel::available().map(SimdLevel::name).collect(),
        cpu: cpu_name().unwrap_or_else(|| "unknown".into()),
        cpu_features: arch::cpu_features(),
        bf16: match Context::global().simd {
            simd if simd.has_tiles() => "AMX",
            simd if simd.name() == "avx512" && arch::has_bf16_products() => "AVX512_BF16",
            _ => "emulated",
        },
        compiled_for: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        threads: rayon::current_num_threads(),
    };
    if args.json {
        return console::print_json(&info);
    }
    console::print(&format!(
        "fer           {}\nCPU           {}\nfeatures      {}\nSIMD path     {} (available: {})\n\
         bf16          {}\ncompiled for  {}\nthreads       {}\n",
        info.version,
        info.cpu,
        info.cpu_features.join(" "),
        info.simd,
        info.simd_available.join(", "),
        info.bf16,
        info.compiled_for,
        info.threads
    ))
}
