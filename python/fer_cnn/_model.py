"""Trained networks: answers and explanations."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np

from fer_cnn import _fer
from fer_cnn._errors import UsageError
from fer_cnn._inputs import FacesLike, faces_of, labels_of
from fer_cnn._results import Attribution, Evaluation, FeatureMaps, FilterPicture, Predictions

PathLike = Union[str, "os.PathLike[str]"]


class Model:
    """A trained network, or several whose probabilities are averaged. See :func:`load`.

    Explanations concern the first network.
    """

    def __init__(self, *paths: PathLike) -> None:
        self._paths = [os.fspath(path) for path in paths]
        self._network = _fer.Network(self._paths)

    def __reduce__(self) -> tuple:
        return (Model, tuple(self._paths))  # a worker in another process reads the file itself

    def __repr__(self) -> str:
        return f"Model({self._network.title})"

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of the probabilities."""
        return self._network.class_names

    @property
    def is_calibrated(self) -> bool:
        """Whether 80 % sure means right in 80 % of cases: a temperature was measured."""
        return self._network.is_calibrated

    @property
    def layers(self) -> dict[str, tuple[int, int, int]]:
        """Name of each layer, and its output: channels, rows, columns.

        >>> list(load().layers.items())[0]
        ('conv2d_1', (32, 48, 48))
        """
        return {name: tuple(output) for name, _, output in self._network.layers()}

    def summary(self) -> str:
        """Returns the table of ``fer summary``."""
        return self._network.summary()

    def predict(
        self, faces: FacesLike, *, detect: str = "auto", tta: bool = False, whole_batches: bool = False
    ) -> Predictions:
        """Returns the probabilities of each expression.

        ``faces`` are arrays ``[n, 48, 48]`` of bytes or of numbers in [0, 1], or a photo: an array
        ``[height, width]`` or ``[height, width, 3]``, or the path of a picture, folder or table, or several
        paths. ``detect`` is ``auto``, ``largest``, ``all`` or ``off``; ``tta`` averages ten views.
        The numbers are the bits of ``fer predict``. With ``whole_batches`` they depend on no other face of the
        call, as those of ``fer predict --shard``: for work that is split among many.

        >>> answers = load().predict(drawn_faces(7))
        >>> answers.probabilities.shape
        (7, 7)
        >>> bool(abs(answers.probabilities.sum(axis=1) - 1).max() < 1e-5)
        True
        """
        found = faces_of(faces, detect)
        probabilities = self._network.predict(found.pixels, tta, whole_batches)
        return Predictions(found, probabilities, self.class_names)

    def attribute(
        self,
        face: FacesLike,
        method: str = _fer.DEFAULT_METHOD,
        target: Union[str, int] = "pred",
        *,
        label: Any = None,
        layer: Optional[str] = None,
        samples: Optional[int] = None,
        baseline: Optional[str] = None,
        seed: int = 0,
    ) -> Any:
        """Returns how much each pixel contributes: an :class:`Attribution`, or a list for several faces.

        ``method`` is one of :data:`fer_cnn.METHODS`. ``target`` is ``pred`` (the logit of the answer),
        ``contrast`` (that logit against the others), a class by name or number, or ``true`` and ``loss``, which
        need ``label``. The other options are those of ``fer saliency``.

        >>> load().attribute(drawn_faces(1).pixels[0], "gradcam", "happy").map.shape
        (48, 48)
        >>> load().attribute(drawn_faces(1).pixels[0], "magic")
        Traceback (most recent call last):
        ...
        fer_cnn._errors.UsageError: no method `magic`; there are saliency, grad-x-input, smoothgrad, \
smoothgrad-sq, vargrad, ig, smooth-ig, guided-backprop, gradcam, gradcam++, layercam, scorecam, occlusion, rise, lime
        """
        found = faces_of(face)
        labels = labels_of(label, found, self.class_names)
        raw = _fer.attribute(
            self._network, found.pixels, labels, method, str(target), layer, samples, baseline, seed
        )
        maps = [Attribution(face=pixels, **one) for one, pixels in zip(raw, found.pixels)]
        return maps[0] if len(maps) == 1 else maps

    def feature_maps(self, face: FacesLike, layer: str) -> Any:
        """Returns the output of a layer: :class:`FeatureMaps`, or a list for several faces.

        >>> load().feature_maps(drawn_faces(1), "conv2d_1").shape
        (32, 48, 48)
        """
        maps = _fer.feature_maps(self._network, faces_of(face).pixels, layer)
        found = [FeatureMaps(layer, one) for one in maps]
        return found[0] if len(found) == 1 else found

    def maximize(
        self,
        layer: str,
        filter: Union[int, str, Sequence[int]],
        *,
        method: str = "maco",
        steps: Optional[int] = None,
        restarts: int = 1,
        faces: Optional[FacesLike] = None,
        seed: int = 0,
    ) -> Any:
        """Returns the picture that a filter responds to most: a :class:`FilterPicture`, or a list.

        ``layer`` is a name of :attr:`layers`, or ``logits`` for the classes, which ``filter`` may name.
        ``method`` is ``naive``, ``pixels``, ``fourier``, ``maco`` or ``face``. The pictures share the spectrum of
        ``faces``; without them that of the training faces where their file exists, or of drawn ones.

        >>> picture = load().maximize("logits", "happy", steps=2, faces=drawn_faces(70))
        >>> picture.picture.shape, picture.filter
        ((48, 48), 3)
        """
        if isinstance(filter, str):
            if filter not in self.class_names:
                raise UsageError(f"no class `{filter}`. Classes: {', '.join(self.class_names)}")
            filter = self.class_names.index(filter)
        filters = [int(filter)] if isinstance(filter, (int, np.integer)) else [int(k) for k in filter]
        pixels = None if faces is None else faces_of(faces).pixels
        raw = _fer.maximize(
            self._network, layer, filters, method, steps, restarts, pixels, None, seed
        )
        found = []
        for picture, text in raw:
            scores = json.loads(text)
            found.append(FilterPicture(layer, scores["filter"], scores["method"], picture, scores))
        return found[0] if len(found) == 1 else found

    def evaluate(self, faces: Optional[FacesLike] = None, labels: Any = None, *, tta: bool = False) -> Evaluation:
        """Evaluates labelled faces: arrays with ``labels``, :class:`Faces`, or the path of a table or folder;
        without any, the validation faces that the network names.

        >>> load().evaluate(drawn_faces(70)).numbers["n"]
        70
        """
        path, given = None, None
        if isinstance(faces, (str, os.PathLike)):
            path = os.fspath(faces)
        elif faces is not None:
            found = faces_of(faces)
            given = (found.pixels, labels_of(labels, found, self.class_names))
        text, words = self._network.evaluate(given, path, tta)
        return Evaluation(json.loads(text), words)


def load(*paths: PathLike) -> Model:
    """Reads a run folder or a weights file; without a path, the network that comes with the package. The
    probabilities of several are averaged.

    >>> load().class_names
    ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral']
    >>> load("nowhere")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    fer_cnn._errors.ModelError: nowhere: does not exist; expected a run folder or a weights file...
    """
    return Model(*paths)
