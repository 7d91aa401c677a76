#!/bin/sh
# Opens in the real TensorBoard, with each of its two loaders, a run that a test wrote and one that
# `fer train` wrote, and checks what its HTTP endpoints serve. Exits 0, saying why, where Python or
# the network is missing. FER names the program; without it, it is built.
#
#   tests/external/tensorboard_check.sh [--keep DIR]
#
# --keep DIR leaves the runs in DIR/true, DIR/false, DIR/training-true and DIR/training-false.
set -eu
cd "$(dirname "$0")/../.."
. tests/external/peers_venv.sh
peers_venv "tensorboard check" tensorboard "tensorboard" "tensorboard"

if [ -z "${FER:-}" ]; then
    cargo build --quiet --release
    FER=target/release/fer
fi
export FER
"$python" tests/external/tensorboard_training.py "$@"
cargo test --release --quiet --test suite --no-run
"$python" tests/external/tensorboard_check.py "$@"
