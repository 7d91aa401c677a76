#!/bin/sh
# Runs networks that fer exported in onnxruntime and compares 1,000 faces' logits with fer's own.
# Exits 0, saying why, where Python or the network is missing.
set -eu
cd "$(dirname "$0")/.."
venv="${XDG_CACHE_HOME:-$HOME/.cache}/fer-peers/torch"

skip() {
    echo "ONNX check skipped: $1"
    exit 0
}

if ! "$venv/bin/python" -c "import onnx, onnxruntime, numpy" 2>/dev/null; then
    command -v python3 >/dev/null || skip "python3 is not installed"
    python3 -m venv "$venv" 2>/dev/null || skip "python3 cannot make a virtual environment"
    timeout 300 "$venv/bin/pip" install --quiet onnx onnxruntime numpy ||
        skip "pip could not install onnxruntime (is there a network?)"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
FER_ONNX_CHECK="$folder" cargo test ${PROFILE:---release} --quiet --test suite onnx::leaves
"$venv/bin/python" tests/onnx_check.py "$folder"
