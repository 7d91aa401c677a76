"""Golden cases of the differentiable ops."""

import math

import torch
import torch.nn.functional as F
from common import case, differentiate, normal, uniform, write


def conv2d():
    torch.manual_seed(1)
    table = [  # name, x, weight, bias, stride, padding, dilation, groups
        ("same_3x3", [2, 2, 5, 5], [3, 2, 3, 3], True, (1, 1), (1, 1), (1, 1), 1),
        ("stride_2", [2, 3, 7, 6], [2, 3, 3, 3], False, (2, 2), (1, 1), (1, 1), 1),
        ("pointwise_1x1", [2, 4, 3, 4], [3, 4, 1, 1], True, (1, 1), (0, 0), (1, 1), 1),
        ("dilation_2", [1, 2, 7, 8], [2, 2, 3, 3], False, (1, 1), (2, 2), (2, 2), 1),
        ("groups_2", [2, 4, 4, 5], [6, 2, 3, 3], True, (1, 1), (1, 1), (1, 1), 2),
        ("depthwise_times_2", [1, 3, 5, 4], [6, 1, 3, 3], False, (1, 1), (1, 1), (1, 1), 3),
        ("non_square", [2, 2, 6, 9], [3, 2, 3, 2], True, (2, 1), (0, 1), (1, 3), 1),
        ("everything", [2, 4, 7, 6], [4, 2, 3, 2], True, (2, 3), (2, 1), (2, 1), 2),
        ("stride_over_kernel", [1, 2, 8, 7], [2, 2, 2, 2], True, (3, 3), (0, 0), (1, 1), 1),
        ("padding_over_kernel", [1, 1, 3, 2], [2, 1, 2, 2], True, (1, 1), (3, 2), (1, 1), 1),
        ("whole_image", [3, 2, 4, 4], [5, 2, 4, 4], True, (1, 1), (0, 0), (1, 1), 1),
    ]
    cases = []
    for name, x, w, has_bias, stride, padding, dilation, groups in table:
        inputs = dict(x=normal(*x, decimals=1), weight=normal(*w, decimals=2))
        if has_bias:
            inputs["bias"] = normal(w[0])
        options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
        f = lambda x, weight, bias=None: F.conv2d(x, weight, bias, **options)
        cases.append(case(name, options, **differentiate(f, decimals=1, **inputs)))
    about = "torch.nn.functional.conv2d; pairs are (height, width); no `bias` where absent"
    write("conv2d", about, cases)


def linear():
    torch.manual_seed(2)
    inputs = dict(x=normal(3, 5), weight=normal(4, 5), bias=normal(4))
    cases = [case("three_rows", **differentiate(F.linear, **inputs))]
    write("linear", "y = x weight^T + bias, weight [out, in]", cases)


def batch_norm():
    torch.manual_seed(3)
    eps, momentum, cases = 1e-5, 0.1, []
    for name, shape, fresh in [
        ("rank_4", [3, 3, 4, 2], True),
        ("rank_4_continued", [2, 2, 3, 3], False),
        ("rank_2", [6, 4], True),
        ("rank_2_continued", [5, 3], False),
    ]:
        c = shape[1]
        channel = [1, c] + [1] * (len(shape) - 2)
        scale, shift = uniform(0.3, 4, *channel), normal(*channel) * 3
        draw = lambda: (normal(*shape) * scale + shift).round(decimals=3)
        mean = torch.zeros(c) if fresh else normal(c)
        var = torch.ones(c) if fresh else uniform(0.5, 3, c)
        affine = dict(gamma=normal(c), beta=normal(c))
        options = dict(eps=eps, momentum=momentum)

        track = {"running_mean_0": mean.clone(), "running_var_0": var.clone()}
        m, v, steps = mean.clone(), var.clone(), {}
        for step in (1, 2):
            f = lambda x, gamma, beta: F.batch_norm(x, m, v, gamma, beta, True, momentum, eps)
            record = differentiate(f, x=draw(), **affine)
            del record["gamma"], record["beta"]
            steps |= {f"{k}_{step}": t for k, t in record.items()}
            track |= {f"running_mean_{step}": m.clone(), f"running_var_{step}": v.clone()}
        options["mode"] = "train"
        cases.append(case(f"{name}_train", dict(options), **affine, **track, **steps))

        m, v = m.round(decimals=6), v.round(decimals=6)
        f = lambda x, gamma, beta: F.batch_norm(x, m, v, gamma, beta, False, momentum, eps)
        options["mode"] = "eval"
        still = differentiate(f, x=draw(), **affine)
        cases.append(case(f"{name}_eval", dict(options), running_mean=m, running_var=v, **still))
    write(
        "batch_norm",
        "Train: two steps, suffix _1 and _2; running statistics before them have suffix _0. "
        "new = (1-momentum) old + momentum batch; the biased variance normalises, the unbiased "
        "one is tracked.",
        cases,
    )


def pool():
    torch.manual_seed(4)
    ties = torch.randint(-2, 3, (2, 2, 6, 6)).double()
    below = -uniform(0.5, 2, 1, 2, 5, 4)  # padding is not a zero that wins
    flat = torch.full((1, 1, 4, 4), -1.5)
    maxima = [
        ("max_2x2", normal(2, 3, 4, 6), 2, 2, 0),
        ("max_ties_overlapping", ties, 3, 2, 1),
        ("max_ties_stride_1", ties[:1], 2, 1, 0),
        ("max_all_equal", flat, 3, 1, 1),
        ("max_negative_padded", below, (3, 2), (2, 1), (1, 1)),
        ("max_rows_left_over", normal(1, 2, 7, 5), 2, 2, 0),
    ]
    means = [
        ("avg_2x2", normal(2, 3, 4, 6), 2, 2, 0),
        ("avg_padded", normal(2, 2, 5, 6), 3, 2, 1),
        ("avg_non_square", normal(1, 2, 5, 7), (3, 2), (1, 3), (1, 0)),
    ]
    pair = lambda v: [v, v] if isinstance(v, int) else list(v)
    cases = []
    for name, x, k, s, p in maxima:
        options = dict(op="max_pool2d", kernel=pair(k), stride=pair(s), padding=pair(p))
        record = differentiate(lambda x: F.max_pool2d(x, k, s, p), x=x)
        _, record["argmax"] = F.max_pool2d(x, k, s, p, return_indices=True)
        cases.append(case(name, options, **record))
    for name, x, k, s, p in means:
        options = dict(op="avg_pool2d", kernel=pair(k), stride=pair(s), padding=pair(p))
        f = lambda x: F.avg_pool2d(x, k, s, p, count_include_pad=True)
        cases.append(case(name, options, **differentiate(f, x=x)))
    options = dict(op="global_average_pool2d")
    gap = lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1)
    cases.append(case("global_average", options, **differentiate(gap, x=normal(2, 3, 4, 5))))
    about = "argmax is row * w_in + column of the first maximum; averages count padding as zeros; "
    write("pool", about + "the global average is [n, c]", cases)


def softmax():
    torch.manual_seed(5)
    large = torch.tensor([[1000.0, 999.5, -1000.0], [-800.0, -800.0, -800.0]])
    rows = {"seven_classes": 2 * normal(4, 7), "large": large, "one_column": normal(3, 1)}
    cases = []
    for op, f in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        for name, x in rows.items():
            record = differentiate(lambda x: f(x, dim=-1), x=x)
            cases.append(case(f"{op}_{name}", dict(op=op), **record))
    write("softmax", "along the last axis", cases)


def cross_entropy():
    torch.manual_seed(6)
    n, c = 5, 7
    weight = uniform(0.3, 2.5, c)
    soft = torch.rand(n, c)
    soft = (soft / soft.sum(1, keepdim=True)).round(decimals=3)
    soft[:, 0] += 1 - soft.sum(1)
    cases = []
    for target_kind in ("labels", "soft"):
        for smoothing in (0.0, 0.1):
            for weighted in (False, True):
                labels = torch.tensor([0, 6, 3, 3, 1])
                target = labels if target_kind == "labels" else soft
                w = weight if weighted else None
                f = lambda logits: F.cross_entropy(
                    logits, target, weight=w, label_smoothing=smoothing
                )
                record = differentiate(f, logits=2 * normal(n, c)) | {"target": target}
                if weighted:
                    record["class_weights"] = weight
                parts = [target_kind] + ["smoothing"] * (smoothing > 0) + ["weights"] * weighted
                options = dict(target=target_kind, label_smoothing=smoothing)
                cases.append(case("_".join(parts), options, **record))
    write(
        "cross_entropy",
        "Mean reduction. With labels and class weights the mean divides by the sum of the weights "
        "of the labels; with soft targets it divides by the batch, weights or not. `grad_output` "
        "is the scalar that arrives at the loss `y`.",
        cases,
    )


def activations():
    torch.manual_seed(7)
    x = torch.cat([torch.tensor([0.0, 1e-3, -1e-3, 1, -1, 20, -20, 40, -40, 750, -750]), normal(9)])
    leaky = lambda slope: lambda x: F.leaky_relu(x, slope)
    table = [
        ("relu", {}, F.relu),
        ("leaky_relu_0.01", dict(slope=0.01), leaky(0.01)),
        ("leaky_relu_0.2", dict(slope=0.2), leaky(0.2)),
        ("sigmoid", {}, torch.sigmoid),
        ("tanh", {}, torch.tanh),
    ]
    cases = [
        case(name, dict(op=name.rsplit("_0", 1)[0]) | options, **differentiate(f, x=x))
        for name, options, f in table
    ]
    write("activations", "x[0] = 0: relu passes nothing there, leaky_relu its slope", cases)


def warp():
    torch.manual_seed(8)
    h, w = 6, 5
    turn, zoom = math.radians(20), 1.3
    cos, sin = math.cos(turn) * zoom, math.sin(turn) * zoom
    ci, cj = (h - 1) / 2, (w - 1) / 2
    matrices = torch.tensor(
        [
            [1, 0, 0, 0, 1, 0],  # identity
            [1, 0, 1, 0, 1, -2],  # whole pixels
            [1, 0, -0.25, 0, 1, 0.75],  # parts of pixels
            [1, 0, 0, 0, -1, w - 1],  # mirror
            [cos, -sin, ci - cos * ci + sin * cj, sin, cos, cj - sin * ci - cos * cj],
            [0.6, 0.1, 0.4, -0.2, 0.7, 1.1],  # enlarge and shear
            [1, 0, 9.5, 0, 1, 0],  # all outside
        ]
    ).round(decimals=9)

    def grid():
        """Our (row, column) in pixels as grid_sample's (x, y) in [-1, 1]."""
        i, j = torch.meshgrid(torch.arange(h).double(), torch.arange(w).double(), indexing="ij")
        a, b, c, d, e, f = (matrices[:, k, None, None] for k in range(6))
        row, col = a * i + b * j + c, d * i + e * j + f
        return torch.stack([2 * col / (w - 1) - 1, 2 * row / (h - 1) - 1], dim=-1)

    cases = []
    x = normal(len(matrices), 2, h, w, decimals=2)
    for border, mode in (("zeros", "zeros"), ("edge", "border")):
        f = lambda x: F.grid_sample(x, grid(), "bilinear", mode, align_corners=True)
        record = differentiate(f, x=x) | {"matrices": matrices}
        cases.append(case(border, dict(border=border), **record))
    write(
        "warp",
        "One matrix [a,b,c,d,e,f] an image: output pixel (i, j) reads row a i + b j + c, "
        "column d i + e j + f. From grid_sample(align_corners=True).",
        cases,
    )
