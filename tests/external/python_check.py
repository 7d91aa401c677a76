"""Checks of the installed module fer_cnn: doctests, the same numbers as the command, errors, Ctrl-C."""

import csv
import doctest
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading

import numpy as np

import fer_cnn
from fer_cnn import _inputs, _model, _results, _training

FER = str(pathlib.Path(sys.executable).with_name("fer"))


def doctests():
    for module in (fer_cnn, _inputs, _model, _results, _training):
        found = doctest.testmod(module, extraglobs=vars(fer_cnn).copy(), raise_on_error=False)
        assert found.failed == 0, module
        print(f"{module.__name__}: {found.attempted} examples")


def same_bits_as_the_command(model, place):
    table = place / "faces.csv"
    subprocess.run([FER, "data", "synth", "--count", "70", "--out", table], check=True)
    answers = place / "answers.csv"
    subprocess.run([FER, "predict", table, "--out", answers], check=True)
    rows = list(csv.reader(answers.open()))[1:]
    command = np.array([[float(p) for p in row[3:]] for row in rows], dtype=np.float32)
    assert np.array_equal(model.predict(table).probabilities, command)
    faces = fer_cnn.faces_of(table)
    assert np.array_equal(model.predict(faces.pixels).probabilities, command)
    assert np.array_equal(model.predict(faces.pixels / 255.0).probabilities, command)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(faces).probabilities, command)


def every_method(model):
    faces = fer_cnn.drawn_faces(7)
    for method in fer_cnn.METHODS:
        samples = 10 if method in ("smoothgrad", "smoothgrad-sq", "vargrad", "rise", "lime") else None
        found = model.attribute(faces[3:5], method, "happy", samples=samples)
        assert [a.map.shape for a in found] == [(48, 48)] * 2 and found[0].class_name == "happy"
        assert found[0]._repr_png_()[:4] == b"\x89PNG"
    loss = model.attribute(faces[3], "saliency", "loss")
    assert loss.target == "loss against happy", loss.target
    assert model.feature_maps(faces[0], "conv2d_1")._repr_png_()[:4] == b"\x89PNG"
    picture = model.maximize("conv2d_1", [0, 3], steps=2, faces=faces)
    assert [p.filter for p in picture] == [0, 3] and picture[0]._repr_png_()[:4] == b"\x89PNG"
    evaluation = model.evaluate(fer_cnn.drawn_faces(70))
    assert evaluation.confusion.sum() == 70 and "<table>" in evaluation._repr_html_()
    assert "<table>" in model.predict(faces)._repr_html_()


def photos(model):
    face = fer_cnn.drawn_faces(1, seed=3).pixels[0]
    photo = np.full((300, 400), 120, np.uint8)
    photo[90:234, 60:204] = np.kron(face, np.ones((3, 3), np.uint8))
    try:
        found = model.predict(photo)
        assert found[0].box is not None and 0 < found[0].box.side < 300, found
    except fer_cnn.NoFaceError as e:  # a drawn face need not be found
        assert "--detect off" in str(e)
    whole = model.predict(np.stack([photo] * 3, axis=2), detect="off")
    assert len(whole) == 1 and whole[0].box is None


def errors(model, place):
    def raises(kind, words, call):
        try:
            call()
        except kind as e:
            assert words in str(e), e
        else:
            raise AssertionError(f"no {kind.__name__}: {words}")

    bad = place / "bad.csv"
    bad.write_text("emotion,pixels\n9,1 2 3\n")
    raises(fer_cnn.DataError, "bad.csv:2", lambda: model.predict(bad))
    raises(fer_cnn.ModelError, "nowhere: does not exist", lambda: fer_cnn.load("nowhere"))
    raises(fer_cnn.UsageError, "did you mean `conv2d_1`?", lambda: model.feature_maps(np.zeros((48, 48)), "conv2d1"))
    raises(fer_cnn.UsageError, "0 to 1", lambda: model.predict(np.full((1, 48, 48), 2.0)))
    raises(fer_cnn.UsageError, "0 to 1", lambda: model.predict(np.full((1, 48, 48), np.nan)))
    raises(fer_cnn.UsageError, "no class `joy`", lambda: model.attribute(np.zeros((48, 48)), target="joy"))
    raises(fer_cnn.UsageError, "budgett", lambda: fer_cnn.train({"budgett": 1}))
    raises(fer_cnn.ShapeError, "expected [m, k]", lambda: fer_cnn.Tensor([[1.0]]) @ fer_cnn.Tensor([1.0]))
    raises(ValueError, "no class `joy`", lambda: model.attribute(np.zeros((48, 48)), target="joy"))
    assert fer_cnn.DataError.exit_code == 3
    assert subprocess.run([FER, "predict", bad], capture_output=True).returncode == 3


def training(place):
    faces, val = fer_cnn.drawn_faces(280), fer_cnn.drawn_faces(70, first=10_000)
    config = {"arch": "tiny", "batch": 35, "epochs": 3}
    seen = []
    done = fer_cnn.train(config, seen.append, faces=faces, validation=val, out=place / "whole")
    assert [e.epoch for e in seen] == [1, 2, 3] and not done.stopped
    assert done.model.predict(val).probabilities.shape == (70, 7)

    # Ctrl-C after the first epoch, then the rest: the same weights as without the interruption. A shell that starts
    # this script in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt(epoch):
        if epoch.epoch == 1:
            threading.Timer(0.0, os.kill, (os.getpid(), signal.SIGINT)).start()

    drawn = {"arch": "tiny", "batch": 35, "synthetic": 280, "epochs": 12}  # long enough for the signal to arrive
    try:
        fer_cnn.train(drawn, interrupt, out=place / "cut")
        raise AssertionError("no KeyboardInterrupt")
    except KeyboardInterrupt:
        pass
    rest = fer_cnn.train(resume=place / "cut")
    whole = fer_cnn.train(drawn, out=place / "uncut")
    assert len(rest.epochs) == 12
    a, b = (run.model.predict(val).probabilities for run in (rest, whole))
    assert np.array_equal(a, b)
    stopped = fer_cnn.train(drawn, lambda epoch: epoch.epoch < 2, out=place / "stopped")
    assert stopped.stopped and len(stopped.epochs) == 2
    return done.model


def main():
    model = fer_cnn.load()
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        doctests()
        same_bits_as_the_command(model, place)
        every_method(model)  # a network of three epochs gives some faces the same answer whatever is hidden
        small = training(place)
        photos(small)
        errors(small, place)
    print("module: all as it should be")


main()
