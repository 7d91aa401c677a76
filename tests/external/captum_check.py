"""fer's maps against Captum's. Run it by tests/external/captum_check.sh.

The same weights and faces go through PyTorch in double precision; SmoothGrad is given the very noise
that fer draws. Two maps agree if no pixel differs by more than 1e-4 of the map's largest magnitude.

fer computes in double precision, too (`--double`), on pictures of single precision; so PyTorch sees
every picture, those along the way of integrated gradients and SmoothGrad as well, rounded to that.
Every face must agree.

With --single fer uses its everyday kernels. A gradient jumps where a unit sits at the kink of a ReLU
or a max-pooling, and rounding may then decide on the other side. Among the 50 to 800 gradients behind
one map of SmoothGrad or integrated gradients this happens now and then, in PyTorch's single precision
as well. So of these two most faces must agree and the others nearly. A wrong formula moves every
pixel of every face.
"""

import csv
import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import torch
from captum.attr import (
    GuidedBackprop,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from captum_network import Network

TOLERANCE = 1e-4
AT_A_KINK = 2e-2
MANY_GRADIENTS = ["ig", "smoothgrad"]
SIDE = 48
FACES = list(range(0, 24, 3))
MASK64, MASK128 = (1 << 64) - 1, (1 << 128) - 1
EXPLAIN = 7  # the number of Purpose::Explain in src/random.rs


def mix(z):
    z = (z + 0x9E3779B97F4A7C15) & MASK64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK64
    return z ^ (z >> 31)


class Rng:
    """src/random.rs: PCG-XSL-RR 128/64 addressed by (seed, purpose, epoch, index)."""

    def __init__(self, seed, purpose, epoch, index):
        h = mix(seed)
        for part in (purpose, epoch, index):
            h = mix(h ^ mix(part))
        high = mix(h ^ 0x5851F42D4C957F2D)
        self.increment = (mix(high) << 1 | 1) & MASK128
        self.state = ((high << 64 | h) + self.increment) & MASK128
        self.step()

    def step(self):
        self.state = (self.state * 0x2360ED051FC65DA44385DF649FCCF645 + self.increment) & MASK128

    def uniform(self):
        self.step()
        turn = self.state >> 122
        bits = (self.state >> 64 ^ self.state) & MASK64
        bits = (bits >> turn | bits << (64 - turn)) & MASK64
        return (bits >> 11) / (1 << 53)

    def normal(self):
        u = 1.0 - self.uniform()
        return math.sqrt(-2.0 * math.log(u)) * math.cos(math.tau * self.uniform())


def smooth_noise(x, samples):
    """Pairs ±e of deviation 0.15 times the range of each face."""
    half = [[rng.normal() for _ in range(SIDE * SIDE)]
            for rng in (Rng(0, EXPLAIN, 1, k) for k in range(samples // 2))]  # fmt: skip
    half = torch.tensor(half, dtype=torch.float32).reshape(-1, 1, SIDE, SIDE)
    pairs, x = torch.stack([half, -half], 1).flatten(0, 1), x.float()
    spread = 0.15 * (x.amax((1, 2, 3)) - x.amin((1, 2, 3)))
    return (spread[:, None, None, None, None] * pairs).flatten(0, 1).double()


def rounded(network):
    """The network of pictures rounded to single precision."""
    return lambda x: network(x.float().double())


def read_faces(path):
    csv.field_size_limit(1 << 20)
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    rows = [row for row in rows if row[0].isdigit()]
    pixels = [[float(v) for v in max(row, key=len).split()] for row in rows]
    faces = torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, SIDE, SIDE) / 255
    return faces.double()


def fer_maps(program, model, data, method, target, *more):
    """Maps by the program, and what its caption says of them."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "maps.csv"
        command = [program, "saliency", model, "--data", data, "--method", method,
                   "--target", target, "--index", ",".join(map(str, FACES)),
                   "--raw", raw, "--json", *more]  # fmt: skip
        printed = json.loads(subprocess.check_output(command))
        rows = [line.rsplit(",", SIDE)[1:] for line in raw.read_text().splitlines()[1:]]
    maps = torch.tensor([[float(v) for v in row] for row in rows], dtype=torch.float64)
    notes = [" ".join(face["explanations"][0]["notes"]) for face in printed["faces"]]
    return maps.reshape(-1, 1, SIDE, SIDE), notes


def main():
    program, model, data = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    single = "--single" in sys.argv[4:]
    network, faces = Network(model), read_faces(data)
    x, gray = faces[FACES].clone().requires_grad_(), faces.mean().item()
    black, index = torch.zeros_like(x), 3
    target = network.classes[index]
    ours = {}

    def ask(method, *more):
        precision = [] if single else ["--double"]
        ours[method], notes = fer_maps(program, model, data, method, target, *more, *precision)
        return notes

    theirs = {}
    ask("saliency")
    theirs["saliency"] = Saliency(network).attribute(x, index, abs=False)

    nodes = [int(re.search(r"n = (\d+)", f)[1]) for f in ask("ig", "--baseline=black")]
    ig = IntegratedGradients(rounded(network))
    each = [ig.attribute(x[i : i + 1], black[:1], index, n_steps=n, method="gausslegendre")
            for i, n in enumerate(nodes)]  # fmt: skip
    theirs["ig"] = torch.cat(each)

    ask("smoothgrad")
    noise = smooth_noise(x.detach(), 50)
    with mock.patch("torch.normal", lambda _mean, _sd: noise):
        tunnel = NoiseTunnel(Saliency(rounded(network)))
        theirs["smoothgrad"] = tunnel.attribute(
            x, nt_type="smoothgrad", nt_samples=50, stdevs=1.0, target=index, abs=False
        )

    ask("occlusion")
    theirs["occlusion"] = Occlusion(network).attribute(
        x, (1, 8, 8), strides=(1, 4, 4), baselines=gray, target=index
    )

    layer = re.search(r"^(\w+),", ask("gradcam")[0])[1]
    cam = LayerGradCam(network, network.named[layer])
    cam = cam.attribute(x, index, relu_attributions=True)
    theirs["gradcam"] = LayerAttribution.interpolate(cam, (SIDE, SIDE), "bilinear")

    ask("guided-backprop")
    theirs["guided-backprop"] = GuidedBackprop(network).attribute(x, index)

    precision = "single" if single else "double"
    print(f"{model}, {len(FACES)} faces, logit of {target}, Grad-CAM on {layer}, fer in {precision}")
    print(f"     {'method':<16} {'agree':>8} {'median':>8} {'worst':>8}")
    failed = [m for m in ours if not report(m, ours[m], theirs[m], single)]
    sys.exit(f"no agreement with Captum: {', '.join(failed)}" if failed else 0)


def report(method, ours, theirs, single):
    """One line a method; whether its maps agree."""
    peak = theirs.abs().amax((1, 2, 3)).clamp_min(1e-12)
    error = (ours - theirs).abs().amax((1, 2, 3)) / peak
    agree = (error <= TOLERANCE).sum().item()
    worst = error.max().item()
    many = single and method in MANY_GRADIENTS
    passed = agree == len(error) or many and 2 * agree > len(error) and worst <= AT_A_KINK
    sign, share = "ok" if passed else "FAIL", f"{agree} of {len(error)}"
    print(f"{sign:<4} {method:<16} {share:>8} {error.median():>8.0e} {worst:>8.0e}")
    return passed


if __name__ == "__main__":
    main()
