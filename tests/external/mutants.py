#!/usr/bin/env python3
"""Breaks the backward passes one at a time and asks the suite to notice.

    python3 tests/external/mutants.py            every mutant
    python3 tests/external/mutants.py --quick    a tenth of them, spread evenly
    python3 tests/external/mutants.py --only conv2d --verbose

A mutant is a plausible mistake:

* in what an op hands back: a gradient of the wrong sign, times 1.01, missing, or with its last
  element lost. These need no knowledge of the op, so a new op is covered as soon as it is in
  src/ops and has samples.
* in how it is computed: inside every `fn backward…` of src/ops and kernels, an operator exchanged,
  a term or factor dropped, an accumulation lost, operands, layouts or transposes swapped.

All mutants are compiled into one test binary: the body of each function is repeated once for each
of its mutants, and an environment variable chooses. So one build serves hundreds of mutants. A
mutant that does not compile is left out, one that the tests never reach counts as survived. The
work is done on a copy of the sources in target/mutants; only the standard library is used.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "mutants"

LAWS = ["laws::"]
FAST_LAW = "kernels"  # slow, so it judges last, and only the fast kernels
ENGINE = ["autograd", "error", "ops", "random", "tensor"]

# Up to here the taps of a filter are computed together; both ways are right for any channels.
FEW_CHANNELS = "Some(m) if g.c_in / g.groups > FEW_CHANNELS => {"

# (file, function, mutant) that no test can tell from the original, with the reason.
EQUIVALENT = {
    **{
        ("kernels/conv2d/backward_input.rs", "backward_input", what, FEW_CHANNELS): (
            "decides only which of two products computes the gradient"
        )
        for what in ("/ becomes *", "factor dropped", "comparison includes", "comparison reversed")
    },
    (
        "src/ops/image/global_avg_pool2d.rs",
        "backward",
        "layout ignored",
        "let pixel = grad_output.reshape(&[n, c, 1, 1])?.to_layout(T::LAYOUT);",
    ): "decides only in which order the gradient lies in memory",
}

SWITCH = """
/// The mutant in force, and a note that the tests reached it.
#[doc(hidden)]
pub fn mutant(range: std::ops::RangeInclusive<usize>) -> usize {
    static CHOSEN: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    static REACHED: std::sync::Once = std::sync::Once::new();
    let read = || std::env::var("FER_MUTANT").ok().and_then(|v| v.parse().ok()).unwrap_or(0);
    let chosen = *CHOSEN.get_or_init(read);
    if !range.contains(&chosen) {
        return 0;
    }
    REACHED.call_once(|| {
        if let Ok(path) = std::env::var("FER_REACHED") {
            let _ = std::fs::write(path, "");
        }
    });
    chosen
}
"""

# Appended to the line of the tape that calls an op's backward pass.
BOUNDARY = """
        for (k, slot) in self.inputs.grads.iter_mut().enumerate() {
            let ops = crate::ops::OPS.iter().position(|(name, _)| *name == op.name());
            let (Some(place), Some(grad)) = (ops, slot.as_mut()) else { continue };
            let first = FIRST + (place * 3 + k.min(2)) * 4;
            match fer_kernels::mutant(first..=first + 3).checked_sub(first) {
                Some(0) => *grad = grad.map(|g| -g),
                Some(1) => *grad = grad.map(|g| g * T::from_f64(1.01)),
                Some(2) => *slot = None,
                Some(3) => {
                    if let Some(last) = grad.as_mut_slice().last_mut() {
                        *last = T::ZERO;
                    }
                }
                _ => {}
            }
        }
"""
BOUNDARY_KINDS = ["sign flipped", "times 1.01", "missing", "last element lost"]

OPERAND = r"[\w.]+(?:::\w+)*(?:\([^()]*\)|\[[^\[\]]*\])*"
PRODUCT = rf"{OPERAND}(?: [*/] {OPERAND})*"

# (what, pattern, replacement): each match in a body is one mutant.
RULES = [
    ("+ becomes -", r" \+ ", " - "),
    ("- becomes +", r" - ", " + "),
    ("* becomes /", r" \* ", " / "),
    ("/ becomes *", r" / ", " * "),
    ("accumulation lost", r" \+= ", " = "),
    ("accumulation subtracts", r" \+= ", " -= "),
    ("sign lost", r"(?<=[(|{,=] )-(?=[a-z(])|(?<=\()-(?=[a-z(])", ""),
    ("sign gained", r"(?<=\| )(?=[a-z(][^|{]*[,)])(?!if )", "-"),
    ("term dropped", rf" [-+] {PRODUCT}", ""),
    ("factor dropped", rf" [*/] {OPERAND}", ""),
    ("first factor dropped", rf"{OPERAND} \* ", ""),
    ("comparison includes", r" > ", " >= "),
    ("comparison reversed", r" > ", " < "),
    ("and becomes or", r" && ", " || "),
    ("condition negated", r"\bif (self\.\w+) \{", r"if !\1 {"),
    ("transposed", r"Transpose::No", "Transpose::Yes"),
    ("not transposed", r"Transpose::Yes", "Transpose::No"),
    ("inputs swapped", r"grads\.set\(0,", "grads.set(1,"),
    ("operands swapped", r"&self\.a\b", "&self.b"),
    ("operands swapped", r"&self\.b\b", "&self.a"),
    ("operands swapped", r"\bgrad_gamma\b(?=\[)", "grad_beta"),
    ("operands swapped", r"\bgg, gb\b", "gb, gg"),
    ("layout ignored", r"\.to_layout\([^()]*\)", ".clone()"),
    ("zero becomes one", r"T::ZERO", "T::ONE"),
    ("one becomes zero", r"T::ONE", "T::ZERO"),
    ("one index off", r"(?<=\.\.)(\w+)(?=[\]) {])", r"\1 - 1"),
]


class Mutant:
    def __init__(self, number, file, function, what, line=None):
        self.number, self.file, self.function, self.what = number, file, function, what
        self.line = line  # None: at the boundary, where an op may have fewer inputs
        self.verdict = None

    def __str__(self):
        at = f" in `{self.line}`" if self.line else ""
        return f"{self.file} {self.function}: {self.what}{at}"


def copy_sources():
    COPY.mkdir(parents=True, exist_ok=True)
    for name in ("src", "kernels", "tests"):
        shutil.rmtree(COPY / name, ignore_errors=True)
        shutil.copytree(ROOT / name, COPY / name)
    for name in ("Cargo.toml", "Cargo.lock", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, COPY / name)
    if (ROOT / "benches").exists():  # Cargo.toml may name them
        shutil.copytree(ROOT / "benches", COPY / "benches", dirs_exist_ok=True)
    # Only the engine and its laws are built: the program around them takes minutes.
    (COPY / "src" / "main.rs").write_text("fn main() {}\n")
    keep_modules(COPY / "src" / "lib.rs", ENGINE)
    keep_modules(COPY / "tests" / "main.rs", ["laws", "kernels", "support"])
    keep_modules(COPY / "tests" / "support" / "mod.rs", ["samples"])


def keep_modules(path, names):
    """Removes every `mod` that is not named, and what is re-exported from it."""

    def wanted(line):
        m = re.match(r"(?:pub )?mod (\w+);|pub use (\w+)::", line)
        return not m or (m.group(1) or m.group(2)) in names

    path.write_text("\n".join(filter(wanted, path.read_text().split("\n"))))


def closing(text, start):
    """Index of the brace that closes the one at `start`; comments and strings are skipped."""
    depth, i = 0, start
    while i < len(text):
        if text.startswith("//", i):
            i = text.index("\n", i)
        elif text[i] == '"':
            i += 1
            while text[i] != '"':
                i += 2 if text[i] == "\\" else 1
        elif text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
            if depth == 0:
                return i
        i += 1
    raise ValueError("unbalanced braces")


def functions(text):
    """(name, outputs, start, end) of every function whose name holds `backward`."""
    end_of_code = text.find("#[cfg(test)]")
    for m in re.finditer(r"\bfn (\w*backward\w*)[^;{]*?(?=\{)", text):
        if end_of_code >= 0 and m.start() > end_of_code:
            break
        outputs = re.findall(r"(\w+): &mut \[(\w+)\]", m.group(0))
        yield m.group(1), outputs, m.end(), closing(text, m.end())


def line_at(body, position):
    start = body.rfind("\n", 0, position) + 1
    end = body.find("\n", position)
    return body[start : end if end >= 0 else None].strip()


def in_comment(body, position):
    start = body.rfind("\n", 0, position) + 1
    return "//" in body[start:position]


def variants(body, outputs):
    """Each mutant of a body: what was done, the line, the new body."""
    seen = {body}
    for what, pattern, replacement in RULES:
        for m in re.finditer(pattern, body):
            new = body[: m.start()] + m.expand(replacement) + body[m.end() :]
            if in_comment(body, m.start()) or new in seen:
                continue
            seen.add(new)
            yield what, line_at(body, m.start() + 1), new
    for name, element in outputs:
        number = "T::from_f64(1.01)" if element == "T" else "1.01"
        for what, change in (
            ("sign flipped", f"for v in {name}.iter_mut() {{ *v = -*v; }}"),
            ("times 1.01", f"for v in {name}.iter_mut() {{ *v = *v * {number}; }}"),
            ("last element lost", f"if let Some(v) = {name}.last_mut() {{ *v = Default::default(); }}"),
        ):
            yield what, name, "{" + body + ";\n" + change + "}"


def instrument(skip, only):
    """Writes the mutants into the copy. Returns them, and for each file its lines' mutants."""
    mutants, owners = [], {}
    kernels = sorted((ROOT / "kernels").rglob("*.rs"))
    ops = sorted((ROOT / "src" / "ops").rglob("*.rs"))
    for path in ops + kernels:
        name = str(path.relative_to(ROOT))
        text = path.read_text()
        if name == "kernels/dispatch.rs" or only not in name:  # dispatch only calls
            continue
        out, at = [], 0
        for function, outputs, start, end in functions(text):
            arms, first = [], len(mutants) + 1
            for what, line, new in variants(text[start : end + 1], outputs):
                mutant = Mutant(len(mutants) + 1, name, function, what, line)
                mutants.append(mutant)
                if (name, function, what, line) in EQUIVALENT:
                    mutant.verdict = "equivalent"
                elif mutant.number in skip:
                    mutant.verdict = "does not compile"
                else:
                    arms.append((mutant.number, new))
            if not arms:
                continue
            out.append(text[at:start])
            switch = f"fer_kernels::mutant({first}..={len(mutants)})"
            if name.startswith("kernels/"):
                switch = switch.replace("fer_kernels", "crate")
            out.append("{ match " + switch + " {\n")
            for number, new in arms:
                out.append(f"/*M{number}*/ {number} => {new},\n")
            out.append(f"/*M0*/ _ => {text[start : end + 1]} }} }}")
            at = end + 1
        if not out:
            continue
        out.append(text[at:])
        text = "".join(out)
        (COPY / name).write_text(text)
        current, lines = 0, []
        for line in text.split("\n"):
            for mark in re.findall(r"/\*M(\d+)\*/", line):
                current = int(mark)
            lines.append(current)
        owners[name] = lines
    boundary(mutants)
    lib = COPY / "kernels" / "lib.rs"
    lib.write_text((ROOT / "kernels" / "lib.rs").read_text() + SWITCH)
    return mutants, owners


def boundary(mutants):
    """The mutants of what each op hands back, in the one place that all gradients pass."""
    table = (ROOT / "src/ops/mod.rs").read_text()
    names = re.findall(r'^    \("(\w+)", "', table, re.M)
    path = COPY / "src/autograd/backward.rs"
    text = (ROOT / "src/autograd/backward.rs").read_text()
    call = "op.backward(&grad_output, &mut self.inputs)?;"
    assert text.count(call) == 1, "tests/external/mutants.py no longer finds the call of op.backward"
    first = len(mutants) + 1
    path.write_text(text.replace(call, call + BOUNDARY.replace("FIRST", str(first))))
    for op in names:
        found = next((ROOT / "src" / "ops").rglob(f"{op}.rs"), None)
        file = str(found.relative_to(ROOT)) if found else "src/ops/mod.rs"
        for k in range(3):
            for kind in BOUNDARY_KINDS:
                what = f"gradient of input {k}: {kind}"
                mutants.append(Mutant(len(mutants) + 1, file, "backward", what))


def build():
    """The test binary, or the set of (file, line) that does not compile."""
    command = ["cargo", "test", "--test", "suite", "--no-run", "--message-format=json"]
    # Debug information would double the time, and nobody looks at it.
    for package in ("fer", "fer-kernels"):
        command += ["--config", f"profile.dev.package.{package}.debug=0"]
    # Not the target folder of ROOT: cargo would take one package for the other.
    env = dict(os.environ, CARGO_TARGET_DIR=str(COPY / "target"))
    done = subprocess.run(command, cwd=COPY, env=env, capture_output=True, text=True)
    executable, errors, texts = None, set(), []
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message.get("executable"):
            if message["target"]["name"] == "suite":
                executable = message["executable"]
        if message.get("reason") == "compiler-message":
            diagnostic = message["message"]
            if diagnostic["level"] != "error":
                continue
            texts.append(diagnostic["rendered"])
            for span in diagnostic["spans"]:
                if span["is_primary"]:
                    errors.add((span["file_name"], span["line_start"]))
    if executable is None and not errors:
        sys.exit(f"the copy does not build:\n{done.stderr[-3000:]}")
    return executable, errors, texts


def build_all(only):
    skip = set()
    for _ in range(12):
        mutants, owners = instrument(skip, only)
        executable, errors, texts = build()
        if executable:
            return mutants, executable
        bad = set()
        for file, line in errors:
            lines = owners.get(file, [])
            if 0 < line <= len(lines) and lines[line - 1]:
                bad.add(lines[line - 1])
        if not bad - skip:
            sys.exit("an error outside of any mutant:\n" + "\n".join(texts[:3]))
        skip |= bad
    sys.exit("the mutants do not compile")


def filters(mutant):
    """Test filters in order: the tests nearest to the mutant, then all laws."""
    parts = Path(mutant.file).with_suffix("").parts  # kernels/conv2d/filters.rs is of conv2d
    is_file = parts[0] != "kernels" or parts[1] in ("naive", "norm")
    stem = parts[-1] if is_file else parts[1]
    near = {
        "pool": ["gradients::max_pool2d", "gradients::avg_pool2d"],
        "gemm": ["gradients::matmul"],
        "warp": ["gradients::affine_warp"],
    }.get(stem, [f"gradients::{stem}::"])
    fast = parts[0] == "kernels" and parts[1] != "naive"
    return [near, LAWS] + ([[f"{FAST_LAW}::"]] if fast else [])


def judge(mutant, executable, timeout):
    reached = COPY / f"reached-{mutant.number}"
    reached.unlink(missing_ok=True)
    env = dict(os.environ, FER_MUTANT=str(mutant.number), FER_REACHED=str(reached))
    env.update(RUST_BACKTRACE="0", RAYON_NUM_THREADS="2", CARGO_MANIFEST_DIR=str(COPY))
    mutant.verdict = "survived"
    for tests in filters(mutant):
        command = [executable, "--test-threads=1", *tests]
        try:
            done = subprocess.run(command, cwd=COPY, env=env, capture_output=True, timeout=timeout)
            failed = done.returncode != 0
        except subprocess.TimeoutExpired:
            failed = True
        if failed:
            mutant.verdict = "killed"
            break
        if mutant.line is None and not reached.exists():
            mutant.verdict = "no such input"
            break
    reached.unlink(missing_ok=True)
    return mutant


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the mutants")
    parser.add_argument("--only", default="", help="only mutants of files that hold this word")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()

    start = time.time()
    copy_sources()
    mutants, executable = build_all(options.only)
    env = dict(os.environ, FER_MUTANT="0", RUST_BACKTRACE="0")
    healthy = subprocess.run([executable, *LAWS], cwd=COPY, env=env, capture_output=True)
    if healthy.returncode != 0:
        sys.exit("the suite fails without any mutant:\n" + healthy.stdout.decode()[-2000:])
    print(f"{len(mutants)} mutants built in {time.time() - start:.0f} s", flush=True)

    live = [m for m in mutants if m.verdict is None and options.only in m.file]
    if options.quick:
        live = live[::10]
    with ThreadPoolExecutor(options.jobs) as pool:
        for m in pool.map(lambda m: judge(m, executable, 120), live):
            if m.verdict == "survived" or options.verbose:
                print(f"{m.verdict.upper()}: {m}", flush=True)
    count = {}
    for m in live:
        count[m.verdict] = count.get(m.verdict, 0) + 1
    left_out = sum(m.verdict == "does not compile" for m in mutants)
    print(
        f"{count.get('killed', 0)} killed, {count.get('survived', 0)} survived; "
        f"{left_out} left out because they do not compile; {time.time() - start:.0f} s"
    )
    sys.exit(1 if count.get("survived") else 0)


if __name__ == "__main__":
    main()
