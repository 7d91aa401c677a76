"""Trainings with two processes over links of several speeds, against a model of their cost.

    sudo python3 benches/mpi_scaling.py target/release/fer [--arch fer-s] [--batches 32,128] [--links memory,10,1]

The program is built with --features mpi. Every process has one thread. `memory` is this machine's; a number is a link
of so many Gbit/s with 0.1 ms between two network namespaces (needs root, `ip`, `tc`). Where the kernel has no netem, the
link has its own latency. Without `--links`, all that this machine can do. About ten minutes; the machine should have
nothing else to do.

The model of a step with R processes and K micro-batches. All it knows is measured without a training by several:

    compute    c(K/R)           what one process takes for a step of K/R micro-batches, while R − 1 other single trainings
                                run beside it
    waiting    w · c(K/R)       what two processes that compute and meet as often wait for each other: the cores of a shared
                                machine are never equally fast (`mpi_link.c wait`; left out for more nodes)
    meetings   2B + 1           each batch norm forwards and backwards, and the loss: a gather of the statistics
    sum        ordered          a chain of pieces there and back, 4P bytes each way (P parameters), less the half of the
                                compute during which the backward pass still runs
               fast             an all-reduce: each process sends 4P · 2(R − 1)/R bytes

Messages take as long as `mpi_link.c` says. The last table uses the same formulas for more nodes, with c(k) = k · t + u fitted
to one process alone.
"""

import argparse
import contextlib
import csv
import json
import math
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PIECE = 4 << 12  # bytes, as in src/train/parallel/ordered_sum.rs
DELAY = 1e-4  # seconds
EPOCHS = 5  # of a measured training; the first one warms up
SHORT, LONG = 80 << 10, 512 << 10  # bytes, where MPICH takes another way to gather


def run(*line, **more):
    done = subprocess.run([str(word) for word in line], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, line))}: {done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def memory():
    """Two processes of one machine."""
    yield ["mpirun", "-n", "2"]


@contextlib.contextmanager
def link(gbit, place):
    """Two processes in two network namespaces, which only a link of this speed joins."""
    spaces, device = ["ferlink1", "ferlink2"], "ferlink"
    # What mpirun calls in place of ssh: [-x] ADDRESS COMMAND …
    remote = place / "remote"
    remote.write_text('#!/bin/sh\n[ "$1" = -x ] && shift\nspace=ferlink${1##*.}\nshift\nexec ip netns exec $space sh -c "$*"\n')
    remote.chmod(0o755)
    try:
        for space in spaces:
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "link", "add", device, "netns", spaces[0], "type", "veth", "peer", "name", device, "netns", spaces[1])
        delayed = True
        for number, space in enumerate(spaces, 1):
            run("ip", "-n", space, "address", "add", f"10.77.0.{number}/24", "dev", device)
            run("ip", "-n", space, "link", "set", device, "up")
            shape = ["tc", "-n", space, "qdisc", "add", "dev", device]
            burst = f"{max(128, 32 * gbit):.0f}kb"
            run(*shape, "root", "handle", "1:", "tbf", "rate", f"{gbit}gbit", "burst", burst, "latency", "50ms")
            netem = [*shape, "parent", "1:1", "handle", "10:", "netem", "delay", f"{1e6 * DELAY:.0f}us", "limit", "100000"]
            delayed &= subprocess.run(netem, capture_output=True).returncode == 0
        while any(" UP " not in run("ip", "-n", space, "-br", "link", "show", "dev", device) for space in spaces):
            time.sleep(0.1)
        if not delayed:
            print("this kernel has no netem: the link has its own latency")
        settings = {"UCX_TLS": "tcp,self", "UCX_NET_DEVICES": device, "FI_PROVIDER": "tcp", "FI_TCP_IFACE": device}
        exported = [word for name, value in settings.items() for word in ("-genv", name, value)]
        yield ["ip", "netns", "exec", spaces[0], "mpirun", *exported, "-launcher", "ssh", "-launcher-exec", str(remote),
               "-hosts", "10.77.0.1,10.77.0.2", "-ppn", "1", "-n", "2"]
    finally:
        for space in spaces:
            subprocess.run(["ip", "netns", "delete", space], capture_output=True)


class Bench:
    """What is trained, and where its files are."""

    def __init__(self, options, place):
        self.fer, self.options, self.place = options.fer.resolve(), options, place
        self.link = place / "mpi_link"
        run("mpicc", "-O2", "-o", self.link, HERE / "mpi_link.c")
        run(self.fer, "data", "synth", "--count", "70", "--first", "1000000", "--out", place / "val.csv")
        found = json.loads(run(self.fer, "summary", options.arch, "--json"))
        self.parameters = found["parameters"]
        self.norms = [row["output"][0] for row in found["layers"] if row["kind"] == "BatchNormalization"]

    def line(self, batch, steps, reduce, epochs=1):
        faces = self.place / f"faces{batch * steps}.csv"
        if not faces.exists():
            run(self.fer, "data", "synth", "--count", batch * steps, "--out", faces)
        out = self.place / f"run{time.monotonic_ns()}"
        return out, [self.fer, "train", "--data", faces, "--val", self.place / "val.csv", "--arch", self.options.arch,
                     "--epochs", epochs, "--batch-size", batch, "--micro-batch", self.options.micro_batch, "--threads", "1",
                     "--reduce", reduce, "--no-tensorboard", "--out", out]

    def steps(self, start, batch, reduce="ordered", beside=0):
        """Trains, with as many other trainings beside, and returns the seconds of a step in each epoch but the first."""
        steps, others = max(1, 512 // batch), []
        for _ in range(beside):  # longer than what is measured
            line = [str(word) for word in self.line(batch, steps, reduce, 3 * EPOCHS)[1]]
            others.append(subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        if others:
            time.sleep(1)
        out, line = self.line(batch, steps, reduce, EPOCHS)
        try:
            run(*start, *line)
        finally:
            for other in others:
                other.terminate()
                other.wait()
        with open(out / "metrics.csv", newline="", encoding="utf-8") as file:
            return [batch / float(row["images_per_second"]) for row in csv.DictReader(file)][1:]


class Turns:
    """Seconds of steps, measured in turns: what disturbs the machine for a while disturbs all of them."""

    def __init__(self, bench):
        self.bench, self.times = bench, {}

    def take(self, name, start, batch, reduce="ordered", beside=0):
        """Measures once more."""
        self.times.setdefault((name, batch, reduce), []).extend(self.bench.steps(start, batch, reduce, beside))

    def step(self, name, batch, reduce="ordered"):
        """Returns the median seconds of a step, of all epochs in all turns."""
        return statistics.median(self.times[name, batch, reduce])

    def compute(self, name, batches, micro_batch):
        """Returns t and u of t · (number of micro-batches) + u: least squares of what steps of these sizes take."""
        counts = [batch // micro_batch for batch in batches]
        t, u = statistics.linear_regression(counts, [self.step(name, batch) for batch in batches])
        return t, max(u, 0.0)


def measured_messages(bench, start):
    """Returns seconds of a message as a function of its bytes, from measurements at four sizes."""
    sizes = [8, 1024, PIECE, 4 * bench.parameters]
    seconds = [float(text) for text in run(*start, bench.link, *sizes).split()]

    def message(size):
        k = next((k for k in range(1, len(sizes) - 1) if size <= sizes[k]), len(sizes) - 1)
        (a, b), (s, t) = sizes[k - 1:k + 1], seconds[k - 1:k + 1]
        return max(s + (size - a) * (t - s) / (b - a), seconds[0])

    return message


def gather_seconds(message, ranks, total):
    """An all-gather of `total` bytes in MPICH: by doubling where it is short, else around a ring."""
    doubling = total < SHORT or (total < LONG and ranks & (ranks - 1) == 0)
    if doubling:
        return sum(message(total * 2**k / 2 ** math.ceil(math.log2(ranks))) for k in range(math.ceil(math.log2(ranks))))
    return (ranks - 1) * message(total / ranks)


def communication(message, ranks, micro, parameters, norms, reduce, compute):
    """Returns the seconds that a step waits for messages: at the meetings, and for the sum."""
    size, rounds = 4 * parameters, math.ceil(math.log2(ranks))
    meetings = sum(2 * gather_seconds(message, ranks, 4 * micro * (1 + 2 * channels)) for channels in norms)
    meetings += gather_seconds(message, ranks, 16 * micro)
    if reduce == "fast":
        return meetings, sum(2 * message(size / 2**k) for k in range(1, rounds + 1))
    way = 2 * (ranks - 1) * message(PIECE)  # of the last piece
    streams = 1 if ranks == 2 else 2  # from one process to the next: sums so far, and whole sums
    return meetings, way + max(0, streams * size / PIECE * message(PIECE) - compute / 2)


def alone_sizes(options):
    """Returns the sizes of batches that one process trains with: parts of the batches, and enough for a line."""
    return sorted({*options.batches, *halves(options)})


def halves(options):
    return [batch // 2 for batch in options.batches]


def measure(bench, options):
    """Returns the seconds of all steps, what messages take on each link, and how long two processes wait for each other."""
    turns, messages, waits = Turns(bench), {}, {batch: [] for batch in options.batches}
    for _ in range(options.rounds):
        for batch in alone_sizes(options):
            turns.take("alone", [], batch)
        for batch in halves(options):
            turns.take("beside", [], batch, beside=1)
        between = [1e3 * turns.step("alone", batch) / 2 / (2 * len(bench.norms) + 1) for batch in options.batches]
        found = run("mpirun", "-n", "2", bench.link, "wait", *between).split()
        for batch, share in zip(options.batches, found):
            waits[batch].append(float(share))
        for name in options.links:
            with memory() if name == "memory" else link(float(name), bench.place) as start:
                messages.setdefault(name, measured_messages(bench, start))
                for reduce in ("ordered", "fast"):
                    for batch in options.batches:
                        turns.take(name, start, batch, reduce)
    return turns, messages, {batch: statistics.median(shares) for batch, shares in waits.items()}


def compare(bench, options):
    """Prints a table of measured and predicted steps; returns t and u of one process alone."""
    turns, messages, waits = measure(bench, options)
    t, update = turns.compute("alone", alone_sizes(options), options.micro_batch)
    print(f"one process alone: {1e3 * t:.1f} ms a micro-batch and {1e3 * update:.1f} ms a step; beside another, ms a step:",
          ", ".join(f"batch {batch} {1e3 * turns.step('beside', batch):.1f}" for batch in halves(options)))
    print("waiting for each other, as a share of what they compute:",
          ", ".join(f"batch {batch} {100 * share:.0f} %" for batch, share in waits.items()))
    print(f"\n{bench.parameters:,} parameters, {len(bench.norms)} batch norms, micro-batches of {options.micro_batch}")
    print(f"{'link':>12} {'sum':>8} {'batch':>6} {'ms/step':>8} {'efficiency':>10} {'predicted':>9} {'off by':>7}   "
          "of it meetings, sum")
    for batch in options.batches:
        print(f"{'one process':>12} {'':>8} {batch:>6} {1e3 * turns.step('alone', batch):>8.1f} {1:>10.2f}")
    for name, message in messages.items():
        for reduce in ("ordered", "fast"):
            for batch in options.batches:
                seconds, micro = turns.step(name, batch, reduce), batch // options.micro_batch
                work = turns.step("beside", batch // 2)
                parts = communication(message, 2, micro, bench.parameters, bench.norms, reduce, work)
                guess = (1 + waits[batch]) * work + sum(parts)
                print(f"{name if name == 'memory' else name + ' Gbit/s':>12} {reduce:>8} {batch:>6} "
                      f"{1e3 * seconds:>8.1f} {turns.step('alone', batch) / 2 / seconds:>10.2f} {1e3 * guess:>9.1f} "
                      f"{100 * (guess / seconds - 1):>+6.0f}%   {1e3 * parts[0]:.1f}, {1e3 * parts[1]:.1f} ms", flush=True)
        print(f"{'':>12} a message of 8 bytes: {1e6 * message(8):.0f} µs; of {PIECE >> 10} KiB: {1e6 * message(PIECE):.0f} µs")
    return t, update


def extrapolate(bench, options, alone):
    """Prints the model's efficiency for many nodes."""
    t, u = alone
    print("\nefficiency by the model, latency 0.1 ms; – where there are more processes than micro-batches")
    print(f"{'Gbit/s':>7} {'cores':>6} {'sum':>8} {'batch':>6} " + " ".join(f"{n:>9}" for n in (8, 64, 512)) + "  nodes")
    for gbit in (1, 10):
        for cores in (1, 16):
            for reduce in ("ordered", "fast"):
                for batch in (128, 1024, 8192):
                    micro, row = batch // options.micro_batch, []
                    for ranks in (8, 64, 512):
                        message = lambda size: DELAY + 8 * size / gbit / 1e9
                        work = math.ceil(micro / ranks) * t / cores
                        parts = communication(message, ranks, micro, bench.parameters, bench.norms, reduce, work)
                        one, step = micro * t / cores + u, work + u + sum(parts)
                        row.append(f"{one / ranks / step:>9.2f}" if ranks <= micro else f"{'–':>9}")
                    print(f"{gbit:>7} {cores:>6} {reduce:>8} {batch:>6} " + " ".join(row))


def weights(run_folder):
    """Returns the numbers of the network in a run's last checkpoint."""
    data = (run_folder / "last.safetensors").read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    found = []
    for name, entry in sorted(header.items()):
        if name.startswith("network/") and entry["dtype"] == "F32":
            a, b = (8 + length + at for at in entry["data_offsets"])
            found.extend(struct.unpack(f"<{(b - a) // 4}f", data[a:b]))
    return found


def drift(bench, options):
    """Prints how far the fast sum is from the ordered one after an epoch."""
    def train(ranks, reduce):
        out, line = bench.line(128, options.drift // 128, reduce)
        run(*(["mpirun", "-n", ranks] if ranks > 1 else []), *line)
        row = dict(zip(*(line.split(",") for line in (out / "metrics.csv").read_text().splitlines()[:2])))
        return weights(out), row

    start = train(1, "ordered")
    norm = math.sqrt(sum(w * w for w in start[0]))
    print(f"\nafter an epoch of {options.drift // 128} steps, against one process: largest and relative difference of the weights")
    for ranks, reduce in ((2, "ordered"), (1, "fast"), (2, "fast"), (4, "fast")):
        other, row = train(ranks, reduce)
        apart = [abs(a - b) for a, b in zip(start[0], other)]
        loss = abs(float(row["val_loss"]) - float(start[1]["val_loss"]))
        print(f"{ranks} processes, {reduce:>7}: {max(apart):.1e}, {math.sqrt(sum(a * a for a in apart)) / norm:.1e}; "
              f"validation loss {row['val_loss']}, {loss:.1e} apart")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser.add_argument("fer", type=pathlib.Path)
    parser.add_argument("--arch", default="fer-s")
    parser.add_argument("--batches", type=numbers, default=[32, 128])
    parser.add_argument("--micro-batch", type=int, default=16)
    parser.add_argument("--links", type=lambda text: text.split(","))
    parser.add_argument("--rounds", type=int, default=3, help="of all measurements, in turns; the median of each counts")
    parser.add_argument("--drift", type=int, default=0, help="faces of an epoch for the drift of `--reduce fast`")
    options = parser.parse_args()
    shaped = os.geteuid() == 0 and shutil.which("ip") and shutil.which("tc")
    if options.links is None:
        options.links = ["memory", "10", "1"] if shaped else ["memory"]
        if not shaped:
            print("skipped: shaped links, which need root, ip and tc")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        if options.links != [""]:
            extrapolate(bench, options, compare(bench, options))
        if options.drift:
            drift(bench, options)


if __name__ == "__main__":
    main()
