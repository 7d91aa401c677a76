//! The `fer` command: arguments to library calls to files. The work is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    fer::cli::main()
}
