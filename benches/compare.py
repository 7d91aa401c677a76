"""fer against PyTorch, in turns: `python3 benches/compare.py [--rounds 9] [--torch PYTHON]`.

Ratios of images a second, the median over the rounds and their range; above 1 fer is faster.
PyTorch is told to keep its memory ("tuned malloc"), without which it is a fifth slower. PYTHON is
an interpreter that has torch; fer is built first with `cargo build --release`.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = [
    ("train", "vgg", 64),
    ("train", "tiny", 64),
    ("infer", "vgg", 64),
    ("infer", "tiny", 64),
    ("infer", "vgg", 1),
    ("infer", "tiny", 1),
]
TUNED = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 28),
    "OMP_NUM_THREADS": str(os.cpu_count()),
}


def fer(what, net, batch, simd):
    steps = "60" if batch == 1 else "9"
    command = [ROOT / "target/release/fer", "bench", what, "--arch", net, "--batch", str(batch)]
    command += ["--steps", steps, "--json", "--simd", simd]
    return json.loads(subprocess.check_output(command))["images_per_second"]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--rounds", type=int, default=9)
    args.add_argument("--torch", default="python3")
    args.add_argument("--simd", default="auto")
    args = args.parse_args()
    opponent = subprocess.Popen(
        [args.torch, ROOT / "benches/pytorch.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **TUNED},
    )
    ratios = {case: [] for case in CASES}
    for _ in range(args.rounds):
        for case in CASES:
            print(*case, file=opponent.stdin, flush=True)
            theirs = json.loads(opponent.stdout.readline())["images_per_second"]
            ratios[case].append(fer(*case, args.simd) / theirs)
    print(f"| {'':<20} | median | range | rounds |\n|---|---|---|---|")
    for (what, net, batch), r in ratios.items():
        name = f"{what} {net}, batch {batch}"
        print(f"| {name:<20} | {statistics.median(r):.2f}× | {min(r):.2f} to {max(r):.2f} | {len(r)} |")


main()
