//! Writes a run with every kind of value that TensorBoard draws, and a JSON of what it must serve.
//!
//! `tests/external/tensorboard_check.sh` calls this test twice with `FER_TB_DIR` set: the first call writes
//! epochs 0 to 4, the second resumes at epoch 3, while TensorBoard is open, and goes on to epoch
//! 5. Without the variable both happen in a temporary folder. The pictures are drawn here; no face
//! is needed.

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};

use fer::monitor::tensorboard::format::tags;
use fer::monitor::tensorboard::summary::graph::Node;
use fer::monitor::tensorboard::summary::histogram::Histogram;
use fer::monitor::tensorboard::summary::keras_graph::Layer;
use fer::monitor::tensorboard::summary::pr_curve::PrCurve;
use fer::monitor::tensorboard::{Embedding, EventWriter, HParam, Status, system_clock};
use fer::random::{Purpose, Rng};
use fer::{CLASS_NAMES, SIDE};
use serde_json::{Value, json};

const RESUMED_AT: u64 = 3;

#[test]
fn a_run_for_tensorboard_is_written_and_resumed() {
    match std::env::var_os("FER_TB_DIR").map(PathBuf::from) {
        Some(dir) => write(&dir, dir.join(tags::TRAIN).exists()),
        None => {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), false);
            write(dir.path(), true);
            assert!(dir.path().join("projector_config.pbtxt").exists());
        }
    }
}

/// The first part of the run, or the part after it was stopped.
fn write(dir: &Path, resume: bool) {
    let (epochs, offset) = if resume { (RESUMED_AT..6, 0.25) } else { (0..5, 0.0) };
    let open = |folder: &str| match resume {
        true => EventWriter::resume(dir.join(folder), RESUMED_AT, system_clock).unwrap(),
        false => EventWriter::create(dir.join(folder), system_clock).unwrap(),
    };
    let [mut run, mut train, mut validation] = ["", tags::TRAIN, tags::VALIDATION].map(open);
    if !resume {
        about_the_run(&mut run, dir);
    }
    for epoch in epochs.clone() {
        training_epoch(&mut train, epoch, offset);
        validation_epoch(&mut validation, epoch, offset);
        run.scalar(tags::BEST_ACCURACY, epoch, 1.0 - loss(epoch, 0.5)).unwrap();
        run.scalar(tags::BEST_LOSS, epoch, loss(epoch, 1.0) + offset).unwrap();
        run.flush().unwrap();
    }
    run.session_end(epochs.end, Status::Success).unwrap();
    run.flush().unwrap();
    // A torn tail, as a crash leaves it: TensorBoard waits for the rest.
    let path = train.path().to_path_buf();
    drop((train, validation));
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, &[9, 0, 0, 0, 0]).unwrap();
    let expected = expected(if resume { offset } else { 0.0 }, epochs.end);
    std::fs::write(dir.join("expected.json"), expected.to_string()).unwrap();
}

fn hparams() -> Vec<(&'static str, HParam)> {
    vec![
        ("learning_rate", HParam::Number(0.001)),
        ("optimizer", HParam::Text("adam".into())),
        ("mixup", HParam::Flag(false)),
    ]
}

fn about_the_run(run: &mut EventWriter, dir: &Path) {
    run.hparams(&hparams(), &tags::METRICS).unwrap();
    run.summary(0, &tags::curves_layout()).unwrap();
    run.text("about", 0, "A run of **fer**, written by its test.").unwrap();
    run.run_graph(&operations()).unwrap();
    run.keras_graph(&layers()).unwrap();
    let (points, pictures, metadata) = cloud();
    let embedding = Embedding {
        name: "faces",
        points: &points,
        dim: 4,
        columns: &["label", "predicted"],
        metadata: &metadata,
        pictures: Some((&pictures, SIDE)),
    };
    embedding.write(dir).unwrap();
    run.flush().unwrap();
}

fn training_epoch(train: &mut EventWriter, epoch: u64, offset: f32) {
    train.scalar(tags::EPOCH_LOSS, epoch, loss(epoch, 0.8) + offset).unwrap();
    train.scalar(tags::EPOCH_ACCURACY, epoch, 1.0 - loss(epoch, 0.4)).unwrap();
    train.scalar(tags::EPOCH_LEARNING_RATE, epoch, 0.001 / (1 + epoch) as f32).unwrap();
    train.scalar(&tags::grad_norm("conv2d"), epoch, 0.5).unwrap();
    train.histogram(&tags::weight("conv2d", "kernel"), epoch, &weights(epoch)).unwrap();
    train.histogram(&tags::activation("conv2d"), epoch, &[0.0; 9]).unwrap();
    train.histogram(&tags::gradient("conv2d", "kernel"), epoch, &[0.1, f32::NAN, -0.1]).unwrap();
    train.flush().unwrap();
}

fn validation_epoch(validation: &mut EventWriter, epoch: u64, offset: f32) {
    validation.scalar(tags::EPOCH_LOSS, epoch, loss(epoch, 1.0) + offset).unwrap();
    validation.scalar(tags::EPOCH_ACCURACY, epoch, 1.0 - loss(epoch, 0.5)).unwrap();
    validation.scalar(&tags::recall("happy"), epoch, 0.9).unwrap();
    let (scores, positive) = scored(epoch);
    validation.pr_curve(&tags::pr("happy"), epoch, &scores, &positive).unwrap();
    validation.image(&tags::saliency("happy"), epoch, &picture(epoch)).unwrap();
    validation.table(tags::CONFUSION_TABLE, epoch, &confusion(epoch)).unwrap();
    validation.flush().unwrap();
}

/// What the endpoints must serve; `tests/external/tensorboard_check.py` reads it.
fn expected(offset: f32, epochs: u64) -> Value {
    let shift = |epoch: u64| if epoch >= RESUMED_AT { offset } else { 0.0 };
    let curve = |f: &dyn Fn(u64) -> f32| (0..epochs).map(|e| json!([e, f(e)])).collect::<Vec<_>>();
    let bars = |f: &dyn Fn(u64) -> Vec<f32>| {
        (0..epochs).map(|e| json!([e, Histogram::new(&f(e)).rows])).collect::<Vec<_>>()
    };
    let precision_recall = |epoch| {
        let (scores, positive) = scored(epoch);
        let curve = PrCurve::new(&scores, &positive).unwrap();
        json!([epoch, curve.true_positives, curve.false_positives])
    };
    let nodes: Vec<_> = operations()
        .into_iter()
        .map(|n| json!({ "name": n.name, "op": n.op, "inputs": n.inputs, "shape": n.output_shape }))
        .collect();
    let (points, _, metadata) = cloud();
    json!({
        "scalars": {
            ".": {
                "validation/best_accuracy": curve(&|e| 1.0 - loss(e, 0.5)),
                "validation/best_loss": curve(&|e| loss(e, 1.0) + shift(e)),
            },
            "train": {
                "epoch_loss": curve(&|e| loss(e, 0.8) + shift(e)),
                "epoch_accuracy": curve(&|e| 1.0 - loss(e, 0.4)),
                "epoch_learning_rate": curve(&|e| 0.001 / (1 + e) as f32),
                "layers/conv2d/grad_norm": curve(&|_| 0.5),
                "nonfinite/layers/conv2d/kernel/gradient": curve(&|_| 1.0),
            },
            "validation": {
                "epoch_loss": curve(&|e| loss(e, 1.0) + shift(e)),
                "epoch_accuracy": curve(&|e| 1.0 - loss(e, 0.5)),
                "per_class/happy/recall": curve(&|_| 0.9),
            },
        },
        "histograms": { "train": {
            "layers/conv2d/kernel/histogram": bars(&weights),
            "layers/conv2d/activation": bars(&|_| vec![0.0; 9]),
            "layers/conv2d/kernel/gradient": bars(&|_| vec![0.1, -0.1]),
        } },
        "images": { "saliency/happy": (0..epochs).map(|e| json!([e, picture(e)])).collect::<Vec<_>>() },
        "text": { "about": "<strong>fer</strong>" },
        "tables": { "confusion_table": (0..epochs).map(|e| json!([e, confusion(e)])).collect::<Vec<_>>() },
        "pr_curves": { "pr/happy": (0..epochs).map(precision_recall).collect::<Vec<_>>() },
        "hparams": { "learning_rate": 0.001, "optimizer": "adam", "mixup": false },
        "metrics": ["validation/best_accuracy", "validation/best_loss"],
        "layout": [["accuracy", "epoch_accuracy"], ["loss", "epoch_loss"]],
        "run_graph": nodes,
        "keras_graph": {
            "model/input": [], "model/conv2d": ["model/input"],
            "model/block_1/start": ["model/conv2d"],
            "model/block_1/conv2d_1": ["model/block_1/start"],
            "model/block_1/add": ["model/block_1/conv2d_1", "model/block_1/start"],
            "model/block_2/start": ["model/block_1/add"],
            "model/block_2/relu": ["model/block_2/start"],
            "model/dense": ["model/block_2/relu", "model/conv2d"],
        },
        "projector": { "points": points, "dim": 4, "metadata": metadata, "columns": ["label", "predicted"] },
    })
}

fn loss(epoch: u64, scale: f32) -> f32 {
    scale / (1.5 + epoch as f32)
}

fn weights(epoch: u64) -> Vec<f32> {
    let mut rng = Rng::new(1, Purpose::Test, epoch, 0);
    (0..500).map(|_| (rng.normal() * (0.1 + 0.02 * epoch as f64)) as f32).collect()
}

fn scored(epoch: u64) -> (Vec<f32>, Vec<bool>) {
    let mut rng = Rng::new(1, Purpose::Test, epoch, 1);
    let positive: Vec<bool> = (0..300).map(|_| rng.bernoulli(0.3)).collect();
    let lift = |p: bool| if p { 0.05 * epoch as f64 } else { 0.0 };
    let scores = positive.iter().map(|&p| (rng.uniform() * 0.7 + lift(p)) as f32).collect();
    (scores, positive)
}

fn confusion(epoch: u64) -> Vec<Vec<String>> {
    let head = ["true \\ predicted".to_string()].into_iter();
    let mut rows = vec![head.chain(CLASS_NAMES.map(String::from)).collect::<Vec<_>>()];
    for (i, name) in CLASS_NAMES.iter().enumerate() {
        let count = |j| if i == j { 50 + 5 * epoch } else { (3 * i as u64 + j as u64) % 7 };
        rows.push(
            [name.to_string()].into_iter().chain((0..7).map(|j| count(j).to_string())).collect(),
        );
    }
    rows
}

/// A ring that grows with the epoch, in colour.
fn picture(epoch: u64) -> Vec<u8> {
    let mut rgb = Vec::new();
    for (y, x) in (0..SIDE * SIDE).map(|i| (i / SIDE, i % SIDE)) {
        let radius = (y as f32 - 23.5).hypot(x as f32 - 23.5);
        let ring = 255.0 * (-(radius - 6.0 - 2.0 * epoch as f32).powi(2) / 20.0).exp();
        rgb.extend([ring as u8, (ring * 0.6) as u8, 40]);
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&rgb)).unwrap();
    png
}

/// Seven clusters in four dimensions, with a picture and a label for each point.
fn cloud() -> (Vec<f32>, Vec<u8>, Vec<Vec<String>>) {
    let (mut points, mut pictures, mut metadata) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..70 {
        let class = i % 7;
        let mut rng = Rng::new(1, Purpose::Test, 0, 100 + i as u64);
        let angle = TAU * class as f32 / 7.0;
        let centre = [angle.cos(), angle.sin(), (2.0 * angle).cos(), (2.0 * angle).sin()];
        points.extend(centre.map(|c| c + 0.1 * rng.normal() as f32));
        pictures.extend((0..SIDE * SIDE).map(|p| (p % SIDE * (class + 1) * 5 % 256) as u8));
        metadata
            .push(vec![CLASS_NAMES[class].to_string(), CLASS_NAMES[(class + i % 2) % 7].into()]);
    }
    (points, pictures, metadata)
}

fn operations() -> Vec<Node> {
    let node = |name: &str, op: &str, inputs: &[&str], shape: &[usize]| Node {
        name: name.into(),
        op: op.into(),
        inputs: inputs.iter().map(|&input| input.into()).collect(),
        output_shape: [None].into_iter().chain(shape.iter().map(|&n| Some(n))).collect(),
    };
    vec![
        node("input", "Placeholder", &[], &[1, 48, 48]),
        node("block_1/conv2d", "Conv2d", &["input"], &[32, 48, 48]),
        node("block_1/relu", "Relu", &["block_1/conv2d"], &[32, 48, 48]),
        node("block_1/add", "Add", &["block_1/relu", "block_1/conv2d"], &[32, 48, 48]),
        node("dense", "MatMul", &["block_1/add"], &[7]),
    ]
}

fn layers() -> Layer {
    let residual = vec![
        Layer::new("start", "Activation"),
        Layer::new("conv2d_1", "Conv2D"),
        Layer::new("add", "Add").reading(&["conv2d_1", "start"]),
    ];
    let plain = vec![Layer::new("start", "Activation"), Layer::new("relu", "ReLU")];
    let model = vec![
        Layer::new("input", "InputLayer"),
        Layer::new("conv2d", "Conv2D"),
        Layer::block("block_1", residual),
        Layer::block("block_2", plain),
        Layer::new("dense", "Dense").reading(&["block_2", "conv2d"]),
    ];
    Layer::block("model", model)
}
