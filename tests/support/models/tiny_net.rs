//! One small convolutional network on the naive kernels.

use crate::support::models::{CLASSES, layer, normals};
use fer::explain::{
    BackwardRule, Classifier, FeatureMaps, InputGradient, LayerGradient, LayerInfo, LayerKind,
    Normalization, Objective, ObjectiveGradient, ReceptiveField, Target,
};
use fer::{PIXELS, Result};
use fer_kernels::naive::{conv2d, pool};
use fer_kernels::{Conv2dGeometry, Pool2dGeometry};
use rayon::prelude::*;

enum Op {
    Conv {
        g: Conv2dGeometry,
        w: Vec<f32>,
    },
    Scale {
        gamma: Vec<f32>,
    },
    Relu,
    Pool(Pool2dGeometry),
    /// Mean over the cells, then a matrix [classes, c].
    Head {
        c: usize,
        cells: usize,
        w: Vec<f32>,
    },
}

/// conv 5×5 (6 Gabor filters) → BN → ReLU → pool 2 → conv 3×3 (8) → BN → ReLU → mean → linear.
pub struct TinyNet {
    ops: Vec<Op>,
    layers: Vec<LayerInfo>,
}

impl TinyNet {
    /// `seed` draws the second convolution and the head.
    pub fn new(seed: u64) -> Self {
        let side = fer::SIDE;
        let first =
            Conv2dGeometry::new([1, 1, side, side], [6, 1, 5, 5], [1, 1], [2, 2], [1, 1], 1)
                .unwrap();
        let pool = Pool2dGeometry::new([1, 6, side, side], [2, 2], [2, 2], [0, 0]).unwrap();
        let second =
            Conv2dGeometry::new([1, 6, 24, 24], [8, 6, 3, 3], [1, 1], [1, 1], [1, 1], 1).unwrap();
        let gamma = vec![0.5, -1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.0];
        let ops = vec![
            Op::Conv { g: first, w: gabors() },
            Op::Scale { gamma: vec![1.0; 6] },
            Op::Relu,
            Op::Pool(pool),
            Op::Conv { g: second, w: normals(100 + seed, 8 * 6 * 9, 0.3) },
            Op::Scale { gamma: gamma.clone() },
            Op::Relu,
            Op::Head { c: 8, cells: 24 * 24, w: normals(200 + seed, CLASSES * 8, 3.0) },
        ];
        let field_1 = ReceptiveField::PIXEL.through(5, 1, 2, 1);
        let field_2 = field_1.through(2, 2, 0, 1);
        let field_3 = field_2.through(3, 1, 1, 1);
        let rows: [(&str, LayerKind, [usize; 3], ReceptiveField); 7] = [
            ("conv2d_1", LayerKind::Conv2d, [6, 48, 48], field_1),
            ("batch_normalization_1", LayerKind::BatchNorm, [6, 48, 48], field_1),
            ("activation_1", LayerKind::Relu, [6, 48, 48], field_1),
            ("average_pooling2d_1", LayerKind::Pool, [6, 24, 24], field_2),
            ("conv2d_2", LayerKind::Conv2d, [8, 24, 24], field_3),
            ("batch_normalization_2", LayerKind::BatchNorm, [8, 24, 24], field_3),
            ("activation_2", LayerKind::Relu, [8, 24, 24], field_3),
        ];
        let mut layers: Vec<LayerInfo> = vec![];
        for (name, kind, output, receptive_field) in rows {
            let input = layers.last().map(|l| l.name.clone());
            let gamma = (name == "batch_normalization_2").then(|| gamma.clone());
            layers.push(LayerInfo {
                name: name.into(),
                kind,
                output,
                receptive_field,
                input,
                gamma,
            });
        }
        let head = layer("dense_1", LayerKind::Linear, [CLASSES, 1, 1], Some("activation_2"));
        layers.push(head);
        TinyNet { ops, layers }
    }

    /// Outputs of the operations up to `last` (excluded), the input first.
    fn forward(&self, face: &[f32], last: usize) -> Vec<Vec<f32>> {
        let mut values = vec![face.iter().map(|v| (v - 0.5) / 0.25).collect::<Vec<f32>>()];
        for op in &self.ops[..last] {
            let x = values.last().unwrap();
            values.push(match op {
                Op::Conv { g, w } => {
                    let mut y = vec![0.0; g.output_len()];
                    conv2d::forward(g, x, w, None, &mut y);
                    y
                }
                Op::Scale { gamma } => scale(x, gamma),
                Op::Relu => x.iter().map(|v| v.max(0.0)).collect(),
                Op::Pool(g) => {
                    let mut y = vec![0.0; g.n * g.c * g.h_out * g.w_out];
                    pool::avg_forward(g, x, &mut y);
                    y
                }
                Op::Head { c, cells, w } => {
                    let mean = |k: usize| {
                        x[k * cells..(k + 1) * cells].iter().sum::<f32>() / *cells as f32
                    };
                    let means: Vec<f32> = (0..*c).map(mean).collect();
                    let dot = |row: &[f32]| row.iter().zip(&means).map(|(a, b)| a * b).sum();
                    w.chunks_exact(*c).map(dot).collect()
                }
            });
        }
        values
    }

    /// Gradient at the output of operation `until` (0 = the pixels) from one at `from`.
    fn backward(
        &self,
        values: &[Vec<f32>],
        from: usize,
        until: usize,
        mut grad: Vec<f32>,
        rule: BackwardRule,
    ) -> Vec<f32> {
        for k in (until..from).rev() {
            let x = &values[k];
            let mut out = vec![0.0; x.len()];
            match &self.ops[k] {
                Op::Conv { g, w } => conv2d::backward_input(g, &grad, w, &mut out),
                Op::Scale { gamma } => out = scale(&grad, gamma),
                Op::Relu => {
                    for ((o, &x), &g) in out.iter_mut().zip(x).zip(&grad) {
                        let open = x > 0.0 && (rule == BackwardRule::Standard || g > 0.0);
                        *o = if open { g } else { 0.0 };
                    }
                }
                Op::Pool(g) => pool::avg_backward_input(g, &grad, &mut out),
                Op::Head { c, cells, w } => {
                    for (p, o) in out.iter_mut().enumerate() {
                        let row = |k: usize| grad[k] * w[k * c + p / cells];
                        *o = (0..CLASSES).map(row).sum::<f32>() / *cells as f32;
                    }
                }
            }
            grad = out;
        }
        if until == 0 {
            grad.iter_mut().for_each(|g| *g /= 0.25);
        }
        grad
    }

    fn place(&self, layer: &str) -> usize {
        1 + self.layers.iter().position(|l| l.name == layer).expect("checked by the caller")
    }
}

fn scale(x: &[f32], gamma: &[f32]) -> Vec<f32> {
    let cells = x.len() / gamma.len();
    x.iter().enumerate().map(|(p, v)| v * gamma[p / cells]).collect()
}

/// Six waves under a Gaussian, 5×5: three directions, period 8, sine and cosine.
fn gabors() -> Vec<f32> {
    let mut w = vec![];
    for k in 0..6 {
        let angle = std::f32::consts::PI * (k / 2) as f32 / 3.0;
        let tap = |p: usize| {
            let (i, j) = ((p / 5) as f32 - 2.0, (p % 5) as f32 - 2.0);
            let phase = std::f32::consts::FRAC_PI_4 * (i * angle.sin() + j * angle.cos());
            let wave = if k % 2 == 0 { phase.sin() } else { phase.cos() };
            0.3 * wave * (-(i * i + j * j) / 4.0).exp()
        };
        w.extend((0..25).map(tap));
    }
    w
}

impl Classifier for TinyNet {
    fn classes(&self) -> usize {
        CLASSES
    }
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let all = self.ops.len();
        let last = |x| self.forward(x, all).pop().unwrap();
        Ok(faces.par_chunks_exact(PIXELS).flat_map_iter(last).collect())
    }
    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        rule: BackwardRule,
    ) -> Result<InputGradient> {
        let all = self.ops.len();
        let one = |(x, target): (&[f32], &Target)| {
            let values = self.forward(x, all);
            let logits = values[all].clone();
            let seed = target.logit_gradient(&logits);
            let gradient = self.backward(&values, all, 0, seed, rule);
            (target.score(&logits), logits, gradient)
        };
        let found: Vec<_> = faces.par_chunks_exact(PIXELS).zip(targets).map(one).collect();
        let mut out = InputGradient::default();
        for (score, logits, gradient) in found {
            out.scores.push(score);
            out.logits.extend(logits);
            out.gradient.extend(gradient);
        }
        Ok(out)
    }
    fn layer_gradient(
        &self,
        layer: &str,
        faces: &[f32],
        targets: &[Target],
    ) -> Result<LayerGradient> {
        let (all, at) = (self.ops.len(), self.place(layer));
        let mut out = LayerGradient { maps: self.activations(layer, faces)?, ..Default::default() };
        for (x, target) in faces.chunks_exact(PIXELS).zip(targets) {
            let values = self.forward(x, all);
            let seed = target.logit_gradient(&values[all]);
            out.gradient.extend(self.backward(&values, all, at, seed, BackwardRule::Standard));
            out.scores.push(target.score(&values[all]));
            out.logits.extend(&values[all]);
        }
        Ok(out)
    }
    fn activations(&self, layer: &str, faces: &[f32]) -> Result<FeatureMaps> {
        let at = self.place(layer);
        let [c, h, w] = self.layers[at - 1].output;
        let last = |x| self.forward(x, at).pop().unwrap();
        let data = faces.par_chunks_exact(PIXELS).flat_map_iter(last).collect();
        Ok(FeatureMaps { n: faces.len() / PIXELS, c, h, w, data })
    }
    fn objective_gradient(
        &self,
        objective: &Objective,
        faces: &[f32],
    ) -> Result<ObjectiveGradient> {
        let at = objective.layer().map_or(self.ops.len(), |name| self.place(name));
        let [c, h, w] = self.layers[at - 1].output;
        let one = |(x, &unit): (&[f32], &usize)| {
            let values = self.forward(x, at);
            let own = objective.with_units(vec![unit]);
            let maps = FeatureMaps { n: 1, c, h, w, data: values[at].clone() };
            let seed = own.map_gradient(&maps);
            let gradient = self.backward(&values, at, 0, seed, BackwardRule::Standard);
            (own.values(&maps)[0], gradient)
        };
        let pairs = faces.par_chunks_exact(PIXELS).zip(objective.units());
        let found: Vec<_> = pairs.map(one).collect();
        let (values, gradients): (Vec<f32>, Vec<Vec<f32>>) = found.into_iter().unzip();
        Ok(ObjectiveGradient { values, gradient: gradients.concat() })
    }
    fn layers(&self) -> Vec<LayerInfo> {
        self.layers.clone()
    }
    fn normalization(&self) -> Normalization {
        Normalization { mean: 0.5, std: 0.25 }
    }
}
