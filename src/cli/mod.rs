//! The command line: each command turns its arguments into library calls and files.

mod args;
mod commands;
mod old_names;
mod shared;
mod way_out;

use crate::cli::args::{Cli, Command};
use crate::cli::commands::explain::{
    activations, explain, filters, gallery, lime, report, saliency, verify,
};
use crate::cli::commands::training::{calibrate, curves, eval, export, summary, train, watch};
use crate::cli::commands::{
    bench, crop_calibration, data, demo, info, learn, predict, serve, tape,
};
use crate::cli::shared::signals;
use crate::console::{self, eprintln_safe};
use crate::{Error, Result};
use fer_kernels::{Context, SimdLevel, on_pool};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

// What another front end, such as the Python module, shares with the command line: words and rules.
pub use crate::cli::commands::training::train::{new_trainer, resumed_trainer};
pub use crate::cli::commands::training::train_args::with_absolute_paths;
pub use crate::cli::shared::attribution::{
    AttributionTask, MethodOptions, attribute_all, require_a_map,
};
pub use crate::cli::shared::input::{Reading, named};
pub use crate::cli::shared::network_input::{
    labels, mean_face, parse_numbers, pixels, spread, training_faces,
};
pub use crate::cli::shared::photos::{FaceCrop, InputFaces, PhotoArgs};
pub use crate::cli::shared::target::{TargetArg, class_named};

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    ExitCode::from(run_program(std::env::args_os()))
}

/// Runs the program: parses the command line, whose first word is the program, prepares the machine,
/// runs one command, and turns an error into a message. Returns the exit code.
pub fn run_program(line: impl IntoIterator<Item = OsString>) -> u8 {
    let (line, notes) = old_names::update(line);
    notes.iter().for_each(|note| eprintln_safe!("{note}"));
    let cli = match args::parse(line) {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print(); // help goes to stdout, errors to stderr
            return if e.use_stderr() { 2 } else { 0 };
        }
    };
    let ready = signals::listen().and_then(|()| prepare(&cli));
    match ready.and_then(|()| run(cli.command)) {
        Ok(()) => 0,
        Err(e) if is_closed_pipe(&e) => 0, // `fer … | head`
        Err(e) => {
            eprintln_safe!("fer: {e}");
            e.exit_code()
        }
    }
}

fn is_closed_pipe(e: &Error) -> bool {
    matches!(e, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Sets threads, SIMD path and convolution algorithm before any kernel runs.
fn prepare(cli: &Cli) -> Result<()> {
    let simd = match cli.simd.as_str() {
        "auto" => SimdLevel::widest(),
        name => name.parse().map_err(Error::Usage)?,
    };
    let conv = cli.conv.parse().map_err(Error::Usage)?;
    let set = Context { simd, conv, ..Context::default() }.set_global();
    set.map_err(|_| Error::Usage("--simd and --conv can be set only once per process".into()))?;
    if let Some(threads) = cli.threads {
        if threads == 0 || threads > 1024 {
            return Err(Error::Usage(format!("--threads {threads}: expected 1 to 1024")));
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        pool.map_err(|e| Error::Usage(format!("--threads {threads}: {e}")))?;
    }
    Ok(())
}

/// Runs a command: on a thread of the pool if it computes; `bench` has pools of its own, and a training
/// has threads of its own where it computes in micro-batches.
fn run(command: Command) -> Result<()> {
    use Command::{Bench, Completions, Info, Learn, Man, Serve, Train, Watch};
    match command {
        Bench(_)
        | Learn(_)
        | Serve(_)
        | Train(_)
        | Watch(_)
        | Info(_)
        | Completions { .. }
        | Man { .. } => dispatch(command),
        _ => on_pool(|| dispatch(command)),
    }
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Demo(args) => demo::run(args, &run_line),
        Command::Data(args) => data::run(args),
        Command::Train(args) => train::run(args),
        Command::Watch(args) => watch::run(args),
        Command::Curves(args) => curves::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Saliency(args) => saliency::run(*args),
        Command::Lime(args) => lime::run(args),
        Command::Filters(args) => filters::run(*args),
        Command::Activations(args) => activations::run(*args),
        Command::Report(args) => report::run(args),
        Command::Gallery(args) => gallery::run(*args),
        Command::Verify(args) => verify::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Export(args) => export::run(args),
        Command::Calibrate(args) => calibrate::run(args),
        Command::CropCalibration(args) => crop_calibration::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Summary(args) => summary::run(args),
        Command::Tape(args) => tape::run(*args),
        Command::Learn(args) => learn::run(args),
        Command::NewOp(args) => learn::new_op(args),
        Command::Bench(args) => bench::run(args),
        Command::Info(args) => info::run(args),
        Command::Completions { shell } => completions(shell),
        Command::Man { folder } => manual_pages(&folder),
    }
}

/// Parses and runs a command line as if it had been typed after `fer`.
fn run_line(words: Vec<OsString>) -> Result<()> {
    let line = std::iter::once("fer".into()).chain(words);
    let cli = args::parse(line).map_err(|e| Error::Usage(e.to_string()))?;
    run(cli.command)
}

fn manual_pages(folder: &Path) -> Result<()> {
    crate::files::make_folder(folder)?;
    clap_mangen::generate_to(args::command(), folder).map_err(Error::io(folder))?;
    shared::output::print_written(folder);
    Ok(())
}

fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "fer", &mut script);
    console::print(&String::from_utf8_lossy(&script))
}
