//! What clap refuses, with the way out: the command that was meant, the whole usage, what a value may be.

use crate::cli::args::command;
use crate::dataset::image::has_image_extension;
use crate::explain::Method;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error as _;
use std::ffi::OsString;
use std::num::{ParseFloatError, ParseIntError};
use std::path::Path;

/// Words that people type for a command of another name.
const OTHER_WORDS: &[(&str, &[&str])] = &[
    ("predict", &["classify", "recognise", "recognize", "detect", "infer", "inference"]),
    ("saliency", &["heatmap", "attribution", "attributions", "attribute", "map", "maps"]),
    ("eval", &["evaluate", "test", "accuracy"]),
    ("filters", &["deepdream", "maximize", "visualize"]),
    ("serve", &["page", "web", "webcam", "camera"]),
];

/// Adds a tip to an error, and replaces its shortened usage by that of the command.
pub(super) fn added(mut error: clap::Error, line: &[OsString]) -> clap::Error {
    if let Some(tip) = tip(&error) {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    // The shortened one has no brackets around what may be left out.
    if error.get(ContextKind::Usage).is_some() {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage(line)));
    }
    error
}

fn tip(error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => meant(&context(error, ContextKind::InvalidSubcommand)),
        ErrorKind::ArgumentConflict => to_train_on(error),
        ErrorKind::ValueValidation => {
            let source = error.source()?;
            let whole = source.is::<ParseIntError>().then(|| "expected a whole number".into());
            whole.or(source.is::<ParseFloatError>().then(|| "expected a number".into()))
        }
        _ => None,
    }
}

/// The command that a word in its place stands for.
fn meant(word: &str) -> Option<String> {
    if has_image_extension(Path::new(word)) || Path::new(word).is_file() {
        return Some(format!("for a photo: fer explain {word}, or fer predict {word}"));
    }
    let lower = word.to_lowercase();
    let of_words = OTHER_WORDS.iter().find(|(_, words)| words.contains(&lower.as_str()));
    let command = of_words.map(|(command, _)| format!("fer {command}"));
    let of_method = || {
        let method: Method = lower.parse().ok()?;
        Some(format!("fer saliency --method {method}"))
    };
    command.or_else(of_method).map(|command| format!("this is: {command}"))
}

/// The command that takes an option which `--resume` refuses.
fn to_train_on(error: &clap::Error) -> Option<String> {
    let named = [ContextKind::InvalidArg, ContextKind::PriorArg].map(|kind| context(error, kind));
    named.iter().any(|names| names.contains("--resume")).then(|| {
        "a training goes on with the settings it began with. To train on from the weights of RUN \
         with other settings, such as more epochs: fer train --pretrained RUN --data FACES \
         --epochs 20"
            .into()
    })
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    }
}

/// The usage of the command that a line names.
fn usage(line: &[OsString]) -> clap::builder::StyledStr {
    let mut found = command();
    found.build();
    for word in line.iter().skip(1) {
        if let Some(inner) = word.to_str().and_then(|word| found.find_subcommand(word)) {
            found = inner.clone();
        }
    }
    found.render_usage()
}
