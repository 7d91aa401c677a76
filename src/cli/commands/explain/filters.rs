//! `fer filters`.

use crate::cli::shared::input::{named, theme};
use crate::cli::shared::network_input::{
    drawn_faces, labels, list_layers, parse_numbers, pixels, spread, training_faces,
};
use crate::cli::shared::output::{keep_inputs, print_written, write_page};
use crate::cli::shared::progress::{self, duration};
use crate::cli::shared::target::class_named;
use crate::console::{self, eprintln_safe};
use crate::dataset::Dataset;
use crate::explain::NetworkClassifier;
use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::activation_maximization::spectrum::Extension;
use crate::explain::filters::filter_report::{
    FilterOptions, FilterReport, filter_report, total_steps,
};
use crate::explain::filters::stored::STORED_EDGES;
use crate::explain::filters::top_activations::{LOGITS, find_layer_or_logits};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::layers::select_filters;
use crate::files::write_atomic;
use crate::limits::MAX_STEPS;
use crate::model::LoadedModel;
use crate::render::format::{counted, thousands};
use crate::render::html::Document;
use crate::render::write::check_name;
use crate::report::filters::layer_page::{
    LayerPageContext, before_after_page, filter_page, subtitle,
};
use crate::report::filters::significance::FilterSignificance;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `fer filters`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fer filters --layer conv2d_5 --filter 0-7\n  fer filters runs/fer-s-1 --class happy,sad --out classes.html"
)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// Layers by name, or `logits` for the classes. Without this option the layers are listed
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    layer: Vec<String>,
    /// Numbers of the filters, such as 0-31 or 3,7,10-12 [default: all of the layer]
    #[arg(long, value_name = "K,…")]
    filter: Option<String>,
    /// Classes by name, such as happy; the same as --layer logits
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with_all = ["layer", "filter"])]
    class: Vec<String>,
    /// Faces for the spectrum, the top activations and the deviations [default: the training faces, or
    /// their statistics in the network's file]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Largest number of faces, spread evenly over the data; 0 = all
    #[arg(long, default_value_t = 3000)]
    max_faces: usize,
    /// Random starts per filter; the picture with the highest robust z is shown
    #[arg(long, default_value_t = 3)]
    restarts: usize,
    /// Steps of gradient ascent [default: 256]
    #[arg(long)]
    steps: Option<usize>,
    /// Methods: naive, pixels, fourier, maco, face [default: naive,maco,face; with --significance also
    /// pixels]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',',
          value_parser = named::<MaximizationMethod>)]
    method: Vec<MaximizationMethod>,
    /// Treatment of the edges of the faces before their spectrum is computed: hann (faded out by a
    /// Hann window), mirror, or none, which leaves a cross in the spectrum and a frame in the pictures
    #[arg(long, value_name = "NAME", default_value = "hann", value_parser = named::<Extension>)]
    edges: Extension,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object per filter and method; with --significance only its table
    #[arg(long)]
    json: bool,
    /// Print a table over all filters: how natural the pictures are, and whether the methods differ
    /// significantly from the naive one
    #[arg(long)]
    significance: bool,
    /// Write one figure with naive and best pictures side by side: .png or .svg
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Picture or page to write: .png or .svg (one file per layer) or .html; replaces earlier ones
    /// [default: filters.png; none with --summary, --json or --significance]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

impl Args {
    /// Returns the layers with the numbers of their filters; no numbers stand for all filters.
    fn wanted(&self, class_names: &[String]) -> Result<Vec<(String, Vec<usize>)>> {
        if !self.class.is_empty() {
            let names: Vec<&str> = class_names.iter().map(String::as_str).collect();
            let number = |name: &String| class_named(name, &names, "Classes: ");
            let mut classes: Vec<usize> = vec![];
            for class in self.class.iter().map(number) {
                let class = class?;
                if !classes.contains(&class) {
                    classes.push(class);
                }
            }
            return Ok(vec![(LOGITS.into(), classes)]);
        }
        let filters = self.filter.as_deref().map(parse_numbers).transpose()?.unwrap_or_default();
        let mut layers: Vec<&String> = vec![];
        for name in &self.layer {
            if !layers.contains(&name) {
                layers.push(name);
            }
        }
        Ok(layers.into_iter().map(|name| (name.clone(), filters.clone())).collect())
    }

    fn options(&self) -> Result<FilterOptions> {
        let steps = self.steps.unwrap_or(1);
        if !(1..=64).contains(&self.restarts) || !(1..=MAX_STEPS).contains(&steps) {
            return Err(Error::Usage(format!(
                "--restarts {} or --steps {steps}: expected 1 to 64 restarts and 1 to {MAX_STEPS} \
                 steps",
                self.restarts
            )));
        }
        let mut methods: Vec<MaximizationMethod> = match (self.method.is_empty(), self.significance)
        {
            (true, false) => {
                vec![MaximizationMethod::Naive, MaximizationMethod::Maco, MaximizationMethod::Face]
            }
            (true, true) => MaximizationMethod::ALL
                .into_iter()
                .filter(|&method| method != MaximizationMethod::Fourier)
                .collect(),
            (false, _) => self.method.clone(),
        };
        methods.sort();
        methods.dedup();
        let ascent = |method: MaximizationMethod| {
            let mut options = method.options();
            options.steps = self.steps.unwrap_or(options.steps);
            (method, options)
        };
        let methods = methods.into_iter().map(ascent).collect();
        Ok(FilterOptions {
            methods,
            seeds: self.restarts,
            seed: self.seed,
            ..FilterOptions::default()
        })
    }
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    if args.out.is_none() && args.summary.is_none() && !args.json && !args.significance {
        args.out = Some("filters.png".into());
    }
    args.out.iter().chain(&args.summary).try_for_each(|path| check_name(path))?;
    let read: Vec<&Path> = args.data.iter().map(PathBuf::as_path).collect();
    keep_inputs(args.out.iter().chain(&args.summary), &read)?;
    let trained = LoadedModel::read_or_embedded(args.model.as_deref())?;
    let model = trained.classifier()?;
    if args.layer.is_empty() && args.class.is_empty() {
        return list_layers(&model, &|_| true);
    }
    let options = args.options()?;
    let wanted = args.wanted(model.class_names())?;
    for (layer, filters) in &wanted {
        select_filters(&find_layer_or_logits(&model, layer)?, filters)?;
    }
    let known = stored_faces(&args, &trained);
    let (used, faces) = match &known {
        Some(training) => (Dataset::new(), in_file(training)),
        None => named_faces(&args, &trained)?,
    };
    let (pixels, labels) = (pixels(&trained, &used), labels(&used));
    let training = match known {
        Some(training) => training,
        None => TrainingFaces::new(&pixels, &labels, args.edges)?,
    };
    if args.significance && training.faces.is_empty() {
        return Err(Error::Usage(
            "--significance compares pictures with faces: name some with --data".into(),
        ));
    }
    let reports = filter_reports(&model, &wanted, &training, &options)?;
    let context = LayerPageContext {
        training: &training,
        faces,
        model: &trained.title(),
        class_names: model.class_names(),
        theme: theme(args.dark),
    };
    write(&args, &reports, &context)
}

/// Returns the statistics in the network's file, if neither the command nor the file names faces.
fn stored_faces<'a>(args: &Args, trained: &'a LoadedModel) -> Option<TrainingFaces<'a>> {
    let is_named = args.data.is_some() || trained.record.source.is_some();
    let stored = trained.statistics.as_ref().filter(|_| !is_named && args.edges == STORED_EDGES)?;
    TrainingFaces::of_stored(stored, trained.network.spec.classes.len(), trained.mean_face()?)
}

fn in_file(training: &TrainingFaces<'_>) -> String {
    let faces = thousands(training.labels.len() as u64);
    eprintln_safe!(
        "the network's file holds statistics of {faces} training faces, but no picture; to see the faces \
         that activate a filter most, name some with --data"
    );
    format!(
        "statistics of {faces} training faces in the network's file, which holds no picture of them"
    )
}

/// Reads the faces that the command or the network's file names, and says in words which they are.
fn named_faces(args: &Args, trained: &LoadedModel) -> Result<(Dataset, String)> {
    let all = training_faces(trained, args.data.as_deref())?;
    let total = all.len();
    let used = spread(all, args.max_faces);
    let faces = match used.len() == total {
        true => format!("all {}", thousands(total as u64)),
        false => format!("{} of {}", thousands(used.len() as u64), thousands(total as u64)),
    };
    Ok((used, faces + drawn_faces(trained, args.data.as_deref())))
}

/// Makes the reports of all layers, with a progress bar over the steps of all pictures.
fn filter_reports(
    model: &NetworkClassifier<'_>,
    wanted: &[(String, Vec<usize>)],
    training: &TrainingFaces<'_>,
    options: &FilterOptions,
) -> Result<Vec<FilterReport>> {
    let start = Instant::now();
    let mut steps = 0;
    for (layer, filters) in wanted {
        let count = select_filters(&find_layer_or_logits(model, layer)?, filters)?.len();
        steps += total_steps(count, options);
    }
    let bar = progress::bar(steps as u64, "picture steps");
    let mut reports = Vec::with_capacity(wanted.len());
    for (layer, filters) in wanted {
        bar.set_message(layer.clone());
        let mut step = |n: usize| bar.inc(n as u64);
        reports.push(filter_report(model, layer, filters, training, options, &mut step)?);
        if progress::plain() {
            let done = duration(start.elapsed().as_secs_f64());
            let n = reports[reports.len() - 1].statistics.len();
            eprintln_safe!("{layer}: {}, {done}", counted(n, "filter"));
        }
    }
    bar.finish_and_clear();
    Ok(reports)
}

fn write(args: &Args, reports: &[FilterReport], context: &LayerPageContext<'_>) -> Result<()> {
    let numbers: Vec<_> =
        reports.iter().flat_map(|r| &r.pictures).map(|p| p.scores.clone()).collect();
    let significance = FilterSignificance::new(&numbers, &context.training.naturalness(500));
    match (args.json, args.significance) {
        (true, true) => console::print_json(&significance)?,
        (true, false) => numbers.iter().try_for_each(console::print_json)?,
        (false, true) => console::print(&significance.to_text())?,
        (false, false) => {}
    }
    if let Some(path) = &args.summary {
        write_page(&before_after_page(reports, 8, context)?, path)?;
    }
    let Some(out) = &args.out else { return Ok(()) };
    if out.extension().is_some_and(|e| e.eq_ignore_ascii_case("html")) {
        return write_html(out, reports, context, &significance);
    }
    for report in reports {
        let path = if reports.len() == 1 { out.clone() } else { beside(out, &report.layer.name) };
        write_page(&filter_page(report, context)?, &path)?;
    }
    Ok(())
}

/// Returns `page-conv2d_3.png` for `page.png` and `conv2d_3`.
fn beside(out: &Path, name: &str) -> PathBuf {
    let part = |p: Option<&std::ffi::OsStr>| p.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (part(out.file_stem()), part(out.extension()));
    out.with_file_name(format!("{stem}-{name}.{ending}"))
}

fn write_html(
    out: &Path,
    reports: &[FilterReport],
    context: &LayerPageContext<'_>,
    significance: &FilterSignificance,
) -> Result<()> {
    let mut document = Document::new("What each filter wants to see", "en");
    document.svg(&before_after_page(reports, 8, context)?.to_svg()?, "");
    if !context.training.faces.is_empty() {
        document.table(&FilterSignificance::header(), &significance.rows(), &significance.remark());
        let verdicts: Vec<String> = significance
            .criteria
            .iter()
            .map(|c| format!("{}: {}", if c.pass { "pass" } else { "fail" }, c.claim))
            .collect();
        document.list(&verdicts);
    }
    for report in reports {
        document.heading(2, &report.layer.name).paragraph(&subtitle(report));
        document.svg(&filter_page(report, context)?.to_svg()?, "");
    }
    write_atomic(out, document.finish().as_bytes())?;
    print_written(out);
    Ok(())
}
