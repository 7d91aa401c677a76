"""Writes the golden values of tests/golden/*.json with PyTorch, in double precision.

    python tests/golden/make.py     (needs `pip install torch`)

A file holds cases; a case holds a name, options and tensors (shape, row-major data). Inputs are
rounded before anything is computed from them, so they are exact in the file; results carry 12
significant digits. Gradients answer a random `grad_output`: one of ones would hide a transposed
backward. `grad_x` is the gradient of the tensor `x`, and so for every name.
"""

import ops
import training

for make in (
    ops.conv2d,
    ops.linear,
    ops.batch_norm,
    ops.pool,
    ops.softmax,
    ops.cross_entropy,
    ops.activations,
    ops.warp,
    training.optimizers,
    training.clipping,
    training.schedules,
    training.network,
    training.lenet,
):
    make()
