"""Predicts a table of faces with Ray Data, on one machine or a cluster: ray_predict.py IN.csv OUT.csv [MODEL …]

The columns are `id` and `pixels`. The answers are those of `fer predict IN.csv --shard 1/1`, bit by bit, in the order of
the ids. A worker that dies is replaced, and its batch is computed again.
"""

import sys

import ray
from table import answer


def main(source: str, target: str, *model: str) -> None:
    faces = ray.data.read_csv(source)
    # RAYON_NUM_THREADS: one thread for each of the processes that Ray starts, one per core.
    answers = faces.map_batches(
        answer,
        batch_format="pandas",
        batch_size=256,
        fn_kwargs={"model": model},
        runtime_env={"env_vars": {"RAYON_NUM_THREADS": "1"}},
    )
    answers.sort("id").to_pandas().to_csv(target, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
