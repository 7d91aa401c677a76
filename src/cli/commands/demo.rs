//! `fer demo`: the whole story on the built-in faces, told by the other commands.
//!
//! The demo is a list of command lines. Each is printed, parsed and run exactly as if it had been
//! typed, so what the page shows can be repeated by hand.

use crate::cli::shared::progress::duration;
use crate::console::{self, eprintln_safe};
use crate::files::write_atomic;
use crate::render::html::Document;
use crate::{Error, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `fer demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to make [default: demo, demo-2, …]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Passes over the 7,000 training faces
    #[arg(long, default_value_t = 4)]
    epochs: usize,
}

/// One chapter of the page.
struct Chapter {
    title: &'static str,
    text: &'static str,
    /// The command, `DIR` standing for the demo's folder.
    command: String,
    /// Picture that the command leaves in the folder, and what it shows.
    pictures: Vec<(&'static str, &'static str)>,
    /// Page that the command leaves in the folder, and its name.
    page: Option<(&'static str, &'static str)>,
}

fn chapters(epochs: usize) -> Vec<Chapter> {
    vec![
        Chapter {
            title: "Faces are drawn",
            text: "Nothing is downloaded: the program draws people, light and camera by chance, and \
                    seven expressions on them.",
            command: "data synth --count 14 --sheet DIR/faces.png".into(),
            pictures: vec![("faces.png", "Two drawn faces of each expression.")],
            page: None,
        },
        Chapter {
            title: "A network is trained",
            text: "7,000 drawn faces, a tenth of them kept aside for validation, and a small residual \
                    network with random weights. The four questions below are put to the result.",
            command: format!("train --arch fer-s --epochs {epochs} --out DIR/run"),
            pictures: vec![(
                "run/curves.png",
                "Accuracy and loss after every epoch, on the training faces (as varied for training) \
                 and on the validation faces.",
            )],
            page: None,
        },
        Chapter {
            title: "Where does it look?",
            text: "The score of the predicted class is propagated back to the pixels. Bright places \
                    are those where a small change would move the score most.",
            command: "saliency DIR/run --out DIR/saliency.png".into(),
            pictures: vec![(
                "saliency.png",
                "One face of each expression: the face, the map, the map over the face, and the signed \
                 map.",
            )],
            page: None,
        },
        Chapter {
            title: "What does each filter want to see?",
            text: "From noise, a picture is changed step by step until one filter answers as strongly \
                    as it can. Done naively the result looks like a QR code; with the spectrum of faces \
                    imposed, here of the drawn ones, it can be read.",
            command: "filters DIR/run --layer activation_8 --filter 0-7 --out DIR/filters.png"
                .into(),
            pictures: vec![(
                "filters.png",
                "Eight filters: the naive picture, ours, and the training faces that move the filter \
                 most.",
            )],
            page: None,
        },
        Chapter {
            title: "What do the filters make of a face?",
            text: "The outputs of one block, before and after normalisation and rectifier.",
            command: "activations DIR/run --layer conv2d_2,batch_normalization_2,activation_2 \
                      --index 3 --out DIR/activations.png"
                .into(),
            pictures: vec![("activations.png", "Feature maps of one face.")],
            page: None,
        },
        Chapter {
            title: "How does it judge each expression?",
            text: "Every validation face, predicted against true.",
            command: "eval DIR/run --out DIR/eval".into(),
            pictures: vec![(
                "eval/confusion_counts.png",
                "Rows: the true expression. Columns: the answer.",
            )],
            page: None,
        },
        Chapter {
            title: "What does a network for real faces say?",
            text: "Another network comes with the program. It has learnt from photos of people and \
                    never saw a drawn face, so here it can only guess. It is made for photos: \
                    fer predict photo.jpg.",
            command: "predict DIR/faces.png --face all --draw DIR/answers.png".into(),
            pictures: vec![(
                "answers.png",
                "Each face as it was found in the picture, the answer, and the places that moved it.",
            )],
            page: None,
        },
        Chapter {
            title: "The whole answer on one page",
            text: "All four questions with their figures, and with words that follow from the \
                    measured numbers. One file that opens anywhere and prints on paper; without --quick \
                    it shows more filters, and --lang zh writes it in Chinese.",
            command: "report DIR/run --quick --out DIR/report.html".into(),
            pictures: vec![],
            page: Some(("report.html", "Open the report")),
        },
    ]
}

/// Runs the commands of every chapter by `run_line`, and writes the page.
pub(crate) fn run(args: Args, run_line: &dyn Fn(Vec<OsString>) -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    let folder = folder(args.out)?;
    let mut page = Document::new("fer: the whole story on drawn faces", "en");
    page.paragraph(
        "Everything on this page was made by one command, fer demo, from nothing: the faces are drawn, \
         the network is trained, the pictures are computed. The command under each title repeats its \
         part. With FER2013, add --data train.csv.",
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

/// The words of a command line without quotes, `DIR` in them standing for the folder.
fn words(command: &str, folder: &str) -> Vec<OsString> {
    command.split_whitespace().map(|word| word.replace("DIR", folder).into()).collect()
}

/// The folder asked for, or the first free one of demo, demo-2, …
fn folder(wanted: Option<PathBuf>) -> Result<PathBuf> {
    let folder = wanted.unwrap_or_else(|| {
        let name = |i: usize| if i == 1 { "demo".into() } else { format!("demo-{i}") };
        let free = (1..).map(name).find(|name| !Path::new(name).exists());
        PathBuf::from(free.unwrap_or_default())
    });
    crate::files::make_folder(&folder)?;
    Ok(folder)
}
