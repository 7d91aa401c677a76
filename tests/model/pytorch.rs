//! Networks, optimisers and schedules against golden values from PyTorch.

use crate::laws::golden::{self, Case};
use crate::model::networks::small;
use fer::model::{LayerSpec, Network, NetworkSpec};
use fer::nn::{Parameter, Pass, Role};
use fer::ops::{self, Targets};
use fer::optim::{Optimizer, OptimizerConfig, OptimizerKind, Schedule, ScheduleShape};
use fer::tensor::Tensor;
use fer::train::batch::Batch;
use fer::train::step::StepAddress;
use fer::train::train_step;
use fer_kernels::Precision;

fn tensor(case: &Case, name: &str) -> Tensor<f64> {
    let (shape, data) = case.tensor(name);
    Tensor::from_slice(&data, &shape).unwrap()
}

/// The network of a golden case with its weights; the input is not standardised.
fn golden_network(case: &Case, prefix: &str, layers: Vec<LayerSpec>, side: usize) -> Network<f64> {
    let spec = NetworkSpec { layers, mean: 0.0, std: 1.0, ..small("tiny", side) };
    let mut network = Network::<f64>::new(spec, 0).unwrap();
    for p in network.parameters_mut() {
        p.value = tensor(case, &format!("{prefix}{}", p.name));
    }
    network
}

#[test]
fn network_matches_pytorch() {
    for case in golden::load("network") {
        let pool = LayerSpec::MaxPooling2d { size: 2 };
        let (bn, relu) = (LayerSpec::batch_norm, LayerSpec::relu);
        let mut layers = vec![LayerSpec::conv3x3(3), bn(), relu(), pool];
        layers.extend([LayerSpec::conv3x3(4), bn(), relu()]);
        layers.extend([LayerSpec::GlobalAveragePooling2d {}, LayerSpec::Linear { units: 7 }]);
        let mut network = golden_network(&case, "", layers, 12);
        let mut pass = Pass::train(0, 0);
        let x = pass.tape.leaf(tensor(&case, "x"));
        let logits = network.forward(&mut pass, &x).unwrap();
        case.assert_close("logits", &logits.value().to_vec());
        let targets = Targets::Labels(case.indices("labels"));
        let loss = ops::cross_entropy(&mut pass.tape, &logits, &targets, &Default::default());
        let loss = loss.unwrap();
        case.assert_close("loss", &loss.value().to_vec());
        let gradients = pass.tape.backward(&loss).unwrap();
        case.assert_close("grad_x", &gradients.get(&x).unwrap().to_vec());
        for p in network.parameters() {
            let grad = pass.gradient(&gradients, p).unwrap();
            case.assert_close(&format!("grad_{}", p.name), &grad.to_vec());
        }
        network.update_running_statistics(pass.statistics());
        for (name, tensor) in network.state().iter().filter(|(name, _)| name.contains(".running_"))
        {
            case.assert_close(name, &tensor.to_vec());
        }
        case.assert_close("logits_eval", &network.logits(tensor(&case, "x")).unwrap().to_vec());
    }
}

#[test]
fn training_matches_pytorch() {
    for case in golden::load("training") {
        let conv = |filters| LayerSpec::Conv2d {
            filters,
            kernel: 3,
            stride: 1,
            padding: Some(0),
            dilation: 1,
            groups: 1,
            bias: true,
        };
        let (max, mean) =
            (LayerSpec::MaxPooling2d { size: 2 }, LayerSpec::AveragePooling2d { size: 2 });
        let mut layers = vec![conv(3), LayerSpec::relu(), max, conv(4), LayerSpec::relu(), mean];
        layers.extend([LayerSpec::Flatten {}, LayerSpec::Linear { units: 10 }]);
        layers.extend([LayerSpec::relu(), LayerSpec::Linear { units: 7 }]);
        let mut network = golden_network(&case, "before.", layers, 14);
        let config = OptimizerConfig {
            kind: OptimizerKind::Nesterov,
            momentum: case.number("momentum"),
            weight_decay: case.number("weight_decay"),
            ..Default::default()
        };
        let mut optimizer = Optimizer::new(config, &network.parameters());
        let (batches, labels) = (case.data("x"), case.indices("labels"));
        let size = batches.len() / 3;
        let mut losses = Vec::new();
        for step in 0..3 {
            let x = &batches[step * size..][..size];
            let x = Tensor::from_slice(x, &[4, 1, 14, 14]).unwrap();
            let batch = Batch::labelled(x, labels[step * 4..][..4].to_vec());
            let at = StepAddress {
                seed: 0,
                step: step as u64,
                lr: case.number("lr"),
                precision: Precision::F32,
            };
            let loss = Default::default();
            let result = train_step(&mut network, &mut optimizer, batch, &loss, at).unwrap();
            losses.push(result.loss);
        }
        case.assert_close("losses", &losses);
        for p in network.parameters() {
            case.assert_close(&format!("after.{}", p.name), &p.value.to_vec());
        }
    }
}

fn single(value: Tensor<f64>) -> Parameter<f64> {
    Parameter { name: "p".into(), value, role: Role::Weight, index: 0 }
}

#[test]
fn optimizers_match_pytorch() {
    for case in golden::load("optimizers") {
        let mut config =
            OptimizerConfig { weight_decay: case.number("weight_decay"), ..Default::default() };
        match (case.text("optimizer"), case.name.as_str()) {
            ("sgd", name) => {
                let nesterov = case.flag("nesterov");
                assert!(nesterov == (name.contains("nesterov") || name == "sgd_all"), "{name}");
                config.kind = if nesterov { OptimizerKind::Nesterov } else { OptimizerKind::Sgd };
                config.momentum = case.number("momentum");
            }
            (kind, _) => {
                config.kind =
                    if kind == "adam" { OptimizerKind::Adam } else { OptimizerKind::AdamW };
                [config.beta1, config.beta2] = case.pair("betas");
                config.eps = case.number("eps");
            }
        }
        let mut p = single(tensor(&case, "param"));
        let mut optimizer = Optimizer::new(config, &[&p]);
        let mut got = Vec::new();
        for (grad, &lr) in case.data("grads").chunks(6).zip(&case.data("lr")) {
            let grad = Tensor::from_slice(grad, &[6]).unwrap();
            optimizer.step(vec![&mut p], lr, |_| Some(&grad));
            got.extend(p.value.to_vec());
        }
        case.assert_close("params", &got);
    }
}

/// One step of plain SGD from 0 with learning rate 1 gives the negative clipped gradient.
#[test]
fn clipping_matches_pytorch() {
    for case in golden::load("clipping") {
        let config = OptimizerConfig {
            kind: OptimizerKind::Sgd,
            momentum: 0.0,
            weight_decay: 0.0,
            clip_norm: case.number("max_norm"),
            ..Default::default()
        };
        let grads = ["a", "b", "c"].map(|n| tensor(&case, &format!("grad_{n}")));
        let mut parameters: Vec<_> = grads
            .iter()
            .enumerate()
            .map(|(index, g)| Parameter { index, ..single(Tensor::zeros(&g.shape())) })
            .collect();
        let mut optimizer = Optimizer::new(config, &parameters.iter().collect::<Vec<_>>());
        optimizer.step(parameters.iter_mut().collect(), 1.0, |p| Some(&grads[p.index]));
        for (p, n) in parameters.iter().zip(["a", "b", "c"]) {
            let clipped: Vec<f64> = p.value.to_vec().iter().map(|v| -v).collect();
            case.assert_close(&format!("clipped_{n}"), &clipped);
        }
    }
}

#[test]
fn schedules_match_pytorch_where_the_definitions_agree() {
    let mut checked = 0;
    for case in golden::load("schedules") {
        let shape = match case.name.as_str() {
            "cosine" => ScheduleShape::Cosine,
            "linear" => ScheduleShape::Linear,
            _ => continue, // PyTorch defines these differently
        };
        let schedule = Schedule { shape, warmup: 0.0 };
        let lr = |t: usize| case.number("lr") * schedule.factor(t as f64 / 12.0);
        case.assert_close("lr", &(0..=12).map(lr).collect::<Vec<_>>());
        checked += 1;
    }
    assert_eq!(checked, 2);
}
