//! Charts of an evaluation: recall per class, recall against training faces, calibration.

use crate::Result;
use crate::metrics::{Bin, ClassReport};
use crate::render::Scene;
use crate::render::chart::{
    BarChart, BarSeries, ChartOptions, ReliabilityBin, ReliabilityWords, ScatterChart,
    ScatterPoint, bars, reliability, scatter,
};
use crate::report::EvaluationReport;
use crate::report::i18n::{Language, phrase};

impl EvaluationReport {
    /// Returns the names of the classes in a language.
    pub(crate) fn categories(&self, language: Language) -> Vec<String> {
        self.names().iter().map(|n| language.class(n).to_owned()).collect()
    }

    /// Draws the recall of each class with its interval.
    pub(crate) fn recall_bars(&self, language: Language, options: ChartOptions) -> Result<Scene> {
        let (p, classes) = (language.phrases(), &self.evaluation.per_class);
        let interval = |c: &ClassReport| (c.recall_interval.low, c.recall_interval.high);
        let accuracy = self.evaluation.accuracy;
        let chart = BarChart {
            title: p.chart_recall.into(),
            subtitle: phrase!(p.chart_accuracy, accuracy = language.percent(accuracy)),
            y_title: p.head_recall.into(),
            categories: self.categories(language),
            series: vec![BarSeries {
                values: classes.iter().map(|c| c.recall).collect(),
                intervals: classes.iter().map(interval).collect(),
                labels: classes.iter().map(|c| language.whole_percent(c.recall)).collect(),
                ..BarSeries::default()
            }],
            // The subtitle says what it is.
            reference: Some((accuracy, String::new())),
            percent: true,
            ..BarChart::default()
        };
        bars(&chart, options)
    }

    /// Draws the recall of each class against its number of training faces.
    pub(crate) fn recall_scatter(
        &self,
        language: Language,
        options: ChartOptions,
    ) -> Result<Scene> {
        let p = language.phrases();
        let point = |c: &ClassReport| ScatterPoint {
            label: language.class(&c.label).into(),
            x: c.trained_on.unwrap_or(0) as f64,
            y: c.recall,
            interval: Some((c.recall_interval.low, c.recall_interval.high)),
        };
        let chart = ScatterChart {
            title: p.chart_training_faces.into(),
            subtitle: p.chart_interval.into(),
            x_title: p.head_trained_on.into(),
            y_title: p.head_recall.into(),
            points: self.evaluation.per_class.iter().map(point).collect(),
        };
        scatter(&chart, options)
    }

    /// Draws the reliability diagram.
    pub(crate) fn calibration(&self, language: Language, options: ChartOptions) -> Result<Scene> {
        let p = language.phrases();
        let words = ReliabilityWords {
            title: p.chart_calibration,
            accuracy: p.bin_accuracy,
            gap: p.bin_gap,
            perfect: p.bin_perfect,
            accuracy_axis: p.accuracy,
            count: p.head_faces,
            confidence: p.confidence,
        };
        let bin = |b: &Bin| ReliabilityBin {
            count: b.count,
            confidence: b.confidence,
            accuracy: b.accuracy,
        };
        let bins: Vec<_> = self.evaluation.reliability.bins.iter().map(bin).collect();
        let note = phrase!(p.ece_note, ece = language.percent(self.evaluation.ece));
        reliability(&words, &note, &bins, options)
    }
}
