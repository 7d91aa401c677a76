#!/usr/bin/env bash
# The kernels' own tests under Miri, which checks every access to memory against Rust's rules: the portable loops, and the
# threads that stay together for one image. Miri has no AVX-512, so the SIMD paths are checked by address_sanitizer.sh.
#
#   tests/external/miri.sh [FILTER]     FILTER: part of a test's name
#
# Needs a nightly toolchain: rustup toolchain install nightly --component miri --component rust-src
set -euo pipefail
cd "$(dirname "$0")/../.."
rustup run nightly cargo miri --version >/dev/null 2>&1 || {
  echo "skipped: no nightly toolchain with miri (rustup toolchain install nightly --component miri --component rust-src)"
  exit 0
}
# Rayon's threads outlive the tests; crossbeam, under it, casts integers to pointers.
export MIRIFLAGS="-Zmiri-ignore-leaks -Zmiri-permissive-provenance -Zmiri-tree-borrows -Zmiri-disable-isolation"
export RAYON_NUM_THREADS=2
cargo +nightly miri test --target-dir target/miri --package fer-kernels --lib -- "$@"
