"""What each tool of the recipe is worth: every one off, or on, alone, against the same base.

    python3 benches/ablation.py --data train.csv.gz --val public_test.csv.gz [--out ablation]
        [--arch fer-s] [--epochs 12] [--seeds 3] [--only NAME,...] [--synthetic N] [--fer BINARY]

Each run is `fer train --config OUT/NAME-SEED.toml`, so any of them can be repeated by hand. What is
finished (OUT/results.json) is skipped and what was stopped goes on, so the script may be ended and
started again at any time. It writes OUT/ablation.md: accuracy on the validation faces (last average of
the weights, no epoch picked), the difference of its mean to the base's, and a 95 % interval of that
difference, t √(2 s² / seeds): s is the spread over the seeds of one variant, pooled over all of them,
because a few seeds of one variant alone say little about it. (A seed that two variants share does not
make their results alike: the differences to the base of the same seed spread as those to another.)
"""

import argparse
import json
import math
import pathlib
import re
import shutil
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL_FIRST = "sizes=[{until=0.4,side=32},{until=0.75,side=40},{until=1.0,side=48}]"

# Of recipe fast when the table was begun; it has changed since, the table's base has not.
OF_THE_TABLE = ["batch=128", "lr=0.1", "augment.rotation=12", "augment.shift=4",
                "augment.zoom=[0.88,1.12]"]
BASE_SETTINGS = [word for s in [SMALL_FIRST, *OF_THE_TABLE] for word in ("--set", s)]

# Name, what it is, settings over the base.
OFF = [
    ("no-deduplication", "copies and contradicting labels stay", ["deduplicate=false"]),
    ("no-augmentation", "faces as they are", ["augment.rotation=0", "augment.shift=0",
     "augment.zoom=[1,1]", "augment.flip=none", "augment.contrast=[1,1]", "augment.brightness=0"]),
    ("no-rotation", "no rotation", ["augment.rotation=0"]),
    ("no-shift", "no shift", ["augment.shift=0"]),
    ("no-zoom", "no zoom", ["augment.zoom=[1,1]"]),
    ("no-flip", "no mirror images", ["augment.flip=none"]),
    ("random-flip", "mirrored by a coin instead of in turns", ["augment.flip=random"]),
    ("no-light", "no contrast and brightness", ["augment.contrast=[1,1]", "augment.brightness=0"]),
    ("no-smoothing", "no label smoothing", ["label_smoothing=0"]),
    ("no-ema", "no average of the weights", ["ema=0"]),
    ("no-warmup", "full learning rate from the first step", ["schedule.warmup=0"]),
    ("constant-lr", "learning rate never falls", ["schedule.shape=constant"]),
    ("full-size", "48 pixels from the start, at 1.5 times the cost", ["sizes=[]"]),
    ("no-weight-decay", "no weight decay", ["optimizer.weight_decay=0"]),
    ("no-se", "no squeeze-excitation", None),
]
ON = [
    ("strong", "stronger warp: 15 degrees, 5 px, zoom .85 to 1.15", ["augment.rotation=15",
     "augment.shift=5", "augment.zoom=[0.85,1.15]"]),
    ("erasing", "random erasing of one face in four", ["augment.erase_probability=0.25"]),
    ("mixup", "mixup, alpha .2", ["mixup=0.2"]),
    ("cosine", "cosine instead of a straight line", ["schedule.shape=cosine"]),
    ("identity", "identity initialisation", ["init=identity"]),
    ("whitening", "whitening of the first convolution", ["init=whitening"]),
    ("whitening-identity", "both", ["init=whitening-identity"]),
    ("beta-lr", "8 times the rate on batch norms' beta", ["optimizer.beta_lr=8"]),
    ("clip", "gradient norm at most 1", ["optimizer.clip_norm=1"]),
    ("class-balanced", "every class equally often", ["class_balanced=true"]),
    ("equalize", "equalised histograms", ["augment.equalize=true"]),
    ("adam-w", "AdamW at .001", ["optimizer.kind=adam-w", "lr=0.001", "optimizer.weight_decay=0.05"]),
    ("distilled", "learns from the base runs of all seeds", "teachers"),
    ("fine-tuned", "starts from a network that learnt 7,000 drawn faces", "drawn"),
]


def fer(args, *words, **how):
    return subprocess.run([args.fer, *map(str, words)], check=True, text=True, **how).stdout


def base_options(args, seed, network):
    options = ["--recipe", "fast", *network, "--epochs", args.epochs, "--seed", seed]
    return options + BASE_SETTINGS + ["--data", args.data, "--val", args.val]


def one_validation_set(args):
    """All runs are judged on the same faces, or a student's teachers would know some of them."""
    train, val = args.out / "train.csv", args.out / "val.csv"
    if args.val:
        return
    if not val.exists() and args.data:
        fer(args, "data", "split", args.data, "--train", train, "--val", val, stdout=subprocess.DEVNULL)
    elif not val.exists():
        fer(args, "data", "synth", "--count", args.synthetic, "--out", train)
        count = max(70, args.synthetic // 10)
        fer(args, "data", "synth", "--count", count, "--first", 1_000_000, "--out", val)
    args.data, args.val = train, val


def without_se(args):
    """The base network without squeeze-excitation, as a file."""
    text = (args.out / "base-0" / "network.toml").read_text()
    pattern = r'\[\[layers\.layers\]\]\ntype = "squeeze_excite"\n(?:\w+ = .*\n)*\n?'
    text, removed = re.subn(pattern, "", text)
    assert removed > 0, f"{args.arch} has no squeeze-excitation"
    path = args.out / "no-se.toml"
    path.write_text(text)
    return path


def options(args, name, settings, seed):
    if settings == "drawn":
        return base_options(args, seed, ["--from", drawn_first(args)])
    base = base_options(args, seed, ["--arch", without_se(args) if name == "no-se" else args.arch])
    if settings == "teachers":
        return base + ["--teacher", ",".join(str(args.out / f"base-{s}") for s in range(args.seeds))]
    return base + [word for s in settings or [] for word in ("--set", s)]


def train(args, folder, words):
    """Trains what `words` say into `folder`, or goes on where it stopped; a finished run stays."""
    if (folder / "last.safetensors").exists():
        return fer(args, "train", "--resume", folder, "--no-tensorboard")
    shutil.rmtree(folder, ignore_errors=True)  # stopped before its first checkpoint
    config = folder.with_suffix(".toml")
    config.write_text(fer(args, "train", *words, "--print-config", stdout=subprocess.PIPE))
    fer(args, "train", "--config", config, "--no-tensorboard", "--out", folder)


def drawn_first(args):
    """A network that has seen drawn faces only, with the base's settings."""
    words = ["--recipe", "fast", "--arch", args.arch, "--epochs", args.epochs]
    train(args, args.out / "drawn", words + BASE_SETTINGS)
    return args.out / "drawn"


def judge(args, runs, *more):
    words = ["eval", *runs, "--data", args.val, *more, "--json"]
    return json.loads(fer(args, *words, stdout=subprocess.PIPE))


def run(args, name, settings, seed):
    """Trains one variant with one seed, or reads what it reached."""
    key = f"{name}-{seed}"
    folder, stored = args.out / key, args.out / "results.json"
    results = lambda: json.loads(stored.read_text()) if stored.exists() else {}
    if key in results():
        return results()[key]
    train(args, folder, options(args, name, settings, seed))
    e = judge(args, [folder])
    seconds = float((folder / "metrics.csv").read_text().split("\n")[-2].split(",")[9])
    found = {"accuracy": e["accuracy"], "macro_f1": e["macro_f1"], "seconds": seconds, "n": e["n"]}
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in {**results(), key: found}.items()]
    lines = ",\n".join(lines)  # read anew: the script may run twice, with other --only
    stored.write_text("{\n" + lines + "\n}\n")
    return found


def student_t(dof):
    """97.5 % point of Student's t (table; the normal's beyond)."""
    table = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23]
    return table[dof - 1] if dof <= 10 else 1.96 + 2.4 / dof


def verdict(gain, half, off):
    if abs(gain) <= half:
        return "no difference shown"
    if off:
        return "better without" if gain > 0 else "needed"
    return "helps" if gain > 0 else "hurts"


def row(name, words, results, base, half, off):
    """One line of the table."""
    accuracy = 100 * statistics.mean(r["accuracy"] for r in results)
    f1 = 100 * statistics.mean(r["macro_f1"] for r in results)
    gain = accuracy - 100 * statistics.mean(b["accuracy"] for b in base)
    text = f"| {name} | {words} | {accuracy:.2f} | {gain:+.2f} ± {half:.2f} "
    return text + f"| {verdict(gain, half, off)} | {f1:.2f} |\n"


def table(args, groups, results):
    base = results["base"]
    spreads, dof = 0.0, 0
    for found in results.values():
        if len(found) > 1:
            spreads += statistics.variance([100 * r["accuracy"] for r in found]) * (len(found) - 1)
            dof += len(found) - 1
    half = student_t(dof) * math.sqrt(2 * spreads / dof / args.seeds) if dof else math.inf
    accuracies = ", ".join(f"{100 * b['accuracy']:.2f}" for b in base)
    text = f"# Ablation\n\n{args.arch}, {args.epochs} epochs, {args.seeds} seeds, "
    text += f"{base[0]['n']:,} validation faces. Base: `--recipe fast` at this budget, {accuracies} %.\n"
    text += "Accuracy and macro-F1 in %, gain in points over the base's mean with a 95 % interval (spread "
    text += "over seeds pooled over all variants). Every row is held against the same base runs, so "
    text += "their error is in all of them; and of so many rows one in twenty lies beyond its interval "
    text += "by chance.\n"
    for title, variants in groups:
        text += f"\n## {title}\n\n| variant | what it is | accuracy | gain | verdict | macro-F1 |\n"
        text += "|---|---|---|---|---|---|\n"
        for name, words, _ in variants:
            if name in results:
                text += row(name, words, results[name], base, half, variants is OFF)
    return text


def after_training(args):
    """Tools that need no training of their own; asked once, early, while the base runs are there."""
    stored = args.out / "at_use.md"
    if stored.exists():
        return stored.read_text()
    runs = [args.out / f"base-{s}" for s in range(args.seeds)]
    rows = [("one network", [judge(args, [r]) for r in runs])]
    rows += [("one network, ten views (--tta)", [judge(args, [r], "--tta") for r in runs])]
    rows += [(f"mean of {args.seeds} networks", [judge(args, runs)])]
    rows += [(f"mean of {args.seeds} networks, ten views", [judge(args, runs, "--tta")])]
    text = "\n## At use\n\n| | accuracy | macro-F1 |\n|---|---|---|\n"
    for name, found in rows:
        means = [100 * statistics.mean(e[key] for e in found) for key in ("accuracy", "macro_f1")]
        text += f"| {name} | {means[0]:.2f} | {means[1]:.2f} |\n"
    stored.write_text(text)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="training faces; without, drawn ones")
    parser.add_argument("--val", help="validation faces; without, a tenth of the training faces is cut off, once")
    parser.add_argument("--synthetic", type=int, default=7000)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("ablation"))
    parser.add_argument("--arch", default="fer-s")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="names, comma between")
    parser.add_argument("--fer", default=str(ROOT / "target/release/fer"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    one_validation_set(args)
    chosen = [n for n in args.only.split(",") if n]
    groups = [("Off alone", OFF), ("On alone", ON)]
    known = {name for _, variants in groups for name, *_ in variants}
    if unknown := set(chosen) - known:
        parser.error(f"--only {','.join(sorted(unknown))}: known are {', '.join(sorted(known))}")
    results = {"base": [run(args, "base", [], s) for s in range(args.seeds)]}
    at_use = after_training(args)
    variants = [v for _, group in groups for v in group if not chosen or v[0] in chosen]
    # Those that read the base's run folders first, so that its results are enough from then on.
    for name, _, settings in sorted(variants, key=lambda v: v[2] not in ("teachers", None)):
        results[name] = [run(args, name, settings, s) for s in range(args.seeds)]
        (args.out / "ablation.md").write_text(table(args, groups, results) + at_use)
    report = table(args, groups, results) + at_use
    (args.out / "ablation.md").write_text(report)
    print(report)


main()
