//! A trained network, or several whose answers are averaged.

use crate::errors::raise;
use crate::faces::{dataset, pixels};
use fer::dataset::source::read_faces;
use fer::explain::Classifier;
use fer::model::{Ensemble, LoadedModel, summary};
use fer::report::EvaluationReport;
use fer_kernels::on_pool;
use numpy::{IntoPyArray, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray3};
use pyo3::prelude::*;
use std::path::PathBuf;

/// Faces `[n, 48, 48]` and their labels.
type Labelled<'py> = (PyReadonlyArray3<'py, u8>, Vec<i64>);

/// Name, kind and output `(channels, rows, columns)` of a layer.
type LayerRow = (String, String, (usize, usize, usize));

/// A trained network with what its file says of it.
#[pyclass(frozen, module = "fer_cnn._fer")]
pub struct Network {
    pub ensemble: Ensemble,
}

impl Network {
    /// The first network, which is the one that is explained.
    pub fn first(&self) -> &LoadedModel {
        self.ensemble.first()
    }
}

#[pymethods]
impl Network {
    /// Reads run folders, weights files or `embedded`; without a path, the embedded network.
    #[new]
    fn new(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<Self> {
        let ensemble = py.detach(|| Ensemble::read(&paths)).map_err(raise)?;
        Ok(Self { ensemble })
    }

    #[getter]
    fn title(&self) -> String {
        let titles: Vec<String> = self.ensemble.members().iter().map(LoadedModel::title).collect();
        titles.join(", ")
    }

    #[getter]
    fn class_names(&self) -> Vec<&str> {
        self.ensemble.classes()
    }

    #[getter]
    fn is_calibrated(&self) -> bool {
        self.ensemble.is_calibrated(false)
    }

    /// Name, kind and output `(channels, rows, columns)` of every layer.
    fn layers(&self) -> PyResult<Vec<LayerRow>> {
        let layers = self.first().classifier().map_err(raise)?.layers();
        let row = |l: fer::explain::LayerInfo| (l.name, format!("{:?}", l.kind), l.output.into());
        Ok(layers.into_iter().map(row).collect())
    }

    /// The network as a table of text.
    fn summary(&self) -> PyResult<String> {
        Ok(summary(&self.first().network).map_err(raise)?.to_text())
    }

    /// Probabilities `[n, classes]`, calibrated where a temperature was measured.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        faces: PyReadonlyArray3<'py, u8>,
        tta: bool,
        whole_batches: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let faces = dataset(&faces, None)?;
        let run = || match whole_batches {
            true => self.ensemble.predict_whole_batches(&faces, tta),
            false => self.ensemble.predict_calibrated(&faces, tta, |_| {}),
        };
        let found = py.detach(|| on_pool(run)).map_err(raise)?;
        found.probabilities.into_pyarray(py).reshape([faces.len(), found.classes])
    }

    /// The numbers of `fer eval --json` as JSON, and its text. `faces` are arrays, or a file with
    /// labelled faces; without both, the validation faces of the network.
    fn evaluate(
        &self,
        py: Python<'_>,
        faces: Option<Labelled<'_>>,
        path: Option<PathBuf>,
        tta: bool,
    ) -> PyResult<(String, String)> {
        let given = faces.map(|(faces, labels)| dataset(&faces, Some(labels))).transpose()?;
        let run = || {
            let (name, faces) = match (given, &path) {
                (Some(faces), _) => ("the arrays".into(), faces),
                (None, Some(path)) => (path.display().to_string(), read_faces(path, false)?),
                (None, None) => ("the validation data".into(), self.first().validation_faces()?),
            };
            let predictions = self.ensemble.predict_calibrated(&faces, tta, |_| {})?;
            let features = self.ensemble.features(&faces)?;
            let (all, features) = (&self.ensemble, features.as_deref());
            let mut report = EvaluationReport::new(all, &name, &faces, &predictions, features)?;
            report.set_calibrated(all, tta);
            Ok(report)
        };
        let report = py.detach(|| on_pool(run)).map_err(raise)?;
        let json =
            serde_json::to_string(&report).map_err(|e| raise(fer::Error::Failed(e.to_string())))?;
        Ok((json, report.to_text()))
    }

    /// The validation faces that the network names.
    fn validation_faces<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyArray3<u8>>, Vec<i64>)> {
        let faces = py.detach(|| self.first().validation_faces()).map_err(raise)?;
        let labels = faces.labels().iter().map(|l| l.map_or(-1, i64::from)).collect();
        Ok((pixels(py, &faces)?, labels))
    }
}
