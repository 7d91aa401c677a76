#!/usr/bin/env bash
# Predicts a table with Dask and with Ray Data over the installed wheel, kills a worker in the middle, and compares the
# answers with those of the single process, byte by byte. Usage: tests/external/bulk_check.sh PYTHON, an interpreter with
# the wheel (tests/external/python_check.sh makes one). Dask and Ray are installed into it; skips what cannot be.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$(realpath -s "${1:-target/python-check/venv/bin/python}")
"$python" -c 'import fer_cnn' 2>/dev/null || { echo "skipped: no fer_cnn in $python"; exit 0; }
engines=()
"$python" -c 'import dask.dataframe, distributed' 2>/dev/null ||
  "$python" -m pip -q install 'dask[dataframe,distributed]' && engines+=(dask) || echo "skipped: Dask cannot be installed"
"$python" -c 'import ray.data' 2>/dev/null ||
  "$python" -m pip -q install 'ray[data]' && engines+=(ray) || echo "skipped: Ray cannot be installed"
fer=$(dirname "$python")/fer examples=$PWD/python/examples
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
"$fer" data synth --count "${FER_FACES:-2100}" --out drawn.csv 2>/dev/null
awk -F, 'NR == 1 { print "id,pixels" } NR > 1 { printf "face-%07d,%s\n", NR - 2, $NF }' drawn.csv >faces.csv
"$fer" train --set synthetic=140 --arch tiny --epochs 1 --batch-size 35 --no-tensorboard --out small 2>/dev/null
"$fer" predict small faces.csv --shard 1/1 --out expected.csv

# The worker that gets the first part dies, once.
cat >kill_once.py <<'PY'
import os

import table

answer = table.answer
place = os.environ["FER_PLACE"]


def deadly(rows, model=()):
    try:
        os.close(os.open(os.path.join(place, "died"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return answer(rows, model)
    os._exit(9)
PY
# A file, because Dask's workers read it again.
cat >run.py <<'PY'
import importlib
import os
import sys

from kill_once import deadly

if __name__ == "__main__":
    example = importlib.import_module(sys.argv[1] + "_predict")
    example.answer = deadly
    example.main("faces.csv", sys.argv[1] + ".csv", os.path.abspath("small"))
PY
export FER_PLACE=$place PYTHONPATH=$place:$examples
export RAY_worker_niceness=0 # else 15: beside any other work its workers stand still
for engine in "${engines[@]}"; do
  rm -f died
  "$python" run.py "$engine" >"$engine.log" 2>&1 || { tail -30 "$engine.log"; exit 1; }
  [ -e died ] || { echo "$engine: no worker died"; exit 1; }
  cmp "$engine.csv" expected.csv
  echo "$engine: $(($(wc -l <"$engine.csv") - 1)) answers, a worker died, byte for byte those of one process"
done
