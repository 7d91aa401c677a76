#!/bin/sh
# Compares fer's maps with Captum's on the same weights and faces. Exits 0, saying why, where Python
# or the network is missing.
#
#   tests/captum_check.sh [MODEL.safetensors FACES.csv]
#
# Without arguments two small networks are trained on drawn faces: one plain, one with residual
# blocks and squeeze-and-excitation.
set -eu
cd "$(dirname "$0")/.."
venv="${XDG_CACHE_HOME:-$HOME/.cache}/fer-peers/torch"

skip() {
    echo "captum check skipped: $1"
    exit 0
}

if ! "$venv/bin/python" -c 'import captum' 2>/dev/null; then
    command -v python3 >/dev/null || skip "python3 is not installed"
    python3 -m venv "$venv" 2>/dev/null || skip "python3 cannot make a virtual environment"
    timeout 900 "$venv/bin/pip" install --quiet torch captum ||
        skip "pip could not install torch and captum (is there a network?)"
fi

cargo build --quiet --release
fer=target/release/fer
if [ $# -eq 2 ]; then
    exec "$venv/bin/python" tests/captum_check.py "$fer" "$1" "$2"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$fer" data synth --count 140 --out "$folder/faces.csv" >/dev/null
for net in tiny fer-s; do
    "$fer" train --data "$folder/faces.csv" --arch $net --epochs 3 --batch 32 --lr 0.02 \
        --out "$folder/$net" >/dev/null 2>&1
    "$venv/bin/python" tests/captum_check.py "$fer" "$folder/$net/best.safetensors" \
        "$folder/faces.csv"
done
