//! AttributionOptions of attribution methods, and the loop that explains many faces by them.

use crate::cli::shared::input::named;
use crate::cli::shared::progress;
use crate::explain::attribution::gradient::integrated_gradients::Baseline;
use crate::explain::layers::find_layer;
use crate::explain::{
    Attribution, AttributionOptions, Classifier, FaceBatch, Method, Target, attribute,
};
use crate::{Error, Result};

/// AttributionOptions of the methods.
#[derive(Debug, Default, clap::Args)]
pub struct MethodOptions {
    /// Layer of a class activation map [default: the deepest whose map is large enough to draw]
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Noisy copies (SmoothGrad, VarGrad), masks (RISE) or samples (LIME) per face
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub samples: Option<u32>,
    /// Baseline of integrated gradients: mean-face or black [default: mean-face]
    #[arg(long, value_name = "NAME", value_parser = named::<Baseline>)]
    pub baseline: Option<Baseline>,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl MethodOptions {
    /// Refuses options that none of these methods has.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the option and the methods that have it.
    pub fn require_use(&self, methods: &[Method]) -> Result<()> {
        let unused =
            |given: bool, uses: &dyn Fn(&Method) -> bool| given && !methods.iter().any(uses);
        let wrong = match () {
            () if unused(self.layer.is_some(), &|m| m.default_map_side().is_some()) => {
                "--layer is for gradcam, gradcam++, layercam and scorecam"
            }
            () if unused(self.samples.is_some(), &|m| m.draws_samples()) => {
                "--samples is for smoothgrad, smoothgrad-sq, vargrad, rise and lime"
            }
            () if unused(self.baseline.is_some(), &|m| {
                matches!(m, Method::IntegratedGradients | Method::SmoothIntegratedGradients)
            }) =>
            {
                "--baseline is for ig and smooth-ig"
            }
            () => return Ok(()),
        };
        let asked: Vec<&str> = methods.iter().map(|m| m.name()).collect();
        Err(Error::Usage(format!("{wrong}, not for {}", asked.join(", "))))
    }

    /// AttributionOptions of the library, with the mean face that some methods start from.
    ///
    /// # Errors
    /// [`Error::Usage`] if the network has no such layer, or the layer has no map.
    pub fn options(
        &self,
        model: &dyn Classifier,
        mean_face: Vec<f32>,
    ) -> Result<AttributionOptions> {
        let mut options = AttributionOptions::new(mean_face, self.seed)?;
        if let Some(layer) = &self.layer {
            let found = find_layer(&model.layers(), layer)?;
            if !found.has_map() {
                let [c, h, w] = found.output;
                return Err(Error::Usage(format!(
                    "`{layer}` has no map to draw: its output is {c} × {h} × {w}; name a layer \
                     before the pooling to a vector"
                )));
            }
            options.layer = Some(found.name);
        }
        if let Some(n) = self.samples {
            options.noise.samples = n as usize;
            options.rise.samples = n as usize;
            options.lime.num_samples = n as usize;
        }
        options.baseline = self.baseline.unwrap_or_default();
        Ok(options)
    }
}

/// One method or all.
#[derive(Clone, Debug)]
pub struct MethodArg(pub Vec<Method>);

impl std::str::FromStr for MethodArg {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "all" => Ok(MethodArg(Method::ALL.to_vec())),
            one => match one.parse() {
                Ok(method) => Ok(MethodArg(vec![method])),
                Err(Error::Usage(message)) => Err(Error::Usage(message + ", or all")),
                Err(other) => Err(other),
            },
        }
    }
}

/// Faces to explain, with targets and options.
#[derive(Clone, Copy)]
pub struct AttributionTask<'a> {
    /// The network.
    pub model: &'a dyn Classifier,
    /// `[n, 48, 48]`.
    pub pixels: &'a [f32],
    /// One per face.
    pub targets: &'a [Target],
    /// AttributionOptions of the methods.
    pub options: &'a AttributionOptions,
}

impl<'a> AttributionTask<'a> {
    /// Combines faces `[n, 48, 48]`, one target each, and the options of the methods.
    pub fn new(
        model: &'a dyn Classifier,
        pixels: &'a [f32],
        targets: &'a [Target],
        options: &'a AttributionOptions,
    ) -> Self {
        AttributionTask { model, pixels, targets, options }
    }

    /// Returns the faces with their targets, validated.
    pub fn faces(&self) -> Result<FaceBatch<'a>> {
        FaceBatch::new(self.model, self.pixels, self.targets)
    }
}

/// Explains all faces by each method, with a progress bar: `[method][face]`.
pub fn attribute_all(
    task: &AttributionTask<'_>,
    methods: &[Method],
) -> Result<Vec<Vec<Attribution>>> {
    let faces = task.faces()?;
    let bar = progress::bar((methods.len() * task.targets.len()) as u64, "maps");
    let mut found = Vec::with_capacity(methods.len());
    for &method in methods {
        bar.set_message(method.name());
        let mut maps = Vec::with_capacity(faces.len());
        for part in faces.parts() {
            maps.extend(attribute(&part, method, task.options)?);
            bar.inc(part.len() as u64);
        }
        found.push(maps);
    }
    bar.finish_and_clear();
    Ok(found)
}

/// Refuses maps that are all missing for the same reason: a page would show nothing else.
///
/// # Errors
/// [`Error::Failed`] if LIME refuses the face, else [`Error::Usage`]: the network or the target does
/// not suit the method.
pub fn require_a_map(found: &[Attribution]) -> Result<()> {
    let Some(first) = found.first() else { return Ok(()) };
    let of_face = first.method == Method::Lime && !matches!(first.target, Target::Loss(_));
    match &first.refused {
        Some(why) if found.iter().all(|a| a.refused.as_ref() == Some(why)) => {
            Err(if of_face { Error::Failed(why.clone()) } else { Error::Usage(why.clone()) })
        }
        _ => Ok(()),
    }
}
