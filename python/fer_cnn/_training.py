"""Training, with the run folder, checkpoints and TensorBoard files of ``fer train``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from fer_cnn import _fer
from fer_cnn._errors import UsageError
from fer_cnn._inputs import FacesLike, faces_of, labels_of
from fer_cnn._model import Model
from fer_cnn._results import _table

Config = Union[str, "os.PathLike[str]", Mapping[str, Any], None]


@dataclass(frozen=True)
class Epoch:
    """The numbers of one epoch, as in ``metrics.csv``."""

    epoch: int
    step: int
    lr: float
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    grad_norm: float
    images_per_second: float
    seconds: float
    other: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def _of(cls, numbers: Mapping[str, Any]) -> Epoch:
        known = {k: v for k, v in numbers.items() if k in cls.__dataclass_fields__}
        rest = {k: v for k, v in numbers.items() if k not in known}
        return cls(**known, other=rest)


@dataclass(frozen=True)
class Training:
    """A training that has ended or was stopped: its folder and its epochs."""

    folder: str
    stopped: bool
    epochs: list[Epoch] = field(repr=False)

    @property
    def model(self) -> Model:
        """The trained network."""
        return Model(self.folder)

    def _repr_html_(self) -> str:
        rows = [
            [str(e.epoch), f"{e.loss:.4f}", f"{e.accuracy:.4f}", f"{e.val_loss:.4f}", f"{e.val_accuracy:.4f}"]
            for e in self.epochs
        ]
        return f"<p>{self.folder}</p>" + _table(["epoch", "loss", "accuracy", "val loss", "val accuracy"], rows)


def _keys(config: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Flattens settings into ``KEY=VALUE``, as ``--set`` takes them.

    >>> _keys({"lr": 0.05, "budget": {"epochs": 2}, "arch": "tiny"})
    [('key', 'lr=0.05'), ('key', 'budget.epochs=2'), ('key', 'arch="tiny"')]
    """
    out = []
    for key, value in config.items():
        if isinstance(value, Mapping):
            out += _keys(value, f"{above}{key}.")
        else:
            value = os.fspath(value) if isinstance(value, os.PathLike) else value
            out.append(("key", f"{above}{key}={json.dumps(value)}"))
    return out


def _settings(config: Config) -> list[tuple[str, str]]:
    if config is None:
        return []
    if isinstance(config, Mapping):
        given = dict(config)
        recipe = given.pop("recipe", None)
        epochs = given.pop("epochs", None)
        if epochs is not None:
            given["budget"] = {"epochs": epochs}
        return ([] if recipe is None else [("recipe", str(recipe))]) + _keys(given)
    text = os.fspath(config)
    return [("file" if text.endswith(".toml") else "recipe", text)]


def train(
    config: Config = None,
    callback: Optional[Callable[[Epoch], Any]] = None,
    *,
    faces: Optional[FacesLike] = None,
    labels: Any = None,
    validation: Optional[FacesLike] = None,
    validation_labels: Any = None,
    out: Union[str, "os.PathLike[str]", None] = None,
    resume: Union[str, "os.PathLike[str]", None] = None,
    tensorboard: bool = True,
) -> Training:
    """Trains a network.

    ``config`` is a dictionary of the settings of a run's ``config.toml`` (``recipe`` and ``epochs`` may stand in
    it), the name of a recipe, or a TOML file. The faces are those that the settings name (``data``, ``val``), or
    arrays with labels; without both, drawn ones. ``callback`` gets an :class:`Epoch` after each epoch; it ends the
    training with a checkpoint by returning ``False`` or raising. Ctrl-C and a notebook's stop button end it after
    the current step, also with a checkpoint, and raise ``KeyboardInterrupt``; ``train(resume=FOLDER)`` goes on.

    >>> import tempfile
    >>> place = tempfile.TemporaryDirectory()
    >>> done = train({"arch": "tiny", "synthetic": 210, "epochs": 1}, out=place.name + "/run")
    >>> len(done.epochs), done.stopped
    (1, False)
    """
    if resume is not None and (config is not None or faces is not None or out is not None):
        raise UsageError("resume: a training goes on as it began; leave out config, faces and out")
    if (faces is None) != (validation is None):
        raise UsageError("faces and validation: expected both or none")
    arrays = []
    for given, known in ((faces, labels), (validation, validation_labels)):
        if given is None:
            arrays.append(None)
        else:
            found = faces_of(given)
            arrays.append((found.pixels, labels_of(known, found, _fer.CLASS_NAMES)))
    call = None if callback is None else lambda text: callback(Epoch._of(json.loads(text)))
    folder = None if out is None else os.fspath(out)
    again = None if resume is None else os.fspath(resume)
    run, stopped, history = _fer.train(_settings(config), *arrays, folder, again, tensorboard, call)
    return Training(os.fspath(run), stopped, [Epoch._of(numbers) for numbers in json.loads(history)])
