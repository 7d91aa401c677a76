//! A bar chart of the number of faces per class.

use crate::Result;
use crate::render::Scene;
use crate::render::chart::{BarChart, BarSeries, ChartOptions, bars};
use crate::render::format::thousands;

/// Draws one bar per class for each named set of counts. A single set may have the name “”.
pub fn class_counts(
    title: &str,
    names: &[&str],
    sets: &[(&str, &[u64])],
    options: ChartOptions,
) -> Result<Scene> {
    let total = |counts: &[u64]| thousands(counts.iter().sum());
    let label = |(name, counts): &(&str, &[u64])| match *name {
        "" => format!("{} faces", total(counts)),
        name => format!("{} {name}", total(counts)),
    };
    let chart = BarChart {
        title: title.into(),
        subtitle: sets.iter().map(label).collect::<Vec<_>>().join(", "),
        y_title: "faces".into(),
        categories: names.iter().map(|n| n.to_string()).collect(),
        series: sets.iter().map(|(name, counts)| BarSeries::counts(name, counts)).collect(),
        ..BarChart::default()
    };
    bars(&chart, options)
}
