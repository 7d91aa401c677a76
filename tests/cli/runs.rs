//! Run folders: what they hold, that nothing overwrites them, that a stopped run goes on.

use crate::support::place::{Place, TRAIN, finished};
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::process::{Child, Command, Stdio};

#[test]
fn a_run_folder_holds_everything() {
    let place = Place::with_run(2);
    for name in
        ["config.toml", "network.toml", "summary.txt", "best.safetensors", "last.safetensors"]
    {
        assert!(!place.read(&format!("run/{name}")).is_empty(), "{name}");
    }
    for stem in ["class_counts", "class_counts_split", "curves"] {
        assert!(place.has_picture(&format!("run/{stem}.png")), "{stem}");
        assert!(place.has_picture(&format!("run/{stem}.svg")), "{stem}");
    }
    assert!(place.text("run/class_counts_split.svg").contains("126 training, 14 validation"));
    assert_eq!(place.text("run/metrics.csv").lines().count(), 3);
    let left: Vec<_> = std::fs::read_dir(place.path("run"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Files named in a configuration mean the same from any folder, like those named by options.
#[test]
fn a_run_is_judged_and_continued_from_another_folder() {
    let place = Place::with_faces();
    place.write("mine.toml", b"data = 'faces.csv'\narch = 'small.toml'\nbatch = 32\n");
    place.ok("train --config mine.toml --epochs 1 --out run");
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    for line in ["eval ../run", "train --resume ../run"] {
        let done = finished(place.command(line).current_dir(place.path("elsewhere")));
        assert_eq!(done.code, 0, "fer {line}: {}", done.stderr);
    }
}

#[test]
fn a_run_is_never_overwritten() {
    let place = Place::with_run(1);
    let before = place.read("run/last.safetensors");
    place.fails(
        &format!("{TRAIN} --epochs 1 --out run"),
        2,
        &["run is not an empty folder", "--resume run"],
    );
    // Said before any work: the teacher that is not there has not been looked for.
    place.fails(&format!("{TRAIN} --teacher gone --out run"), 2, &["run is not an empty folder"]);
    assert_eq!(place.read("run/last.safetensors"), before);
    place.ok(&format!("{TRAIN} --epochs 1"));
    place.ok(&format!("{TRAIN} --epochs 1"));
    assert!(place.path("runs/small-1").is_dir() && place.path("runs/small-2").is_dir());
}

#[test]
fn one_plain_line_an_epoch_without_a_terminal() {
    let place = Place::with_faces();
    let done = place.ok(&format!("{TRAIN} --epochs 3 --out run"));
    assert_eq!(done.stdout, "");
    assert!(!done.stderr.contains('\x1b') && !done.stderr.contains('\r'), "{}", done.stderr);
    let epochs = done.stderr.lines().filter(|l| l.starts_with("epoch ")).count();
    assert_eq!(epochs, 3, "{}", done.stderr);
}

/// Ctrl-C in the second epoch, then resumed: the same weights as a run that was never stopped.
#[cfg(unix)]
#[test]
fn interrupted_and_resumed_is_as_never_stopped() {
    let place = Place::with_faces();
    place.ok("data synth --count 1400 --out faces.csv");
    let train = format!("{TRAIN} --epochs 5 --threads 1");
    let mut child = Command::new(env!("CARGO_BIN_EXE_fer"))
        .current_dir(place.path("."))
        .args(train.split_whitespace())
        .args(["--out", "stopped"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    signal_after_an_epoch(&mut child, "-INT", &place.path("stopped"));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let done = place.ok("train --resume stopped --threads 1");
    assert!(done.stderr.contains("done in"), "{}", done.stderr);
    place.ok(&format!("{train} --out straight"));
    let weights = |name: &str| {
        let path = place.path(name);
        fer::model::weights::Archive::read(&path).unwrap().tensors
    };
    assert_eq!(weights("stopped/last.safetensors"), weights("straight/last.safetensors"));
}

#[cfg(unix)]
fn signal_after_an_epoch(child: &mut Child, signal: &str, run: &Path) {
    while !run.join("metrics.csv").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
}

/// `nohup` has hanging up ignored, and so it stays.
#[cfg(target_os = "linux")]
#[test]
fn a_training_under_nohup_outlives_its_terminal() {
    let place = Place::with_faces();
    place.ok("data synth --count 1400 --out faces.csv");
    let train = format!("{TRAIN} --epochs 4 --threads 1 --out run");
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_fer")])
        .args(train.split_whitespace())
        .current_dir(place.path("."))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    signal_after_an_epoch(&mut child, "-HUP", &place.path("run"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(place.text("run/metrics.csv").lines().count(), 5);
}

#[test]
fn resume_says_that_another_convolution_gives_other_bits() {
    let place = Place::with_faces();
    place.ok(&format!("{TRAIN} --conv direct --epochs 1 --out run"));
    let warned = |line: &str| place.ok(line).stderr.contains("--conv direct restores that");
    assert!(warned("train --resume run"));
    assert!(!warned("train --resume run --conv direct"));
    // A checkpoint of an earlier version does not say.
    let mut archive =
        fer::model::weights::Archive::read(&place.path("run/last.safetensors")).unwrap();
    archive.meta.remove("conv").unwrap();
    place.write("run/last.safetensors", &archive.to_bytes().unwrap());
    assert!(!warned("train --resume run"));
}

/// A run may go on on another CPU: among the levels with fused multiply-add, `--simd` changes the
/// speed, not a bit.
#[test]
fn every_simd_path_trains_the_same_weights() {
    use fer_kernels::SimdLevel;
    let place = Place::with_faces();
    place.write("small.toml", WIDE.as_bytes());
    let weights = |level: SimdLevel, precision: &str| {
        let run = format!("{level}-{precision}");
        place.ok(&format!("{TRAIN} --simd {level} --epochs 2 --precision {precision} --out {run}"));
        let path = place.path(&format!("{run}/last.safetensors"));
        fer::model::weights::Archive::read(&path).unwrap().tensors
    };
    for precision in ["f32", "bf16"] {
        let alike =
            SimdLevel::available().filter(|l| l.is_fused() == SimdLevel::widest().is_fused());
        let all: Vec<_> = alike.map(|level| (level, weights(level, precision))).collect();
        for (level, found) in &all {
            let first = all[0].0;
            assert!(*found == all[0].1, "{precision}: {level} trains other weights than {first}");
        }
    }
}

/// The precision belongs to the training: the run folder holds it, and the rest has the same.
#[test]
fn a_training_in_bf16_stays_in_bf16() {
    let place = Place::with_faces();
    place.ok(&format!("{TRAIN} --epochs 2 --precision bf16 --out whole"));
    assert!(place.text("whole/config.toml").contains("precision = \"bf16\""));
    place.ok(&format!("{TRAIN} --epochs 2 --out single"));
    let tensors = |run: &str| {
        let path = place.path(&format!("{run}/last.safetensors"));
        fer::model::weights::Archive::read(&path).unwrap().tensors
    };
    assert!(tensors("whole") != tensors("single"), "--precision bf16 changes nothing");
    // The settings of a run can be used again, with the same weights.
    place.ok("train --config whole/config.toml --out again");
    assert!(tensors("whole") == tensors("again"));
    // The weights are f32: every command reads them, and they are no bfloat16.
    place.ok("eval whole");
    let is_bf16 = |x: &f32| x.to_bits() & 0xffff == 0;
    assert!(tensors("whole").values().any(|(_, values)| !values.iter().all(is_bf16)));
    // It cannot be changed on the way, neither by an option nor in the run folder.
    place.fails("train --resume whole --precision f32", 2, &["--precision"]);
    let config = place.text("whole/config.toml").replace("precision = \"bf16\"", "");
    place.write("whole/config.toml", config.as_bytes());
    let done = place.ok("train --resume whole");
    assert!(done.stderr.contains("edited (precision)"), "{}", done.stderr);
    place.fails(&format!("{TRAIN} --precision f16 --out no"), 2, &["expected f32 or bf16"]);
    place.fails(&format!("{TRAIN} --set precision=f16 --out no"), 2, &["expected f32 or bf16"]);
}

/// Channels enough for Winograd and for whole registers, and some that are left over.
const WIDE: &str = r#"
name = "wide"
layers = [
    { type = "conv2d", filters = 20 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "max_pooling2d" },
    { type = "conv2d", filters = 36 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "residual", layers = [{ type = "conv2d", filters = 36 }] },
    { type = "activation" },
    { type = "conv2d", filters = 18, stride = 2 },
    { type = "global_average_pooling2d" },
    { type = "linear", units = 7 },
]
"#;

/// A small rate is not rounded to 0 in `metrics.csv`.
#[test]
fn small_learning_rates_are_kept() {
    let place = Place::with_faces();
    let train = TRAIN.replace("--lr 0.01", "--lr 3e-7");
    place.ok(&format!("{train} --epochs 3 --set schedule.warmup=0 --out run"));
    let history = fer::train::history::read_metrics(&place.path("run")).unwrap();
    // Three steps an epoch of a linear fall; the last of each is 2.5, 5.5 and 8.5 ninths through.
    for (m, done) in history.iter().zip([2.5, 5.5, 8.5]) {
        let expected = 3e-7 * (1.0 - done / 9.0);
        assert!((m.lr - expected).abs() < 1e-6 * expected, "{} is not {expected}", m.lr);
    }
}

#[test]
fn resume_continues_what_is_done_and_refuses_other_data() {
    let place = Place::with_run(1);
    let done = place.ok("train --resume run");
    assert!(done.stderr.contains("nothing left to train"), "{}", done.stderr);
    assert!(!done.stderr.contains("monitoring took"), "{}", done.stderr);
    assert_eq!(place.text("run/metrics.csv").lines().count(), 2);
    place.ok("data synth --count 140 --seed 5 --out faces.csv");
    place.fails("train --resume run", 4, &["other data"]);
}

#[test]
fn checkpoints_read_back_whatever_their_times_were() {
    // Seconds and losses are floats in the checkpoint's JSON; read back, they must give the same
    // checksum.
    let place = Place::with_run(6);
    place.ok("eval run --json");
    place.ok("eval run/best.safetensors --json");
}

#[test]
fn recipe_file_key_and_option_in_this_order() {
    let place = Place::new();
    place.write("mine.toml", b"lr = 0.05\nmixup = 0.3\n[budget]\nepochs = 7\n");
    let line = "train --recipe fast --config mine.toml --set mixup=0.2 --set augment.shift=1 \
                --lr 0.03 --print-config";
    let printed = place.ok(line).stdout;
    for expected in [
        "arch = \"fer-m\"", "lr = 0.03", "mixup = 0.2", "epochs = 7", "shift = 1.0",
        "contrast = [0.8, 1.2]",
    ] {
        assert!(printed.contains(expected), "{expected} is not in {printed}");
    }
    assert!(!printed.contains("minutes") && !place.path("runs").exists());
    // What is printed is a configuration, and stays the same when it is read again.
    place.write("printed.toml", printed.as_bytes());
    assert_eq!(place.ok("train --config printed.toml --print-config").stdout, printed);
    // What a set learning rate means does not depend on where the optimiser is named.
    for (line, rate) in [
        ("--optimizer adam --set lr=0.0003", "lr = 0.0003\n"),
        ("--set optimizer.kind=adam", "lr = 0.001\n"),
        ("--optimizer adam --config mine.toml", "lr = 0.05\n"),
    ] {
        let printed = place.ok(&format!("train {line} --print-config")).stdout;
        assert!(printed.contains(rate), "{line}: {printed}");
    }
    place.fails("train --recipe slow", 2, &["slow", "fast, best"]);
    place.fails("train --set optimiser.lr=2", 2, &["optimiser"]);
    place.fails("train --set init=whitening --pretrained run", 2, &["init"]);
}

#[test]
fn fine_tuning_starts_where_the_other_run_ended() {
    let place = Place::with_run(3);
    let before = place.ok("eval run --data faces.csv --json").json();
    let tune = "train --data faces.csv --batch-size 32 --epochs 1 --set schedule.warmup=0";
    place.ok(&format!("{tune} --pretrained run --lr 1e-9 --ema-decay 0 --out same"));
    let after = place.ok("eval same --data faces.csv --json").json();
    // The weights stand still; only the running statistics of the batch norm move.
    let weights = |name: &str| {
        let model = fer::model::LoadedModel::read(&place.path(name)).unwrap();
        model.network.parameters().iter().flat_map(|p| p.value.to_vec()).collect::<Vec<f32>>()
    };
    for (a, b) in weights("run").iter().zip(weights("same")) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    assert!((before["loss"].as_f64().unwrap() - after["loss"].as_f64().unwrap()).abs() < 0.5);
    assert!(place.text("same/config.toml").contains("from = "));
    place.fails(
        &format!("{tune} --pretrained run --set sizes=[{{until=1,side=32}}]"),
        4,
        &["side 48 to 32"],
    );
    place.fails(&format!("{tune} --pretrained nowhere"), 4, &["nowhere"]);
    place.fails(&format!("{tune} --pretrained run --arch tiny"), 2, &["--arch"]);
}

#[test]
fn patience_says_which_epoch_it_returns_to() {
    let place = Place::with_faces();
    let done = place.ok(&format!("{TRAIN} --epochs 40 --patience 1 --ema-decay 0 --out run"));
    let rows: Vec<Vec<f64>> = place
        .text("run/metrics.csv")
        .lines()
        .skip(1)
        .map(|l| l.split(',').map(|v| v.parse().unwrap()).collect())
        .collect();
    let best = rows.iter().fold((0.0, -1.0), |b, r| if r[6] > b.1 { (r[0], r[6]) } else { b });
    let words = format!("back to the weights of epoch {}\n", best.0);
    assert!(done.stderr.contains(&words), "{words} in {}", done.stderr);
    assert!(done.stderr.contains(&format!("validation accuracy {:.2} %", 100.0 * best.1)));
    let e = place.ok("eval run --json").json();
    assert!((e["accuracy"].as_f64().unwrap() - best.1).abs() < 1e-6);
}

/// A library's user may train without a folder: the best weights are then kept in memory.
#[test]
fn patience_returns_to_the_best_without_a_folder() {
    use fer::dataset::{SynthOptions, synthesize};
    use fer::train::{Budget, TrainConfig, Trainer};
    let faces = synthesize(&SynthOptions { count: 140, ..SynthOptions::default() }).unwrap();
    let place = Place::new();
    let config = TrainConfig {
        arch: place.path("small.toml").display().to_string(),
        budget: Budget::Epochs(40),
        batch: 32,
        lr: 0.01,
        ema: 0.0,
        patience: Some(1),
        ..TrainConfig::default()
    };
    let mut trainer = Trainer::new(config, faces.clone(), faces.clone()).unwrap();
    trainer.run(&mut ()).unwrap();
    let (epoch, best) = trainer.progress.best.unwrap();
    assert!(epoch < trainer.progress.epoch, "{:?}", trainer.progress.history);
    let views = [fer::dataset::augment::View::PLAIN];
    let judged = fer::model::predict(&trainer.evaluated(), &faces, &views, false, |_| {}).unwrap();
    assert_eq!(judged.loss_and_accuracy(&faces).1, best);
}

/// Eight trainings at the same moment: eight folders, each with one whole run.
#[test]
fn trainings_that_start_together_never_share_a_folder() {
    let place = Place::new();
    let at = place.path("runs");
    let all: Vec<_> = std::thread::scope(|scope| {
        let run = |_| scope.spawn(|| fer::train::run_dir::create(Some(&at), "x").ok());
        let threads: Vec<_> = (0..8).map(run).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(all.iter().flatten().count(), 1, "{all:?}");
    let place = Place::with_faces();
    let train = format!("{TRAIN} --epochs 1 --threads 1");
    let children: Vec<_> = (0..3)
        .map(|_| {
            std::process::Command::new(env!("CARGO_BIN_EXE_fer"))
                .current_dir(place.path("."))
                .args(train.split_whitespace())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for number in 1..=3 {
        assert_eq!(place.text(&format!("runs/small-{number}/metrics.csv")).lines().count(), 2);
    }
}
