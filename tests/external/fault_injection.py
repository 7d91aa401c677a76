#!/usr/bin/env python3
"""Fault injection: every write, fsync, rename, … of a command fails in turn, and is killed in turn.

    tests/external/fault_injection.py target/release/fer [--command training|split|report|evaluation|export]
                                      [--every N] [--jobs N]

Needs `strace`. Each command is first run under strace without a fault, to count its system calls. Then, for
each kind of system call and each fault, it is run once for every call: that call fails (ENOSPC, EIO, EMFILE)
or the program is killed at it (SIGKILL). `--every N` takes every N-th call only. The laws:

  training    `fer train --resume RUN`, or the same command again where the run had not begun, ends with the
              weights of a training that nothing disturbed, and leaves no temporary file
  split       the files are both old, both new, or some are missing; they never share a face
  report      the page is the old one or a whole new one
  evaluation  all files that are there are old, or all are new
  export      as split
  all         a fault that loses anything gives an exit code other than 0, never 101 (a panic) or 134, and no
              temporary file is left (after a kill: none after the next command)

Prints a table of tries and failures, and exits with 1 if a law was broken."""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

CALLS = ["openat", "write", "fsync", "rename", "unlink", "linkat"]
FAULTS = {
    "openat": ["EMFILE", "EIO", "KILL"],
    "write": ["ENOSPC", "EIO", "KILL"],
    "fsync": ["EIO", "ENOSPC", "KILL"],
    "rename": ["EIO", "ENOSPC", "KILL"],
    "unlink": ["EIO", "KILL"],
    "linkat": ["EIO", "KILL"],
}
NETWORK = """name = "toy"
layers = [
    { type = "conv2d", filters = 4, stride = 4 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "flatten" },
    { type = "linear", units = 7 },
]
"""
TRAIN = "train --data faces.csv --arch toy.toml --epochs 2 --batch-size 32 --threads 1 --out run"
COMMANDS = {
    "training": TRAIN,
    "split": "data split faces.csv --train a.csv --val b.csv --seed 2 --val-split 0.3 --threads 1",
    "report": "report model --data seven.csv --quick --out report.html --threads 1",
    "evaluation": "eval model --data faces.csv --out evaluation --threads 1",
    "export": "export model --onnx net.onnx --weights net.safetensors --threads 1",
}


def fer(binary, line, folder, inject=None, trace="/dev/null"):
    """Runs the program; returns exit code (negative for a signal) and standard error."""
    words = [binary, *line.split()]
    if inject:
        words = ["strace", "-f", "-qq", "-o", str(trace), *inject, *words]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace", timeout=600)
    code = done.returncode
    return (-(code - 128) if code == 128 + signal.SIGKILL else code), done.stderr


def count_calls(binary, line, folder):
    """The largest number of calls of each kind in one thread: strace counts them by thread."""
    trace = folder / "trace"
    words = ["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=" + ",".join(CALLS), binary, *line.split()]
    subprocess.run(words, cwd=folder, capture_output=True, timeout=600, check=True)
    counts = collections.Counter()
    for text in trace.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+) +(\w+)\(", text)
        if found and found[2] in CALLS:
            counts[found[2], found[1]] += 1
    trace.unlink()
    largest = collections.Counter()
    for (call, _), count in counts.items():
        largest[call] = max(largest[call], count)
    return largest


def state(folder):
    """Name and hash of every file of the results."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def tensors(path):
    """The values of a weights file, without its header, which holds times."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    return hashlib.sha256(data[8 + size :]).hexdigest()


def temporaries(folder):
    return [str(p) for p in folder.rglob("*") if p.name.endswith(".tmp") or p.name.startswith(".fer-")]


def prepare(binary, command, base):
    """A folder with the inputs and, but for a training, older results."""
    base.mkdir()
    (base / "toy.toml").write_text(NETWORK)
    fer(binary, "data synth --count 140 --out faces.csv", base)
    fer(binary, "data synth --count 7 --first 900 --out seven.csv", base)
    if command != "training":
        assert fer(binary, TRAIN.replace("--out run", "--out model --no-tensorboard"), base)[0] == 0
    if command == "split":
        fer(binary, "data split faces.csv --train a.csv --val b.csv --threads 1", base)
    if command == "report":
        (base / "report.html").write_text("<html>old</html>")
    if command == "evaluation":
        fer(binary, "eval model --data seven.csv --out evaluation --threads 1", base)
    if command == "export":
        (base / "net.onnx").write_text("old")
        (base / "net.safetensors").write_text("old")


def check_training(binary, folder, code, whole):
    broken = []
    complete = code == 0
    if complete:
        if tensors(folder / "run/last.safetensors") != whole["weights"]:
            broken.append("exit code 0, but other weights")
        missing = sorted(set(whole["names"]) - set(state(folder / "run")))
        if missing:
            broken.append(f"exit code 0, but these are missing: {missing}")
        if json.loads((folder / "run/progress.json").read_text())["state"] != "finished":
            broken.append("exit code 0, but the live page says that it runs")
    again, said = fer(binary, "train --resume run --threads 1", folder)
    if again != 0 and not (folder / "run/last.safetensors").exists():
        again, said = fer(binary, COMMANDS["training"], folder)
    if again != 0:
        return broken + [f"cannot go on: {said.strip()[-200:]}"]
    if tensors(folder / "run/last.safetensors") != whole["weights"]:
        broken.append("resumed to other weights")
    return broken


def faces_of(path):
    return set(path.read_text().splitlines()[1:])


def check_files(command, folder, code, old, new):
    """All files that are there are old, or all are new; with exit code 0, all are there and new."""
    now = {name: digest for name, digest in state(folder).items() if name in old or name in new}
    if command == "report" and now.get("report.html") != old["report.html"]:  # it holds durations
        whole = (folder / "report.html").read_text().rstrip().endswith("</html>")
        now["report.html"] = "whole" if whole else "part"
    are_old = all(old.get(name) == digest for name, digest in now.items())
    are_new = all(new.get(name) == digest for name, digest in now.items() if name in new)
    broken = []
    if not are_old and not are_new:
        broken.append("old and new files are mixed")
    if code == 0 and not (are_new and set(new) <= set(now)):
        broken.append("exit code 0, but not all files are new")
    if code > 0 and not (are_old and set(old) <= set(now)):
        if not (are_new and set(new) <= set(now)):  # all of it done, and said that it may not last
            broken.append("an error, but the old files are not as they were")
    if command == "split" and {"a.csv", "b.csv"} <= set(now):
        if faces_of(folder / "a.csv") & faces_of(folder / "b.csv"):
            broken.append("a face is in both parts")
    return broken


def attempt(binary, command, base, results, whole, call, fault, number):
    folder = Path(tempfile.mkdtemp(prefix="fer-fault-"))
    try:
        shutil.rmtree(folder)
        shutil.copytree(base, folder)
        what = "signal=KILL" if fault == "KILL" else f"error={fault}"
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}"]
        trace = folder.with_name(folder.name + ".trace")
        code, errors = fer(binary, COMMANDS[command], folder, inject, trace)
        happened = re.search(r"\(INJECTED\)|killed by SIGKILL", trace.read_text(errors="replace"))
        trace.unlink()
        if not happened:
            return call, fault, number, code, None
        broken = []
        if code in (101, 134) or "panicked" in errors:
            broken.append(f"panicked: {errors.strip()[-200:]}")
        if code >= 0 and temporaries(folder):
            broken.append(f"temporary files are left: {temporaries(folder)[:3]}")
        if command == "training":
            broken += check_training(binary, folder, code, whole)
            if temporaries(folder):
                broken.append(f"temporary files after the next command: {temporaries(folder)[:3]}")
        else:
            broken += check_files(command, folder, code, results["old"], results["new"])
        return call, fault, number, code, broken
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reference(binary, command, base, work):
    """The results of the command without a fault."""
    folder = work / f"{command}-whole"
    shutil.copytree(base, folder)
    before = state(folder)
    counts = count_calls(binary, COMMANDS[command], folder)
    after = state(folder)
    changed = {n: d for n, d in after.items() if before.get(n) != d}
    old = {n: before[n] for n in before if n in changed or n.startswith("evaluation/")}
    whole = {}
    if command == "training":
        names = [n for n in state(folder / "run") if "tfevents" not in n]
        whole = {"weights": tensors(folder / "run/last.safetensors"), "names": names}
    if command == "report":  # its numbers of seconds differ from run to run
        changed = {"report.html": "whole"}
    return counts, {"old": old, "new": changed}, whole


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--command", choices=COMMANDS, action="append")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("strace is not installed")
    binary = str(Path(options.binary).resolve())
    work = Path(tempfile.mkdtemp(prefix="fer-faults-"))
    table, failures = collections.Counter(), []
    for command in options.command or COMMANDS:
        base = work / command
        prepare(binary, command, base)
        counts, results, whole = reference(binary, command, base, work)
        tries = [
            (call, fault, number)
            for call in CALLS
            for fault in FAULTS[call]
            for number in range(1, counts[call] + 1, options.every)
        ]
        print(f"{command}: {dict(counts)}, {len(tries)} tries", flush=True)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            jobs = [pool.submit(attempt, binary, command, base, results, whole, *t) for t in tries]
            for job in concurrent.futures.as_completed(jobs):
                call, fault, number, code, broken = job.result()
                if broken is None:
                    continue  # the call did not come this time
                table[command, call, fault, "tries"] += 1
                if broken:
                    table[command, call, fault, "failures"] += 1
                    failures.append(f"{command} {call} {number} {fault}, exit {code}: {'; '.join(broken)}")
                    print(failures[-1], flush=True)
    print(f"\n| command | call | {' | '.join(['ENOSPC', 'EIO', 'EMFILE', 'KILL'])} |\n|---|---|---|---|---|---|")
    for command in options.command or COMMANDS:
        for call in CALLS:
            cells = []
            for fault in ["ENOSPC", "EIO", "EMFILE", "KILL"]:
                tries = table[command, call, fault, "tries"]
                cells.append(f"{tries} ({table[command, call, fault, 'failures']})" if tries else "–")
            print(f"| {command} | {call} | {' | '.join(cells)} |")
    total = sum(n for key, n in table.items() if key[3] == "tries")
    print(f"\n{total} tries, {len(failures)} failures")
    shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
