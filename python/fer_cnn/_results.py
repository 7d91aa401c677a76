"""Results: arrays with what is known about them. A notebook shows them as pictures and tables."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from fer_cnn import _fer

Floats = npt.NDArray[np.float32]

_WIDTH = 600  # of a grid of pictures, in pixels


def _unit(pixels: npt.NDArray[np.uint8]) -> Floats:
    return np.ascontiguousarray(pixels.astype(np.float32) / np.float32(255.0))


def _picture(png: bytes, width: int) -> str:
    return f'<img width="{width}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _face(pixels: npt.NDArray[np.uint8], width: int = 96) -> str:
    return _picture(_fer.pictures_png(_unit(pixels)[None], False, width), width)


def _table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{h}</th>" for h in header)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True)
class Box:
    """The square around a detected face, in pixels of the photo, and the score of the detector."""

    x: float
    y: float
    side: float
    score: float


@dataclass(frozen=True)
class Faces:
    """Faces ``[n, 48, 48]``, their labels (-1 for none), ids, and where they were found."""

    pixels: npt.NDArray[np.uint8] = field(repr=False)
    labels: npt.NDArray[np.int64] = field(repr=False)
    ids: list[str] = field(repr=False)
    boxes: list[Optional[Box]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.pixels)

    def __repr__(self) -> str:
        return f"Faces({len(self)})"

    def __getitem__(self, at: Any) -> Faces:
        """Returns some of the faces: a number, a slice, or an array of numbers or of booleans."""
        chosen = np.atleast_1d(np.arange(len(self))[at])
        return Faces(
            np.ascontiguousarray(self.pixels[chosen]),
            self.labels[chosen],
            [self.ids[i] for i in chosen],
            [self.boxes[i] for i in chosen],
        )

    def _repr_png_(self) -> bytes:
        return _fer.pictures_png(_unit(self.pixels[:100]), False, _WIDTH)


@dataclass(frozen=True)
class Prediction:
    """The answer for one face."""

    class_name: str
    probability: float
    probabilities: Floats = field(repr=False)
    box: Optional[Box]
    face: npt.NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True)
class Predictions:
    """The answers for some faces: probabilities ``[n, classes]``, each row sums to 1."""

    faces: Faces
    probabilities: Floats = field(repr=False)
    class_names: list[str] = field(repr=False)

    def __len__(self) -> int:
        return len(self.probabilities)

    def __getitem__(self, i: int) -> Prediction:
        p = self.probabilities[i]
        best = int(p.argmax())
        return Prediction(
            self.class_names[best], float(p[best]), p, self.faces.boxes[i], self.faces.pixels[i]
        )

    def __iter__(self) -> Iterator[Prediction]:
        return (self[i] for i in range(len(self)))

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """The number of the most probable class of each face."""
        return self.probabilities.argmax(axis=1)

    def __repr__(self) -> str:
        shown = ", ".join(f"{p.class_name} {100 * p.probability:.0f} %" for p in list(self)[:5])
        return f"Predictions({shown}{', …' if len(self) > 5 else ''})"

    def _repr_html_(self) -> str:
        rows = []
        for i, p in enumerate(list(self)[:20]):
            order = np.argsort(-p.probabilities, kind="stable")[:3]
            bars = "<br>".join(
                f"{html.escape(self.class_names[c])} {100 * float(p.probabilities[c]):.1f} %" for c in order
            )
            rows.append([_face(p.face), html.escape(self.faces.ids[i]), f"<b>{p.class_name}</b>", bars])
        return _table(["face", "id", "answer", "most probable"], rows)


@dataclass(frozen=True)
class Attribution:
    """How much each pixel of a face speaks for a score: ``map`` is ``[48, 48]``, in the method's unit."""

    map: Floats = field(repr=False)
    method: str
    title: str = field(repr=False)
    target: str
    class_name: str
    score: float
    probability: float
    notes: list[str]
    refused: Optional[str]
    face: npt.NDArray[np.uint8] = field(repr=False)

    def _repr_png_(self) -> bytes:
        return _fer.map_png(_unit(self.face)[None], np.ascontiguousarray(self.map)[None], self.method)


@dataclass(frozen=True)
class FeatureMaps:
    """The output of a layer for one face, ``[channels, rows, columns]``."""

    layer: str
    maps: Floats = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.maps.shape

    def _repr_png_(self) -> bytes:
        return _fer.pictures_png(np.ascontiguousarray(self.maps), True, _WIDTH)


@dataclass(frozen=True)
class FilterPicture:
    """A picture ``[48, 48]`` in [0, 1] that a filter responds to strongly, with its scores."""

    layer: str
    filter: int
    method: str
    picture: Floats = field(repr=False)
    scores: dict[str, Any] = field(repr=False)

    def _repr_png_(self) -> bytes:
        return _fer.pictures_png(np.ascontiguousarray(self.picture)[None], False, 288)


@dataclass(frozen=True)
class Evaluation:
    """The numbers of ``fer eval --json``, as ``numbers``; the most used ones as attributes."""

    numbers: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)

    @property
    def accuracy(self) -> float:
        return self.numbers["accuracy"]

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats."""
        return self.numbers["loss"]

    @property
    def macro_f1(self) -> float:
        return self.numbers["macro_f1"]

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """``[true class, predicted class]``."""
        return np.array(self.numbers["confusion"])

    def __repr__(self) -> str:
        n = self.numbers["n"]
        return f"Evaluation(n={n}, accuracy={self.accuracy:.4f}, loss={self.loss:.4f})"

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        names = [c["label"] for c in self.numbers["per_class"]]
        rows = []
        for report, counts in zip(self.numbers["per_class"], self.confusion):
            numbers = [f"{report[k]:.3f}" for k in ("precision", "recall", "f1")]
            rows.append([f"<b>{report['label']}</b>", *numbers, *map(str, counts)])
        caption = f"<p>{self!r}; columns on the right: predicted as</p>"
        return caption + _table(["class", "precision", "recall", "F1", *names], rows)
