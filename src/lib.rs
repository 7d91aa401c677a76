//! An engine for convolutional networks, written from scratch, and a program built on it that
//! recognises facial expressions and explains its predictions.
//!
//! # Tutorial: train a network
//!
//! This program draws 140 faces that show seven expressions and trains a small convolutional network
//! on them.
//!
//! ```
//! use fer::autograd::Var;
//! use fer::dataset::{SynthOptions, synthesize};
//! use fer::model::{LayerSpec, Network, NetworkSpec, architecture};
//! use fer::nn::Pass;
//! use fer::ops::{self, CrossEntropyOptions, Targets};
//! use fer::optim::{Optimizer, OptimizerConfig};
//! use fer::tensor::Tensor;
//!
//! // 1. The data: gray images [n, channels, height, width] in [0, 1], and their classes 0 to 6.
//! let faces = synthesize(&SynthOptions { count: 140, ..SynthOptions::default() })?;
//! let gray: Vec<f32> = faces.pixels().iter().map(|&p| f32::from(p) / 255.0).collect();
//! let images = Var::constant(Tensor::from_slice(&gray, &[140, 1, 48, 48])?);
//! let classes = Targets::Labels(faces.labels().iter().flatten().map(|&c| c.into()).collect());
//!
//! // 2. The network: a convolution with 8 filters, batch norm, ReLU, pooling, and 7 logits.
//! let (conv, norm, relu) = (LayerSpec::conv3x3(8), LayerSpec::batch_norm(), LayerSpec::relu());
//! let pool = LayerSpec::MaxPooling2d { size: 4 };
//! let layers = vec![conv, norm, relu, pool, LayerSpec::Flatten {}, LayerSpec::Linear { units: 7 }];
//! let spec = NetworkSpec { layers, ..architecture("tiny")? }; // its input and classes, our layers
//! let mut network = Network::<f32>::new(spec, 0)?;
//! let mut optimizer = Optimizer::new(OptimizerConfig::default(), &network.parameters());
//!
//! // 3. The training: forward pass, loss, backward pass, update.
//! let mut losses = Vec::new();
//! for step in 0..20 {
//!     let mut pass = Pass::train(0, step);
//!     let logits = network.forward(&mut pass, &images)?;
//!     let options = CrossEntropyOptions::default();
//!     let loss = ops::cross_entropy(&mut pass.tape, &logits, &classes, &options)?;
//!     let gradients = pass.backward(&loss)?;
//!     optimizer.step(network.parameters_mut(), 0.01, |p| pass.gradient(&gradients, p));
//!     losses.push(loss.value().item());
//! }
//! assert!(losses[19] < 0.5 * losses[0], "{losses:?}");
//! # Ok::<(), fer::Error>(())
//! ```
//!
//! 1. A [`Tensor`](tensor::Tensor) holds numbers with a shape. A [`Var`](autograd::Var) is a tensor
//!    that takes part in a computation; a constant one needs no gradient.
//! 2. A [`NetworkSpec`](model::NetworkSpec) lists the layers, and a [`Network`](model::Network) holds
//!    their weights. The seed 0 determines the initial weights, so every run gives the same numbers.
//! 3. Every operation of the forward pass is recorded on the [`Tape`](autograd::Tape) of the
//!    [`Pass`](nn::Pass). The backward pass reads the tape from its end and applies the chain rule;
//!    that gives the gradient of the loss with respect to every weight. The
//!    [`Optimizer`](optim::Optimizer) moves each weight against its gradient.
//!
//! To continue: [`autograd::scalar`] is the engine on plain numbers, in one file; [`autograd`] explains how
//! gradients are computed, [`ops`] lists every operation with its formula, and [`train`] adds
//! augmentation, schedules and checkpoints. [`explain`] shows which pixels a trained network uses.
//!
//! # Modules
//!
//! A module uses only modules above it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`tensor`] | numbers with a shape |
//! | [`autograd`] | automatic differentiation |
//! | [`ops`] | differentiable operations, one file each |
//! | [`nn`] | layers: operations with weights |
//! | [`optim`] | optimisers, learning-rate schedules, averaged weights |
//! | [`dataset`] | reads, checks, splits, draws and augments faces |
//! | [`metrics`] | accuracy, confusion, calibration |
//! | [`model`] | networks: specification, initial weights, files, inference |
//! | [`explain`], [`train`] | explanations of a network; training of a network |
//! | [`export`] | ONNX files |
//! | [`prelude`] | the names that most programs need |
//! | `render`, `photo` | charts and images; face detection in photos |
//! | `page` | a page that answers and explains: its files, its calls |
//! | `report`, `monitor` | HTML reports; TensorBoard files and live views of a training |
//! | `serve`, `bench`, `trace` | HTTP server, benchmarks, a pass node by node |
//! | `learn`, `cli` | exercises on this source; command line |
//!
//! The convolutions, matrix products and other loops over slices are in the crate `fer_kernels`.
//!
//! # Features
//!
//! - `cli` (default): the program `fer` and the modules without a link in the last rows above.
//! - `parquet`: `fer predict` reads and writes Parquet.
//! - `mpi`: trains with several processes, on one machine or many.
//! - `page` (part of `cli`): the modules `photo` and `page`, which a browser can run, too.
//! - `images` (part of `page`): reads PNG, JPEG, WebP, GIF and BMP images and gzip-compressed CSV files.
//!
//! Without default features the crate is the engine alone.

// Bad input, a full disk or a closed standard error must not end the program by a panic: errors are values,
// and messages go through `console`. A test may panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::dbg_macro, clippy::expect_used, clippy::panic, clippy::print_stderr,
        clippy::print_stdout, clippy::todo, clippy::unimplemented, clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod autograd;
#[cfg(feature = "cli")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
mod console;
pub mod dataset;
pub mod error;
pub mod explain;
pub mod export;
pub mod files;
#[cfg(feature = "cli")]
pub mod learn;
pub mod limits;
pub mod metrics;
pub mod model;
#[cfg(feature = "cli")]
pub mod monitor;
pub mod nn;
pub mod ops;
pub mod optim;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "page")]
pub mod photo;
mod platform;
pub mod prelude;
pub mod protobuf;
pub mod random;
#[cfg(feature = "cli")]
pub mod render;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod serve;
pub mod stats;
pub mod tensor;
#[cfg(feature = "cli")]
pub mod trace;
pub mod train;

pub use error::{Error, Result};

/// The seven expressions, in the order of FER2013's labels 0…6.
pub const CLASS_NAMES: [&str; 7] =
    ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

/// Side of a face, in pixels.
pub const SIDE: usize = 48;

/// Number of pixels of a face.
pub const PIXELS: usize = SIDE * SIDE;
