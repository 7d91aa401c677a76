#!/usr/bin/env bash
# Fuzzes every reader of foreign bytes under AddressSanitizer, then keeps the smallest corpus that reaches the
# same code in tests/fuzz/found/TARGET.tar.gz.
#
#   tests/external/fuzz.sh [SECONDS] [TARGET ...]     600 seconds for each target by default
#   JOBS=2 tests/external/fuzz.sh                     two targets at a time
#
# A failing input stays in target/fuzz/failed-TARGET; put it into tests/fuzz/corpus/TARGET with the repair.
# `--cfg fuzzing` switches the checksums of PNG off, which otherwise hide the decoder from changed bytes.
# Needs x86-64 Linux and a C++ compiler. RUSTC_BOOTSTRAP allows a stable compiler the options.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/target/fuzz
seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=($(ls "$root/tests/fuzz/corpus"))
mkdir -p "$work"

cat >"$work/Cargo.toml" <<TOML
[workspace]
[package]
name = "fer-fuzz"
version = "0.0.0"
edition = "2024"
[[bin]]
name = "fuzz"
path = "$root/tests/fuzz/fuzz.rs"
[dependencies]
fer = { path = "$root", package = "fer-cnn" }
libfuzzer-sys = "0.4"
[profile.release]
debug = "line-tables-only"
debug-assertions = true
overflow-checks = true
opt-level = 1
TOML
cp "$root/Cargo.lock" "$work/Cargo.lock"

export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Z sanitizer=address --cfg fuzzing -C passes=sancov-module -C codegen-units=16
  -C llvm-args=-sanitizer-coverage-level=4 -C llvm-args=-sanitizer-coverage-inline-8bit-counters
  -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares"
export ASAN_OPTIONS=detect_leaks=0 RAYON_NUM_THREADS=1 # rayon's threads outlive an input
cargo build --release --manifest-path "$work/Cargo.toml" --target x86_64-unknown-linux-gnu
fuzz=$work/target/x86_64-unknown-linux-gnu/release/fuzz

fuzz_one() { # fuzz_one TARGET
  local target=$1 seeds=$root/tests/fuzz/corpus/$1 found=$root/tests/fuzz/found/$1.tar.gz
  local new=$work/corpus-$1 kept=$work/kept-$1 failures=$work/failed-$1 log=$work/$1.log failed=0
  rm -rf "$kept"
  mkdir -p "$new" "$kept" "$failures"
  touch "$work/start-$target"
  [ ! -f "$found" ] || tar xzf "$found" -C "$new"
  export FER_FUZZ=$target
  "$fuzz" "$new" "$seeds" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -timeout=60 \
    -artifact_prefix="$failures/" -print_final_stats=1 2>"$log" || failed=1
  "$fuzz" -merge=1 "$kept" "$seeds" "$new" 2>>"$log" || failed=1
  # The same inputs make the same archive.
  mkdir -p "$(dirname "$found")"
  tar c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=644 -C "$kept" $(ls "$kept") | gzip -9n >"$found"
  echo "$target: $(sed -n 's/stat::number_of_executed_units: *//p' "$log" | head -1) runs," \
    "$(ls "$kept" | wc -l) inputs kept in $found," \
    "$(find "$failures" -type f ! -name 'slow-unit*' -newer "$work/start-$target" | wc -l) failed"
  return $failed
}
export -f fuzz_one
export root work seconds fuzz
printf '%s\n' "${targets[@]}" | xargs -P "${JOBS:-1}" -I{} bash -euo pipefail -c 'fuzz_one {}'
