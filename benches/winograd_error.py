"""Rounding error of Winograd convolutions against f64: the table in kernels/conv2d/winograd/mod.rs.

A layer of 128 channels, rectified normal inputs, normal weights; errors are relative to the
standard deviation of the result. Needs numpy: python benches/winograd_error.py
"""

import numpy as np

C, O, TILES = 128, 32, 64
F32 = np.float32


def toom_cook(points, m):
    """A^T [m, a], G [a, 3], B^T [a, a] of F(m, 3) at these points and infinity, a = m + 2."""
    a, n, p = m + 2, m + 1, np.array(points, float)
    f = np.array([np.prod([p[i] - p[j] for j in range(n) if j != i]) for i in range(n)])
    at, g, bt = np.zeros((m, a)), np.zeros((a, 3)), np.zeros((a, a))
    for i in range(m):
        at[i, :n] = p**i
    for j in range(3):
        g[:n, j] = p**j / f
    for i in range(n):
        bt[i, :n] = np.poly([p[j] for j in range(n) if j != i])[::-1]
    at[m - 1, n] = g[n, 2] = 1
    bt[n] = np.poly(p)[::-1]
    return at, g, bt


def sandwich(left, x):
    """left x left^T over the last two axes, rounded to f32 after each product."""
    x = np.einsum("ij,abjk->abik", left, x).astype(F32)
    return np.einsum("abik,lk->abil", x, left).astype(F32)


def errors(result, exact):
    e = (result - exact) / exact.std()
    return f"rms {e.std():.1e}  largest {np.abs(e).max():.1e}"


def study(name, points, m):
    rng = np.random.default_rng(1)
    at, g, bt = (t.astype(F32) for t in toom_cook(points, m))
    d = np.maximum(rng.normal(size=(TILES, C, m + 2, m + 2)), 0).astype(F32)
    w = (rng.normal(size=(O, C, 3, 3)) * np.sqrt(2 / (9 * C))).astype(F32)
    gy = rng.normal(size=(TILES, O, m, m)).astype(F32)

    v, u = sandwich(bt, d), sandwich(g, w)
    y = sandwich(at, np.einsum("tcil,ocil->toil", v, u).astype(F32))
    du = np.einsum("tcil,toil->ocil", v, sandwich(at.T, gy)).astype(F32)
    gw = sandwich(g.T, du)

    exact_y, direct_y = np.zeros((TILES, O, m, m)), np.zeros((TILES, O, m, m), F32)
    exact_gw = np.zeros((O, C, 3, 3))
    for i in range(3):
        for j in range(3):
            part = d[:, :, i : i + m, j : j + m]
            exact_y += np.einsum("tcij,oc->toij", part.astype(float), w[:, :, i, j].astype(float))
            direct_y += np.einsum("tcij,oc->toij", part, w[:, :, i, j])
            exact_gw[:, :, i, j] = np.einsum("tcij,toij->oc", part.astype(float), gy.astype(float))
    print(f"{name:28} forward {errors(y, exact_y)}   grad_weight {errors(gw, exact_gw)}")
    print(f"{'  direct':28} forward {errors(direct_y, exact_y)}")


h, r = 2**-0.5, 2**0.5
study("F(2x2) 0 1 -1", [0, 1, -1], 2)
study("F(3x3) 0 1 -1 2", [0, 1, -1, 2], 3)
study("F(3x3) 0 1/2 -1 2", [0, 0.5, -1, 2], 3)
study("F(4x4) 0 1 -1 2 -2", [0, 1, -1, 2, -2], 4)
study("F(4x4) 0 1 -1 1/2 -2", [0, 1, -1, 0.5, -2], 4)
study("F(4x4) 0 +-1/sqrt2 +-sqrt2", [0, h, -h, r, -r], 4)
