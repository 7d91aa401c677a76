//! Earlier names of commands and options, which go on working.

use std::ffi::OsString;

/// A command or option that has a new name.
struct Renamed {
    /// Commands that have the option; empty where the command itself was renamed.
    commands: &'static [&'static str],
    old: &'static str,
    new: &'static str,
}

const fn renamed(
    commands: &'static [&'static str],
    old: &'static str,
    new: &'static str,
) -> Renamed {
    Renamed { commands, old, new }
}

const RENAMED: &[Renamed] = &[
    renamed(&[], "framing", "crop-calibration"),
    renamed(&["train", "bench"], "--batch", "--batch-size"),
    renamed(&["train"], "--ema", "--ema-decay"),
    renamed(&["train"], "--from", "--pretrained"),
    renamed(&["bench"], "--rounds", "--steps"),
    renamed(&["eval"], "--limit", "--max-faces"),
    renamed(&["eval", "calibrate"], "--against", "--train-data"),
    renamed(&["data"], "--share", "--val-split"),
    renamed(&["predict"], "--with", "--ensemble"),
    renamed(&["predict"], "--top", "--top-k"),
    renamed(&["predict", "saliency", "lime", "gallery", "verify"], "--face", "--detect"),
    renamed(&["filters", "activations", "crop-calibration"], "--faces", "--max-faces"),
    renamed(&["saliency"], "--faces", "--balanced-faces"),
    renamed(&["saliency"], "--max-faces", "--balanced-faces"),
    renamed(&["saliency", "gallery"], "--black", "--baseline=black"),
    renamed(&["saliency"], "--check", "--sanity-check"),
    renamed(&["saliency"], "--template", "--draw-regions"),
    renamed(&["lime"], "--segments", "--segmentation"),
    renamed(&["filters"], "--prove", "--significance"),
    renamed(&["filters"], "--recipe", "--method"),
    renamed(&["filters"], "--seeds", "--restarts"),
];

/// Options before the command that take a value.
pub const WITH_VALUE: [&str; 3] = ["--threads", "--simd", "--conv"];

/// Replaces earlier names in a command line. Returns the new line and a note for each replaced name.
pub fn update(arguments: impl IntoIterator<Item = OsString>) -> (Vec<OsString>, Vec<String>) {
    let mut line: Vec<OsString> = arguments.into_iter().collect();
    let mut notes = Vec::new();
    let Some(at) = command_position(&line) else { return (line, notes) };
    let mut replace = |argument: &mut OsString, scope: Option<&str>| {
        let Some(text) = argument.to_str() else { return };
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let is_this = |r: &&Renamed| match scope {
            None => r.commands.is_empty() && r.old == name,
            Some(command) => r.commands.contains(&command) && r.old == name,
        };
        let Some(found) = RENAMED.iter().find(is_this) else { return };
        let value = if value.is_empty() { String::new() } else { format!("={value}") };
        notes.push(format!("{} is now {}", found.old, found.new.replace('=', " ")));
        *argument = format!("{}{value}", found.new).into();
    };
    replace(&mut line[at], None);
    let command = line[at].to_string_lossy().into_owned();
    let options = line[at + 1..].iter_mut().take_while(|argument| *argument != "--");
    options.for_each(|argument| replace(argument, Some(&command)));
    (line, notes)
}

/// The place of the command: the first argument after the program that is neither an option nor its
/// value.
fn command_position(line: &[OsString]) -> Option<usize> {
    let is_option = |i: usize| line[i].to_string_lossy().starts_with('-');
    let is_value = |i: usize| WITH_VALUE.iter().any(|option| line[i - 1] == *option);
    (1..line.len()).find(|&i| !is_option(i) && !is_value(i))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;

    fn updated(line: &str) -> (String, Vec<String>) {
        let (line, notes) = update(line.split(' ').map(OsString::from));
        (line.join(" ".as_ref()).into_string().unwrap(), notes)
    }

    /// Names that no command or option has any more, and new ones that exist.
    #[test]
    fn every_earlier_name_stands_for_a_present_one() {
        let program = args::command();
        let command = |name: &str| program.find_subcommand(name);
        for r in RENAMED {
            if r.commands.is_empty() {
                assert!(command(r.old).is_none() && command(r.new).is_some(), "{}", r.old);
                assert_eq!(updated(&format!("fer {}", r.old)).0, format!("fer {}", r.new));
            }
            for &name in r.commands {
                let found = command(name).unwrap_or_else(|| panic!("no command {name}"));
                let has = |option: &str| {
                    let option = option.trim_start_matches("--").split('=').next();
                    let mut all = std::iter::once(found).chain(found.get_subcommands());
                    all.any(|c| c.get_arguments().any(|a| a.get_long() == option))
                };
                assert!(!has(r.old) && has(r.new), "fer {name} {}", r.old);
                let (line, notes) = updated(&format!("fer {name} {} -- {}", r.old, r.old));
                assert_eq!(line, format!("fer {name} {} -- {}", r.new, r.old));
                assert_eq!(notes.len(), 1);
            }
        }
        for global in WITH_VALUE {
            let name = Some(global.trim_start_matches("--"));
            assert!(program.get_arguments().any(|a| a.get_long() == name), "{global}");
        }
    }

    #[test]
    fn values_stay_and_each_name_is_noted() {
        let (line, notes) = updated("fer --threads 2 framing m --faces=3 --data d");
        assert_eq!(line, "fer --threads 2 crop-calibration m --max-faces=3 --data d");
        assert_eq!(notes, ["framing is now crop-calibration", "--faces is now --max-faces"]);
        let (line, notes) = updated("fer saliency --black --out a.png");
        assert_eq!(line, "fer saliency --baseline=black --out a.png");
        assert_eq!(notes, ["--black is now --baseline black"]);
        // The same option of another command keeps its name.
        for same in ["fer data check a --against b", "fer", "fer --help", "fer train --lr 0.1"] {
            assert_eq!(updated(same), (same.into(), vec![]));
        }
    }
}
