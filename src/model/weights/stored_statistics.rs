//! Statistics of the training faces in a model file, for explanations where the faces themselves are
//! not at hand: tables of numbers by name, no picture. [`crate::explain`] measures and reads them.

use crate::model::weights::Archive;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Beginning of the names of their tensors in a model file.
const PREFIX: &str = "statistics/";

/// Tables of numbers by name, each with its number of rows first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredStatistics {
    /// Rows and columns, and the values row by row.
    tables: BTreeMap<String, ([usize; 2], Vec<f32>)>,
}

impl StoredStatistics {
    /// Adds a table with rows of equal length.
    pub fn put(&mut self, name: &str, columns: usize, values: Vec<f32>) {
        let rows = values.len() / columns.max(1);
        self.tables.insert(name.into(), ([rows, columns], values));
    }

    /// Returns the rows of a table; `None` unless it is there with this number of columns.
    pub fn rows(&self, name: &str, columns: usize) -> Option<std::slice::ChunksExact<'_, f32>> {
        let ([_, wide], values) = self.tables.get(name)?;
        (*wide == columns).then(|| values.chunks_exact(columns))
    }

    /// Reads the tables of a model file; none if it holds none.
    ///
    /// # Errors
    /// [`Error::Model`] if one is no table of finite numbers.
    pub(crate) fn find(path: &Path, archive: &Archive) -> Result<Option<Self>> {
        let mut found = Self::default();
        let own = archive.tensors.iter();
        for (name, (shape, values)) in own.filter_map(|(n, t)| Some((n.strip_prefix(PREFIX)?, t))) {
            let &[rows, columns] = shape.as_slice() else {
                return Err(Error::model(path, format!("{PREFIX}{name} is {shape:?}, no table")));
            };
            if columns == 0 || values.iter().any(|v| !v.is_finite()) {
                let message = format!("{PREFIX}{name} holds numbers that are not finite, or none");
                return Err(Error::model(path, message));
            }
            found.tables.insert(name.into(), ([rows, columns], values.clone()));
        }
        Ok((!found.tables.is_empty()).then_some(found))
    }

    /// Adds the tables to a model file.
    pub(crate) fn store(&self, archive: &mut Archive) {
        for (name, (shape, values)) in &self.tables {
            archive.tensors.insert(format!("{PREFIX}{name}"), (shape.to_vec(), values.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_and_damaged_ones_are_refused() {
        let mut all = StoredStatistics::default();
        all.put("a", 2, vec![1.0, 2.0, 3.0, 4.0]);
        let mut archive = Archive::default();
        assert_eq!(StoredStatistics::find(Path::new("m"), &archive).unwrap(), None);
        all.store(&mut archive);
        let found = StoredStatistics::find(Path::new("m"), &archive).unwrap().unwrap();
        assert_eq!(found, all);
        assert_eq!(found.rows("a", 2).unwrap().nth(1), Some([3.0, 4.0].as_slice()));
        assert!(found.rows("a", 4).is_none() && found.rows("b", 2).is_none());
        for damaged in [(vec![1], vec![1.0]), (vec![1, 1], vec![f32::NAN]), (vec![1, 0], vec![])] {
            archive.tensors.insert("statistics/a".into(), damaged);
            assert!(StoredStatistics::find(Path::new("m"), &archive).is_err());
        }
    }
}
