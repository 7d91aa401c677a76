//! Micro-kernels chosen at run time.
