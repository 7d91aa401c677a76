"""fer against PyTorch and other matrix products, in turns: one table of ratios.

    python3 benches/compare.py --torch PYTHON [--only train,infer] [--rounds 9] [--json FILE]
    python3 benches/compare.py --torch PYTHON --only runtimes

PYTHON is an interpreter that has torch and numpy; `fer` is built first with `cargo build --release`.
The part `runtimes` takes those that PYTHON has and names the others: pip install onnx onnxruntime
openvino MNN ncnn pnnx opencv-python-headless. Nothing is installed from here.
A ratio is taken in every round, from runs within the same seconds; the table shows the median over
the rounds and their range. Above 1 fer is faster (or smaller). PyTorch is told to keep its memory
("tuned malloc"), without which it is a fifth slower, and to use channels last. All parts together
take about 20 minutes on two cores; the machine should have nothing else to do.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
THREADS = os.cpu_count()
PAUSE = 0.2  # seconds between the two sides, see `in_turns`
TUNED = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 28),
}
AVX2 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
CONV_LAYERS = [
    "1-64@48", "64-64@48", "64-128@24", "128-128@24",
    "128-256@12", "256-256@12", "256-512@6", "512-512@6",
]  # fmt: skip
PASSES = ["forward", "backward_input", "backward_weight"]
# M, N, K: filters × pixels × (channels · taps) of im2col, and squares; a t for a transposed operand.
GEMMS = [
    "64 18432 576 nn", "128 4608 1152 nn", "256 9216 2304 nn", "512 2304 4608 nn",
    "64 256 18432 nn", "512 512 512 nn", "2048 2048 2048 nn", "512 512 512 tn", "512 512 512 nt",
]  # fmt: skip


# The settings of each runtime that may be the best; "+bf16" and "+low" compute in fewer bits.
RUNTIMES = [
    "onnxruntime", "onnxruntime+extended", "openvino", "mnn", "ncnn", "opencv", "torch",
    "openvino+bf16", "ncnn+bf16", "mnn+low", "torch+bf16",
]  # fmt: skip


class Server:
    """A program that answers each line with a line of JSON."""

    def __init__(self, command, **environment):
        self.command = [str(word) for word in command]
        env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**env, **environment},
        )

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return self.answer(*words)

    def answer(self, *words):
        line = self.process.stdout.readline()
        if not line:
            request = " ".join(map(str, words)) or "to start"
            sys.exit(f"{' '.join(self.command)} ended at the request {request!r}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def pytorch(options, threads=THREADS, script="pytorch.py", words=(), **environment):
    command = [options.torch, ROOT / "benches" / script, *words]
    return Server(command, OMP_NUM_THREADS=str(threads), **TUNED, **environment)


def fer(options, *words):
    command = [options.fer, *words, "--json", "--simd", options.simd]
    return json.loads(subprocess.check_output([str(word) for word in command], cwd=ROOT))


def in_turns(k, ours, theirs):
    """Both results; who begins changes from round to round.

    OpenBLAS's and OpenMP's threads keep their cores for some time after the work is done and
    would halve the speed of whoever comes next; so each side begins after a pause.
    """
    answers = {}
    for side in (ours, theirs) if k % 2 else (theirs, ours):
        time.sleep(PAUSE)
        answers[side] = side()
    return answers[ours], answers[theirs]


class Table:
    """What was measured: for each name its part, bar, aim, unit and both sides of every round."""

    def __init__(self):
        self.rows = {}

    def add(self, part, name, ours, theirs, unit, bar=None, aim=None, detail=False):
        row = {"part": part, "bar": bar, "aim": aim, "unit": unit, "detail": detail}
        row = self.rows.setdefault(name, {**row, "ours": [], "theirs": [], "ratios": []})
        row["ours"].append(ours)
        row["theirs"].append(theirs)
        row["ratios"].append(ours / theirs if unit != "MiB" else theirs / ours)

    def worst(self, part, name, rows, bar, aim):
        """One row for many: the one whose median ratio is the least."""
        worst = min(rows, key=lambda n: statistics.median(self.rows[n]["ratios"]))
        row = {**self.rows[worst], "part": part, "bar": bar, "aim": aim, "detail": False}
        self.rows[f"{name}: least of {len(rows)}, {worst.split(', ')[-1]}"] = row

    def text(self, detail):
        lines = ["| | bar | aim | median | range | fer | other | unit |"]
        lines.append("|---|---|---|---|---|---|---|---|")
        for name, row in self.rows.items():
            if row["detail"] != detail:
                continue
            ratios, sides = row["ratios"], [statistics.median(row[s]) for s in ("ours", "theirs")]
            times = lambda r: f"{r:.2f}×" if r else ""
            ours, theirs = (f"{v:.1f}" if v < 100 else f"{v:.0f}" for v in sides)
            median = f"**{times(statistics.median(ratios))}**"
            cells = [name, times(row["bar"]), times(row["aim"]), median]
            cells += [f"{min(ratios):.2f} to {max(ratios):.2f}", ours, theirs, row["unit"]]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)


def train(options, table):
    """Whole training steps, batch 64, in f32 and in bfloat16."""
    opponent = pytorch(options)
    bars = {("vgg", "f32"): (1.5, 1.8), ("tiny", "f32"): (1.6, 1.8)}
    bars |= {("vgg", "bf16"): (1.3, 1.7), ("tiny", "bf16"): (1.3, 1.7)}
    for k in range(options.rounds):
        for (net, precision), (bar, aim) in bars.items():
            words = ["bench", "train", "--arch", net, "--batch-size", 64, "--steps", 7]
            run = lambda: fer(options, *words, "--precision", precision)
            both = in_turns(k, run, lambda: opponent.ask("train", net, 64, precision))
            both = [side["images_per_second"] for side in both]
            name = f"training step, {net}, batch 64" + ", bf16" * (precision == "bf16")
            table.add("train", name, *both, "images/s", bar, aim)
    opponent.close()


def infer(options, table):
    """Inference against the best of three forms of the network."""
    opponent = pytorch(options)
    kinds = ["eager", "folded", "compiled"]
    bars = {("vgg", 64): (1.5, 1.8), ("tiny", 64): (1.3, 1.6)}
    bars |= {("vgg", 1): (1.2, 1.6), ("tiny", 1): (1.2, 1.6)}
    for k in range(options.rounds):
        for (net, batch), (bar, aim) in bars.items():
            def theirs():
                answers = {kind: opponent.ask("infer", net, batch, kind) for kind in kinds}
                for kind in [kind for kind in kinds if "error" in answers[kind]]:
                    print(f"left out: {kind}, {answers[kind]['error']}", file=sys.stderr)
                    kinds.remove(kind)
                return max(a["images_per_second"] for a in answers.values() if "error" not in a)

            steps = 60 if batch == 1 else 9
            words = ["bench", "infer", "--arch", net, "--batch-size", batch, "--steps", steps]
            ours, best = in_turns(k, lambda: fer(options, *words)["images_per_second"], theirs)
            table.add("infer", f"inference, {net}, batch {batch}", ours, best, "images/s", bar, aim)
    opponent.close()


def runtimes(options, table):
    """Inference against the runtimes that trained networks are deployed with."""
    with tempfile.TemporaryDirectory() as folder:
        for net in ["tiny", "vgg", "fer-m"]:
            for batch in [1, 64]:
                against_runtimes(options, table, folder, net, batch)


def against_runtimes(options, table, folder, net, batch):
    """One network and batch: each runtime in turns with fer in the same precision; the best in f32 has the bar."""
    servers = {}
    for runtime in options.runtimes.split(","):
        server = pytorch(options, script="runtimes.py", words=[runtime, folder, net, batch])
        ready = server.answer()
        if ready["ready"]:
            servers[runtime] = server
        else:
            print(f"left out: {runtime}, {net}, batch {batch}: {ready['error']}", file=sys.stderr)
            server.close()
    few_bits = lambda runtime: "bf16" in runtime or "low" in runtime
    words = lambda runtime: [
        "bench", "infer", "--arch", net, "--batch-size", batch,
        "--precision", "bf16" if few_bits(runtime) else "f32",
    ]  # fmt: skip
    title = f"inference, {net}, batch {batch}"
    for k in range(options.rounds):
        best = []
        for runtime, server in servers.items():
            ours, theirs = in_turns(k, lambda: fer(options, *words(runtime)), lambda: server.ask("run"))
            both = [side["images_per_second"] for side in (ours, theirs)]
            table.add("runtimes", f"{title}, {runtime}", *both, "images/s", detail=True)
            best += [both] if not few_bits(runtime) else []
        if best:
            ours, theirs = min(best, key=lambda both: both[0] / both[1])
            bars = (1.1, 1.5) if batch == 1 else (1.3, 1.6)
            name = f"{title}, best f32 runtime"
            table.add("runtimes", name, ours, theirs, "images/s", *bars)
    for server in servers.values():
        server.close()


def conv(options, table):
    """Each 3×3 layer and pass against oneDNN, on all threads and on one."""
    counts = sorted({THREADS, 1}, reverse=True)
    opponents = {threads: pytorch(options, threads) for threads in counts}
    names = {}
    for k in range(options.rounds):
        for threads, opponent in opponents.items():
            for layer in CONV_LAYERS:
                words = ["bench", "conv", "--layer", layer, "--steps", 7, "--threads", threads]
                run = lambda: fer(options, *words)
                ours, theirs = in_turns(k, run, lambda: opponent.ask("conv", layer, 64))
                ours = {p["pass"]: p["gflops"] for p in ours["passes"]}
                for p in PASSES:
                    kind = f"convolution, {p}, {threads} thread{'s' * (threads > 1)}"
                    name = f"{kind}, {layer}"
                    names.setdefault(kind, []).append(name)
                    table.add("conv", name, ours[p], theirs[p], "GFLOP/s", 1.0, 1.5, detail=True)
    for kind, rows in names.items():
        table.worst("conv", kind, dict.fromkeys(rows), 1.0, 1.5)
    for opponent in opponents.values():
        opponent.close()


def gemm(options, table):
    """Matrix products against the best of gemm, faer and OpenBLAS."""
    manifest, target = ROOT / "benches/peers/Cargo.toml", ROOT / "target/peers"
    build = ["cargo", "build", "--release", "--manifest-path", manifest, "--target-dir", target]
    subprocess.run([str(word) for word in build], cwd=ROOT, check=True)
    crates, numpy = Server([target / "release/fer-peers"]), pytorch(options)
    for k in range(options.rounds):
        for shape in GEMMS:
            run = lambda: crates.ask(shape, THREADS)
            rust, python = in_turns(k, run, lambda: numpy.ask("gemm", shape))
            ours, theirs = rust.pop("fer"), max(*rust.values(), *python.values())
            name = f"matrix product, {shape.replace(' ', '×', 2)}"
            bars = (0.95, 1.0) if shape.endswith("nn") else ()
            table.add("gemm", name, ours, theirs, "GFLOP/s", *bars, detail=True)
    rows = [name for name, row in table.rows.items() if row["part"] == "gemm" and row["bar"]]
    table.worst("gemm", f"matrix product, {THREADS} threads", rows, 0.95, 1.0)
    crates.close(), numpy.close()


def threads(options, table):
    """All threads against one: fer alone."""
    words = ["bench", "train", "--arch", "vgg", "--batch-size", 64, "--steps", 5, "--threads"]
    for k in range(options.rounds):
        run = lambda n: lambda: fer(options, *words, n)["images_per_second"]
        many, one = in_turns(k, run(THREADS), run(1))
        name = f"training step, vgg, {THREADS} threads against 1"
        table.add("threads", name, many, one, "images/s", 1.8 if THREADS == 2 else None)


def avx2(options, table):
    """Both sides held to AVX2, as on a CPU that has nothing wider."""
    opponent = pytorch(options, **AVX2)
    for k in range(options.rounds):
        for what, net in [("train", "vgg"), ("train", "tiny"), ("infer", "vgg"), ("infer", "tiny")]:
            words = ["bench", what, "--arch", net, "--batch-size", 64, "--steps", 7]
            narrow = argparse.Namespace(**{**vars(options), "simd": "avx2"})
            request = [what, net, 64] + ["eager"] * (what == "infer")
            both = in_turns(k, lambda: fer(narrow, *words), lambda: opponent.ask(*request))
            both = [side["images_per_second"] for side in both]
            against = ", against eager" * (what == "infer")
            name = f"{what}, {net}, batch 64, AVX2 on both sides{against}"
            table.add("avx2", name, *both, "images/s")
    opponent.close()


def memory(options, table):
    """Largest resident memory of a process that trains vgg."""
    for k in range(3):
        def theirs():
            opponent = pytorch(options)
            answer = opponent.ask("peak", "vgg", 64)["peak_mib"]
            opponent.close()
            return answer

        ours = fer(options, "bench", "train", "--arch", "vgg", "--steps", 4)["peak_mib"]
        table.add("memory", "peak memory, training vgg", ours, theirs(), "MiB")


PARTS = {f.__name__: f for f in (train, infer, runtimes, conv, gemm, threads, avx2, memory)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts [default: %(default)s]")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--torch", default=sys.executable, help="interpreter with torch and numpy")
    parser.add_argument("--fer", default=ROOT / "target/release/fer")
    parser.add_argument("--runtimes", default=",".join(RUNTIMES), help="[default: %(default)s]")
    parser.add_argument("--simd", default="auto")
    parser.add_argument("--json", help="write every round of every row to this file")
    options = parser.parse_args()
    unknown = set(options.only.split(",")) - PARTS.keys()
    if unknown:
        parser.error(f"--only {', '.join(sorted(unknown))}: expected {', '.join(PARTS)}")

    table = Table()
    for part in options.only.split(","):
        print(f"{datetime.datetime.now():%H:%M:%S} {part}: {PARTS[part].__doc__}", file=sys.stderr)
        PARTS[part](options, table)
    info = fer(options, "info")
    version = [options.torch, "-c", "import torch; print(torch.__version__)"]
    torch = subprocess.check_output(version, text=True)
    about = {
        "date": f"{datetime.date.today()}",
        "cpu": info["cpu"],
        "threads": THREADS,
        "simd": info["simd"],
        "torch": torch.strip(),
        "rounds": options.rounds,
        "load": os.getloadavg(),
        "command": " ".join(["python3", "benches/compare.py", *sys.argv[1:]]),
    }
    heading = "{cpu}, {threads} threads, {simd}, PyTorch {torch}, {date}, {rounds} rounds: `{command}`"
    print(heading.format(**about) + "\n")
    print(table.text(detail=False))
    if any(row["detail"] for row in table.rows.values()):
        print("\n" + table.text(detail=True))
    if options.json:
        rows = [{"name": name, **row} for name, row in table.rows.items()]
        pathlib.Path(options.json).write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
