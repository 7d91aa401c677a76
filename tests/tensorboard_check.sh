#!/bin/sh
# Opens a run that fer wrote in the real TensorBoard, with each of its two loaders, and checks what
# its HTTP endpoints serve. Exits 0, saying why, where Python or the network is missing.
#
#   tests/tensorboard_check.sh [--keep DIR]
#
# --keep DIR leaves the run in DIR/true and DIR/false, to be looked at.
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

cargo test --quiet --test suite --no-run
exec "$venv/bin/python" tests/tensorboard_check.py "$@"
