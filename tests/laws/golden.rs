//! Golden values: what PyTorch computes in double precision, read from `tests/golden/*.json`.
//!
//! `tests/golden/make.py` writes the files. One holds `made_by`, `versions`, `about` (the
//! convention in words) and `cases`; a case holds `name`, `options` and `tensors`, each tensor a
//! `shape` and its row-major `data`. `grad_x` answers the cotangent `grad_output`.
//!
//! ```text
//! for case in golden::load("conv2d") {
//!     let (shape, x) = case.tensor("x");
//!     let stride = case.pair("stride");
//!     …
//!     case.assert_close("grad_x", &grad_x);
//! }
//! ```

mod ops;

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Tolerance against golden values, absolute and relative: they carry 12 digits.
pub const TOLERANCE: f64 = 1e-9;

/// A tensor of a case.
#[derive(Clone, Debug, Deserialize)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

/// One call of PyTorch: its options, inputs, output and gradients.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    options: BTreeMap<String, Value>,
    tensors: BTreeMap<String, Array>,
}

#[derive(Deserialize)]
struct File {
    made_by: String,
    versions: BTreeMap<String, String>,
    about: String,
    cases: Vec<Case>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(stem: &str) -> File {
    let path = folder().join(format!("{stem}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"))
}

/// The cases of `tests/golden/{stem}.json`, in the file's order.
pub fn load(stem: &str) -> Vec<Case> {
    read(stem).cases
}

impl Case {
    fn array(&self, name: &str) -> &Array {
        let all = || self.tensors.keys().cloned().collect::<Vec<_>>().join(", ");
        self.tensors
            .get(name)
            .unwrap_or_else(|| panic!("{}: no tensor `{name}` among {}", self.name, all()))
    }

    /// Whether the case has this tensor (`bias` and `class_weights` may be absent).
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Names of the tensors that start with `prefix`, the prefix removed, in alphabetical order.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        self.tensors.keys().filter_map(|k| k.strip_prefix(prefix)).map(String::from).collect()
    }

    /// Shape and row-major data of a tensor.
    pub fn tensor(&self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let array = self.array(name);
        (array.shape.clone(), array.data.clone())
    }

    /// Row-major data of a tensor.
    pub fn data(&self, name: &str) -> Vec<f64> {
        self.array(name).data.clone()
    }

    /// A tensor of labels, indices or other integers.
    pub fn indices(&self, name: &str) -> Vec<usize> {
        let whole = |&v: &f64| {
            assert!(v >= 0.0 && v.fract() == 0.0, "{}: {name} holds {v}", self.name);
            v as usize
        };
        self.array(name).data.iter().map(whole).collect()
    }

    fn option(&self, name: &str) -> &Value {
        self.options.get(name).unwrap_or_else(|| panic!("{}: no option `{name}`", self.name))
    }

    /// A number option.
    pub fn number(&self, name: &str) -> f64 {
        let value = self.option(name);
        value.as_f64().unwrap_or_else(|| panic!("{}: {name} = {value}", self.name))
    }

    /// An integer option.
    pub fn size(&self, name: &str) -> usize {
        let value = self.option(name);
        value.as_u64().unwrap_or_else(|| panic!("{}: {name} = {value}", self.name)) as usize
    }

    /// A pair (height, width), or (beta1, beta2), as an option.
    pub fn pair<T: for<'a> Deserialize<'a>>(&self, name: &str) -> [T; 2] {
        let value = self.option(name).clone();
        serde_json::from_value(value).unwrap_or_else(|e| panic!("{}: {name}: {e}", self.name))
    }

    /// A Boolean option.
    pub fn flag(&self, name: &str) -> bool {
        let value = self.option(name);
        value.as_bool().unwrap_or_else(|| panic!("{}: {name} = {value}", self.name))
    }

    /// A text option.
    pub fn text(&self, name: &str) -> &str {
        let value = self.option(name);
        value.as_str().unwrap_or_else(|| panic!("{}: {name} = {value}", self.name))
    }

    /// Fails, naming the first element that differs, unless `got` is this tensor within
    /// [`TOLERANCE`].
    pub fn assert_close(&self, name: &str, got: &[f64]) {
        self.assert_within(name, got, TOLERANCE);
    }

    /// [`Case::assert_close`] with another tolerance, absolute and relative (for f32).
    pub fn assert_within(&self, name: &str, got: &[f64], tolerance: f64) {
        let want = &self.array(name).data;
        assert_eq!(got.len(), want.len(), "{}: length of {name}", self.name);
        for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
            assert!(
                approx::relative_eq!(got, want, epsilon = tolerance, max_relative = tolerance),
                "{}: {name}[{i}] is {got}, PyTorch has {want}",
                self.name
            );
        }
    }
}

/// Every file names its origin, and every tensor has as many numbers as its shape.
#[test]
fn golden_files_are_whole() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path());
    let files: Vec<_> = entries.filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
    assert_eq!(files.len(), 13, "{files:?}");
    for path in files {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let file = read(stem);
        assert_eq!(file.made_by, "tests/golden/make.py", "{stem}");
        assert!(file.versions.contains_key("torch") && !file.about.is_empty(), "{stem}");
        assert!(std::fs::metadata(&path).unwrap().len() <= 40_000, "{stem}");
        let mut names = Vec::new();
        for case in &file.cases {
            assert!(!names.contains(&&case.name), "{stem}: two cases {}", case.name);
            names.push(&case.name);
            for (name, array) in &case.tensors {
                let size: usize = array.shape.iter().product();
                assert_eq!(array.data.len(), size, "{stem}: {}: {name}", case.name);
            }
            for name in case.names("grad_").iter().filter(|name| case.has(name)) {
                let gradient = &case.array(&format!("grad_{name}")).shape;
                assert_eq!(gradient, &case.array(name).shape, "{stem}: {}: {name}", case.name);
            }
        }
    }
}

/// The comparison fails for a wrong number, NaN and a missing element.
#[test]
fn golden_comparison_refuses_what_differs() {
    let case = load("linear").remove(0);
    let y = case.data("y");
    case.assert_close("y", &y);
    let refuses =
        |got: Vec<f64>| std::panic::catch_unwind(|| case.assert_close("y", &got)).is_err();
    let with = |v: f64| [&[v], &y[1..]].concat();
    assert!(refuses(with(y[0] + 1e-7)));
    assert!(refuses(with(f64::NAN)));
    assert!(refuses(y[1..].to_vec()));
}
