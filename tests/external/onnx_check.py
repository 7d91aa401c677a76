"""onnxruntime against fer: called by tests/external/onnx_check.sh with the folder that the test suite left."""

import pathlib
import sys

import numpy
import onnx
import onnxruntime

TOLERANCE = 1e-4
TEMPERATURE = 1.3

folder = pathlib.Path(sys.argv[1])
pixels = numpy.load(folder / "pixels.npy")
failed = False
for path in sorted(folder.glob("*.onnx")):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits, probabilities = session.run(["logits", "probabilities"], {"pixels": pixels})
    ours = numpy.load(path.with_suffix(".npy"))
    worst = abs(logits - ours).max()
    same = (logits.argmax(1) == ours.argmax(1)).mean()
    raised = numpy.exp((logits - logits.max(1, keepdims=True)) / TEMPERATURE)
    softmax = abs(probabilities - raised / raised.sum(1, keepdims=True)).max()
    print(f"{path.stem:<6} {len(ours)} faces: logits differ by at most {worst:.1e}, "
          f"probabilities by {softmax:.1e}; {same:.2%} same answers")
    failed |= not (worst <= TOLERANCE and softmax <= 1e-5)
sys.exit("ONNX check failed" if failed else None)
