"""Predicts a table of faces with Dask, on one machine or a cluster: dask_predict.py IN.csv OUT.csv [MODEL …]

The columns are `id` and `pixels`. The answers are those of `fer predict IN.csv --shard 1/1`, bit by bit, in the order of
the ids. A worker that dies is replaced, and its part is computed again.
"""

import sys

import dask.dataframe as dd
from dask.distributed import Client
from table import answer, columns


def main(source: str, target: str, *model: str) -> None:
    # One process per core, each with one thread of the engine.
    with Client(threads_per_worker=1, env={"RAYON_NUM_THREADS": "1"}):
        faces = dd.read_csv(source, blocksize="4MB", dtype={"id": str, "pixels": str})
        answers = faces.map_partitions(answer, model=model, meta=columns(model))
        table = answers.compute().sort_values("id", kind="stable")
        table.to_csv(target, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
