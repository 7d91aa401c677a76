#!/usr/bin/env bash
# Trains a small network with 1, 2 and 3 processes under mpirun, and compares the weights bit by bit with those of
# one process without MPI; kills a process and resumes with another number; mixes data. Usage:
# tests/external/mpi_check.sh [FER], a program built with --features mpi. Skips without mpirun.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v mpirun >/dev/null || { echo "skipped: no mpirun (apt-get install mpich libmpich-dev libclang-dev)"; exit 0; }
if [ $# -ge 1 ]; then
  fer=$(realpath "$1")
else
  cargo build --release --features mpi
  fer=$PWD/target/release/fer
fi
place=$(mktemp -d)
launcher=
trap '[ -z "$launcher" ] || kill "$launcher" 2>/dev/null; rm -rf "$place"' EXIT
cd "$place"
"$fer" data synth --count 350 --out faces.csv 2>/dev/null
"$fer" data synth --count 140 --first 100000 --out val.csv 2>/dev/null
common=(--data faces.csv --val val.csv --arch tiny --batch-size 32 --micro-batch 8 --no-tensorboard --threads 1)
settings=("${common[@]}" --epochs 2) long=("${common[@]}" --epochs 5)
fail() { echo "mpi_check: $*" >&2; exit 1; }
weights() { "$fer" predict "$1" val.csv --out "$1.csv" 2>/dev/null; cksum <"$1.csv"; }

"$fer" train "${settings[@]}" --out alone 2>alone.log
expected=$(weights alone)
for n in 1 2 3; do
  mpirun -n "$n" "$fer" train "${settings[@]}" --out "ranks$n" 2>"ranks$n.log" || fail "$n processes: $(cat "ranks$n.log")"
  [ "$(weights "ranks$n")" = "$expected" ] || fail "$n processes give other weights than one"
  echo "$n processes: the same bits"
done

# A process that dies ends the others within seconds, and the checkpoint is good.
begin=$SECONDS
mpirun -n 3 "$fer" train "${long[@]}" --out dead >dead.log 2>&1 &
launcher=$!
while [ ! -e dead/last.safetensors ] || [ ! -s dead/metrics.csv ]; do
  sleep 0.2
  [ $((SECONDS - begin)) -lt 120 ] || fail "no checkpoint"
done
proxy=$(pgrep -P "$launcher" | head -1) # MPICH's mpirun starts the processes through it
victim=$(pgrep -P "$proxy" | tail -1)
kill -9 "$victim"
begin=$SECONDS
wait $launcher && fail "the launcher did not notice the death of a process"
[ $((SECONDS - begin)) -le 10 ] || fail "the others went on for $((SECONDS - begin)) s"
launcher=
echo "a dead process ended the others within $((SECONDS - begin)) s; mpirun said: $(grep -m1 -iE 'kill|terminat|exit' dead.log)"
mpirun -n 2 "$fer" train --resume dead --threads 1 2>resumed.log || fail "resume: $(cat resumed.log)"
"$fer" train "${long[@]}" --out whole 2>/dev/null
[ "$(weights dead)" = "$(weights whole)" ] || fail "killed with 3 processes and resumed with 2: other weights"
echo "killed with 3 processes, resumed with 2: the same bits as an uninterrupted training"

# Another process with other data is refused by name.
if mpirun -n 1 "$fer" train "${settings[@]}" --out other : -n 1 "$fer" train "${settings[@]}" --seed 5 >other.log 2>&1; then
  fail "another seed was accepted"
fi
grep -q "rank 1 has other settings than rank 0" other.log || fail "other settings: $(cat other.log)"
echo "a process with other settings is refused: $(grep -m1 'rank 1 has' other.log | cut -c1-100)"

# The launcher of another library: each process would know of itself only.
if OMPI_COMM_WORLD_SIZE=2 "$fer" train "${settings[@]}" --out foreign >foreign.log 2>&1; then fail "a foreign launcher was accepted"; fi
[ ! -e foreign ] && grep -q "another library" foreign.log || fail "foreign launcher: $(cat foreign.log)"
echo "the launcher of another library is refused: $(cut -c1-110 foreign.log | head -1)"
