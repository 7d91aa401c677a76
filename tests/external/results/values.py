"""Reads results as values by path: weights, JSON, TOML, tables, arrays, event files."""

import csv
import gzip
import io
import itertools
import json
import re
import struct
import tomllib


def tensors(path):
    """The tensors of a safetensors file as {name: (type, shape, bytes)}, and the metadata of fer."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    meta = header.pop("__metadata__", {})
    values = {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        values[name] = (about["dtype"], about["shape"], data[8 + length + begin : 8 + length + end])
    return values, {k: json.loads(v) if k == "fer" else v for k, v in meta.items()}


def leaves(value, path=""):
    """Every number, word, flag and empty part of a JSON value with its path."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(part, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for i, part in enumerate(value):
            yield from leaves(part, f"{path}/{i}")
    else:
        yield path, value


def read_safetensors(path):
    values, meta = tensors(path)
    found = {f"/tensors/{name}": value for name, value in values.items()}
    for key, value in meta.items():
        found.update(leaves(value) if key == "fer" else [(f"/{key}", value)])
    return found


def read_json(path):
    text = path.read_text()
    try:
        return dict(leaves(json.loads(text)))
    except json.JSONDecodeError:  # one object per line
        return dict(leaves([json.loads(line) for line in text.splitlines()]))


def read_toml(path):
    return dict(leaves(tomllib.loads(path.read_text())))


def read_table(path):
    """The cells of a CSV, or of a TSV, with a header."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    rows = csv.reader(io.StringIO(data.decode()), delimiter="\t" if path.suffix == ".tsv" else ",")
    columns = next(rows, [])
    found = {f"/columns/{i}": name for i, name in enumerate(columns)}
    for i, row in enumerate(rows):
        found[f"/{i}/cells"] = len(row)
        found.update((f"/{i}/{column}", cell) for column, cell in zip(columns, row))
    return {path: value for path, value in found.items() if not path.startswith("/columns/")}


def read_npy(path):
    """The values of an NPY file of f32, and its header."""
    data = path.read_bytes()
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    found = {"/header": data[:begin]}
    count = (len(data) - begin) // 4
    values = struct.unpack(f"<{count}f", data[begin:])
    return found | {f"/{i}": value for i, value in enumerate(values)}


def fields(message):
    """The fields of a protobuf message: (number, value), values as bytes or numbers."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        match key & 7:
            case 0:
                value = varint()
            case 1:
                value, at = message[at : at + 8], at + 8
            case 2:
                length = varint()
                value, at = message[at : at + length], at + length
            case 5:
                value, at = message[at : at + 4], at + 4
            case kind:
                raise ValueError(f"protobuf wire type {kind}")
        yield key >> 3, value


def read_events(path):
    """The summaries of an event file by tag and step, without the times at which they were written."""
    data, at, found = path.read_bytes(), 0, {}
    other = itertools.count()
    while at < len(data):
        length = struct.unpack("<Q", data[at : at + 8])[0]
        event = list(fields(data[at + 12 : at + 12 + length]))
        at += 16 + length
        step = next((value for number, value in event if number == 2), 0)
        for number, value in event:
            if number == 5:  # summary
                for _, one in fields(value):
                    tag = next(v.decode() for n, v in fields(one) if n == 1)
                    found[f"/{tag}/{step}"] = one
            elif number not in (1, 2):  # the time, the step
                found[f"/event/{next(other)}"] = value
    return found


READERS = [
    (r"\.safetensors(\.previous)?$", read_safetensors),
    (r"\.json$", read_json),
    (r"\.toml$", read_toml),
    (r"\.(csv|csv\.gz|tsv)$", read_table),
    (r"\.npy$", read_npy),
    (r"tfevents", read_events),
]
