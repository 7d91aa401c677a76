#!/usr/bin/env python3
"""Trains the network that finds eyes, nose and mouth of a face, and writes data/landmarks.safetensors.

    python3 data/recipes/landmarks.py FER2013_FOLDER [OUT]

The teacher is MediaPipe Face Mesh (Apache License 2.0), run on the training faces of FER2013, enlarged eight times;
it finds a face in 96 % of them. Needs mediapipe 0.10.14, opencv and torch; 35 minutes on two cores. `fer` itself
needs nothing of it.
"""
import csv
import gzip
import json
import pathlib
import struct
import sys
import zlib

import cv2
import numpy as np
import torch
import torch.nn.functional as F

SIDE, EPOCHS, BATCH, FILTERS = 48, 14, 64, (16, 24, 32, 48)
# Points of the mesh whose mean is a landmark. The last four only help the network to learn.
MARKS = [[33, 133, 159, 145, 160, 144, 158, 153], [263, 362, 386, 374, 387, 373, 385, 380], [1], [61, 291, 13, 14],
         [70, 63, 105, 66, 107], [300, 293, 334, 296, 336], [152], [168]]
MIRRORED = [1, 0, 2, 3, 5, 4, 6, 7]
KEPT = 4  # eyes, nose, mouth
CENTRE, UNIT = (SIDE - 1) / 2, 10


def read(path):
    """Returns the faces of a CSV file, `[n, 48, 48]` bytes."""
    with gzip.open(path, "rt") as file:
        rows = csv.reader(file)
        next(rows)
        return np.array([np.array(row[1].split(), np.uint8).reshape(SIDE, SIDE) for row in rows])


def label(faces):
    """Returns faces in [0, 1] and their marks (row, column) in pixels, where the teacher finds a face."""
    import mediapipe

    zoom, border = 8, 192
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, min_detection_confidence=0.2)
    kept, marks = [], []
    for face in faces:
        large = cv2.resize(face, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(large, *[border] * 4, cv2.BORDER_REPLICATE)
        found = mesh.process(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)).multi_face_landmarks
        if found:
            points = np.array([(p.y, p.x) for p in found[0].landmark]) * len(large)
            points = (points - border) / zoom - 0.5
            kept.append(face)
            marks.append([points[group].mean(0) for group in MARKS])
    x, y = np.array(kept, np.float32)[:, None] / 255, np.array(marks, np.float32)
    near = ((y > -12) & (y < 60)).all((1, 2))
    return torch.tensor(x[near]), torch.tensor(y[near])


def augment(x, y):
    """Turns by up to 30°, scales by up to 1.35, shifts by up to 6 pixels, mirrors, changes the brightness."""
    n = len(x)
    uniform = lambda most, *shape: (torch.rand(n, *shape) * 2 - 1) * most
    turn, scale, shift = uniform(np.radians(30)), torch.exp(uniform(0.3)), uniform(6, 2)
    cos, sin = torch.cos(turn), torch.sin(turn)
    back = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2) / scale[:, None, None]
    axis = torch.arange(float(SIDE)) - CENTRE
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)  # column, row
    at = torch.einsum("nab,hwb->nhwa", back, grid) - torch.einsum("nab,nb->na", back, shift)[:, None, None]
    x = F.grid_sample(x, at / CENTRE, padding_mode="border", align_corners=True)
    there = torch.linalg.inv(back)
    y = torch.einsum("nab,nkb->nka", there, y.flip(-1) - CENTRE) + shift[:, None] + CENTRE
    y = y.flip(-1)
    mirror = torch.rand(n) < 0.5
    x[mirror] = x[mirror].flip(-1)
    other = y[mirror][:, MIRRORED].clone()
    other[..., 1] = SIDE - 1 - other[..., 1]
    y[mirror] = other
    return x.clamp(1e-3, 1) ** torch.exp(uniform(0.5, 1, 1, 1)), y


def standardise(x):
    return (x - x.mean((1, 2, 3), keepdim=True)) / (x.std((1, 2, 3), keepdim=True, correction=0) + 0.02)


def build():
    layers, channels = [], 1
    for filters in FILTERS:
        layers += [torch.nn.Conv2d(channels, filters, 3, padding=1, bias=False), torch.nn.BatchNorm2d(filters),
                   torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        channels = filters
    outputs = 2 * len(MARKS)
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(channels * (SIDE // 16) ** 2, outputs))


def find(network, x):
    return network(standardise(x)).view(len(x), -1, 2) * UNIT + CENTRE


def train(x, y, judge):
    """Returns the network; prints the mean distance to the teacher's marks on faces that it has not seen."""
    torch.manual_seed(0)
    network = build()
    steps = len(x) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=EPOCHS * steps + 1)
    for epoch in range(EPOCHS):
        network.train()
        for rows in torch.randperm(len(x))[:steps * BATCH].view(steps, BATCH):
            pixels, marks = augment(x[rows], y[rows])
            loss = F.smooth_l1_loss(find(network, pixels), marks)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            far = (find(network, judge[0]) - judge[1]).norm(dim=-1)[:, :KEPT]
        print(f"epoch {epoch + 1}: off by {far.mean():.2f} pixels; eyes, nose, mouth: {far.mean(0).tolist()}", flush=True)
    return network


def write(network, path):
    """Writes the weights as `fer` reads them, in half precision."""
    names = {torch.nn.Conv2d: "conv2d", torch.nn.BatchNorm2d: "batch_normalization", torch.nn.Linear: "linear"}
    fields = {"weight": "weight", "bias": "bias"}
    norms = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_var"}
    counts, tensors, spec = {}, {}, []
    for layer in network:
        name = names.get(type(layer))
        counts[name] = counts.get(name, 0) + 1
        spec.append({torch.nn.Conv2d: lambda l: {"type": "conv2d", "filters": l.out_channels},
                     torch.nn.BatchNorm2d: lambda l: {"type": "batch_normalization"},
                     torch.nn.ReLU: lambda l: {"type": "activation"},
                     torch.nn.MaxPool2d: lambda l: {"type": "max_pooling2d"},
                     torch.nn.Flatten: lambda l: {"type": "flatten"},
                     torch.nn.Linear: lambda l: {"type": "linear", "units": 2 * KEPT}}[type(layer)](layer))
        if name:
            for field, value in layer.state_dict().items():
                known = (norms if name == "batch_normalization" else fields).get(field)
                if known:
                    value = value[:2 * KEPT] if name == "linear" else value
                    tensors[f"network/{name}_{counts[name]}.{known}"] = value.numpy().astype("<f2")
    classes = [f"{mark} {axis}" for mark in ("left eye", "right eye", "nose", "mouth") for axis in ("row", "column")]
    meta = {"network": {"name": "landmarks", "input": [1, SIDE, SIDE], "classes": classes, "mean": 0.0, "std": 1.0,
                        "layers": spec}}
    text = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"))
    checksum = zlib.crc32(text(meta).encode())
    header, data = {}, b""
    for name in sorted(tensors):
        value = tensors[name]
        checksum = zlib.crc32(name.encode(), checksum)
        checksum = zlib.crc32(struct.pack(f"<{value.ndim}Q", *value.shape), checksum)
        checksum = zlib.crc32(value.astype("<f4").tobytes(), checksum)
        header[name] = {"dtype": "F16", "shape": value.shape, "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    header["__metadata__"] = {"fer": text({"version": 1, "checksum": f"{checksum:08x}", "meta": meta})}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(head)) + head + data)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    target = sys.argv[2] if len(sys.argv) > 2 else "data/landmarks.safetensors"
    judge = label(read(folder / "public_test.csv.gz"))
    write(train(*label(read(folder / "train.csv.gz")), judge), target)
