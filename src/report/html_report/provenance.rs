//! How the figures were made: what a reader needs to make them again.

use crate::model::weights::network_file::OWN;
use crate::render::format::thousands;
use crate::render::html::escape;
use crate::report::html_report::Subject;
use crate::report::html_report::page::Sheet;
use crate::report::html_report::training_section::settings;
use crate::report::i18n::say;
use std::path::Path;

/// What is known only when the work is done, and differs from machine to machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor.
    pub cpu: String,
    /// SIMD path.
    pub simd: String,
    /// Threads.
    pub threads: usize,
    /// Seconds that the report took.
    pub seconds: f64,
}

/// A row that may differ between two reports of the same things carries this mark.
const VARIES: &str = " class=\"varies\"";

/// What the page shows of all that could be shown.
pub(crate) struct Drawn {
    /// Layers and their filters.
    pub layers: Vec<(String, Vec<usize>)>,
    /// The typical faces, by their numbers among those judged.
    pub typical: Vec<usize>,
    /// That of them whose feature maps are shown.
    pub face: Option<usize>,
}

/// Writes the appendix. `command` is what was typed, `drawn` what it shows.
pub(crate) fn write(
    sheet: &mut Sheet,
    subject: &Subject<'_>,
    command: &str,
    drawn: &Drawn,
    machine: &Machine,
) {
    let (p, language) = (sheet.language.phrases(), sheet.language);
    sheet.document.anchor(2, "made", p.question_made);
    sheet.paragraph(p.made_how);
    sheet.document.code(&format!("{command}\n{}", commands(subject, drawn)));
    let judged = match &subject.judged.path {
        Some(path) => path.display().to_string(),
        None => p.made_validation.into(),
    };
    let faces = thousands(subject.judged.faces.len() as u64);
    let network = &subject.trained().network;
    let parameters: usize =
        network.parameters().iter().map(|w| w.value.shape().iter().product::<usize>()).sum();
    let mut rows = vec![
        [
            p.made_network.to_owned(),
            say!(p.parameters_of, name = subject.title(), count = thousands(parameters as u64)),
        ],
        [p.made_judged_on.into(), say!(p.faces_of, data = judged, faces = faces)],
        [p.made_hash.into(), subject.judged.hash()],
        [p.made_seed.into(), subject.options.seed.to_string()],
    ];
    rows.extend(settings(subject, language));
    rows.push([p.made_version.into(), format!("fer {}", env!("CARGO_PKG_VERSION"))]);
    let minutes = say!(p.seconds, seconds = format!("{:.0}", machine.seconds));
    let varying = [
        [p.made_machine.to_owned(), format!("{}, {}", machine.cpu, machine.simd)],
        [p.made_threads.into(), machine.threads.to_string()],
        [p.made_time.into(), minutes],
    ];
    let row = |[name, value]: &[String; 2], mark: &str| {
        format!("<tr{mark}><th>{}</th><td>{}</td></tr>\n", escape(name), escape(value))
    };
    let fixed: String = rows.iter().map(|r| row(r, "")).collect();
    let varying: String = varying.iter().map(|r| row(r, VARIES)).collect();
    sheet.document.raw(&format!(
        "<div class=\"wide\"><table class=\"made\">\n<tbody>\n{fixed}{varying}</tbody>\n</table></div>\n"
    ));
    sheet.paragraph(p.made_repeatable);
}

/// Commands that make the same things one by one.
fn commands(subject: &Subject<'_>, drawn: &Drawn) -> String {
    // The program's own network is what is taken where MODEL is left out.
    let own = subject.trained().path == Path::new(OWN);
    let model = if own { String::new() } else { format!(" {}", subject.trained().path.display()) };
    let judged = subject.judged;
    let file = judged.path.as_ref().map_or(String::new(), |p| format!(" --data {}", p.display()));
    let data = format!("{file}{}", judged.reading);
    // Numbers mean the same faces elsewhere where all faces of a file were judged.
    let numbered = judged.path.is_some() && judged.unlabelled == 0;
    let numbers = |faces: &[usize]| {
        let all: Vec<String> = faces.iter().map(usize::to_string).collect();
        if numbered && !all.is_empty() {
            format!(" --index {}", all.join(","))
        } else {
            String::new()
        }
    };
    let typical = numbers(&drawn.typical);
    let seed = subject.options.seed;
    let (starts, faces) = (subject.options.starts(), subject.options.training_faces());
    let how = format!(" --seeds {starts} --faces {faces} --seed {seed}");
    let layer = |(name, own): &(String, Vec<usize>)| {
        let own: Vec<String> = own.iter().map(usize::to_string).collect();
        format!(
            "fer filters{model} --layer {name} --filter {} --recipe naive,pixels,maco{how} \
             --out {name}.png\n",
            own.join(",")
        )
    };
    let face = match (drawn.face, judged.reading.is_empty()) {
        (Some(face), true) => format!("{file}{}", numbers(&[face])),
        _ => String::new(),
    };
    let filters: String = drawn.layers.iter().map(layer).collect();
    let mut text = format!(
        "fer saliency{model}{data}{typical} --out saliency.png\n\
         fer saliency{model}{data} --regions --seed {seed} --out regions.png\n\
         fer saliency{model}{data} --class-maps --seed {seed} --out class-maps.png\n\
         {filters}\
         fer filters{model} --layer logits{how} --out ideal-faces.png\n\
         fer activations{model}{face} --layer all --out maps.png\n\
         fer eval{model}{data} --out judged\n\
         fer lime{model}{data}{typical} --seed {seed} --out lime.png\n"
    );
    if !subject.history.is_empty() {
        text += &format!("fer curves{model} --out curves.svg\n");
    }
    text
}
