"""Golden cases of optimisers, schedules and whole networks."""

import math

import torch
import torch.nn.functional as F
from common import case, normal, uniform, write
from torch import nn, optim


def optimizers():
    torch.manual_seed(9)
    start, grads = normal(6), normal(5, 6)
    grads[2, 1] = 0  # a coordinate that rests for one step
    lrs = [0.1, 0.1, 0.05, 0.02, 0.2]  # changes between steps: lr must stay out of the velocity
    sgd = dict(momentum=0.0, nesterov=False, weight_decay=0.0)
    adam = dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    table = [
        ("sgd", optim.SGD, sgd),
        ("sgd_momentum", optim.SGD, sgd | dict(momentum=0.9)),
        ("sgd_nesterov", optim.SGD, sgd | dict(momentum=0.9, nesterov=True)),
        ("sgd_weight_decay", optim.SGD, sgd | dict(weight_decay=0.05)),
        ("sgd_all", optim.SGD, dict(momentum=0.8, nesterov=True, weight_decay=0.05)),
        ("adam", optim.Adam, adam),
        ("adam_weight_decay", optim.Adam, adam | dict(weight_decay=0.05)),
        ("adam_large_eps", optim.Adam, dict(betas=(0.8, 0.95), eps=1e-2, weight_decay=0.0)),
        ("adamw", optim.AdamW, adam | dict(weight_decay=0.05)),
        ("adamw_other_betas", optim.AdamW, dict(betas=(0.8, 0.95), eps=1e-3, weight_decay=0.3)),
    ]
    cases = []
    for name, kind, options in table:
        p = nn.Parameter(start.clone())
        o = kind([p], lr=lrs[0], **options)
        path = []
        for lr, g in zip(lrs, grads):
            o.param_groups[0]["lr"] = lr
            p.grad = g.clone()
            o.step()
            path.append(p.detach().clone())
        options = {"optimizer": kind.__name__.lower()} | options
        tensors = dict(param=start, grads=grads, lr=torch.tensor(lrs), params=torch.stack(path))
        cases.append(case(name, options, **tensors))
    about = "params[t] is the vector after step t+1 with lr[t] and grads[t]"
    write("optimizers", about, cases)


def clipping():
    torch.manual_seed(10)
    cases = []
    for name, max_norm in (("clipped", 1.5), ("left_alone", 50.0)):
        grads = {"grad_a": normal(2, 3), "grad_b": normal(4), "grad_c": normal(1)}
        params = [nn.Parameter(torch.zeros_like(g)) for g in grads.values()]
        for p, g in zip(params, grads.values()):
            p.grad = g.clone()
        norm = nn.utils.clip_grad_norm_(params, max_norm)
        after = {k.replace("grad", "clipped"): p.grad for k, p in zip(grads, params)}
        options = dict(max_norm=max_norm, eps=1e-6)
        cases.append(case(name, options, norm=norm, **grads, **after))
    write(
        "clipping",
        "clip_grad_norm_: norm over all tensors, factor min(1, max_norm / (norm + eps))",
        cases,
    )


def schedules():
    steps, peak = 12, 0.4
    kinds = optim.lr_scheduler
    one = dict(max_lr=peak, total_steps=steps, anneal_strategy="cos", cycle_momentum=False)
    one |= dict(pct_start=0.25, div_factor=25.0, final_div_factor=1e4)
    table = [
        ("cosine", kinds.CosineAnnealingLR, dict(T_max=steps, eta_min=0.0)),
        ("cosine_floor", kinds.CosineAnnealingLR, dict(T_max=steps, eta_min=0.01)),
        ("step", kinds.StepLR, dict(step_size=5, gamma=0.1)),
        ("linear", kinds.LinearLR, dict(start_factor=1.0, end_factor=0.0, total_iters=steps)),
        ("one_cycle", kinds.OneCycleLR, one),
    ]
    cases = []
    for name, kind, options in table:
        o = optim.SGD([nn.Parameter(torch.zeros(1))], lr=peak)
        schedule = kind(o, **options)
        values = []
        for t in range(steps + 1):
            values.append(o.param_groups[0]["lr"])
            o.step()
            if t + 1 < (steps if name == "one_cycle" else steps + 1):
                schedule.step()
        if name == "one_cycle":
            values.pop()  # defined for total_steps values only
        options = {"schedule": name, "lr": peak, "steps": steps} | options
        cases.append(case(name, options, lr=torch.tensor(values)))
    write("schedules", "lr[t] is the rate before step t+1 (t counts from 0)", cases)


def init(model):
    """Draws parameters of three decimals, so that the file holds them exactly."""
    for p in model.parameters():
        bound = 0.5 if p.dim() < 2 else 1.5 / math.sqrt(p[0].numel())
        p.data = uniform(-bound, bound, *p.shape)
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.data = uniform(0.5, 1.5, *layer.weight.shape)


def named(model, prefix=""):
    """Layers by our names, tensors by the field's: conv2d_1.weight, batch_normalization_1.gamma."""
    kinds = {nn.Conv2d: "conv2d", nn.BatchNorm2d: "batch_normalization", nn.Linear: "linear"}
    count, result = {}, {}
    for layer in model:
        kind = kinds.get(type(layer))
        if kind is None:
            continue
        count[kind] = count.get(kind, 0) + 1
        renamed = {"weight": "gamma", "bias": "beta"} if kind == "batch_normalization" else {}
        for k, p in layer.named_parameters():
            result[f"{prefix}{kind}_{count[kind]}.{renamed.get(k, k)}"] = p
    return result


def network():
    torch.manual_seed(11)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7),
    )  # fmt: skip
    init(model)
    x, labels = uniform(0, 1, 4, 1, 12, 12), torch.tensor([3, 0, 6, 3])
    x.requires_grad_()
    logits = model(x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    tensors = named(model) | {"x": x, "labels": labels, "logits": logits, "loss": loss}
    tensors |= {f"grad_{k}": p.grad for k, p in named(model).items()} | {"grad_x": x.grad}
    norms = [layer for layer in model if isinstance(layer, nn.BatchNorm2d)]
    for i, layer in enumerate(norms, 1):
        tensors[f"batch_normalization_{i}.running_mean"] = layer.running_mean
        tensors[f"batch_normalization_{i}.running_var"] = layer.running_var
    model.eval()
    tensors["logits_eval"] = model(x)
    layers = "conv2d batch_norm relu max_pool2d conv2d batch_norm relu global_average_pool2d linear"
    options = dict(layers=layers.split(), kernel=3, padding=1, pool=2, eps=1e-5, momentum=0.1)
    write(
        "network",
        "One training pass (batch statistics), mean cross entropy. Running statistics started at "
        "0 and 1 and are those after the pass; logits_eval uses them.",
        [case("tiny", options, many=tensors)],
    )


def lenet():
    torch.manual_seed(12)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16, 10), nn.ReLU(), nn.Linear(10, 7),
    )  # fmt: skip
    init(model)
    tensors = {f"before.{k}": p.detach().clone() for k, p in named(model).items()}
    decayed = [p for p in model.parameters() if p.dim() > 1]
    spared = [p for p in model.parameters() if p.dim() == 1]
    rule = dict(lr=0.05, momentum=0.9, nesterov=True)
    groups = [dict(params=decayed, weight_decay=0.01), dict(params=spared, weight_decay=0.0)]
    o = optim.SGD(groups, **rule)
    x, labels = uniform(0, 1, 3, 4, 1, 14, 14, decimals=2), torch.randint(0, 7, (3, 4))
    losses = []
    for images, target in zip(x, labels):
        o.zero_grad()
        loss = F.cross_entropy(model(images), target)
        loss.backward()
        o.step()
        losses.append(loss.item())
    tensors |= {"x": x, "labels": labels, "losses": torch.tensor(losses)}
    tensors |= {f"after.{k}": p for k, p in named(model).items()}
    layers = "conv2d relu max_pool2d conv2d relu avg_pool2d flatten linear relu linear"
    options = dict(layers=layers.split(), kernel=3, padding=0, pool=2, weight_decay=0.01, **rule)
    write(
        "training",
        "Three SGD Nesterov steps on batches x[t], labels[t]; biases are not decayed. losses[t] "
        "is before step t+1.",
        [case("lenet", options, many=tensors)],
    )
