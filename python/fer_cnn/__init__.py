"""Reads facial expressions with a convolutional network written from scratch, and explains its answers.

>>> import fer_cnn
>>> model = fer_cnn.load()
>>> faces = fer_cnn.drawn_faces(7)
>>> model.predict(faces).probabilities.shape
(7, 7)
>>> model.attribute(faces[3], "gradcam").map.shape
(48, 48)

The engine, for seeing how gradients come about:

>>> tape = fer_cnn.Tape()
>>> x = tape.leaf(3.0)
>>> y = x * x + 2.0 * x
>>> y.backward()
>>> float(x.grad)  # dy/dx = 2x + 2
8.0
"""

from fer_cnn._errors import (
    DataError,
    DivergedError,
    FerError,
    FileError,
    ModelError,
    NoFaceError,
    ShapeError,
    UsageError,
)
from fer_cnn._fer import CLASS_NAMES, METHODS, VERSION, Tape, Tensor, concat
from fer_cnn._inputs import drawn_faces, faces_of
from fer_cnn._model import Model, load
from fer_cnn._results import (
    Attribution,
    Box,
    Evaluation,
    Faces,
    FeatureMaps,
    FilterPicture,
    Prediction,
    Predictions,
)
from fer_cnn._training import Epoch, Training, train

__version__ = VERSION
__all__ = [
    "CLASS_NAMES", "METHODS", "Attribution", "Box", "DataError", "DivergedError", "Epoch", "Evaluation", "Faces",
    "FeatureMaps", "FerError", "FileError", "FilterPicture", "Model", "ModelError", "NoFaceError", "Prediction",
    "Predictions", "ShapeError", "Tape", "Tensor", "Training", "UsageError", "concat", "drawn_faces", "faces_of",
    "load", "train",
]
