"""Checks that TensorBoard serves what `fer train` wrote. Run it by tests/external/tensorboard_check.sh.

For each loader: train on drawn faces, interrupt in the middle, start TensorBoard and compare with
the run's own metrics.csv and live.json; resume while TensorBoard is open, and compare again.
"""

import argparse
import csv
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tensorboard_check import DEADLINE, TensorBoard, check_each, close, parse_graph, same

EPOCHS = 6
NAMES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
NETWORK = """
name = "small"
[[layers]]
type = "conv2d"
filters = 8
stride = 2
[[layers]]
type = "batch_normalization"
[[layers]]
type = "activation"
[[layers]]
type = "residual"
[[layers.layers]]
type = "conv2d"
filters = 8
[[layers.layers]]
type = "squeeze_excite"
[[layers]]
type = "max_pooling2d"
size = 4
[[layers]]
type = "flatten"
[[layers]]
type = "linear"
units = 7
"""


def fer(program, folder, *arguments):
    return subprocess.Popen(
        [program, "train", *arguments], cwd=folder, stderr=subprocess.DEVNULL
    )


def begin(program, folder):
    """A training that was interrupted after two epochs or a little more."""
    (folder / "small.toml").write_text(NETWORK)
    training = fer(program, folder, "--arch", "small.toml", "--epochs", str(EPOCHS), "--out", "run")
    metrics = folder / "run" / "metrics.csv"
    while not metrics.exists() or len(metrics.read_text().splitlines()) < 3:
        if training.poll() is not None:
            sys.exit("the training ended too early")
        time.sleep(0.02)
    training.send_signal(signal.SIGINT)
    same(training.wait(120), 130, "exit code of an interrupted training")


def resume(program, folder):
    same(fer(program, folder, "--resume", "run").wait(600), 0, "exit code of the resumed training")


class Run:
    """What the run folder itself says."""

    def __init__(self, folder):
        with open(folder / "metrics.csv") as file:
            self.epochs = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
        self.live = json.loads((folder / "live.json").read_text())
        self.steps = list(range(len(self.epochs)))


def scalars(tb, run):
    def served(where, tag):
        points = tb.get("scalars/scalars", run=where, tag=tag)
        same([point[1] for point in points], run.steps, f"steps of {where}/{tag}")
        return [point[2] for point in points]

    for where, tag, column in [
        ("train", "epoch_loss", "loss"),
        ("train", "epoch_accuracy", "accuracy"),
        ("train", "epoch_learning_rate", "lr"),
        ("validation", "epoch_loss", "val_loss"),
        ("validation", "epoch_accuracy", "val_accuracy"),
    ]:
        close(served(where, tag), [row[column] for row in run.epochs], tag)
    for number, name in enumerate(NAMES):
        wanted = [recall[number] for _, recall in run.live["recall"]]
        close(served("validation", f"per_class/{name}/recall"), wanted, f"recall of {name}")
        for other in ("precision", "f1"):
            assert all(0 <= v <= 1 for v in served("validation", f"per_class/{name}/{other}"))
    for layer in run.live["layers"]:
        for key in ("grad_norm", "weight_norm", "dead_share"):
            if layer[key] is not None:
                found = served("train", f"{layer['layer']}/{key}")
                close(found[-1:], [layer[key]], f"{key} of {layer['layer']}")
    assert all(v > 0 for v in served("train", "images_per_second"))
    best = max(row["val_accuracy"] for row in run.epochs)
    close(served(".", "validation/best_accuracy")[-1:], [best], "validation/best_accuracy")


def histograms(tb, run):
    sizes = {"conv2d_1/kernel": 8 * 9, "conv2d_2/kernel": 8 * 8 * 9, "linear_1/bias": 7,
             "batch_normalization_1/gamma": 8, "squeeze_excite_1/squeeze/kernel": 16}  # fmt: skip
    for weight, size in sizes.items():
        for kind in ("histogram", "gradient"):
            found = tb.get("histograms/histograms", run="train", tag=f"layers/{weight}/{kind}")
            same([point[1] for point in found], run.steps, f"steps of {weight}/{kind}")
            for point in found:
                same((len(point[2]), sum(row[2] for row in point[2])), (30, size), weight)
    for layer in ("conv2d_1", "activation_1", "residual_1", "linear_1"):
        found = tb.get("histograms/histograms", run="train", tag=f"layers/{layer}/activation")
        same([point[1] for point in found], run.steps, f"steps of {layer}")
        assert all(sum(row[2] for row in point[2]) > 100 for point in found), layer
    found = tb.get("distributions/distributions", run="train", tag="layers/conv2d_1/kernel/histogram")
    same([point[1] for point in found], run.steps, "steps of a distribution")


def images(tb, run):
    tags = tb.get("images/tags")["validation"]
    same(sorted(tags), sorted([f"saliency/{name}" for name in NAMES] + ["confusion"]), "images")
    for tag in tags:
        found = tb.get("images/images", run="validation", tag=tag, sample=0)
        same([point["step"] for point in found], run.steps, f"steps of {tag}")
        for point in found:
            png = tb.raw("images/individualImage?" + point["query"])
            same(png[:8], b"\x89PNG\r\n\x1a\n", tag)
            size = struct.unpack(">II", png[16:24])
            assert size == (384, 192) or tag == "confusion" and min(size) > 300, (tag, size)


def text(tb, run):
    (about,) = tb.get("text/text", run=".", tag="about")
    assert "<strong>small</strong>" in about["text"] and "conv2d_2" in about["text"], about
    tables = tb.get("text/text", run="validation", tag="confusion_table")
    same([table["step"] for table in tables], run.steps, "steps of the table")
    cells = tables[-1]["text"].replace("<p>", "").replace("</p>", "").split("<td>")[1:]
    cells = [cell.split("</td>")[0].strip() for cell in cells]
    rows = [cells[i : i + 8] for i in range(8, 64, 8)]
    same([row[0] for row in rows], NAMES, "names of the rows")
    same([[int(n) for n in row[1:]] for row in rows], run.live["confusion"], "confusion matrix")


def pr_curves(tb, run):
    for number, name in enumerate(NAMES):
        found = tb.get("pr_curves/pr_curves", run="validation", tag=f"pr/{name}")["validation"]
        same([point["step"] for point in found], run.steps, f"steps of pr/{name}")
        last = found[-1]
        support = sum(run.live["confusion"][number])
        same(last["true_positives"][0], support, f"faces of {name}")
        same(last["false_positives"][0], run.live["validation"] - support, f"others than {name}")
        close(last["recall"][:1], [1.0], f"recall of {name} at threshold 0")


def hparams(tb, run):
    request = {"experimentName": "", "startIndex": 0, "sliceSize": 10, "allowedStatuses": [
        "STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]}  # fmt: skip
    (group,) = tb.post("hparams/session_groups", request)["sessionGroups"]
    found = group["hparams"]
    same((found["lr"], found["optimizer.kind"]), (0.1, "nesterov"), "hyper-parameters")
    same((found["deduplicate"], found["budget.epochs"]), (False, EPOCHS), "hyper-parameters")
    status = "STATUS_SUCCESS" if len(run.epochs) == EPOCHS else "STATUS_UNKNOWN"
    same(group["sessions"][0]["status"], status, "status")
    values = {m["name"]["tag"]: m["value"] for m in group["metricValues"]}
    best = max(run.epochs, key=lambda row: row["val_accuracy"])
    wanted = [best["val_accuracy"], best["val_loss"]]
    close([values["validation/best_accuracy"], values["validation/best_loss"]], wanted, "metrics")


def custom_scalars(tb, _):
    charts = tb.get("custom_scalars/layout")["category"][0]["chart"]
    same([chart["title"] for chart in charts], ["accuracy", "loss"], "charts")
    for chart in charts:
        for run in ("train", "validation"):
            (tag,) = chart["multiline"]["tag"]
            found = tb.get("custom_scalars/scalars", run=run, tag=tag)["tag_to_events"]
            same(list(found), ["epoch_" + chart["title"]], f"curves of {run}")


def graphs(tb, _):
    nodes = parse_graph(tb.raw("graphs/graph", run=".", conceptual="false").decode())
    op, inputs, sizes = nodes["residual_1/conv2d_2/conv2d"]
    same((op, inputs[1]), ("conv2d", "residual_1/conv2d_2/weight"), "operation")
    same(sizes, ["-1", "8", "24", "24"], "shape")
    assert any(name.startswith("loss/") for name in nodes), sorted(nodes)
    text = tb.raw("graphs/graph", run=".", tag="keras", conceptual="true").decode()
    layers = parse_graph(text)
    same(layers["small/residual_1/add"][1],
         ["small/residual_1/squeeze_excite_1", "small/residual_1/x"], "skip connection")
    assert "small/block_1/conv2d_1" in layers and 's: "SqueezeExcite"' in text, sorted(layers)


def projector(tb, run):
    (name,) = tb.get("projector/runs")
    (embedding,) = tb.get("projector/info", run=name)["embeddings"]
    same(embedding["tensorShape"], [run.live["validation"], 288], "embedding's shape")
    rows = tb.raw("projector/metadata", run=name, name=embedding["tensorName"]).decode()
    rows = [line.split("\t") for line in rows.splitlines()]
    same(rows[0], ["label", "predicted", "judgement"], "columns")
    same(len(rows), 1 + run.live["validation"], "rows")
    if len(run.epochs) == EPOCHS:  # an interrupted one stopped between two validations
        right = sum(row[2] == "right" for row in rows[1:]) / run.live["validation"]
        close([right], [run.epochs[-1]["val_accuracy"]], "share of right answers")
    sprite = tb.raw("projector/sprite_image", run=name, name=embedding["tensorName"])
    assert sprite.startswith(b"\x89PNG"), sprite[:20]


KINDS = [scalars, histograms, images, text, pr_curves, hparams, custom_scalars, graphs, projector]


def check(tb, folder, when):
    """Every kind of a real training, which takes TensorBoard longer to read."""
    check_each(KINDS, tb, Run(folder), when, 2 * DEADLINE)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--keep", type=Path)
    options = options.parse_args()
    program = Path(os.environ["FER"]).absolute()
    with tempfile.TemporaryDirectory() as temporary:
        for load_fast in ("true", "false"):
            folder = (options.keep or Path(temporary)).absolute() / f"training-{load_fast}"
            folder.mkdir(parents=True)
            begin(program, folder)
            with TensorBoard(folder / "run", load_fast) as tb:
                check(tb, folder / "run", f"training, load_fast={load_fast}, interrupted")
                resume(program, folder)
                check(tb, folder / "run", f"training, load_fast={load_fast}, resumed while open")


if __name__ == "__main__":
    main()
