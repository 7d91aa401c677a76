#!/usr/bin/env python3
"""Proves the exercises of `fer learn`: opens every hole, one at a time, and runs the tests of all exercises.

A hole must fail tests of its own exercise and none of an earlier one; the reference must pass all. Works in a folder
made by `fer learn new`, offline. Takes a few minutes, for each hole is compiled.

    cargo build && python3 tests/external/holes.py [--only NAME] [--fer target/debug/fer]
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def verdicts(folder):
    """Name of the test → whether it passed, of all exercises."""
    done = subprocess.run(
        ["cargo", "test", "--offline", "--quiet", "--test", "learn", "--", "--format=pretty"],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "RUST_BACKTRACE": "0"},
    )
    found = dict(re.findall(r"^test (\S+) \.\.\. (ok|FAILED)$", done.stdout, re.M))
    if not found:
        sys.exit(f"the hole does not compile:\n{done.stderr[-3000:]}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="only holes whose name holds this word")
    parser.add_argument("--after", default="", help="only holes behind this one")
    parser.add_argument("--fer", default=str(ROOT / "target/debug/fer"))
    options = parser.parse_args()
    text = (ROOT / "src/learn/exercises.toml").read_text()
    names = re.findall(r'^name = "(\w+)"', text, re.M)
    bad = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "engine"
        subprocess.run([options.fer, "learn", "new", str(folder), "--from", str(ROOT)], check=True, stdout=subprocess.DEVNULL)
        for number, name in enumerate(names):
            if options.only not in name or (options.after in names and number <= names.index(options.after)):
                continue
            subprocess.run([options.fer, "learn", "start", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            start = time.time()
            failed = [test for test, verdict in verdicts(folder).items() if verdict == "FAILED"]
            by = {n: [t for t in failed if f"::{n}::" in t] for n in names}
            earlier = [n for n in names[:number] if by[n]]
            later = [n for n in names[number + 1:] if by[n]]
            right = by[name] and not earlier
            bad += not right
            print(
                f"{'ok ' if right else 'BAD'} {name:<22} fails {len(by[name])} of its own tests"
                + (f", EARLIER: {', '.join(earlier)}" if earlier else "")
                + (f"; needed later by {', '.join(later)}" if later else "")
                + f"; {time.time() - start:.0f} s",
                flush=True,
            )
        subprocess.run([options.fer, "learn", "start", names[0]], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for path in (folder / ".learn/reference").rglob("*.rs"):
            (folder / path.relative_to(folder / ".learn/reference")).write_text(path.read_text())
        failed = [test for test, verdict in verdicts(folder).items() if verdict == "FAILED"]
        print(f"reference: {len(failed)} tests fail {' '.join(failed)}")
        bad += len(failed)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
