/* Measures how long messages take between two processes: mpicc mpi_link.c && mpirun -n 2 a.out BYTES... | wait MS...
   Prints, for each size, the seconds from the one to the other: half of a round trip, the best of five rounds.
   With `wait` first: how long processes wait for each other that compute for so many milliseconds between two meetings,
   as a share of what they compute. The cores of a machine are never equally fast all the time. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Computes, and returns the seconds. */
static double work(long count) {
  static volatile float numbers[1 << 14];
  double start = MPI_Wtime();
  for (long k = 0; k < count; k++)
    for (int i = 0; i < 1 << 14; i++) numbers[i] = numbers[i] * 0.5f + 1;
  return MPI_Wtime() - start;
}

/* Prints the share of waiting where processes meet every `seconds`, over three seconds. */
static void wait_share(int rank, double seconds) {
  double best = 1e9;
  for (int k = 0; k < 20; k++) {
    double one = work(16) / 16;
    if (one < best) best = one;
  }
  long count = seconds / best, meetings = 3 / seconds;
  MPI_Bcast(&count, 1, MPI_LONG, 0, MPI_COMM_WORLD);
  double own = 0, mean, start;
  MPI_Barrier(MPI_COMM_WORLD);
  start = MPI_Wtime();
  for (long k = 0; k < meetings; k++) {
    own += work(count);
    MPI_Barrier(MPI_COMM_WORLD);
  }
  double all = MPI_Wtime() - start;
  MPI_Allreduce(&own, &mean, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%.4f\n", all / (mean / 2) - 1);
}

int main(int argc, char **argv) {
  int rank;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (argc > 1 && !strcmp(argv[1], "wait")) {
    for (int i = 2; i < argc; i++) wait_share(rank, atof(argv[i]) / 1e3);
    argc = 1;
  }
  for (int i = 1; i < argc; i++) {
    int bytes = atoi(argv[i]), rounds = bytes < 1 << 20 ? 50 : 4;
    char *data = calloc(bytes, 1);
    double best = 1e9;
    for (int k = 0; k < 5; k++) {
      MPI_Barrier(MPI_COMM_WORLD);
      double start = MPI_Wtime();
      for (int n = 0; n < rounds; n++)
        for (int turn = 0; turn < 2; turn++)
          if (rank == turn) MPI_Send(data, bytes, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD);
          else MPI_Recv(data, bytes, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      double seconds = (MPI_Wtime() - start) / rounds / 2;
      if (seconds < best) best = seconds;
    }
    if (rank == 0) printf("%.9f\n", best);
    free(data);
  }
  MPI_Finalize();
}
