#!/usr/bin/env bash
# Does Winograd's rounding matter? The same trainings with it and without it, three seeds each, drawn
# over each other: data/pictures/winograd-training.svg, and the last epoch of each as a table.
#
#   benches/winograd_training.sh TRAIN.csv.gz VALIDATION.csv.gz [EPOCHS]
#
# Runs that are there already are not made again; one that was interrupted goes on.
set -euo pipefail
cd "$(dirname "$0")/.."
train=${1:?the training faces}
validation=${2:?the validation faces}
epochs=${3:-4}
fer=target/release/fer
cargo build --release

runs=()
for seed in 0 1 2; do
    for conv in direct auto; do
        run=runs/winograd/$conv-$seed
        runs+=("$run")
        if [ -e "$run/finished" ]; then continue; fi
        if [ -e "$run/last.safetensors" ]; then
            $fer train --resume "$run" --conv "$conv" --no-tensorboard
        else
            mkdir -p runs/winograd
            $fer train --data "$train" --val "$validation" --arch fer-s --epochs "$epochs" --seed "$seed" \
                --conv "$conv" --no-tensorboard --out "$run"
        fi
        touch "$run/finished"
    done
done
$fer curves "${runs[@]}" --out data/pictures/winograd-training.svg
for run in "${runs[@]}"; do
    echo "$run: $(head -1 "$run/metrics.csv")"
    tail -1 "$run/metrics.csv"
done
