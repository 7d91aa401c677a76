//! `fer demo`: trains on drawn faces and explains the result on one page, by the other commands.
//!
//! The demo is a list of command lines. Each is printed, parsed and run as if it had been typed, so every
//! part of the page can be repeated by hand.

use crate::cli::shared::progress::duration;
use crate::console::{self, eprintln_safe};
use crate::files::write_atomic;
use crate::render::html::Document;
use crate::{Error, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The photograph of the last chapter; data/photos/README.md names its source.
const PHOTO: &[u8] = include_bytes!("../../../data/photos/astronaut.jpg");

/// Arguments of `fer demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to create [default: demo, demo-2, …]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Number of passes over the training faces
    #[arg(long, default_value_t = 4)]
    epochs: usize,
}

/// One chapter of the page.
struct Chapter {
    title: &'static str,
    text: &'static str,
    /// The command; `DIR` stands for the folder of the demo.
    command: String,
    /// Pictures that the command writes into the folder, with captions.
    pictures: Vec<(&'static str, &'static str)>,
    /// Page that the command writes into the folder, with the text of the link.
    page: Option<(&'static str, &'static str)>,
}

fn chapters(epochs: usize) -> Vec<Chapter> {
    vec![
        Chapter {
            title: "Draw faces",
            text: "Nothing is downloaded. The program draws faces with seven expressions; people, light and \
                    camera are random.",
            command: "data synth --count 14 --sheet DIR/faces.png".into(),
            pictures: vec![("faces.png", "Two drawn faces of each expression.")],
            page: None,
        },
        Chapter {
            title: "Train a network",
            text: "A small residual network starts from random weights and is trained on 7,000 drawn \
                    faces; a tenth of them is used for validation. The following parts explain it.",
            command: format!("train --arch fer-s --epochs {epochs} --out DIR/run"),
            pictures: vec![(
                "run/curves.png",
                "Accuracy and loss after every epoch, on the augmented training faces and on the \
                 validation faces.",
            )],
            page: None,
        },
        Chapter {
            title: "Where does it look?",
            text: "What each pixel adds to the score of the predicted class when the mean face is \
                    changed into this face, step by step (integrated gradients, smoothed). Red speaks \
                    for the answer, blue against it. With --method gradient: the plain gradient.",
            command: "saliency DIR/run --out DIR/saliency.png".into(),
            pictures: vec![("saliency.png", "One face of each expression, and its map.")],
            page: None,
        },
        Chapter {
            title: "What does each filter respond to?",
            text: "Gradient ascent changes a noise picture until a filter responds strongly. The naive \
                    result looks like a QR code; with the spectrum of faces imposed (here of the drawn \
                    ones) it becomes readable.",
            command: "filters DIR/run --layer activation_8 --filter 0-7 --out DIR/filters.png"
                .into(),
            pictures: vec![(
                "filters.png",
                "Eight filters: the naive picture, two pictures with the spectrum of faces, one of which \
                 starts from faces, and the training faces that activate the filter most.",
            )],
            page: None,
        },
        Chapter {
            title: "What are the feature maps of a face?",
            text: "The outputs of one convolution, after batch normalisation, and after ReLU.",
            command: "activations DIR/run --layer conv2d_2,batch_normalization_2,activation_2 \
                      --index 3 --out DIR/activations.png"
                .into(),
            pictures: vec![("activations.png", "Feature maps of one face.")],
            page: None,
        },
        Chapter {
            title: "Which expressions does it confuse?",
            text: "The confusion matrix of the validation faces.",
            command: "eval DIR/run --out DIR/eval".into(),
            pictures: vec![(
                "eval/confusion_counts.png",
                "Rows: true expressions. Columns: predicted expressions.",
            )],
            page: None,
        },
        Chapter {
            title: "The report",
            text: "All explanations and the evaluation in one HTML file, with sentences that follow \
                    from the measured numbers. Without --quick it shows more filters; --lang zh writes \
                    it in Chinese.",
            command: "report DIR/run --quick --out DIR/report.html".into(),
            pictures: vec![],
            page: Some(("report.html", "Open the report")),
        },
        Chapter {
            title: "And a photograph",
            text: "The program contains a second network, trained on photographs of people. Here it \
                    explains its answer for a portrait by NASA (public domain). For your own: fer \
                    explain photo.jpg.",
            command: "explain DIR/astronaut.jpg --out DIR/explanation.png".into(),
            pictures: vec![(
                "explanation.png",
                "The face, the answer, the pixels and the parts of the face that speak for it (red) and \
                 against it (blue).",
            )],
            page: None,
        },
    ]
}

/// Runs the commands of every chapter by `run_line`, and writes the page.
pub(crate) fn run(args: Args, run_line: &dyn Fn(Vec<OsString>) -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    let folder = folder(args.out)?;
    write_atomic(folder.join("astronaut.jpg"), PHOTO)?;
    let mut page = Document::new("fer: training and explanation on drawn faces", "en");
    page.paragraph(
        "The command fer demo made this page: it drew the faces, trained the network and computed the \
         pictures. The command under each title repeats that part. To use FER2013, add --data \
         train.csv.",
    );
    for chapter in chapters(args.epochs) {
        let name = folder.display().to_string();
        let shown = if name.contains(' ') { format!("'{name}'") } else { name.clone() };
        let command = chapter.command.replace("DIR", &shown);
        eprintln_safe!("\n$ fer {command}");
        run_line(words(&chapter.command, &name))?;
        page.heading(2, chapter.title);
        page.paragraph(chapter.text);
        page.code(&format!("fer {command}"));
        for (name, caption) in chapter.pictures {
            let path = folder.join(name);
            let png = std::fs::read(&path).map_err(Error::io(&path))?;
            page.png(&png, chapter.title, caption);
        }
        if let Some(link) = chapter.page {
            page.links(&[link]);
        }
    }
    page.paragraph(&format!(
        "Made in {} on {} threads ({}), fer {}.",
        duration(begun.elapsed().as_secs_f64()),
        rayon::current_num_threads(),
        fer_kernels::Context::global().simd,
        env!("CARGO_PKG_VERSION")
    ));
    let index = folder.join("index.html");
    write_atomic(&index, page.finish().as_bytes())?;
    eprintln_safe!("\ndone in {}", duration(begun.elapsed().as_secs_f64()));
    console::print(&format!("{}\n", index.display()))
}

/// Splits a command line without quotes into words, and replaces `DIR` by the folder.
fn words(command: &str, folder: &str) -> Vec<OsString> {
    command.split_whitespace().map(|word| word.replace("DIR", folder).into()).collect()
}

/// Creates the named folder, or the first free one of demo, demo-2, …
fn folder(wanted: Option<PathBuf>) -> Result<PathBuf> {
    let folder = wanted.unwrap_or_else(|| {
        let name = |i: usize| if i == 1 { "demo".into() } else { format!("demo-{i}") };
        let free = (1..).map(name).find(|name| !Path::new(name).exists());
        PathBuf::from(free.unwrap_or_default())
    });
    crate::files::make_folder(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{args, old_names};

    /// The demo runs its commands itself, without the aliases of earlier names.
    #[test]
    fn every_chapter_is_a_command_of_today() {
        for chapter in chapters(4) {
            let line: Vec<OsString> =
                std::iter::once("fer".into()).chain(words(&chapter.command, "demo")).collect();
            assert_eq!(old_names::update(line.clone()).1, [""; 0], "{}", chapter.command);
            args::parse(line).unwrap_or_else(|e| panic!("{}: {e}", chapter.command));
        }
    }
}
