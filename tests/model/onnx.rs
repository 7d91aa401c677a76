//! The ONNX file: every value is defined before it is used, every weight is in it, and the
//! operators are those of the layers. `tests/external/onnx_check.sh` runs it in onnxruntime.

use fer::dataset::{SynthOptions, synthesize};
use fer::export::onnx::to_onnx;
use fer::model::{Network, architecture};
use fer::protobuf::{Fields, Value};
use fer::random::{Purpose, Rng};
use fer::render::format::to_npy;
use fer::tensor::Tensor;
use std::collections::BTreeMap;
use std::path::Path;

/// Values of a message by field number, in order.
fn fields(message: &[u8]) -> BTreeMap<u64, Vec<Value<'_>>> {
    let mut all: BTreeMap<u64, Vec<Value<'_>>> = BTreeMap::new();
    for field in Fields::new(message) {
        let (number, value) = field.unwrap();
        all.entry(number).or_default().push(value);
    }
    all
}

fn bytes<'a>(value: &Value<'a>) -> &'a [u8] {
    match value {
        Value::Bytes(bytes) => bytes,
        other => panic!("{other:?} where bytes are expected"),
    }
}

fn words(values: Option<&Vec<Value<'_>>>) -> Vec<String> {
    let text = |v: &Value<'_>| String::from_utf8(bytes(v).to_vec()).unwrap();
    values.into_iter().flatten().map(text).collect()
}

/// Returns a network with random statistics, scales and shifts of batch norms.
fn random_network(arch: &str) -> Network<f32> {
    let mut network = Network::new(architecture(arch).unwrap(), 5).unwrap();
    let mut rng = Rng::new(5, Purpose::Test, 0, 0);
    for (name, tensor) in network.state_mut() {
        let draw: Option<(f64, f64)> = match name.rsplit('.').next().unwrap() {
            "running_var" | "gamma" => Some((0.5, 1.5)),
            "running_mean" | "beta" | "bias" => Some((-0.3, 0.3)),
            _ => None,
        };
        if let Some((low, high)) = draw {
            *tensor = Tensor::from_fn(&tensor.shape(), |_| rng.uniform_in(low, high) as f32);
        }
    }
    network
}

#[test]
fn values_are_defined_before_use_and_every_weight_is_present() {
    for arch in ["fer-s", "tiny"] {
        let network = random_network(arch);
        let model = to_onnx(&network, 1.5, &[]).unwrap();
        assert_eq!(model, to_onnx(&network, 1.5, &[]).unwrap());
        let model = fields(&model);
        assert_eq!(model[&1], [Value::Varint(7)]);
        assert_eq!(fields(bytes(&model[&8][0]))[&2], [Value::Varint(13)]);
        let graph = fields(bytes(&model[&7][0]));
        let mut known: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for tensor in &graph[&5] {
            let tensor = fields(bytes(tensor));
            let name = words(tensor.get(&8)).remove(0);
            known.insert(name, bytes(&tensor[&9][0]).to_vec());
        }
        for (name, tensor) in network.state() {
            let raw: Vec<u8> = tensor.to_vec().iter().flat_map(|v| v.to_le_bytes()).collect();
            assert_eq!(known.get(&name), Some(&raw), "{arch}: {name}");
        }
        assert_eq!(known["temperature"], 1.5_f32.to_le_bytes());
        known.insert("pixels".into(), vec![]);
        for node in &graph[&1] {
            let node = fields(bytes(node));
            for input in words(node.get(&1)) {
                assert!(known.contains_key(&input), "{arch}: {input} is used before it is made");
            }
            for output in words(node.get(&2)) {
                assert!(known.insert(output.clone(), vec![]).is_none(), "{output} is made twice");
            }
        }
        assert!(known.contains_key("logits") && known.contains_key("probabilities"));
    }
}

#[test]
fn a_block_is_these_operators() {
    let model = to_onnx(&random_network("fer-s"), 1.0, &[]).unwrap();
    let model = fields(&model);
    let graph = fields(bytes(&model[&7][0]));
    let line = |node: &Value<'_>| {
        let node = fields(bytes(node));
        let (inputs, output) = (words(node.get(&1)), words(node.get(&2)));
        let is_weight =
            |name: &String| name.rsplit_once('.').is_some_and(|(_, p)| WEIGHTS.contains(&p));
        let values: Vec<String> = inputs.into_iter().filter(|i| !is_weight(i)).collect();
        format!("{} = {}({})", output[0], words(node.get(&4))[0], values.join(", "))
    };
    let lines: Vec<String> = graph[&1].iter().map(line).collect();
    let from = lines.iter().position(|l| l.starts_with("conv2d_2 ")).unwrap();
    assert_eq!(lines[from..from + BLOCK.len()], BLOCK);
    let head = &lines[lines.len() - HEAD.len()..];
    assert_eq!(head, HEAD);
}

const WEIGHTS: [&str; 6] = ["weight", "bias", "gamma", "beta", "running_mean", "running_var"];

/// From the second convolution to the end of its block.
const BLOCK: [&str; 17] = [
    "conv2d_2 = Conv(activation_1)",
    "max_pooling2d_1 = MaxPool(conv2d_2)",
    "batch_normalization_2 = BatchNormalization(max_pooling2d_1)",
    "activation_2 = Relu(batch_normalization_2)",
    "conv2d_3 = Conv(activation_2)",
    "batch_normalization_3 = BatchNormalization(conv2d_3)",
    "activation_3 = Relu(batch_normalization_3)",
    "conv2d_4 = Conv(activation_3)",
    "batch_normalization_4 = BatchNormalization(conv2d_4)",
    "squeeze_excite_1.mean = GlobalAveragePool(batch_normalization_4)",
    "squeeze_excite_1.squeeze = Conv(squeeze_excite_1.mean)",
    "squeeze_excite_1.hidden = Relu(squeeze_excite_1.squeeze)",
    "squeeze_excite_1.excite = Conv(squeeze_excite_1.hidden)",
    "squeeze_excite_1.share = Sigmoid(squeeze_excite_1.excite)",
    "squeeze_excite_1 = Mul(batch_normalization_4, squeeze_excite_1.share)",
    "residual_1 = Add(activation_2, squeeze_excite_1)",
    "activation_4 = Relu(residual_1)",
];

/// From the last block to the end.
const HEAD: [&str; 6] = [
    "global_average_pooling2d_1.mean = GlobalAveragePool(activation_10)",
    "global_average_pooling2d_1 = Flatten(global_average_pooling2d_1.mean)",
    "linear_1 = Gemm(global_average_pooling2d_1)",
    "logits = Identity(linear_1)",
    "tempered = Div(logits, temperature)",
    "probabilities = Softmax(tempered)",
];

/// Leaves graphs, 1,000 faces and our logits in the folder FER_ONNX_CHECK for
/// `tests/external/onnx_check.py`; without it nothing happens.
#[test]
fn leaves_logits_for_the_python_check() {
    let Ok(folder) = std::env::var("FER_ONNX_CHECK") else { return };
    let faces = synthesize(&SynthOptions { count: 1_000, ..SynthOptions::default() }).unwrap();
    let pixels: Vec<f32> = faces.pixels().iter().map(|&p| f32::from(p) / 255.0).collect();
    let shape = [1_000, 1, fer::SIDE, fer::SIDE];
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(Path::new(&folder).join(name), bytes).unwrap();
    };
    write("pixels.npy", &to_npy(&pixels, &shape).unwrap());
    let own = fer::model::weights::network_file::embedded().unwrap().0;
    let networks =
        [("fer-m", random_network("fer-m")), ("vgg", random_network("vgg")), ("own", own)];
    for (name, network) in networks {
        write(&format!("{name}.onnx"), &to_onnx(&network, 1.3, &[]).unwrap());
        let mut logits = Vec::new();
        for batch in pixels.chunks(100 * fer::PIXELS) {
            let n = batch.len() / fer::PIXELS;
            let x = Tensor::from_slice(batch, &[n, 1, fer::SIDE, fer::SIDE]).unwrap();
            logits.extend(network.logits(x).unwrap().to_vec());
        }
        write(&format!("{name}.npy"), &to_npy(&logits, &[1_000, 7]).unwrap());
    }
}
