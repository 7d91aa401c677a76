#!/bin/sh
# Opens in the real TensorBoard, with each of its two loaders, a run that a test wrote and one that
# `fer train` wrote, and checks what its HTTP endpoints serve. Exits 0, saying why, where Python or
# the network is missing. FER names the program; without it, it is built.
#
#   tests/tensorboard_check.sh [--keep DIR]
#
# --keep DIR leaves the runs in DIR/true, DIR/false, DIR/training-true and DIR/training-false.
set -eu
cd "$(dirname "$0")/.."
venv="${XDG_CACHE_HOME:-$HOME/.cache}/fer-peers/tensorboard"

skip() {
    echo "tensorboard check skipped: $1"
    exit 0
}

if [ ! -x "$venv/bin/tensorboard" ]; then
    command -v python3 >/dev/null || skip "python3 is not installed"
    python3 -m venv "$venv" 2>/dev/null || skip "python3 cannot make a virtual environment"
    timeout 300 "$venv/bin/pip" install --quiet tensorboard ||
        skip "pip could not install tensorboard (is there a network?)"
fi

if [ -z "${FER:-}" ]; then
    cargo build --quiet --release
    FER=target/release/fer
fi
export FER
"$venv/bin/python" tests/tensorboard_training.py "$@"
cargo test --quiet --test suite --no-run
"$venv/bin/python" tests/tensorboard_check.py "$@"
