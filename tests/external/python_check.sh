#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment, and runs the doctests, the checks of the module, the
# engine against PyTorch (where `import torch` works) and the notebook. Usage: tests/external/python_check.sh [FOLDER]
# FER_PROFILE=dev builds quickly; TORCH_PYTHON names an interpreter with torch. Without python3 it skips.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }
folder=$(realpath -m "${1:-target/python-check}") profile=${FER_PROFILE:-release}
rm -rf "$folder/wheel" "$folder/venv"
mkdir -p "$folder"
[ -x "$folder/build/bin/maturin" ] || { python3 -m venv "$folder/build" && "$folder/build/bin/pip" -q install maturin; }
(cd python && "$folder/build/bin/maturin" build --profile "$profile" --locked --out "$folder/wheel")

"${TORCH_PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install "$folder"/wheel/*.whl
if [ -n "${TORCH_PYTHON:-}" ]; then # the environment sees the packages of that interpreter
  "$TORCH_PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
    >"$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/torch.pth"
fi
root=$PWD
cd "$folder"
"$folder/venv/bin/fer" --version
"$folder/venv/bin/python" "$root/tests/external/python_check.py"
"$folder/venv/bin/python" "$root/tests/external/python_engine.py"
if "$folder/venv/bin/pip" -q install nbconvert ipykernel; then
  "$folder/venv/bin/python" -m nbconvert --to html --execute --output "$folder/four_questions.html" \
    "$root/python/notebooks/four_questions.ipynb"
else
  echo "skipped: the notebook, because nbconvert cannot be installed"
fi
