#!/bin/sh
# Compares fer's maps with Captum's on the same weights and faces. Exits 0, saying why, where Python
# or the network is missing.
#
#   tests/external/captum_check.sh [MODEL.safetensors FACES.csv [--single]]
#
# Without arguments two small networks are trained on drawn faces, one plain, one with a residual
# block and squeeze-and-excitation, and fer computes in double precision. --single compares the
# maps of everyday single precision instead, which may differ where a unit sits at a kink.
set -eu
cd "$(dirname "$0")/../.."
. tests/external/peers_venv.sh
peers_venv "captum check" torch "captum" "torch captum"

cargo build --quiet --release
fer=target/release/fer
if [ $# -ge 2 ]; then
    exec "$python" tests/external/captum_check.py "$fer" "$@"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/plain.toml" <<'EOF'
name = "plain"
layers = [
    { type = "conv2d", filters = 8 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "max_pooling2d", size = 2 },
    { type = "conv2d", filters = 12, kernel = 5, bias = true },
    { type = "activation" },
    { type = "average_pooling2d", size = 2 },
    { type = "conv2d", filters = 16, stride = 2 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "flatten" },
    { type = "linear", units = 32 },
    { type = "activation" },
    { type = "linear", units = 7 },
]
EOF
cat >"$folder/residual.toml" <<'EOF'
name = "residual"
layers = [
    { type = "conv2d", filters = 12 },
    { type = "max_pooling2d", size = 4 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "residual", layers = [
        { type = "conv2d", filters = 12 },
        { type = "batch_normalization" },
        { type = "activation" },
        { type = "conv2d", filters = 12 },
        { type = "batch_normalization" },
        { type = "squeeze_excite", reduction = 4 },
    ] },
    { type = "activation" },
    { type = "global_average_pooling2d" },
    { type = "linear", units = 7 },
]
EOF
"$fer" data synth --count 140 --out "$folder/faces.csv" >/dev/null
for net in plain residual; do
    "$fer" train --data "$folder/faces.csv" --arch "$folder/$net.toml" --epochs 3 --batch-size 32 \
        --lr 0.02 --out "$folder/$net" >/dev/null 2>&1
    "$python" tests/external/captum_check.py "$fer" "$folder/$net/best.safetensors" \
        "$folder/faces.csv"
done
