"""Checks that TensorBoard serves what fer wrote. Run it by tests/external/tensorboard_check.sh.

For each loader: write epochs 0 to 4, start TensorBoard, compare every kind of value with
expected.json; resume the run at epoch 3 while TensorBoard is open, and compare again; start a
second TensorBoard on the finished run, and compare once more.
"""

import argparse
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

DEADLINE = 30.0  # seconds for TensorBoard to start, or to notice what changed
FLAGS = ["--samples_per_plugin", "images=1000,histograms=1000"]


def write_run(folder):
    """The first call writes a run, the second resumes it."""
    test = "tensorboard_run::a_run_for_tensorboard_is_written_and_resumed"
    command = ["cargo", "test", "--release", "--quiet", "--test", "suite", "--", "--exact", test]
    done = subprocess.run(
        command, env={**os.environ, "FER_TB_DIR": str(folder)}, capture_output=True, text=True
    )
    if done.returncode or "1 passed" not in done.stdout:
        sys.exit(f"the run was not written:\n{done.stdout}{done.stderr}")
    return json.loads((folder / "expected.json").read_text())


class TensorBoard:
    def __init__(self, folder, load_fast):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        tensorboard = Path(sys.executable).parent / "tensorboard"
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [tensorboard, "--logdir", folder, "--host", "127.0.0.1", "--port", str(self.port),
             "--load_fast", load_fast, "--reload_interval", "1", *FLAGS],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def raw(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/data/plugin/{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read()

    def get(self, path, **query):
        return json.loads(self.raw(path, **query))

    def post(self, path, body):
        url = f"http://127.0.0.1:{self.port}/data/plugin/{path}"
        head = {"Content-Type": "application/json", "X-TensorBoard-Feature-Flags": "{}"}
        request = urllib.request.Request(url, json.dumps(body).encode(), head)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())


def same(found, expected, what):
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"


def close(found, expected, what):
    same(len(found), len(expected), f"{what}: length")
    for a, b in zip(found, expected):
        assert abs(a - b) <= 1e-6 * max(1, abs(b)), f"{what}: found {found}, expected {expected}"


def scalars(tb, expected):
    tags = tb.get("scalars/tags")
    for run, curves in expected["scalars"].items():
        same(sorted(tags[run]), sorted(curves), f"scalar tags of {run}")
        for tag, points in curves.items():
            found = tb.get("scalars/scalars", run=run, tag=tag)
            same([point[1] for point in found], [step for step, _ in points], f"steps of {tag}")
            close([point[2] for point in found], [value for _, value in points], tag)


def histograms(tb, expected):
    for run, series in expected["histograms"].items():
        for tag, points in series.items():
            found = tb.get("histograms/histograms", run=run, tag=tag)
            same([point[1] for point in found], [step for step, _ in points], f"steps of {tag}")
            for (_, step, rows), (_, wanted) in zip(found, points):
                close(sum(rows, []), sum(wanted, []), f"{tag} at {step}")


def distributions(tb, expected):
    for run, series in expected["histograms"].items():
        for tag, points in series.items():
            found = tb.get("distributions/distributions", run=run, tag=tag)
            same([point[1] for point in found], [step for step, _ in points], f"steps of {tag}")
            for (_, _, quantiles), (_, rows) in zip(found, points):
                close([quantiles[0][1], quantiles[-1][1]], [rows[0][0], rows[-1][1]], tag)


def images(tb, expected):
    for tag, points in expected["images"].items():
        found = tb.get("images/images", run="validation", tag=tag, sample=0)
        same([point["step"] for point in found], [step for step, _ in points], f"steps of {tag}")
        for point, (step, png) in zip(found, points):
            served = tb.raw("images/individualImage?" + point["query"])
            same(list(served), png, f"{tag} at {step}")


def text(tb, expected):
    for tag, part in expected["text"].items():
        (found,) = tb.get("text/text", run=".", tag=tag)
        assert part in found["text"], found
    for tag, points in expected["tables"].items():
        found = tb.get("text/text", run="validation", tag=tag)
        same([point["step"] for point in found], [step for step, _ in points], f"steps of {tag}")
        for point, (step, rows) in zip(found, points):
            cells = re.findall(r"<td>\s*(?:<p>)?(.*?)(?:</p>)?\s*</td>", point["text"], re.S)
            same(cells, sum(rows, []), f"{tag} at {step}")


def pr_curves(tb, expected):
    for tag, points in expected["pr_curves"].items():
        found = tb.get("pr_curves/pr_curves", run="validation", tag=tag)["validation"]
        same([point["step"] for point in found], [step for step, _, _ in points], f"steps of {tag}")
        for point, (step, tp, fp) in zip(found, points):
            shown = len(point["thresholds"])  # thresholds that no score reaches are cut off
            assert shown > 50 and tp[shown:] == [0] * (len(tp) - shown), f"{tag} at {step}"
            same(point["true_positives"], tp[:shown], f"{tag} at {step}")
            same(point["false_positives"], fp[:shown], f"{tag} at {step}")
            precision = [t / (t + f) for t, f in zip(tp[:shown], fp[:shown])]
            close(point["precision"], precision, f"{tag} at {step}")
            close(point["recall"], [t / tp[0] for t in tp[:shown]], f"{tag} at {step}")


def hparams(tb, expected):
    experiment = tb.post("hparams/experiment", {"experimentName": "", "includeMetrics": True})
    same(
        sorted(info["name"] for info in experiment["hparamInfos"]),
        sorted(expected["hparams"]),
        "hyper-parameters",
    )
    request = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "startIndex": 0,
        "sliceSize": 10,
    }
    (group,) = tb.post("hparams/session_groups", request)["sessionGroups"]
    same(group["hparams"], expected["hparams"], "hyper-parameters")
    same(group["sessions"][0]["status"], "STATUS_SUCCESS", "status")
    same(len(group["metricValues"]), len(expected["metrics"]), "metrics")
    for tag in expected["metrics"]:
        (metric,) = [m for m in group["metricValues"] if m["name"] == {"group": "", "tag": tag}]
        step, value = expected["scalars"]["."][tag][-1]
        same(metric["trainingStep"], step, f"step of {tag}")
        close([metric["value"]], [value], tag)


def custom_scalars(tb, expected):
    layout = tb.get("custom_scalars/layout")
    charts = layout["category"][0]["chart"]
    same([chart["title"] for chart in charts], [title for title, _ in expected["layout"]], "charts")
    for chart, (_, tag) in zip(charts, expected["layout"]):
        for run in ("train", "validation"):
            (pattern,) = chart["multiline"]["tag"]
            found = tb.get("custom_scalars/scalars", run=run, tag=pattern)
            same(list(found["tag_to_events"]), [tag], f"curves of {run} in chart {chart['title']}")


def parse_graph(pbtxt):
    """Nodes of a GraphDef in text form: name -> (op, inputs, sizes)."""
    nodes = {}
    for block in re.split(r"^node \{", pbtxt, flags=re.M)[1:]:
        fields = dict(re.findall(r'^  (name|op): "(.*)"', block, re.M))
        inputs = re.findall(r'^  input: "(.*)"', block, re.M)
        nodes[fields["name"]] = (fields.get("op"), inputs, re.findall(r"size: (-?\d+)", block))
    return nodes


def graphs(tb, expected):
    info = tb.get("graphs/info")
    assert info["."]["run_graph"] and info["."]["tags"]["keras"]["conceptual_graph"], info
    found = parse_graph(tb.raw("graphs/graph", run=".", conceptual="false").decode())
    wanted = {
        node["name"]: (
            node["op"],
            node["inputs"],
            ["-1" if n is None else str(n) for n in node["shape"]],
        )
        for node in expected["run_graph"]
    }
    same(found, wanted, "run graph")
    text = tb.raw("graphs/graph", run=".", tag="keras", conceptual="true").decode()
    found = {name: inputs for name, (_, inputs, _) in parse_graph(text).items()}
    same(found, expected["keras_graph"], "conceptual graph")
    assert 'key: "keras_class"' in text and 's: "Conv2D"' in text


def projector(tb, expected):
    wanted = expected["projector"]
    (run,) = tb.get("projector/runs")
    (embedding,) = tb.get("projector/info", run=run)["embeddings"]
    same(embedding["tensorShape"], [len(wanted["metadata"]), wanted["dim"]], "embedding's shape")
    same(embedding["sprite"]["singleImageDim"], [48, 48], "sprite")
    raw = tb.raw("projector/tensor", run=run, name=embedding["tensorName"])
    close(struct.unpack(f"<{len(raw) // 4}f", raw), wanted["points"], "points")
    rows = tb.raw("projector/metadata", run=run, name=embedding["tensorName"]).decode()
    lines = [line.split("\t") for line in rows.splitlines()]
    same(lines, [wanted["columns"], *wanted["metadata"]], "metadata")
    sprite = tb.raw("projector/sprite_image", run=run, name=embedding["tensorName"])
    assert sprite.startswith(b"\x89PNG"), sprite[:20]


KINDS = [scalars, histograms, distributions, images, text, pr_curves, hparams, custom_scalars,
         graphs, projector]  # fmt: skip


def check_each(kinds, tb, expected, when, deadline=DEADLINE):
    """Every kind, each as soon as TensorBoard has read it."""
    end = time.monotonic() + deadline
    for kind in kinds:
        while True:
            try:
                kind(tb, expected)
                break
            except (AssertionError, KeyError, ValueError, OSError) as error:
                if time.monotonic() > end or tb.process.poll() is not None:
                    sys.exit(f"{when}: {kind.__name__}: {error!r}\n{tb.output()}")
                time.sleep(0.5)
        print(f"{when}: {kind.__name__} ok", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--keep", type=Path)
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for load_fast in ("true", "false"):
            folder = (options.keep or Path(temporary)).absolute() / load_fast
            folder.mkdir(parents=True)
            expected = write_run(folder)
            with TensorBoard(folder, load_fast) as tb:
                check_each(KINDS, tb, expected, f"load_fast={load_fast}, new run")
                expected = write_run(folder)
                check_each(KINDS, tb, expected, f"load_fast={load_fast}, resumed while open")
            with TensorBoard(folder, load_fast) as tb:
                check_each(KINDS, tb, expected, f"load_fast={load_fast}, resumed")


if __name__ == "__main__":
    main()
