#!/bin/sh
# Runs networks that fer exported in onnxruntime and compares 1,000 faces' logits with fer's own.
# Exits 0, saying why, where Python or the network is missing.
set -eu
cd "$(dirname "$0")/../.."
. tests/external/peers_venv.sh
peers_venv "ONNX check" torch "onnx, onnxruntime, numpy" "onnx onnxruntime numpy"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
FER_ONNX_CHECK="$folder" cargo test ${PROFILE:---release} --quiet --test suite onnx::leaves
"$python" tests/external/onnx_check.py "$folder"
