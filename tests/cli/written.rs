//! Files that are written: all of a set or none, no temporaries, and a full disk beside the work.

use crate::support::place::{Done, Place, TRAIN, finished};
use std::path::Path;
use std::process::{Command, Stdio};

/// Names of temporary files below a folder.
fn temporaries(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".tmp") || name.starts_with(".fer-") {
            found.push(name);
        } else if entry.path().is_dir() {
            found.extend(temporaries(&entry.path()));
        }
    }
    found
}

/// Runs `fer` with one fault injected by `strace`; `None`, and a word why, where there is no strace.
fn injected(place: &Place, inject: &str, line: &str) -> Option<Done> {
    let (call, _) = inject.split_once(':').unwrap();
    let mut command = assert_cmd::Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
    command.arg(format!("inject={inject}")).arg(env!("CARGO_BIN_EXE_fer"));
    command.args(line.split_whitespace()).current_dir(place.path("."));
    if Command::new("strace").args(["-qq", "true"]).stderr(Stdio::null()).status().is_err() {
        println!("strace is not installed: the fault {inject} is not tried");
        return None;
    }
    Some(finished(&mut command))
}

/// A sample of `tests/external/fault_injection.py`: each part of a training is refused a write in turn.
#[test]
fn a_failed_write_beside_the_work_ends_neither_the_work_nor_the_record() {
    let place = Place::with_faces();
    let train = format!("{TRAIN} --epochs 2 --threads 1");
    place.ok(&format!("{train} --out whole"));
    let values = |run: &str| {
        let path = place.path(&format!("{run}/last.safetensors"));
        fer::model::weights::Archive::read(&path).unwrap().tensors
    };
    let whole = values("whole");
    let (mut told, mut ended) = (0, 0);
    for number in (16..60).step_by(6) {
        let run = format!("run{number}");
        let inject = format!("write:error=ENOSPC:when={number}");
        let Some(done) = injected(&place, &inject, &format!("{train} --out {run}")) else { return };
        match done.code {
            0 => {
                for name in ["curves.png", "metrics.csv", "validation.tsv", "live.json"] {
                    assert!(place.path(&format!("{run}/{name}")).exists(), "{run}: {name}");
                }
                let tags =
                    crate::monitor::tensorboard::values(&place.path(&format!("{run}/train")));
                let losses = tags.iter().filter(|(_, v)| v.tag == "epoch_loss").count();
                assert_eq!(losses, 2, "{run}: {}", done.stderr);
            }
            _ => {
                let last = done.stderr.lines().last().unwrap();
                assert!(last.contains("No space left"), "{run}: {}", done.stderr);
                told += 1;
            }
        }
        ended += usize::from(!done.stderr.contains("done in"));
        assert!(temporaries(&place.path(&run)).is_empty(), "{run}");
        let again = place.run(&format!("train --resume {run}"));
        if again.code != 0 {
            place.ok(&format!("{train} --out {run}"));
        }
        assert!(values(&run) == whole, "{run}");
    }
    println!("{told} of 8 faults were told by the exit code, {ended} ended the training");
}

/// Killed at each rename of a split: no face is ever in both parts.
#[test]
fn a_killed_split_never_mixes_old_and_new() {
    let place = Place::with_faces();
    let split = "data split faces.csv --train a.csv --val b.csv --val-split 0.3";
    let read = || ["a.csv", "b.csv"].map(|name| std::fs::read(place.path(name)).ok());
    place.ok(&format!("{split} --seed 1"));
    let old = read();
    place.ok(&format!("{split} --seed 2"));
    let new = read();
    assert_ne!(old, new);
    for number in 1..=4 {
        place.ok(&format!("{split} --seed 1"));
        let kill = format!("rename:signal=KILL:when={number}");
        if injected(&place, &kill, &format!("{split} --seed 2")).is_none() {
            return;
        }
        let now = read();
        let all_of =
            |set: &[Option<Vec<u8>>; 2]| (0..2).all(|i| now[i].is_none() || now[i] == set[i]);
        assert!(all_of(&old) || all_of(&new), "killed at rename {number}");
        place.ok(&format!("{split} --seed 1"));
        let fail = format!("rename:error=EIO:when={number}");
        let done = injected(&place, &fail, &format!("{split} --seed 2")).unwrap();
        assert!(read() == old && done.code == 1 || read() == new && done.code == 0, "{number}");
        for name in temporaries(&place.path(".")) {
            std::fs::remove_file(place.path(&name)).unwrap(); // of the kill; swept after a minute
        }
    }
}

/// `last.safetensors` and its predecessor are two names of one file when a crash comes between their
/// renames; rename(2) then does nothing.
#[cfg(unix)]
#[test]
fn no_temporary_stays_where_two_names_are_one_file() {
    let place = Place::with_run(1);
    let [last, previous] =
        ["last.safetensors", "last.safetensors.previous"].map(|n| place.path(&format!("run/{n}")));
    std::fs::remove_file(&previous).unwrap();
    std::fs::hard_link(&last, &previous).unwrap();
    place.write("run/last.previous.tmp", b"of an earlier version");
    let bytes = std::fs::read(&last).unwrap();
    fer::model::weights::crash_safe::write_keeping_previous(&last, &bytes).unwrap();
    place.ok("train --resume run");
    assert!(temporaries(&place.path("run")).is_empty());
    assert_eq!(std::fs::read(&previous).unwrap(), bytes);
}

/// Too many open files say nothing of a checkpoint: the one before must not be taken for it.
#[test]
fn a_checkpoint_that_cannot_be_opened_is_an_error() {
    let place = Place::with_run(2);
    let fault = "openat:error=EMFILE:when=1"; // in each thread; the first that counts is the checkpoint
    let Some(done) = injected(&place, fault, "export run --weights w.safetensors") else { return };
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("last.safetensors: Too many open files"), "{}", done.stderr);
    assert!(!place.path("w.safetensors").exists());
}

/// Ctrl-C while a large file is written.
#[cfg(unix)]
#[test]
fn an_interrupted_command_leaves_no_temporary() {
    let place = Place::new();
    for signal in ["-INT", "-TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fer"))
            .current_dir(place.path("."))
            .args(["data", "synth", "--count", "4000", "--out", "faces.csv.gz"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while temporaries(&place.path(".")).is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "written before it could be interrupted");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(temporaries(&place.path(".")).is_empty());
        assert!(!place.path("faces.csv.gz").exists());
    }
}

/// A report is written whether or not anybody can read the messages.
#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_error_loses_no_result() {
    let place = Place::with_run(1);
    place.ok("data synth --count 7 --first 900 --out seven.csv");
    for (line, result) in [
        ("report run --data seven.csv --quick --out r.html", "r.html"),
        ("filters run --layer conv2d_1 --filter 0 --steps 2 --data seven.csv --out f.png", "f.png"),
        ("saliency run --data seven.csv --index 0 --out s.png", "s.png"),
        ("lime run --data seven.csv --index 0 --samples 50 --out l.png", "l.png"),
        ("activations run --data seven.csv --index 0 --layer conv2d_1 --out a.png", "a.png"),
        ("eval run --data seven.csv --out ev", "ev/index.html"),
        ("export run --weights w.safetensors", "w.safetensors"),
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fer"));
        command.args(line.split_whitespace()).current_dir(place.path("."));
        let status = command.stdout(Stdio::null()).stderr(full).status().unwrap();
        assert!(status.success(), "{line}: {status}");
        assert!(place.path(result).exists(), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn the_files_of_a_run_are_readable_alike() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with_run(1);
    let mode = |name: &str| {
        std::fs::metadata(place.path(&format!("run/{name}"))).unwrap().permissions().mode()
    };
    for name in ["validation.tsv", "projector_config.pbtxt", "live.json", "progress.json"] {
        assert_eq!(mode(name), mode("metrics.csv"), "{name}");
    }
}

/// An escape sequence in the name of a file would reach the terminal with the message.
#[test]
fn names_with_control_characters_are_escaped() {
    let place = Place::new();
    let done = finished(place.command("data stats").arg("a\u{1b}[2Jb\u{7}.csv"));
    assert_eq!(done.code, 3);
    assert!(done.stderr.contains("a\\u{1b}[2Jb\\u{7}.csv"), "{}", done.stderr);
}

/// A folder for results that a failed command made is taken away again; one that was there stays.
#[test]
fn a_failed_evaluation_leaves_no_empty_folder() {
    let place = Place::with_run(1);
    place.fails("eval run --data gone.csv --out judged", 3, &["gone.csv"]);
    assert!(!place.path("judged").exists());
    std::fs::create_dir(place.path("mine")).unwrap();
    place.fails("eval run --data gone.csv --out mine", 3, &["gone.csv"]);
    assert!(place.path("mine").exists());
    place.fails("eval run --data faces.csv --out faces.csv/judged", 2, &["`faces.csv` is a file"]);
}

/// A line break in a name cannot look like a message of the program.
#[cfg(unix)]
#[test]
fn a_name_with_a_line_break_stays_in_its_line() {
    let place = Place::new();
    place.write("b\nfer: fine.csv", b"zz");
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_fer"));
    command.args(["data", "stats", "b\nfer: fine.csv"]).current_dir(place.path("."));
    let done = finished(&mut command);
    assert!(done.stderr.contains("b\\nfer: fine.csv"), "{}", done.stderr);
    assert!(done.stderr.lines().all(|line| !line.starts_with("fer: fine")), "{}", done.stderr);
}

/// The same in answers, in notes, and in messages about options.
#[cfg(unix)]
#[test]
fn answers_and_notes_name_a_file_in_one_line() {
    let place = Place::with_faces();
    place.ok("data convert faces.csv faces");
    let angry = place.path("faces/angry");
    let face = std::fs::read_dir(&angry).unwrap().next().unwrap().unwrap().path();
    std::fs::create_dir(place.path("some")).unwrap();
    let png = std::fs::read(face).unwrap();
    // Without its end, it is read with a note.
    place.write("some/a\nfer: fine.png", &png[..png.len() - 12]);
    place.write("b\nfer: fine.toml", b"x = [");
    let cases: [(&[&str], &str); 3] = [
        (&["data", "stats", "some/a\nfer: fine.png"], "a\\nfer: fine.png: damaged"),
        (&["predict", "some", "--detect", "off"], "a\\nfer: fine.png  "),
        (&["train", "--config", "b\nfer: fine.toml"], "b\\nfer: fine.toml: "),
    ];
    for (arguments, name) in cases {
        let done = finished(place.command("").args(arguments));
        let all = format!("{}{}", done.stdout, done.stderr);
        assert!(all.contains(name), "{all}");
        assert!(all.lines().all(|line| !line.starts_with("fer: fine")), "{all}");
    }
}
