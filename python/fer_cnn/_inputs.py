"""What a caller may pass as faces, turned into :class:`Faces`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from fer_cnn import _fer
from fer_cnn._errors import ShapeError, UsageError
from fer_cnn._results import Box, Faces

SIDE = 48

FacesLike = Union[str, "os.PathLike[str]", Sequence[Any], npt.NDArray[Any], Faces]

_GRAY = np.array([0.299, 0.587, 0.114])  # Rec. 601


def to_bytes(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Returns pixels as bytes; numbers with a fraction count from 0 to 1.

    >>> to_bytes(np.array([0.0, 0.5, 1.0]))
    array([  0, 128, 255], dtype=uint8)
    """
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise UsageError(f"pixels of type {array.dtype}; expected uint8, or numbers from 0 to 1 as float")
    if array.size and not (array.min() >= 0.0 and array.max() <= 1.0):  # also refuses NaN
        raise UsageError(
            f"pixels from {array.min():g} to {array.max():g}; expected uint8, or numbers from 0 to 1 as float"
        )
    return np.floor(array * 255.0 + 0.5).astype(np.uint8)


def _found(read: tuple) -> Faces:
    pixels, labels, ids, squares = read
    return Faces(pixels, labels, ids, [None if s is None else Box(*s) for s in squares])


def _of_array(array: npt.NDArray[Any], detect: str) -> Faces:
    if array.ndim == 2 and array.shape != (SIDE, SIDE):
        return _found(_fer.detect(to_bytes(array), detect))
    if array.ndim == 3 and array.shape[1:] != (SIDE, SIDE) and array.shape[2] in (3, 4):
        color = to_bytes(array)[..., :3]
        return _found(_fer.detect(np.floor(color @ _GRAY + 0.5).astype(np.uint8), detect))
    if array.ndim == 2:
        array = array[None]
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 3 or array.shape[1:] != (SIDE, SIDE):
        raise ShapeError(
            f"faces: found an array {list(array.shape)}; expected faces [n, 48, 48], a gray photo "
            "[height, width] or a colour photo [height, width, 3]"
        )
    pixels = to_bytes(array)
    n = len(pixels)
    return Faces(pixels, np.full(n, -1), [str(i) for i in range(n)], [None] * n)


def faces_of(given: FacesLike, detect: str = "auto") -> Faces:
    """Returns the faces of paths, photos or arrays.

    >>> faces_of(np.zeros((5, 48, 48))).pixels.shape
    (5, 48, 48)
    >>> faces_of(np.zeros((5, 48, 47)))
    Traceback (most recent call last):
    ...
    fer_cnn._errors.ShapeError: faces: found an array [5, 48, 47]; expected faces [n, 48, 48], a gray photo \
[height, width] or a colour photo [height, width, 3]
    """
    if isinstance(given, Faces):
        return given
    if isinstance(given, (str, os.PathLike)):
        return _found(_fer.read([os.fspath(given)], detect))
    if isinstance(given, Sequence) and given and all(isinstance(x, (str, os.PathLike)) for x in given):
        return _found(_fer.read([os.fspath(x) for x in given], detect))
    return _of_array(np.asarray(given), detect)


def labels_of(labels: Any, faces: Faces, class_names: Sequence[str]) -> list[int]:
    """Returns the classes of faces, which are named or numbered; -1 for none."""
    if labels is None:
        return [int(label) for label in faces.labels]
    one = isinstance(labels, (str, int, np.integer))
    given = [labels] if one else list(labels)
    if len(given) != len(faces):
        raise UsageError(f"{len(given)} labels for {len(faces)} faces; expected one each")
    names = [name.lower() for name in class_names]
    out = []
    for label in given:
        if isinstance(label, str):
            if label.lower() not in names:
                raise UsageError(f"no class `{label}`. Classes: {', '.join(class_names)}")
            out.append(names.index(label.lower()))
        else:
            out.append(int(label))
    return out


def drawn_faces(count: int = 70, seed: int = 0, first: int = 0) -> Faces:
    """Draws faces with the seven expressions in turn, for trying things without data.

    ``first`` is the number of the first face: faces that begin behind those of a training are new to it.

    >>> faces = drawn_faces(7)
    >>> faces.pixels.shape, faces.labels.tolist()
    ((7, 48, 48), [0, 1, 2, 3, 4, 5, 6])
    """
    return _found(_fer.synthesize(count, seed, first))
