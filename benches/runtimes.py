"""Runtimes for trained networks, as a server: one line of JSON for each line of standard input.

    python3 benches/runtimes.py NAME FOLDER NET BATCH

NAME is a function below, with a variant after `+`: onnxruntime+extended, openvino+bf16. The network is exported to FOLDER once, with random
weights, by PyTorch; every runtime folds the batch norms itself. A request is answered by the images
per second of the median call, over half a second of calls. What is not installed is reported in the
first line: {"ready": false, "error": "No module named 'ncnn'"}.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

THREADS = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
SECONDS = 0.5
NETS = {"tiny": [32, 64, 128], "vgg": [64, 128, 256, 512], "fer-m": [48, 96, 192]}


def network(name):
    """The network of this name, as `src/model/architectures.rs` has it."""
    import torch
    from torch import nn

    def conv(i, o):
        return [nn.Conv2d(i, o, 3, padding=1, bias=False)]

    class Residual(nn.Module):
        def __init__(self, c):
            super().__init__()
            body = conv(c, c) + [nn.BatchNorm2d(c), nn.ReLU()] + conv(c, c) + [nn.BatchNorm2d(c)]
            self.body = nn.Sequential(*body)
            self.squeeze, self.excite = nn.Linear(c, c // 4), nn.Linear(c // 4, c)

        def forward(self, x):
            y = self.body(x)
            s = self.excite(torch.relu(self.squeeze(y.mean((2, 3))))).sigmoid()
            return torch.relu(x + y * s[:, :, None, None])

    torch.manual_seed(0)
    blocks, c = NETS[name], 1
    layers = []
    if name == "fer-m":
        layers, c = conv(1, 16) + [nn.BatchNorm2d(16), nn.ReLU()], 16
        for o in blocks:
            layers += conv(c, o) + [nn.MaxPool2d(2), nn.BatchNorm2d(o), nn.ReLU(), Residual(o)]
            c = o
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(c, 7)]
    else:
        for o in blocks:
            for i in (c, o):
                layers += conv(i, o) + [nn.BatchNorm2d(o), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
            c = o
        side = 48 // 2 ** len(blocks)
        layers += [nn.Flatten(), nn.Linear(c * side * side, 256), nn.ReLU(), nn.Dropout(0.2)]
        layers.append(nn.Linear(256, 7))
    return nn.Sequential(*layers).eval()


def export(net, folder, batch):
    """Writes NET.BATCH.onnx and NET.BATCH.pt, unless they are there."""
    path = pathlib.Path(folder) / f"{net}.{batch}"
    if not path.with_name(path.name + ".pt").exists():
        import torch

        model, x = network(net), torch.randn(batch, 1, 48, 48)
        names = dict(input_names=["x"], output_names=["y"])
        torch.onnx.export(model, x, f"{path}.onnx", dynamo=False, **names)
        torch.jit.trace(model, x).save(f"{path}.pt")
    return str(path)


def onnxruntime(path, x, variant):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    level = "ORT_ENABLE_EXTENDED" if variant == "extended" else "ORT_ENABLE_ALL"
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    session = ort.InferenceSession(f"{path}.onnx", options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def openvino(path, x, variant):
    import openvino as ov

    config = {
        "INFERENCE_NUM_THREADS": THREADS,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if variant == "bf16" else "f32",
    }
    model = ov.Core().compile_model(f"{path}.onnx", "CPU", config)
    request = model.create_infer_request()
    return lambda: request.infer({0: x}, share_inputs=True)


def mnn(path, x, variant):
    import MNN.expr as F
    import MNN.nn as nn

    convert = [sys.executable, "-m", "MNN.tools.mnnconvert", "-f", "ONNX", "--bizCode", "fer"]
    convert += ["--modelFile", f"{path}.onnx", "--MNNModel", f"{path}.mnn"]
    subprocess.run(convert, check=True, capture_output=True)
    precision = "low" if variant == "low" else "high"
    config = {"precision": precision, "backend": "CPU", "numThread": THREADS}
    manager = nn.create_runtime_manager((config,))
    net = nn.load_module_from_file(f"{path}.mnn", ["x"], ["y"], runtime_manager=manager)
    image = F.convert(F.const(x, list(x.shape), F.NCHW), F.NC4HW4)
    return lambda: net.forward([image])[0].read()


def ncnn(path, x, variant):
    import ncnn

    pnnx = pathlib.Path(sys.executable).with_name("pnnx")
    shape = "inputshape=[1,1,48,48]f32"
    one = export(*os.path.basename(path).split(".")[:1], os.path.dirname(path), 1)
    files = [f"ncnnparam={path}.param", f"ncnnbin={path}.bin"]
    folder = os.path.dirname(path)
    subprocess.run([pnnx, f"{one}.pt", shape, *files], check=True, capture_output=True, cwd=folder)
    net = ncnn.Net()
    net.opt.num_threads = THREADS
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = variant == "bf16"
    net.load_param(f"{path}.param")
    net.load_model(f"{path}.bin")
    images = [ncnn.Mat(image).clone() for image in x]

    def call():
        for image in images:
            extractor = net.create_extractor()
            extractor.input("in0", image)
            extractor.extract("out0")

    return call


def opencv(path, x, variant):
    import cv2

    cv2.setNumThreads(THREADS)
    net = cv2.dnn.readNetFromONNX(f"{path}.onnx")

    def call():
        net.setInput(x)
        net.forward()

    return call


def torch(path, x, variant):
    import torch

    torch.set_num_threads(THREADS)
    model = torch.jit.load(f"{path}.pt").eval()
    image = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
    if variant == "bf16":
        model = torch.jit.freeze(model.to(torch.bfloat16))
        image = image.to(torch.bfloat16)
    else:
        model = torch.jit.optimize_for_inference(torch.jit.freeze(model))

    def call():
        with torch.no_grad():
            model(image)

    return call


def images_per_second(call, batch):
    times = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 5:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return batch / statistics.median(times)


def main():
    name, folder, net, batch = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    answers = os.fdopen(os.dup(1), "w")  # some runtimes print to standard output
    os.dup2(2, 1)
    answer = lambda value: print(json.dumps(value), file=answers, flush=True)
    try:
        import numpy

        x = numpy.random.default_rng(0).standard_normal((batch, 1, 48, 48), dtype=numpy.float32)
        base, _, variant = name.partition("+")
        call = globals()[base](export(net, folder, batch), x, variant)
        for _ in range(3):
            call()
    except Exception as error:
        detail = getattr(error, "stderr", None) or str(error)
        text = detail.decode(errors="replace") if isinstance(detail, bytes) else detail
        return answer({"ready": False, "error": (text.strip() or repr(error)).splitlines()[-1]})
    answer({"ready": True})
    for _ in sys.stdin:
        answer({"images_per_second": images_per_second(call, batch)})


if __name__ == "__main__":
    main()
