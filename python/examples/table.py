"""What a scheduler runs on each part of the table: rows with `id` and `pixels` to answers as `fer predict` writes them."""

import functools

import numpy as np
import pandas as pd

import fer_cnn


@functools.cache
def model_of(paths: tuple) -> fer_cnn.Model:
    """Reads the network once in each worker."""
    return fer_cnn.load(*paths)


def columns(model: tuple) -> dict:
    """Returns the columns of the answers with their types."""
    return {"id": "object", "label": "int64", "class": "object", **{name: "object" for name in model_of(model).class_names}}


def answer(rows: pd.DataFrame, model: tuple = ()) -> pd.DataFrame:
    """Predicts the faces of some rows. Probabilities are text with as many digits as tell a float32."""
    network = model_of(tuple(model))
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns(tuple(model)).items()})
    faces = np.stack([np.array(text.split(), dtype=np.uint8).reshape(48, 48) for text in rows["pixels"]])
    answers = network.predict(faces, whole_batches=True)
    names = network.class_names
    table = {"id": rows["id"].astype(str).to_numpy(), "label": answers.classes, "class": [names[c] for c in answers.classes]}
    for k, name in enumerate(names):
        table[name] = [np.format_float_positional(p, unique=True, trim="-") for p in answers.probabilities[:, k]]
    return pd.DataFrame(table)
