"""Compares the engine with PyTorch on a dozen small programs: values and gradients, in double precision.

Each program is written once and run with both: `P` offers what the two spell differently. Skips where torch is
not installed.
"""

import sys

import numpy as np

import fer_cnn

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    print("skipped: torch is not installed")
    sys.exit(0)


class Ours:
    relu = staticmethod(lambda x: x.relu())
    log = staticmethod(lambda x: x.log())
    mean = staticmethod(lambda x: x.mean())
    total = staticmethod(lambda x: x.sum())
    rows = staticmethod(lambda x: x.sum([1]))
    largest = staticmethod(lambda x: x.max([1]))
    softmax = staticmethod(lambda x: x.softmax())
    transpose = staticmethod(lambda x: x.transpose())
    join = staticmethod(fer_cnn.concat)
    linear = staticmethod(lambda x, w, b: x.linear(w, b))
    conv = staticmethod(lambda x, w, b, s, p: x.conv2d(w, b, stride=s, padding=p))
    max_pool = staticmethod(lambda x: x.max_pool2d(2))
    avg_pool = staticmethod(lambda x: x.avg_pool2d(2))
    norm = staticmethod(lambda x, g, b: x.batch_norm(g, b))
    loss = staticmethod(lambda x, labels, eps: x.cross_entropy(labels, eps))
    leaky = staticmethod(lambda x: x.leaky_relu(0.1))
    flat = staticmethod(lambda x: x.reshape([x.shape[0], int(np.prod(x.shape[1:]))]))


class Torch:
    relu, log, mean, total = torch.relu, torch.log, torch.mean, torch.sum
    rows = staticmethod(lambda x: x.sum(1, keepdim=True))
    largest = staticmethod(lambda x: x.amax(1, keepdim=True))
    softmax = staticmethod(lambda x: F.softmax(x, -1))
    transpose = staticmethod(lambda x: x.T)
    join = staticmethod(torch.cat)
    linear = staticmethod(F.linear)
    conv = staticmethod(lambda x, w, b, s, p: F.conv2d(x, w, b, stride=s, padding=p))
    max_pool = staticmethod(lambda x: F.max_pool2d(x, 2))
    avg_pool = staticmethod(lambda x: F.avg_pool2d(x, 2))
    norm = staticmethod(lambda x, g, b: F.batch_norm(x, None, None, g, b, True))
    loss = staticmethod(lambda x, labels, eps: F.cross_entropy(x, torch.tensor(labels), label_smoothing=eps))
    leaky = staticmethod(lambda x: F.leaky_relu(x, 0.1))
    flat = staticmethod(lambda x: x.reshape(x.shape[0], -1))


def convnet(P, x, w, b, g, beta, v, c):
    y = P.max_pool(P.relu(P.norm(P.conv(x, w, b, 1, 1), g, beta)))
    return P.loss(P.linear(P.flat(y), v, c), [0, 2], 0.1)


# Name, the program, and the shapes of its inputs.
PROGRAMS = [
    ("micrograd", lambda P, a, b: (((a * b + b**3.0) / 2.0 + (a + b) * 0.5 - a).tanh()), [(), ()]),
    ("neuron", lambda P, x, w, b: P.total(((x * w) + b).sigmoid()), [(5,), (5,), (1,)]),
    ("used twice", lambda P, x: P.total(x * x * x + 2.0 / (x * x + 1.0)), [(4,)]),
    ("broadcast", lambda P, x, y: P.mean((x - y) / (y * y + 3.0)), [(3, 4), (4,)]),
    ("powers", lambda P, x: P.total((x * x + 1.0).sqrt() + (-x).exp() + P.log(x * x + 2.0)), [(6,)]),
    ("perceptron", lambda P, x, w, b, v, c: P.loss(P.linear(P.relu(P.linear(x, w, b)), v, c), [1, 0, 2, 1], 0.0),
     [(4, 3), (8, 3), (8,), (3, 8), (3,)]),
    ("least squares", lambda P, x, w, y: P.mean((x @ w - y) ** 2.0), [(7, 3), (3, 2), (7, 2)]),
    ("attention", lambda P, q, k, v: P.total((P.softmax(q @ P.transpose(k)) @ v) ** 2.0), [(3, 4), (5, 4), (5, 2)]),
    ("reductions", lambda P, x: P.total(P.largest(x) * P.rows(x)), [(4, 5)]),
    ("joined", lambda P, a, b: P.total(P.leaky(P.join([a, b], 1)) ** 2.0), [(2, 3), (2, 4)]),
    ("convolution", lambda P, x, w, b: P.total(P.avg_pool(P.conv(x, w, b, 2, 1)) ** 2.0),
     [(2, 3, 9, 9), (4, 3, 3, 3), (4,)]),
    ("small network", convnet, [(2, 1, 8, 8), (4, 1, 3, 3), (4,), (4,), (4,), (3, 64), (3,)]),
]


def main():
    rng = np.random.default_rng(0)
    for name, program, shapes in PROGRAMS:
        inputs = [rng.normal(size=shape) for shape in shapes]
        tape = fer_cnn.Tape()
        ours = [tape.leaf(x) for x in inputs]
        y = program(Ours, *ours)
        y.backward()
        theirs = [torch.tensor(x, requires_grad=True) for x in inputs]
        z = program(Torch, *theirs)
        z.backward()
        assert abs(y.item() - z.item()) < 1e-10, name
        worst = 0.0
        for a, b in zip(ours, theirs):
            worst = max(worst, float(np.abs(a.grad - b.grad.numpy()).max()))
        assert worst < 1e-9, (name, worst)
        print(f"{name}: value {y.item():.6f}, gradients differ by at most {worst:.1e}")
    print(f"engine: {len(PROGRAMS)} programs as in PyTorch {torch.__version__}")


main()
