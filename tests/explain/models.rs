//! Models small enough to be solved by hand, and one small convolutional network on the naive
//! kernels.

use fer::explain::model::{LayerInfo, LayerKind, ReceptiveField};
use fer::explain::{
    BackwardRule, Classifier, InputGradient, LayerGradient, Maps, Normalization, Objective,
    ObjectiveGradient, Target,
};
use fer::random::{Purpose, Rng};
use fer::{PIXELS, Result};
use fer_kernels::naive::{conv2d, pool};
use fer_kernels::{Conv2dGeometry, Pool2dGeometry};
use rayon::prelude::*;

pub const CLASSES: usize = 3;

pub fn normals(index: u64, n: usize, sd: f64) -> Vec<f32> {
    let mut rng = Rng::new(11, Purpose::Test, 1, index);
    (0..n).map(|_| (sd * rng.normal()) as f32).collect()
}

/// n faces, uniform noise in [0,1].
pub fn noise_faces(n: usize) -> Vec<f32> {
    let mut rng = Rng::new(12, Purpose::Test, 2, 0);
    (0..n * PIXELS).map(|_| rng.uniform() as f32).collect()
}

/// S_c = b_c + Σ_p w_cp·x_p + ½·Σ_p q_cp·x_p²: linear for q = 0.
pub struct Polynomial {
    pub bias: Vec<f32>,
    pub linear: Vec<f32>,
    pub square: Vec<f32>,
}

impl Polynomial {
    pub fn linear() -> Self {
        Polynomial {
            bias: vec![0.3, -0.2, 0.1],
            linear: normals(1, CLASSES * PIXELS, 0.05),
            square: vec![0.0; CLASSES * PIXELS],
        }
    }
    pub fn quadratic() -> Self {
        Polynomial { square: normals(2, CLASSES * PIXELS, 0.05), ..Polynomial::linear() }
    }
}

impl Classifier for Polynomial {
    fn classes(&self) -> usize {
        CLASSES
    }
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let score = |x: &[f32], c: usize| {
            let term = |p: usize| {
                let (w, q) = (self.linear[c * PIXELS + p], self.square[c * PIXELS + p]);
                f64::from(w * x[p]) + 0.5 * f64::from(q * x[p] * x[p])
            };
            (f64::from(self.bias[c]) + (0..PIXELS).map(term).sum::<f64>()) as f32
        };
        let row = |x| (0..CLASSES).map(move |c| score(x, c));
        Ok(faces.chunks_exact(PIXELS).flat_map(row).collect())
    }
    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        _rule: BackwardRule,
    ) -> Result<InputGradient> {
        let logits = self.logits(faces)?;
        let mut found = InputGradient { logits: logits.clone(), ..Default::default() };
        let rows = logits.chunks_exact(CLASSES);
        for ((x, target), row) in faces.chunks_exact(PIXELS).zip(targets).zip(rows) {
            found.scores.push(target.score(row));
            let seed = target.logit_gradient(row);
            found.gradient.extend((0..PIXELS).map(|p| {
                let slope =
                    |c: usize| self.linear[c * PIXELS + p] + self.square[c * PIXELS + p] * x[p];
                (0..CLASSES).map(|c| seed[c] * slope(c)).sum::<f32>()
            }));
        }
        Ok(found)
    }
    fn layer_gradient(&self, _: &str, _: &[f32], _: &[Target]) -> Result<LayerGradient> {
        Ok(LayerGradient::default())
    }
    fn activations(&self, _: &str, _: &[f32]) -> Result<Maps> {
        Ok(Maps::default())
    }
    fn objective_gradient(&self, _: &Objective, _: &[f32]) -> Result<ObjectiveGradient> {
        Ok(ObjectiveGradient::default())
    }
    fn layers(&self) -> Vec<LayerInfo> {
        vec![layer("dense", LayerKind::Linear, [CLASSES, 1, 1], None)]
    }
    fn normalization(&self) -> Normalization {
        Normalization { mean: 0.5, std: 0.25 }
    }
}

pub fn layer(name: &str, kind: LayerKind, output: [usize; 3], input: Option<&str>) -> LayerInfo {
    LayerInfo {
        name: name.into(),
        kind,
        output,
        receptive_field: ReceptiveField::PIXEL,
        input: input.map(Into::into),
        gamma: None,
    }
}

/// A model that answers with the maps and gradients it was given; its probability of class 0 is
/// a function of the mean pixel.
pub struct Canned {
    pub maps: Maps,
    pub gradient: Vec<f32>,
}

impl Classifier for Canned {
    fn classes(&self) -> usize {
        2
    }
    /// Logits (4·mean, 0).
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let mean = |x: &[f32]| x.iter().sum::<f32>() / PIXELS as f32;
        Ok(faces.chunks_exact(PIXELS).flat_map(|x| [4.0 * mean(x), 0.0]).collect())
    }
    fn input_gradient(
        &self,
        faces: &[f32],
        _: &[Target],
        _: BackwardRule,
    ) -> Result<InputGradient> {
        Ok(InputGradient { gradient: vec![0.0; faces.len()], ..Default::default() })
    }
    fn layer_gradient(&self, _: &str, _: &[f32], _: &[Target]) -> Result<LayerGradient> {
        let (maps, gradient) = (self.maps.clone(), self.gradient.clone());
        Ok(LayerGradient { maps, gradient, ..Default::default() })
    }
    fn activations(&self, _: &str, _: &[f32]) -> Result<Maps> {
        Ok(self.maps.clone())
    }
    fn objective_gradient(&self, _: &Objective, _: &[f32]) -> Result<ObjectiveGradient> {
        Ok(ObjectiveGradient::default())
    }
    fn layers(&self) -> Vec<LayerInfo> {
        let [c, h, w] = [self.maps.c, self.maps.h, self.maps.w];
        vec![
            layer("activation_1", LayerKind::Relu, [c, h, w], None),
            layer("dense", LayerKind::Linear, [2, 1, 1], Some("activation_1")),
        ]
    }
    fn normalization(&self) -> Normalization {
        Normalization { mean: 0.5, std: 0.25 }
    }
}

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
    fn activations(&self, layer: &str, faces: &[f32]) -> Result<Maps> {
        let at = self.place(layer);
        let [c, h, w] = self.layers[at - 1].output;
        let last = |x| self.forward(x, at).pop().unwrap();
        let data = faces.par_chunks_exact(PIXELS).flat_map_iter(last).collect();
        Ok(Maps { n: faces.len() / PIXELS, c, h, w, data })
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
            let maps = Maps { n: 1, c, h, w, data: values[at].clone() };
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

/// n drawn "faces" with the spectrum of pictures: soft blobs, bright or dark, and a slope of light.
pub fn soft_faces(n: usize) -> Vec<f32> {
    let mut faces = vec![];
    for k in 0..n as u64 {
        let mut rng = Rng::new(13, Purpose::Test, 3, k);
        let blobs: Vec<[f64; 4]> = (0..12)
            .map(|_| {
                let at = |rng: &mut Rng| rng.uniform_in(0.0, 48.0);
                [at(&mut rng), at(&mut rng), rng.uniform_in(1.5, 9.0), rng.uniform_in(-0.4, 0.4)]
            })
            .collect();
        let slope = rng.uniform_in(-0.2, 0.2);
        faces.extend((0..PIXELS).map(|p| {
            let (i, j) = ((p / 48) as f64, (p % 48) as f64);
            let blob = |b: &[f64; 4]| {
                b[3] * (-((i - b[0]).powi(2) + (j - b[1]).powi(2)) / (2.0 * b[2] * b[2])).exp()
            };
            let light = 0.5 + slope * (j / 24.0 - 1.0);
            (light + blobs.iter().map(blob).sum::<f64>()).clamp(0.0, 1.0) as f32
        }));
    }
    faces
}
