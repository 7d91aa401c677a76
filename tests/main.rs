mod kernels_vs_naive;
