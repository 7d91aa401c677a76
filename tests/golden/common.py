"""What every golden case shares: how it is drawn, differentiated and written."""

import json
import pathlib
import platform

import torch

HERE = pathlib.Path(__file__).parent
LIMIT = 40_000  # bytes of a file
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def numbers(values):
    return "[" + ",".join(f"{v:.12g}" for v in values) + "]"


def tensor_json(t):
    t = t.detach().double()
    assert torch.isfinite(t).all()
    return f'{{"shape":{json.dumps(list(t.shape))},"data":{numbers(t.flatten().tolist())}}}'


def case(name, options=None, **tensors):
    """One case; `tensors` may be tensors or a dictionary under `many` (names with dots)."""
    tensors.update(tensors.pop("many", {}))
    return name, options or {}, tensors


def case_json(name, options, tensors):
    rows = ",\n".join(f"    {json.dumps(k)}: {tensor_json(t)}" for k, t in tensors.items())
    return (
        f'  {{"name": {json.dumps(name)}, "options": {json.dumps(options)}, "tensors": {{\n'
        f"{rows}\n  }}}}"
    )


def write(stem, about, cases):
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    head = {"made_by": "tests/golden/make.py", "versions": versions, "about": about}
    lines = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in head.items()]
    body = ",\n".join(case_json(*c) for c in cases)
    text = "{\n" + ",\n".join(lines) + ',\n "cases": [\n' + body + "\n ]\n}\n"
    json.loads(text)
    assert len(text) <= LIMIT, f"{stem}: {len(text)} bytes"
    (HERE / f"{stem}.json").write_text(text)
    print(f"{stem}.json: {len(cases)} cases, {len(text)} bytes")


def normal(*shape, decimals=3):
    return torch.randn(shape).round(decimals=decimals)


def uniform(low, high, *shape, decimals=3):
    return (low + (high - low) * torch.rand(shape)).round(decimals=decimals)


def differentiate(f, decimals=3, **inputs):
    """y = f(inputs), a random grad_output, and the gradient of every input."""
    leaves = {k: t.clone().requires_grad_() for k, t in inputs.items()}
    y = f(*leaves.values())
    grad_output = normal(*y.shape, decimals=decimals)
    grads = torch.autograd.grad(y, list(leaves.values()), grad_output)
    named = {f"grad_{k}": g for k, g in zip(leaves, grads)}
    return dict(inputs, y=y, grad_output=grad_output, **named)
