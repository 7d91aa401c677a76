#!/usr/bin/env python3
"""Runs the same commands with two `fer` programs and compares every result.

    same_results.py OLD_FER NEW_FER [--data train.csv.gz --test public_test.csv.gz] [--only maps,eval]
                    [--keep DIR] [--old-results DIR]

A change of names, files or words must not change a bit of any result. Every part below runs in a
fresh folder per program; then the two folders are compared file by file:

- weights (.safetensors): every tensor byte for byte, and the metadata value by value,
- JSON, TOML and CSV: as values by path, so the order of keys does not matter,
- event files: every summary by tag and step,
- all other files: byte for byte.

The commands are in results/commands.py. The tables of results/differences.py say what may differ:
a key that gets another name is entered in RENAMED, a file in RENAMED_FILES, a value in RENAMED_VALUES.
The commands stay as they are: old commands and options must go on working.

One line is printed per file. `same` means equal up to the differences that ALLOWED names with a
reason. `PICTURE` and `WORDS` are warnings: a picture (PNG, SVG, HTML) or a text for people differs.
`DIFFERENT` is an error: the exit code is 1.

Results depend on the SIMD instructions of the machine, so OLD and NEW run on the same one.
It needs Python 3.11 or later and nothing else.
"""

import argparse
import gzip
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results.commands import FILES, NEEDS, PARTS, commands
from results.differences import DIFFERENT, PICTURE, SAME, WORDS, compare_part
from results.values import tensors

TIMEOUT = 3600  # seconds for one command
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "FER_THREADS"} | {"COLUMNS": "100"}


class Program:
    """One `fer` program, its results, and those of the old program."""

    def __init__(self, fer, folder, old_folder, data):
        self.fer, self.folder, self.old_folder, self.data = fer, folder, old_folder, data

    def run(self, part):
        """Runs a part in a fresh folder; writes what was run last, so that half a part is none."""
        folder = self.folder / part
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, text in FILES.items():
            (folder / name).write_text(text)
        codes = {}
        for line in commands(part):
            name, code = self.step(folder, line)
            if name:
                codes[name] = code
        (folder / "exit_codes.json").write_text(json.dumps(codes))
        (folder / "commands.txt").write_text(self.signature(part))

    def signature(self, part):
        """What the results of a part depend on: the commands, the data, the machine."""
        info = subprocess.run([self.fer, "info", "--json"], capture_output=True, text=True).stdout
        simd = json.loads(info).get("simd")
        data = [Path(path).name for path in self.data.values()] if part == "real" else []
        return "\n".join([f"SIMD {simd}", *data, *commands(part)]) + "\n"

    def step(self, folder, line):
        """Carries out one line; returns the command's name and exit code, or two times None."""
        words = shlex.split(line)
        match words:
            case ["@copy", source, target]:
                copy(folder / source, folder / target)
            case ["@old", source, target]:
                copy(self.old_folder / source, folder / target)
            case ["@head", which, target, count]:
                head(self.data[which], folder / target, int(count))
            case ["@equal", one, other]:
                files = [folder / one, folder / other]
                values = [tensors(f)[0] if f.exists() else f for f in files]
                same = values[0] == values[1]
                return f"{one} equals {other}", same
            case ["@stop", name, *arguments]:
                return name.rstrip(":"), self.stop(folder, arguments)
            case [name, *arguments]:
                name = name.rstrip(":")
                kind = "json" if "--json" in arguments else "txt"
                said = folder / f"{name}.{kind}", folder / f"{name}.err"
                with open(said[0], "wb") as out, open(said[1], "wb") as err:
                    how = {"cwd": folder, "env": ENVIRONMENT, "stdout": out, "stderr": err}
                    done = subprocess.run([self.fer, *arguments], timeout=TIMEOUT, **how)
                return name, done.returncode
        return None, None

    def stop(self, folder, arguments):
        """Starts a training and stops it after its first epoch, as Ctrl-C does."""
        run = folder / arguments[arguments.index("--out") + 1]
        command = [self.fer, *arguments]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, **quiet) as process:
            while process.poll() is None and not (run / "metrics.csv").exists():
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            return process.wait(TIMEOUT)


def copy(source, target):
    """Copies a file or a folder; what a failed command did not write is missing in the comparison."""
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copy(source, target)


def head(source, target, count):
    """Writes the first rows of a CSV, plain or gzip, with its header."""
    opened = gzip.open if str(source).endswith(".gz") else open
    with opened(source, "rt") as rows, open(target, "w") as out:
        out.writelines(itertools.islice(rows, count + 1))


def check_codes(part, folder):
    """Says which commands failed: a failure is no result to compare."""
    codes = json.loads((folder / part / "exit_codes.json").read_text())
    for name, code in codes.items():
        if code is False:
            print(f"note: {part}: not so: {name}")
        elif code is not True and code not in (0, 130):
            print(f"note: {part}: {name} ended with {code}, see {folder / part / name}.err")


def cpu_seconds():
    """CPU time of all commands so far."""
    times = os.times()
    return times.children_user + times.children_system


def make(program, part, reuse):
    """The results of a part, from before or made now."""
    note = program.folder / part / "commands.txt"
    if reuse and note.exists():
        if note.read_text() == program.signature(part):
            return
        print(f"note: {part} in {program.folder} is of other commands or another machine: made again")
    begun, cpu = time.time(), cpu_seconds()
    program.run(part)
    seconds, cpu = time.time() - begun, cpu_seconds() - cpu
    print(f"ran {part} in {seconds:.0f} s ({cpu:.0f} s of CPU): {program.fer}", flush=True)
    check_codes(part, program.folder)


def main():
    parser = argparse.ArgumentParser(description="Compares the results of two fer programs.")
    parser.add_argument("old", type=Path, metavar="OLD_FER")
    parser.add_argument("new", type=Path, metavar="NEW_FER")
    parser.add_argument("--data", type=Path, help="real training faces, a CSV (plain or gzip)")
    parser.add_argument("--test", type=Path, help="real test faces, a CSV (plain or gzip)")
    parser.add_argument("--only", help=f"parts, comma-separated: {', '.join(PARTS)}")
    keep, old_results = "keep results in DIR/old and DIR/new", "use old results, make missing ones"
    parser.add_argument("--keep", type=Path, metavar="DIR", help=keep)
    parser.add_argument("--old-results", type=Path, metavar="DIR", help=old_results)
    parser.add_argument("--quiet", action="store_true", help="print no line for equal files")
    args = parser.parse_args()
    data = {k: v.resolve() for k, v in (("data", args.data), ("test", args.test)) if v}
    default = [part for part in PARTS if part != "real" or len(data) == 2]
    wanted = args.only.split(",") if args.only else default
    if unknown := [part for part in wanted if part not in PARTS]:
        parser.error(f"no part {', '.join(unknown)}; parts are {', '.join(PARTS)}")
    parts = [part for part in PARTS if part in wanted]  # a part comes after those that it needs
    if "real" in parts and len(data) < 2:
        parser.error("the part real needs --data and --test")
    begun, counts = time.time(), {}
    with tempfile.TemporaryDirectory() as temporary:
        kept = args.keep or Path(temporary)
        old_folder = (args.old_results or kept / "old").resolve()
        new_folder = (kept / "new").resolve()
        old = Program(args.old.resolve(), old_folder, old_folder, data)
        new = Program(args.new.resolve(), new_folder, old_folder, data)
        needed = [need for part in parts for need in NEEDS.get(part, []) if need not in parts]
        for part in dict.fromkeys(needed):
            make(old, part, reuse=args.old_results is not None)
        for part in parts:
            make(old, part, reuse=args.old_results is not None)
            make(new, part, reuse=False)
            compare_part(part, old_folder, new_folder, counts, args.quiet)
    files_compared = sum(counts.values())
    found = ", ".join(f"{counts.get(kind, 0)} {kind}" for kind in (SAME, WORDS, PICTURE, DIFFERENT))
    print(f"{files_compared} comparisons in {time.time() - begun:.0f} s: {found}")
    return 1 if counts.get(DIFFERENT) else 0


if __name__ == "__main__":
    sys.exit(main())
