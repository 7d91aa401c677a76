"""A network of fer in PyTorch, built from its network.toml and its weights file alone."""

import json
import struct
import tomllib

import torch
from torch import nn

KINDS = {"F32": torch.float32, "F64": torch.float64}


def read_weights(path):
    """The tensors of a safetensors file (https://huggingface.co/docs/safetensors), by name."""
    blob = path.read_bytes()
    (length,) = struct.unpack("<Q", blob[:8])
    header = json.loads(blob[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, about in header.items():
        if not name.startswith("network/"):
            continue
        first, last = (8 + length + offset for offset in about["data_offsets"])
        values = torch.frombuffer(bytearray(blob[first:last]), dtype=KINDS[about["dtype"]])
        tensors[name.removeprefix("network/")] = values.reshape(about["shape"]).double()
    return tensors


class SqueezeExcite(nn.Module):
    def __init__(self, squeeze, excite):
        super().__init__()
        self.squeeze, self.excite, self.relu = squeeze, excite, nn.ReLU()

    def forward(self, x):
        hidden = self.relu(self.squeeze(x.mean((2, 3))))
        return x * torch.sigmoid(self.excite(hidden))[:, :, None, None]


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


class GlobalAveragePool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Network(nn.Module):
    """From pixels in [0, 1] to logits; `named[...]` finds a layer by fer's name."""

    def __init__(self, path):
        super().__init__()
        spec = tomllib.loads(path.with_name("network.toml").read_text())
        self.mean, self.std, self.classes = spec["mean"], spec["std"], spec["classes"]
        self.weights, self.counts, self.named = read_weights(path), {}, {}
        self.body = self.sequence(spec["layers"])
        self.eval().double()

    def forward(self, x):
        return self.body((x - self.mean) / self.std)

    def sequence(self, layers):
        return nn.Sequential(*(self.layer(dict(layer)) for layer in layers))

    def layer(self, spec):
        kind = spec.pop("type")
        self.counts[kind] = self.counts.get(kind, 0) + 1
        name = f"{kind}_{self.counts[kind]}"
        self.named[name] = getattr(self, kind)(name, **spec)
        return self.named[name]

    def conv2d(self, name, filters, kernel, stride, dilation, groups, bias, padding=None):
        weight = self.weights[f"{name}.weight"]
        pad = dilation * (kernel - 1) // 2 if padding is None else padding
        c_in = weight.shape[1] * groups
        conv = nn.Conv2d(c_in, filters, kernel, stride, pad, dilation, groups, bias)
        return self.fill(conv, name, ["weight", "bias"] if bias else ["weight"])

    def batch_normalization(self, name, eps, momentum):
        norm = nn.BatchNorm2d(len(self.weights[f"{name}.gamma"]), eps, momentum)
        norm.weight.data, norm.bias.data = self.weights[f"{name}.gamma"], self.weights[f"{name}.beta"]
        return self.fill(norm, name, ["running_mean", "running_var"])

    def activation(self, name, function):
        if function != "relu":
            raise SystemExit(f"{name} is {function}; this check knows relu")
        return nn.ReLU()

    def max_pooling2d(self, name, size):
        return nn.MaxPool2d(size)

    def average_pooling2d(self, name, size):
        return nn.AvgPool2d(size)

    def global_average_pooling2d(self, name):
        return GlobalAveragePool()

    def flatten(self, name):
        return nn.Flatten()

    def dropout(self, name, rate):
        return nn.Identity()

    def linear(self, name, units=None):
        weight = self.weights[f"{name}.weight"]
        return self.fill(nn.Linear(weight.shape[1], weight.shape[0]), name, ["weight", "bias"])

    def squeeze_excite(self, name, reduction):
        return SqueezeExcite(self.linear(f"{name}.squeeze"), self.linear(f"{name}.excite"))

    def residual(self, name, layers):
        return Residual(self.sequence(layers))

    def fill(self, module, name, tensors):
        for tensor in tensors:
            getattr(module, tensor).data = self.weights[f"{name}.{tensor}"]
        return module
