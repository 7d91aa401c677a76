/* Measures how long messages take between two processes: mpicc mpi_link.c && mpirun -n 2 a.out BYTES...
   Prints, for each size, the seconds from the one to the other: half of a round trip, the best of five rounds. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  int rank;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
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
