"""The opponent: PyTorch on the nets of `fer bench`, channels last, f32.

One line of JSON for each request read from standard input, `train|infer NET BATCH`, so that
`compare.py` can take turns between the two programs within one minute. Needs `pip install torch`.
"""

import json
import os
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(os.cpu_count())
CHANNELS = {"tiny": [32, 64, 128], "vgg": [64, 128, 256, 512]}


def network(channels):
    layers, c = [], 1
    for out in channels:
        for _ in range(2):
            layers += [nn.Conv2d(c, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            c = out
        layers.append(nn.MaxPool2d(2))
    side = 48 // 2 ** len(channels)
    head = [nn.Flatten(), nn.Linear(c * side * side, 256), nn.ReLU(), nn.Dropout(0.2)]
    net = nn.Sequential(*layers, *head, nn.Linear(256, 7))
    return net.to(memory_format=torch.channels_last)


def step_of(what, net, batch):
    x = torch.rand(batch, 1, 48, 48).to(memory_format=torch.channels_last)
    y = torch.arange(batch) % 7
    if what == "infer":
        net.eval()

        @torch.inference_mode()
        def infer():
            net(x)

        return infer
    net.train()
    sgd = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def train():
        sgd.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        sgd.step()

    return train


def measure(what, name, batch):
    step = step_of(what, NETS[name], batch)
    for _ in range(3):
        step()
    times = []
    for _ in range(60 if batch == 1 else 9):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return batch / statistics.median(times)


NETS = {name: network(channels) for name, channels in CHANNELS.items()}
for line in sys.stdin:
    what, name, batch = line.split()
    print(json.dumps({"images_per_second": measure(what, name, int(batch))}), flush=True)
