//! Last section of the report: commands and settings that reproduce it.

use crate::model::weights::network_file::EMBEDDED;
use crate::render::format::thousands;
use crate::render::html::escape;
use crate::report::html_report::ReportContext;
use crate::report::html_report::page::ReportPage;
use crate::report::html_report::training_section::settings;
use crate::report::i18n::phrase;
use std::path::Path;

/// Facts about the run that differ from machine to machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Processor.
    pub cpu: String,
    /// SIMD level.
    pub simd: String,
    /// Number of threads.
    pub threads: usize,
    /// Duration of the report in seconds.
    pub seconds: f64,
}

/// Class of table rows that may differ between two reports of the same input.
const VARIES: &str = " class=\"varies\"";

/// Layers, filters and faces that the page shows.
pub(crate) struct Selection {
    /// Layers with their filters.
    pub layers: Vec<(String, Vec<usize>)>,
    /// Indices of the typical faces among the evaluated faces.
    pub typical: Vec<usize>,
    /// Index of the face whose feature maps are shown.
    pub face: Option<usize>,
    /// The layers of these maps, with their filters.
    pub maps: Vec<(String, Vec<usize>)>,
}

/// Writes the section. `command` is the command line, `selection` what the page shows.
pub(crate) fn write(
    page: &mut ReportPage,
    context: &ReportContext<'_>,
    command: &str,
    selection: &Selection,
    machine: &Machine,
) {
    let (p, language) = (page.language.phrases(), page.language);
    page.document.anchor(2, "provenance", p.question_provenance);
    page.paragraph(p.commands_intro);
    page.document.code(&format!("{command}\n{}", commands(context, selection)));
    let data = match &context.evaluated.path {
        Some(path) => path.display().to_string(),
        None => p.validation_faces.into(),
    };
    let faces = language.faces(context.evaluated.faces.len() as u64);
    let network = &context.model().network;
    let parameters: usize =
        network.parameters().iter().map(|w| w.value.shape().iter().product::<usize>()).sum();
    let mut rows = vec![
        [
            p.row_network.to_owned(),
            phrase!(p.parameters_of, name = context.title(), count = thousands(parameters as u64)),
        ],
        [p.row_evaluated_on.into(), phrase!(p.faces_of, data = data, faces = faces)],
        [p.row_hash.into(), context.evaluated.hash()],
        [p.row_seed.into(), context.options.seed.to_string()],
    ];
    rows.extend(settings(context, language));
    rows.push([p.row_version.into(), format!("fer {}", env!("CARGO_PKG_VERSION"))]);
    let minutes = phrase!(p.seconds, seconds = format!("{:.0}", machine.seconds));
    let varying = [
        [p.row_machine.to_owned(), format!("{}, {}", machine.cpu, machine.simd)],
        [p.row_threads.into(), machine.threads.to_string()],
        [p.row_time.into(), minutes],
    ];
    let row = |[name, value]: &[String; 2], mark: &str| {
        format!("<tr{mark}><th>{}</th><td>{}</td></tr>\n", escape(name), escape(value))
    };
    let fixed: String = rows.iter().map(|r| row(r, "")).collect();
    let varying: String = varying.iter().map(|r| row(r, VARIES)).collect();
    page.document.raw(&format!(
        "<div class=\"wide\"><table class=\"made\">\n<tbody>\n{fixed}{varying}</tbody>\n</table></div>\n"
    ));
    page.paragraph(p.reproducible);
}

/// Returns the commands that make the parts of the page one by one.
fn commands(context: &ReportContext<'_>, selection: &Selection) -> String {
    // Without MODEL, commands use the embedded network.
    let embedded = context.model().path == Path::new(EMBEDDED);
    let model =
        if embedded { String::new() } else { format!(" {}", context.model().path.display()) };
    let judged = context.evaluated;
    let file = judged.path.as_ref().map_or(String::new(), |p| format!(" --data {}", p.display()));
    let data = format!("{file}{}", judged.reading);
    // Indices are valid for other commands only if all faces were evaluated.
    let numbered = judged.unlabelled == 0;
    let numbers = |faces: &[usize]| {
        let all: Vec<String> = faces.iter().map(usize::to_string).collect();
        if numbered && !all.is_empty() {
            format!(" --index {}", all.join(","))
        } else {
            String::new()
        }
    };
    let typical = numbers(&selection.typical);
    let seed = context.options.seed;
    let (starts, faces) = (context.options.starts(), context.options.training_faces());
    // Where the training faces are not at hand, the page shows evaluated ones.
    let learnt = if context.training_faces.is_some() { "" } else { file.as_str() };
    let how = format!("{learnt} --restarts {starts} --max-faces {faces} --seed {seed}");
    let set = format!(
        "{data} --max-faces {} --seed {seed}",
        context.options.faces_of_a_class() * context.names().len()
    );
    let listed = |own: &[usize]| own.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let layer = |(name, own): &(String, Vec<usize>)| {
        format!(
            "fer filters{model} --layer {name} --filter {} --method naive,pixels,maco,face{how} \
             --out {name}.png\n",
            listed(own)
        )
    };
    let face = match (selection.face, judged.reading.is_empty()) {
        (Some(face), true) => format!("{file}{}", numbers(&[face])),
        _ => String::new(),
    };
    let filters: String = selection.layers.iter().map(layer).collect();
    let map = |(name, own): &(String, Vec<usize>)| {
        let own = listed(own);
        format!(
            "fer activations{model}{face} --layer {name} --filter {own} --out {name}-maps.png\n"
        )
    };
    let maps: String = selection.maps.iter().map(map).collect();
    let mut text = format!(
        "fer saliency{model}{data}{typical} --out saliency.png\n\
         fer saliency{model}{set} --regions --out regions.png\n\
         fer saliency{model}{set} --class-maps --out class-maps.png\n\
         {filters}\
         fer filters{model} --layer logits{how} --out ideal-faces.png\n\
         {maps}\
         fer eval{model}{data} --out judged\n\
         fer lime{model}{data}{typical} --seed {seed} --out lime.png\n"
    );
    if !context.history.is_empty() {
        text += &format!("fer curves{model} --out curves.svg\n");
    }
    text
}
