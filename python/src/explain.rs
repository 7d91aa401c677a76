//! Explanations: attribution maps, feature maps, and the pictures of filters.

use crate::errors::{raise, usage};
use crate::faces::dataset;
use crate::model::Network;
use fer::cli::{
    AttributionTask, MethodOptions, TargetArg, attribute_all, labels, mean_face, named, spread,
    training_faces,
};
use fer::explain::filters::activation_maximization::method::MaximizationMethod;
use fer::explain::filters::activation_maximization::spectrum::Extension;
use fer::explain::filters::filter_report::{FilterOptions, FilterPicture, filter_report};
use fer::explain::filters::training_faces::TrainingFaces;
use fer::explain::layers::find_layer;
use fer::explain::{Attribution, Classifier, FeatureMaps, Method};
use fer::report::PredictedFace;
use fer::{Result, SIDE};
use fer_kernels::on_pool;
use numpy::{IntoPyArray, PyArray2, PyArray4, PyArrayMethods, PyReadonlyArray3};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Most faces whose spectrum and activations describe a filter.
const FACES: usize = 3_000;

/// Arguments of `maximize`.
struct Wish {
    layer: String,
    filters: Vec<usize>,
    options: FilterOptions,
}

/// Explains faces by one method: a list of dictionaries.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub fn attribute<'py>(
    network: Bound<'py, Network>,
    py: Python<'py>,
    faces: PyReadonlyArray3<'py, u8>,
    labels: Option<Vec<i64>>,
    method: &str,
    target: &str,
    layer: Option<String>,
    samples: Option<u32>,
    baseline: Option<&str>,
    seed: u64,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let network = network.get();
    let faces = dataset(&faces, labels)?;
    let method: Method = method.parse().map_err(raise)?;
    let Ok(target) = target.parse::<TargetArg>();
    let baseline = baseline.map(named).transpose();
    let baseline = baseline.map_err(|e| usage(format!("baseline: {e}")))?;
    let options = MethodOptions { layer, samples, baseline, seed };
    options.require_use(&[method]).map_err(raise)?;
    let run = || network.maps(&faces, method, &target, &options);
    let found = py.detach(|| on_pool(run)).map_err(raise)?;
    let names = network.ensemble.classes();
    found.into_iter().map(|one| to_dict(py, one, &names)).collect()
}

/// The output of a layer, `[n, channels, rows, columns]`.
#[pyfunction]
pub fn feature_maps<'py>(
    network: Bound<'py, Network>,
    py: Python<'py>,
    faces: PyReadonlyArray3<'py, u8>,
    layer: &str,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    let network = network.get();
    let faces = dataset(&faces, None)?;
    let run = || {
        let model = network.first().classifier()?;
        let layer = find_layer(&model.layers(), layer)?;
        model.activations(&layer.name, &fer::cli::pixels(network.first(), &faces))
    };
    let FeatureMaps { n, c, h, w, data } = py.detach(|| on_pool(run)).map_err(raise)?;
    data.into_pyarray(py).reshape([n, c, h, w])
}

/// The pictures that filters of a layer, or the classes of the layer `logits`, respond to most:
/// `(picture, scores as JSON)` each. The faces are those whose spectrum the pictures share; without
/// them the training faces, or drawn ones.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub fn maximize<'py>(
    network: Bound<'py, Network>,
    py: Python<'py>,
    layer: String,
    filters: Vec<usize>,
    method: &str,
    steps: Option<usize>,
    restarts: usize,
    faces: Option<PyReadonlyArray3<'py, u8>>,
    path: Option<PathBuf>,
    seed: u64,
) -> PyResult<Vec<(Bound<'py, PyArray2<f32>>, String)>> {
    let network = network.get();
    let method: MaximizationMethod =
        named(method).map_err(|e| usage(format!("method={method:?}: {e}")))?;
    let mut settings = method.options();
    settings.steps = steps.unwrap_or(settings.steps);
    if !(1..=64).contains(&restarts) || !(1..=fer::limits::MAX_STEPS).contains(&settings.steps) {
        return Err(usage(format!(
            "restarts={restarts} or steps={}: expected 1 to 64 restarts and 1 to {} steps",
            settings.steps,
            fer::limits::MAX_STEPS
        )));
    }
    let methods = vec![(method, settings)];
    let options = FilterOptions { methods, seeds: restarts, seed, ..FilterOptions::default() };
    let given = faces.map(|faces| dataset(&faces, None)).transpose()?;
    let wish = Wish { layer, filters, options };
    let run = || {
        let faces = match given {
            Some(faces) => faces,
            None => training_faces(network.first(), path.as_deref())?,
        };
        network.pictures(&spread(faces, FACES), &wish)
    };
    let found = py.detach(|| on_pool(run)).map_err(raise)?;
    found.into_iter().map(|one| to_picture(py, one)).collect()
}

impl Network {
    fn maps(
        &self,
        faces: &fer::dataset::Dataset,
        method: Method,
        target: &TargetArg,
        options: &MethodOptions,
    ) -> Result<Vec<Attribution>> {
        let trained = self.first();
        let model = trained.classifier()?;
        let pixels = fer::cli::pixels(trained, faces);
        let known: Vec<Option<usize>> = faces.labels().iter().map(|l| l.map(usize::from)).collect();
        let origins: Vec<String> = (0..faces.len()).map(|i| format!("face {i}")).collect();
        let predicted = PredictedFace::predict(&model, &pixels, &known, &origins)?;
        let targets = target.of(&predicted, &self.ensemble.classes())?;
        let options = options.options(&model, mean_face(trained, faces))?;
        let task = AttributionTask::new(&model, &pixels, &targets, &options);
        let found = attribute_all(&task, &[method])?.pop().unwrap_or_default();
        fer::cli::require_a_map(&found)?;
        Ok(found)
    }

    fn pictures(&self, faces: &fer::dataset::Dataset, wish: &Wish) -> Result<Vec<FilterPicture>> {
        let trained = self.first();
        let (pixels, labels) = (fer::cli::pixels(trained, faces), labels(faces));
        let training = TrainingFaces::new(&pixels, &labels, Extension::default())?;
        let (model, filters) = (trained.classifier()?, &wish.filters);
        let report =
            filter_report(&model, &wish.layer, filters, &training, &wish.options, &mut |_| {})?;
        Ok(report.pictures)
    }
}

fn to_picture(py: Python<'_>, one: FilterPicture) -> PyResult<(Bound<'_, PyArray2<f32>>, String)> {
    let scores = serde_json::to_string(&one.scores);
    let scores = scores.map_err(|e| raise(fer::Error::Failed(e.to_string())))?;
    Ok((one.picture.into_pyarray(py).reshape([SIDE, SIDE])?, scores))
}

/// The fields of `fer_cnn.Attribution`.
fn to_dict<'py>(py: Python<'py>, one: Attribution, names: &[&str]) -> PyResult<Bound<'py, PyDict>> {
    let class = names.get(one.class).copied().unwrap_or("?");
    let notes: Vec<String> = one.notes.iter().map(ToString::to_string).collect();
    let out = PyDict::new(py);
    out.set_item("map", one.map.into_pyarray(py).reshape([SIDE, SIDE])?)?;
    out.set_item("method", one.method.name())?;
    out.set_item("title", one.method.title())?;
    out.set_item("target", one.target.describe(class))?;
    out.set_item("class_name", class)?;
    out.set_item("score", one.score)?;
    out.set_item("probability", one.probability)?;
    out.set_item("notes", notes)?;
    out.set_item("refused", one.refused)?;
    Ok(out)
}
