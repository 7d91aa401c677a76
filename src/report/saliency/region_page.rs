//! Lift of the face regions as charts and as a table.

use crate::Result;
use crate::explain::regions::face_regions::{Region, Template};
use crate::explain::regions::region_lift::{Lift, MapSource};
use crate::explain::significance::MIN_FACES;
use crate::render::chart::{BarChart, BarSeries, ChartOptions, Control, bars};
use crate::render::panel::{Cell, Page, Row};
use crate::render::{Scene, Theme};
use crate::report::face::name;
use crate::report::i18n::Language;
use crate::report::saliency::region_sentences::{lift_of, region_words};
use crate::report::saliency::template_page::{draw_template, region_legend};
use std::fmt::Write as _;

/// Content of the page.
#[derive(Clone, Copy, Debug)]
pub struct RegionPage<'a> {
    /// Lifts of all classes and map sources.
    pub lifts: &'a [Lift],
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// Method, target, network and number of faces: “Saliency of the logit of the true class, run-1
    /// (fer-m), 3,589 faces”.
    pub what: &'a str,
    /// Mean face, the background of the template.
    pub mean_face: &'a [f32],
    /// Colours.
    pub theme: Theme,
}

impl RegionPage<'_> {
    /// Draws the chart over all faces, the template, and one chart per class.
    pub fn page(&self) -> Result<Page> {
        let mut page =
            Page { cell: 192.0, ..Page::new("How much of the map lies on the face?", self.theme) };
        page.subtitle = self.what.into();
        let template = draw_template(self.mean_face, &Template::fixed())?;
        let wide = ChartOptions::new(self.theme).sized(560.0, 360.0);
        let template = Cell::picture(template, "regions on the mean face");
        page.rows.push(Row {
            header: vec![],
            cells: vec![Cell::Drawing(self.chart(None, wide)?), template],
        });
        let small = ChartOptions::new(self.theme).sized(560.0, 300.0);
        let classes =
            (0..self.names.len()).filter(|&c| self.lifts.iter().any(|l| l.class == Some(c)));
        let charts = classes.map(|c| Ok(Cell::Drawing(self.chart(Some(c), small)?)));
        let mut charts = charts.collect::<Result<Vec<_>>>()?.into_iter();
        while let Some(left) = charts.next() {
            let cells = std::iter::once(left).chain(charts.next()).collect();
            page.rows.push(Row { header: vec![], cells });
        }
        page.legend = region_legend();
        page.caption = format!(
            "Lift: share of the magnitude of the map in a region, divided by the share of the image area; \
             1 means no preference. Whiskers: 95 % bootstrap interval over the faces, from {MIN_FACES} faces \
             on. {}",
            region_words(self.lifts, self.names)
        );
        Ok(page)
    }

    /// Draws the chart of one class, or of all faces.
    fn chart(&self, class: Option<usize>, look: ChartOptions) -> Result<Scene> {
        let title = class.map_or("All faces", |c| name(self.names, c));
        lift_chart(self.lifts, class, title, look, Language::English)
    }

    /// Returns the table and the sentences for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}\nLift: share of the magnitude of the map in a region, divided by the region's share of the \
             picture; 1 is no preference\n\n{:<10} {:>6} {:<16}",
            self.what, "class", "faces", "source"
        );
        for region in Region::ALL {
            let _ = write!(text, "{:>1$}", region.label(), column(region));
        }
        let mut line = None;
        // The uniform map has lift 1 by definition.
        for lift in self.lifts.iter().filter(|l| l.source != MapSource::Uniform) {
            if line != Some((lift.class, lift.source)) {
                line = Some((lift.class, lift.source));
                let class = lift.class.map_or("all", |c| name(self.names, c));
                let _ = write!(
                    text,
                    "\n{class:<10} {:>6} {:<16}",
                    lift.faces,
                    source_name(lift.source)
                );
            }
            let interval = match lift.is_known() {
                true => {
                    format!("{:.2} [{:.2},{:.2}]", lift.lift, lift.interval.low, lift.interval.high)
                }
                false => format!("{:.2}", lift.lift),
            };
            let _ = write!(text, "{interval:>0$}", column(lift.region));
        }
        let _ = writeln!(text, "\n\n{}", region_words(self.lifts, self.names));
        text
    }
}

/// Width of a region's column in the table.
fn column(region: Region) -> usize {
    18.max(region.label().len() + 2)
}

/// Draws bars for the network and marks for the controls, for one class or all faces.
pub fn lift_chart(
    lifts: &[Lift],
    class: Option<usize>,
    title: &str,
    look: ChartOptions,
    language: Language,
) -> Result<Scene> {
    let p = language.phrases();
    let of = |source: MapSource| Region::ALL.map(|r| lift_of(lifts, class, source, r));
    let network = of(MapSource::Network);
    let faces = network[0].map_or(0, |l| l.faces);
    let control = |source, label: &str| {
        let values = of(source).map(|l| l.map_or(f64::NAN, |l| l.lift)).to_vec();
        values.iter().any(|v| v.is_finite()).then(|| Control { name: label.into(), values })
    };
    let chart = BarChart {
        title: title.into(),
        subtitle: language.faces(faces as u64),
        y_title: p.lift.into(),
        categories: Region::ALL.map(|r| language.short_region(r).to_owned()).to_vec(),
        series: vec![BarSeries {
            name: p.network.into(),
            values: network.map(|l| l.map_or(f64::NAN, |l| l.lift)).to_vec(),
            intervals: network
                .map(|l| match l {
                    Some(l) if l.is_known() => (l.interval.low, l.interval.high),
                    _ => (f64::NAN, f64::NAN),
                })
                .to_vec(),
            // Numbers would cover the controls; the table has them.
            labels: vec![String::new(); Region::ALL.len()],
        }],
        controls: [
            control(MapSource::Sobel, p.control_edges),
            control(MapSource::Randomised, p.control_random),
        ]
        .into_iter()
        .flatten()
        .collect(),
        reference: Some((1.0, p.uniform.into())),
        reach: lifts
            .iter()
            .map(|l| if l.is_known() { l.interval.high } else { l.lift })
            .reduce(f64::max),
        ..BarChart::default()
    };
    bars(&chart, look)
}

fn source_name(source: MapSource) -> &'static str {
    match source {
        MapSource::Network => "network",
        MapSource::Uniform => "uniform",
        MapSource::Sobel => "edges (Sobel)",
        MapSource::Randomised => "random weights",
    }
}
