//! `fer data`: counts, checks, splits, synthesis and conversion of data sets.

use crate::cli::shared::input::{Reading, theme};
use crate::cli::shared::output::{differ, keep_inputs, print_written, write_page, write_scene};
use crate::console::{self, eprintln_safe};
use crate::dataset::clean::check::{ClassCount, DatasetCheck, DatasetStats, check, stats};
use crate::dataset::source::read_existing;
use crate::dataset::synth::Balance;
use crate::dataset::write::csv::add_csv;
use crate::dataset::{
    Dataset, ReadOptions, SynthOptions, stratified_split, synthesize, write_csv, write_folder,
};
use crate::error::Shown as _;
use crate::files::{FileSet, require_folder_of};
use crate::limits::MAX_FACES;
use crate::render::chart::{ChartOptions, class_counts};
use crate::render::format::thousands;
use crate::render::write;
use crate::report::class_sheet;
use crate::{CLASS_NAMES, Error, Result};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Largest number of examples printed per finding; `--json` has more.
const SHOWN: usize = 5;

/// Faces per class on a contact sheet.
const SHEET_COLUMNS: usize = 10;

/// Arguments of `fer data`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fer data check train.csv --against public_test.csv\n  fer data split train.csv --train a.csv --val b.csv"
)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Count the faces of each class and draw a bar chart
    Stats(StatsArgs),
    /// Find bad rows, blank faces, copies and contradicting labels
    Check(CheckArgs),
    /// Split a data set in two, with the same share of every class and no image in both parts
    Split(SplitArgs),
    /// Draw synthetic faces
    Synth(SynthArgs),
    /// Convert between CSV (plain or gzip) and folders of pictures
    Convert(ConvertArgs),
}

#[derive(Debug, clap::Args)]
struct StatsArgs {
    /// A CSV (plain or gzip) or a folder of pictures
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Draw a bar chart: .png or .svg
    #[arg(long, value_name = "PICTURE")]
    out: Option<PathBuf>,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// A CSV (plain or gzip) or a folder of pictures
    data: PathBuf,
    /// Second data set: also find copies of its faces
    #[arg(long, value_name = "OTHER")]
    against: Option<PathBuf>,
    /// Exit with code 3 if anything is found
    #[arg(long)]
    strict: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct SplitArgs {
    /// A CSV (plain or gzip) or a folder of pictures
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// CSV for the training part; compressed if it ends in .gz
    #[arg(long, value_name = "CSV")]
    train: PathBuf,
    /// CSV for the validation part; compressed if it ends in .gz
    #[arg(long, value_name = "CSV")]
    val: PathBuf,
    /// Share of every class in the validation part
    #[arg(long, default_value_t = 0.1)]
    val_split: f64,
    /// Seed of the random choice
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
struct SynthArgs {
    /// CSV to write (compressed if it ends in .gz), or a new folder for PNG pictures
    #[arg(long, value_name = "PATH", required_unless_present = "sheet")]
    out: Option<PathBuf>,
    /// Draw a contact sheet: .png or .svg
    #[arg(long, value_name = "PICTURE")]
    sheet: Option<PathBuf>,
    /// Number of faces
    #[arg(long, default_value_t = 1_000)]
    count: usize,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of the first face; the faces of a seed are numbered, and other numbers are other faces
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Use the class frequencies of FER2013 instead of equal ones
    #[arg(long)]
    imbalanced: bool,
}

#[derive(Debug, clap::Args)]
struct ConvertArgs {
    /// A CSV (plain or gzip), a folder of pictures, or - for standard input
    data: PathBuf,
    /// CSV to write (compressed if it ends in .gz), or a new folder for PNG pictures
    out: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: Args) -> Result<()> {
    match args.what {
        What::Stats(args) => run_stats(args),
        What::Check(args) => run_check(args),
        What::Split(args) => run_split(args),
        What::Synth(args) => run_synth(args),
        What::Convert(args) => {
            require_folder_of(&args.out)?;
            keep_inputs([&args.out], &[args.data.as_path()])?;
            let faces = args.reading.read(&args.data)?;
            write_faces(&faces, &args.out)
        }
    }
}

fn run_stats(args: StatsArgs) -> Result<()> {
    args.out.as_deref().map_or(Ok(()), write::check_name)?;
    let faces = args.reading.read(&args.data)?;
    if let Some(path) = &args.out {
        let name = args.data.file_name().unwrap_or(args.data.as_os_str()).to_string_lossy();
        let title = format!("Faces of each class in {name}");
        let counts = faces.class_counts().map(|n| n as u64);
        let look = ChartOptions::new(theme(args.dark));
        let chart = class_counts(&title, &CLASS_NAMES, &[("", &counts)], look)?;
        write_scene(&chart, &title, path)?;
    }
    let stats = stats(&faces);
    if args.json { console::print_json(&stats) } else { console::print(&stats_text(&stats)) }
}

fn stats_text(stats: &DatasetStats) -> String {
    let mut text = String::new();
    class_rows(&mut text, &stats.classes, stats.unlabelled);
    let _ = writeln!(
        text,
        "{:<10} {:>8}\npixels     mean {:.4}, standard deviation {:.4} (0 black, 1 white)",
        "all",
        thousands(stats.faces as u64),
        stats.mean,
        stats.std
    );
    text
}

fn class_rows(text: &mut String, classes: &[ClassCount], unlabelled: usize) {
    let all = classes.iter().map(|c| c.faces).sum::<usize>() + unlabelled;
    let mut row = |name: &str, faces: usize| {
        let share = crate::render::format::percent(faces as f64 / all.max(1) as f64);
        let _ = writeln!(text, "{name:<10} {:>8} {share:>8}", thousands(faces as u64));
    };
    classes.iter().for_each(|c| row(c.class, c.faces));
    if unlabelled > 0 {
        row("no label", unlabelled);
    }
}

fn run_check(args: CheckArgs) -> Result<()> {
    let options = ReadOptions { skip_bad: true, ..ReadOptions::default() };
    let (faces, report) = read_existing(&args.data, &options)?;
    let other = match &args.against {
        Some(path) => Some(read_existing(path, &options)?.0),
        None => None,
    };
    let found = check(&faces, report, other.as_ref());
    if args.json {
        console::print_json(&found)?
    } else {
        console::print(&check_text(&found))?
    }
    match args.strict && !found.is_clean() {
        true => Err(Error::data(&args.data, "is not clean: see the findings on standard output")),
        false => Ok(()),
    }
}

fn check_text(check: &DatasetCheck) -> String {
    let mut text = String::new();
    class_rows(&mut text, &check.classes, check.unlabelled);
    let mut finding = |what: &str, count: usize, places: Vec<String>| {
        let _ = writeln!(text, "{:>8}  {what}", thousands(count as u64));
        for place in places.iter().take(SHOWN) {
            let _ = writeln!(text, "            {place}");
        }
        if count > SHOWN && places.len() > SHOWN {
            let _ = writeln!(text, "            …; all with --json");
        }
    };
    let bad = check.read.bad.iter().map(|row| {
        let line = row.line.map(|l| format!(":{l}")).unwrap_or_default();
        format!("{}{line}: {}", row.path.shown(), row.message)
    });
    finding("good faces", check.faces, vec![]);
    finding("bad rows", check.read.bad_count, bad.collect());
    finding("blank faces (all pixels equal)", check.blank, check.blank_examples.clone());
    finding("copies of an earlier face", check.repeated, vec![]);
    let conflicts = check.conflicts.iter().map(|group| group.join(" = ")).collect();
    finding("images whose copies have different labels", check.conflicting_groups, conflicts);
    if let Some(across) = &check.across {
        let of = format!(
            "copies of faces in the other set, which has {} faces",
            thousands(across.faces as u64)
        );
        finding(&of, across.copies, across.examples.clone());
        let differing = across.copies - across.agreeing;
        finding("of them with a different label", differing, vec![]);
    }
    for note in &check.read.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text.push_str(if check.is_clean() { "no problems found\n" } else { "" });
    text
}

fn run_split(args: SplitArgs) -> Result<()> {
    differ(&args.train, &args.val, "--train and --val")?;
    keep_inputs([&args.train, &args.val], &[args.data.as_path()])?;
    for path in [&args.train, &args.val] {
        require_folder_of(path)?;
        require_csv(path)?;
    }
    let mut faces = args.reading.read(&args.data)?;
    faces.forget_usage();
    let split = stratified_split(&faces, args.val_split, args.seed)?;
    let (mut text, mut files) = (String::new(), FileSet::default());
    for (path, part) in [(&args.train, &split.train), (&args.val, &split.validation)] {
        add_csv(&faces.select(part), path, &mut files)?;
        let _ = writeln!(text, "{}: {} faces", path.shown(), thousands(part.len() as u64));
    }
    files.commit()?;
    if split.validation.is_empty() {
        eprintln_safe!(
            "{} holds no face: no expression has two different images, one for each part",
            args.val.shown()
        );
    }
    console::print(&text)
}

fn run_synth(args: SynthArgs) -> Result<()> {
    args.sheet.as_deref().map_or(Ok(()), write::check_name)?;
    args.out.as_deref().map_or(Ok(()), require_folder_of)?;
    if !(1..=MAX_FACES).contains(&args.count) {
        let most = thousands(MAX_FACES as u64);
        let message = format!("--count {}: expected 1 to {most} faces", args.count);
        return Err(Error::Usage(message));
    }
    let balance = if args.imbalanced { Balance::Fer } else { Balance::Even };
    let (count, seed, first) = (args.count, args.seed, args.first);
    let faces =
        synthesize(&SynthOptions { count, seed, first, balance, ..SynthOptions::default() })?;
    if let Some(path) = &args.sheet {
        let sheet = class_sheet("Synthetic faces", &faces, SHEET_COLUMNS, theme(false))?;
        write_page(&sheet, path)?;
    }
    args.out.as_ref().map_or(Ok(()), |out| write_faces(&faces, out))
}

/// Whether a name is that of a CSV, plain or compressed.
fn is_csv(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.ends_with(".csv") || name.ends_with(".csv.gz")
}

fn require_csv(path: &Path) -> Result<()> {
    match is_csv(path) {
        true => Ok(()),
        false => {
            let message = "expected a name that ends in .csv or .csv.gz";
            Err(Error::Usage(format!("{}: {message}", path.shown())))
        }
    }
}

/// Writes a CSV or a folder of pictures, by the ending of the name.
fn write_faces(faces: &Dataset, path: &Path) -> Result<()> {
    match is_csv(path) {
        true => write_csv(faces, path)?,
        false => write_folder(faces, path)?,
    }
    print_written(path);
    Ok(())
}
