//! `fer report`: one HTML page about a network.

use crate::bench::machine::cpu_name;
use crate::cli::shared::input::{Reading, labelled, named};
use crate::cli::shared::progress::{self, duration};
use crate::console::{self, eprintln_safe};
use crate::error::Shown as _;
use crate::files::{require_folder_of, write_atomic};
use crate::model::Ensemble;
use crate::report::html_report::{
    HtmlReport, Machine, NamedFaces, Progress, ReportContext, ReportNumbers, ReportOptions,
};
use crate::report::i18n::Language;
use crate::train::history::{METRICS, history_of, read_metrics};
use crate::{Error, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Steps of the bar.
const STEPS: f64 = 1000.0;

/// Arguments of `fer report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer report runs/fer-s-1")]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network, which needs --data]
    #[arg(value_name = "RUN")]
    run: Option<PathBuf>,
    /// Labelled faces: a CSV (plain or gzip) or a folder with one folder per class [default: the
    /// validation faces of the run]
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Page to write, a name that ends in .html; replaces an earlier one
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Language of the page: en or zh
    #[arg(long, default_value = "en", value_parser = named::<Language>)]
    lang: Language,
    /// Use fewer faces and filters, in about a third of the time
    #[arg(long)]
    quick: bool,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object with the place of the page and its numbers
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Written<'a> {
    out: &'a Path,
    seconds: f64,
    #[serde(flatten)]
    numbers: &'a ReportNumbers,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let begun = Instant::now();
    if args.out.extension().is_none_or(|e| !e.eq_ignore_ascii_case("html")) {
        let name = args.out.shown();
        return Err(Error::Usage(format!("{name}: expected a name that ends in .html")));
    }
    require_folder_of(&args.out)?;
    let ensemble = Ensemble::read(args.run.as_slice())?;
    let all = match &args.data {
        Some(path) => args.reading.read(path)?,
        None => ensemble.first().validation_faces()?,
    };
    let (faces, unlabelled) = labelled(all);
    let evaluated = NamedFaces {
        faces,
        path: args.data.clone(),
        reading: args.reading.command_line(),
        unlabelled,
    };
    // The report leaves out the parts about training faces where these are not available.
    let training_faces = ensemble.first().training_faces().ok();
    let history = match &args.run {
        Some(run) if run.is_dir() && run.join(METRICS).is_file() => read_metrics(run)?,
        _ => history_of(ensemble.first()),
    };
    let options = ReportOptions { language: args.lang, quick: args.quick, seed: args.seed };
    let context = ReportContext {
        ensemble: &ensemble,
        evaluated: &evaluated,
        training_faces: training_faces.as_ref(),
        history: &history,
        options,
    };
    let report = make(&context, begun)?;
    let machine = Machine {
        cpu: cpu_name().unwrap_or_else(|| "?".into()),
        simd: fer_kernels::Context::global().simd.to_string(),
        threads: rayon::current_num_threads(),
        seconds: begun.elapsed().as_secs_f64(),
    };
    let numbers = report.numbers.clone();
    let html = report.to_html(&context, &command(&args), &machine);
    write_atomic(&args.out, html.as_bytes())?;
    let seconds = begun.elapsed().as_secs_f64();
    match args.json {
        true => console::print_json(&Written { out: &args.out, seconds, numbers: &numbers }),
        false => console::print(&format!("{}\n", args.out.display())),
    }
}

/// Makes the page, with a progress bar, or one line per part where there is no terminal.
fn make(context: &ReportContext<'_>, begun: Instant) -> Result<HtmlReport> {
    let bar = progress::bar(STEPS as u64, "report");
    let mut part = String::new();
    let mut report_stage = |stage: &str, done: f64| {
        bar.set_position((STEPS * done) as u64);
        if part != stage {
            bar.set_message(stage.to_owned());
            if progress::plain() {
                eprintln_safe!("{stage}, after {}", duration(begun.elapsed().as_secs_f64()));
            }
            part = stage.to_owned();
        }
    };
    let report = HtmlReport::new(context, &mut Progress::new(&mut report_stage));
    bar.finish_and_clear();
    report
}

/// Returns the command line, without the options that do not change the page.
fn command(args: &Args) -> String {
    let mut text = String::from("fer report");
    if let Some(run) = &args.run {
        text += &format!(" {}", run.display());
    }
    if let Some(data) = &args.data {
        text += &format!(" --data {}", data.display());
    }
    text += &args.reading.command_line();
    if args.lang != Language::English {
        text += &format!(" --lang {}", args.lang.code());
    }
    if args.quick {
        text += " --quick";
    }
    if args.seed != 0 {
        text += &format!(" --seed {}", args.seed);
    }
    text + &format!(" --out {}", args.out.display())
}
