#!/usr/bin/env python3
"""Writes the licences of every crate inside the program `fer` and its Python module:
python3 .ci/third_party.py > THIRD-PARTY.txt

Exits with 1 where a crate has a licence that is not on the list below, comes from elsewhere than crates.io, or
stands twice in the program in two versions.
"""
import json
import pathlib
import re
import subprocess
import sys

ALLOWED = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unlicense", "CC0-1.0", "0BSD",
           "Unicode-3.0", "Apache-2.0 WITH LLVM-exception", "BSL-1.0", "MIT-0"}
OURS = {"fer-cnn", "fer-cnn-python", "fer-kernels"}
TWICE = {"miniz_oxide"}  # png 0.18.1 and flate2 want different ones
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def crates():
    """Returns the crates that the program links, without those for tests and build scripts."""
    cargo = ["cargo", "tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}",
             "--package", "fer-cnn", "--package", "fer-cnn-python", "--features", "fer-cnn-python/extension"]
    tree = subprocess.check_output(cargo, text=True)
    linked = {tuple(line.split()[:2]) for line in tree.splitlines() if "(proc-macro)" not in line}
    meta = subprocess.check_output(["cargo", "metadata", "--format-version", "1", "--locked"], text=True)
    packages = [p for p in json.loads(meta)["packages"] if (p["name"], "v" + p["version"]) in linked]
    return sorted((p for p in packages if p["name"] not in OURS), key=lambda p: p["name"])


def allowed(expression):
    """Returns whether one of the alternatives of an SPDX expression is allowed."""
    expression = expression.replace("/", " OR ")
    either = re.split(r"\s+OR\s+", expression.replace("(", "").replace(")", ""))
    return any(all(part in ALLOWED for part in re.split(r"\s+AND\s+", one)) for one in either)


def main():
    bad, printed = [], {}
    print("Crates inside the program fer and the module fer_cnn, and their licences.\n")
    print("The face detector is SeetaFace's (BSD-2-Clause), the font DejaVu (its own free licence): see the end.\n")
    found = crates()
    names = [crate["name"] for crate in found]
    bad += [f"{name} stands in the program twice" for name in sorted(set(names) - TWICE) if names.count(name) > 1]
    for crate in found:
        if crate["source"] != REGISTRY:
            bad.append(f"{crate['name']} comes from {crate['source']}")
        folder = pathlib.Path(crate["manifest_path"]).parent
        expression = crate["license"] or "none named"
        texts = sorted(f for f in folder.iterdir() if re.match(r"(?i)(licen[cs]e|copying|notice)", f.name) and f.is_file())
        if not allowed(expression):
            bad.append(f"{crate['name']} {crate['version']}: {expression} is not on the list")
        print("=" * 100, f"\n{crate['name']} {crate['version']}: {expression}")
        print("Authors:", ", ".join(crate["authors"]) or "see the repository", crate["repository"] or "", "\n")
        for file in texts:
            text = file.read_text(errors="replace").strip()
            first = printed.setdefault(" ".join(text.split()), f"{crate['name']}, {file.name}")
            same = first != f"{crate['name']}, {file.name}"
            print(f"--- {file.name}\n{f'the same text as {first}' if same else text}\n")
        if not texts:
            print("(the package holds no licence file)\n")
    for name in ["data/face_detector/LICENSE", "src/render/font/LICENSE"]:
        print("=" * 100, f"\n{name}\n\n{pathlib.Path(name).read_text(errors='replace').strip()}\n")
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
