//! The conceptual graph: the layers as Keras would describe them, blocks as boxes to be expanded.
//!
//! The tensor is one string, a model in the JSON of Keras 3; TensorBoard turns it into a graph.
//! Every block is written as a `Functional` model, since a `Sequential` one cannot have a skip
//! connection:
//!
//! ```text
//! { "class_name": "Functional", "config": { "name": …, "layers": [ … ],
//!     "input_layers": [name of the first], "output_layers": [[name of the last, 0, 0]] } }
//! ```
//!
//! and an edge as the history of the tensor that comes over it:
//!
//! ```text
//! "inbound_nodes": [{ "args": [{ "config": { "keras_history": [name, 0, 0] } }] }]
//! ```

use serde_json::{Value, json};

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;
use crate::protobuf::Message;

/// A layer, or a block of layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// Name, unique in its block.
    pub name: String,
    /// Kind: `Conv2D`. Unused for a block.
    pub class_name: String,
    /// Names of the layers of the same block that it reads; a block reads one. Empty: it reads the
    /// layer before it.
    pub inputs: Vec<String>,
    /// The layers of a block, in order. The first reads the input of the block, the last gives its
    /// output. Empty for a layer.
    pub layers: Vec<Layer>,
}

impl Layer {
    /// A layer that reads the one before it.
    pub fn new(name: &str, class_name: &str) -> Self {
        Layer { name: name.into(), class_name: class_name.into(), ..Self::default() }
    }
    /// A block of layers.
    pub fn block(name: &str, layers: Vec<Layer>) -> Self {
        Layer { name: name.into(), layers, ..Self::default() }
    }
    /// Sets the layers that it reads.
    #[must_use]
    pub fn reading(self, inputs: &[&str]) -> Self {
        Layer { inputs: inputs.iter().map(|&name| name.into()).collect(), ..self }
    }
    /// Returns the path from this layer to the layer that gives its output.
    fn output(&self) -> String {
        match self.layers.last() {
            Some(last) => format!("{}/{}", self.name, last.output()),
            None => self.name.clone(),
        }
    }
    /// Encodes the layer as JSON; `inbound` are the paths of the layers it reads.
    fn json(&self, inbound: &[String]) -> Value {
        let edges: Vec<_> = inbound
            .iter()
            .map(|path| {
                json!({ "class_name": "__keras_tensor__",
                        "config": { "keras_history": [path, 0, 0] } })
            })
            .collect();
        let edges = if edges.is_empty() { json!([]) } else { json!([{ "args": edges }]) };
        let (class_name, config) = match (self.layers.first(), self.layers.last()) {
            (Some(first), Some(last)) => {
                let config = json!({ "name": self.name, "layers": self.layers_json(),
                    "input_layers": [first.name], "output_layers": [[last.name, 0, 0]] });
                ("Functional", config)
            }
            _ => (&*self.class_name, json!({ "name": self.name, "dtype": "float32" })),
        };
        json!({ "class_name": class_name, "config": config, "inbound_nodes": edges })
    }
    fn layers_json(&self) -> Vec<Value> {
        let mut layers = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            // A block is referred to by its last layer: TensorBoard finds only plain layers.
            let path = |name: &String| {
                let sibling = self.layers.iter().find(|sibling| sibling.name == *name);
                sibling.map_or(name.clone(), Layer::output)
            };
            let inbound = match i.checked_sub(1) {
                _ if !layer.inputs.is_empty() => layer.inputs.iter().map(path).collect(),
                Some(before) => vec![self.layers[before].output()],
                None => Vec::new(),
            };
            layers.push(layer.json(&inbound));
        }
        layers
    }
}

/// Returns the summary with the conceptual graph of `model`, a block.
pub fn keras_graph(model: &Layer) -> Summary {
    // Shape [1], not []: the Python loader answers 500 to the latter.
    let tensor = tensor::strings(&[1], [model.json(&[]).to_string()]);
    let summary = Summary::new("keras", "graph_keras_model", tensor);
    // The plugin's content is not a message but the digit 1, the version.
    summary.with_content(Message::verbatim(b"1"))
}
