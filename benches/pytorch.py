"""The opponent: PyTorch on the nets and kernels of `fer bench`, channels last, f32.

One line of JSON for each request read from standard input, so that `compare.py` can take turns
between the programs within one minute:

    train NET BATCH [bf16]          images a second of whole training steps, in bf16 by autocast
    infer NET BATCH KIND            images a second; KIND is eager, folded (batch norm folded into
                                    the convolutions, traced) or compiled (torch.compile)
    conv IN-OUT@SIDE BATCH          GFLOP/s of forward, backward_input and backward_weight (oneDNN)
    gemm M N K TRANSPOSED           GFLOP/s of numpy's matrix product (OpenBLAS); nn, nt, tn or tt
    peak NET BATCH                  largest memory in MiB after some training steps

Needs `pip install torch numpy`. The threads are those of OMP_NUM_THREADS.
"""

import functools
import json
import os
import resource
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
CHANNELS = {"tiny": [32, 64, 128], "vgg": [64, 128, 256, 512]}
LAST = torch.channels_last


@functools.cache
def network(name):
    layers, c = [], 1
    for out in CHANNELS[name]:
        for _ in range(2):
            layers += [nn.Conv2d(c, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            c = out
        layers.append(nn.MaxPool2d(2))
    side = 48 // 2 ** len(CHANNELS[name])
    head = [nn.Flatten(), nn.Linear(c * side * side, 256), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, *head, nn.Linear(256, 7)).to(memory_format=LAST)


def pictures(batch):
    return torch.rand(batch, 1, 48, 48).to(memory_format=LAST)


@functools.cache
def frozen(name, batch, kind):
    """The network as it would be served; a name of its own for each form, kept for the next turn."""
    net = network(name).eval()
    with torch.inference_mode():
        if kind == "folded":
            net = torch.jit.optimize_for_inference(torch.jit.trace(net, pictures(batch)))
        if kind == "compiled":
            net = torch.compile(net)
    return net


def timed(step, seconds=0.0, steps=9, warmup=3):
    """Median seconds of at least `steps` calls that together last at least `seconds`."""
    for _ in range(warmup):
        step()
    times = []
    while len(times) < steps or sum(times) < seconds:
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def training_step(name, batch, precision="f32"):
    net, x, y = network(name).train(), pictures(batch), torch.arange(batch) % 7
    sgd = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def step():
        sgd.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = F.cross_entropy(net(x).float(), y)
        loss.backward()
        sgd.step()

    return step


def train(name, batch, precision="f32"):
    return {"images_per_second": int(batch) / timed(training_step(name, int(batch), precision))}


def infer(name, batch, kind):
    batch = int(batch)
    net, x = frozen(name, batch, kind), pictures(batch)
    network(name).eval()
    with torch.inference_mode():
        seconds = timed(lambda: net(x), steps=60 if batch == 1 else 9, warmup=8 if batch == 1 else 3)
    return {"images_per_second": batch / seconds}


def conv(layer, batch):
    channels, side = layer.split("@")
    (c, o), side, n = map(int, channels.split("-")), int(side), int(batch)
    normal = lambda *shape: torch.randn(*shape).contiguous(memory_format=LAST)
    x, w, g = normal(n, c, side, side), normal(o, c, 3, 3), normal(n, o, side, side)

    def backward(*wanted):
        ones = [1, 1]
        return torch.ops.aten.convolution_backward(
            g, x, w, None, ones, ones, ones, False, [0, 0], 1, list(wanted)
        )

    passes = {
        "forward": lambda: torch.conv2d(x, w, None, 1, 1),
        "backward_input": lambda: backward(True, False, False),
        "backward_weight": lambda: backward(False, True, False),
    }
    flop = 2 * n * side * side * 9 * c * o
    with torch.no_grad():
        return {name: flop / timed(f, 0.05, warmup=2) / 1e9 for name, f in passes.items()}


def gemm(m, n, k, transposed):
    m, n, k = int(m), int(n), int(k)
    a = np.random.rand(*((k, m) if transposed[0] == "t" else (m, k))).astype(np.float32)
    b = np.random.rand(*((n, k) if transposed[1] == "t" else (k, n))).astype(np.float32)
    a, b = (a.T if transposed[0] == "t" else a), (b.T if transposed[1] == "t" else b)
    c = np.empty((m, n), np.float32)
    return {"openblas": 2 * m * n * k / timed(lambda: np.matmul(a, b, out=c), 0.03, 5, 1) / 1e9}


def peak(name, batch):
    timed(training_step(name, int(batch)), steps=4, warmup=0)
    return {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


if __name__ == "__main__":
    requests = {f.__name__: f for f in (train, infer, conv, gemm, peak)}
    for line in sys.stdin:
        what, *arguments = line.split()
        try:
            answer = requests[what](*arguments)
        except Exception as e:  # torch.compile needs a C++ compiler
            answer = {"error": f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"}
        print(json.dumps(answer), flush=True)
