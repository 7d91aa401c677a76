#!/usr/bin/env bash
# The kernels' tests under AddressSanitizer: every load and store of the micro-kernels is checked
# against the buffers that it may touch, on every SIMD path of this CPU.
#
#   tests/external/address_sanitizer.sh [FILTER]     about five minutes; FILTER: part of a test's name
#
# Needs x86-64 Linux. A stable compiler does: RUSTC_BOOTSTRAP allows it the one unstable option.
# What is built is small: the kernels, and of the program only the numbers that the tests draw.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/target/asan
mkdir -p "$work"

cat >"$work/Cargo.toml" <<TOML
[workspace]
[package]
name = "fer" # as the tests call it
version = "0.0.0"
edition = "2024"
[lib]
path = "lib.rs"
[[test]]
name = "suite"
path = "suite.rs"
[dependencies]
fer-kernels = { path = "$root/kernels" }
rand_pcg = "0.10"
rayon = "1.12"
[profile.dev]
opt-level = 1
debug = "line-tables-only"
TOML
echo "#[path = \"$root/src/random.rs\"] pub mod random;" >"$work/lib.rs"
echo "#[path = \"$root/tests/kernels/mod.rs\"] mod kernels;" >"$work/suite.rs"
cp "$root/Cargo.lock" "$work/Cargo.lock" # the versions in use; cargo drops what is not needed

export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Z sanitizer=address --cfg exact_buffers"
export ASAN_OPTIONS=detect_leaks=0 # rayon's threads outlive the tests
# A target, so that build scripts and macros are built without the sanitizer.
cargo test --manifest-path "$work/Cargo.toml" --target x86_64-unknown-linux-gnu \
  --package fer-kernels --package fer --lib --test suite -- "$@"
