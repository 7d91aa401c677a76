//! A chart panel: coordinates, grid and series of plotters inside a rectangle of a scene.

use plotters::prelude::*;

use crate::render::canvas::Point;
use crate::render::chart::axis::Axis;
use crate::render::chart::backend::{SceneBackend, UNITS, units};
use crate::render::scene::{Align, Anchor, TextStyle as SceneText};
use crate::render::theme::Palette;
use crate::render::{Rgb, Scene};
use crate::{Error, Result};

type Context<'c, 's> = ChartContext<'c, SceneBackend<'s>, Cartesian2d<Axis, Axis>>;

/// Size of tick labels and axis titles in pixels.
pub(crate) const LABEL: f32 = 12.0;

/// Line style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Solid.
    Solid,
    /// Dashed.
    Dashed,
    /// Dotted.
    Dotted,
}

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

/// A panel while it is drawn; values are in the units of its axes.
pub(crate) struct Plot<'p, 'c, 's> {
    context: &'p mut Context<'c, 's>,
    origin: Point,
    notes: Vec<(Point, String, SceneText)>,
}

/// Draws axes into `area`, then the series.
pub(crate) fn plot(
    scene: &mut Scene,
    area: Area,
    title: &str,
    (x, y): (&Axis, &Axis),
    palette: &Palette,
    series: impl FnOnce(&mut Plot) -> Result<()>,
) -> Result<()> {
    let label = SceneText::new(LABEL, palette.muted);
    let title_height = if title.is_empty() { 6.0 } else { 30.0 };
    let widest = y.ticks.iter().map(|t| label.width(&t.1)).fold(0.0, f32::max);
    let title_width = if y.title.is_empty() { 0.0 } else { LABEL + 8.0 };
    let y_width = widest + 10.0 + title_width;
    let x_height = if x.title.is_empty() { 22.0 } else { 40.0 };
    // Width of the last label beyond the end of the axis.
    let overhang = x.ticks.last().map_or(0.0, |t| {
        label.width(&t.1) / 2.0 - (1.0 - x.part(t.0)) as f32 * (area.width - y_width)
    });
    let title_style = SceneText::new(14.0, palette.ink).bold().anchor(Anchor::Top);
    scene.text(area.left + y_width, area.top + 10.0, title, title_style);
    let origin = (area.left, area.top + title_height);
    let size = (area.width, area.height - title_height);
    let notes = {
        let root = SceneBackend { scene, origin, size }.into_drawing_area();
        let mut context = ChartBuilder::on(&root)
            .margin_right(units(overhang.max(6.0)))
            .margin_top(units(6.0))
            .x_label_area_size(units(x_height))
            .y_label_area_size(units(y_width))
            .build_cartesian_2d(x.clone(), y.clone())
            .map_err(refused)?;
        draw_mesh(&mut context, (x, y), palette)?;
        let mut plot = Plot { context: &mut context, origin, notes: Vec::new() };
        series(&mut plot)?;
        plot.notes
    };
    for (at, text, style) in notes {
        scene.text(at.0, at.1, text, style);
    }
    Ok(())
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::Render(error.to_string())
}

fn rgb(color: Rgb) -> RGBColor {
    RGBColor(color[0], color[1], color[2])
}

fn draw_mesh(context: &mut Context, (x, y): (&Axis, &Axis), palette: &Palette) -> Result<()> {
    let font = |color| ("sans-serif", (LABEL * UNITS) as f64).into_font().color(&rgb(color));
    let mut mesh = context.configure_mesh();
    if !x.grid {
        mesh.disable_x_mesh();
    }
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(rgb(palette.grid).stroke_width(units(1.0)))
        .axis_style(rgb(palette.axis).stroke_width(units(1.0)))
        .label_style(font(palette.muted))
        .axis_desc_style(font(palette.ink))
        .set_all_tick_mark_size(units(4.0));
    if !x.title.is_empty() {
        mesh.x_desc(x.title.as_str());
    }
    if !y.title.is_empty() {
        mesh.y_desc(y.title.as_str());
    }
    mesh.draw().map_err(refused)
}

impl Plot<'_, '_, '_> {
    /// Returns the position of a value in the scene in pixels.
    pub fn pixel(&self, value: (f64, f64)) -> Point {
        let (x, y) = self.context.backend_coord(&value);
        (self.origin.0 + x as f32 / UNITS, self.origin.1 + y as f32 / UNITS)
    }

    /// Returns the lowest value of the y axis.
    pub fn low(&self) -> f64 {
        self.context.y_range().start
    }

    /// Draws a line through points; points that are not finite leave a gap.
    pub fn line(
        &mut self,
        points: &[(f64, f64)],
        color: Rgb,
        width: f32,
        dash: Dash,
    ) -> Result<()> {
        let style = rgb(color).stroke_width(units(width));
        for run in points.split(|p| !p.0.is_finite() || !p.1.is_finite()) {
            let run = run.to_vec();
            if run.is_empty() {
                continue;
            }
            let (size, gap) = match dash {
                Dash::Solid => {
                    let series = LineSeries::new(run, style);
                    self.context.draw_series(series).map_err(refused)?;
                    continue;
                }
                Dash::Dashed => (units(6.0), units(5.0)),
                Dash::Dotted => (units(0.2), units(4.0)),
            };
            let series = DashedLineSeries::new(run, size, gap, style);
            self.context.draw_series(series).map_err(refused)?;
        }
        Ok(())
    }

    /// Fills a rectangle between two corners, if both are finite.
    pub fn bar(&mut self, from: (f64, f64), to: (f64, f64), color: Rgb, alpha: f64) -> Result<()> {
        if [from.0, from.1, to.0, to.1].iter().any(|v| !v.is_finite()) {
            return Ok(());
        }
        let bar = Rectangle::new([from, to], rgb(color).mix(alpha).filled());
        self.context.draw_series([bar]).map(|_| ()).map_err(refused)
    }

    /// Draws a disc of `radius` pixels with an outline.
    pub fn dot(&mut self, at: (f64, f64), radius: f32, color: Rgb, rim: Rgb) -> Result<()> {
        if !at.0.is_finite() || !at.1.is_finite() {
            return Ok(());
        }
        let discs = [(radius + 1.5, rim), (radius, color)];
        let discs = discs.map(|(r, c)| Circle::new(at, units(r), rgb(c).filled()));
        self.context.draw_series(discs).map(|_| ()).map_err(refused)
    }

    /// Draws an interval as a vertical line with short ends and an outline.
    pub fn whisker(&mut self, x: f64, (low, high): (f64, f64), color: Rgb, rim: Rgb) -> Result<()> {
        self.line(&[(x, low), (x, high)], rim, 4.5, Dash::Solid)?;
        self.line(&[(x, low), (x, high)], color, 1.5, Dash::Solid)?;
        for end in [low, high] {
            if !end.is_finite() {
                continue;
            }
            let (cx, cy) = self.context.backend_coord(&(x, end));
            let reach = units(3.5) as i32;
            let area = self.context.plotting_area().strip_coord_spec();
            let corner = area.get_base_pixel();
            let points = [-reach, reach].map(|d| (cx + d - corner.0, cy - corner.1));
            let style = rgb(color).stroke_width(units(1.5));
            area.draw(&PathElement::new(points.to_vec(), style)).map_err(refused)?;
        }
        Ok(())
    }

    /// Writes text at `offset` pixels from a value, drawn after everything else.
    pub fn note(
        &mut self,
        at: (f64, f64),
        offset: Point,
        text: impl Into<String>,
        style: SceneText,
    ) {
        let (x, y) = self.pixel(at);
        self.notes.push(((x + offset.0, y + offset.1), text.into(), style));
    }
}

/// An entry of a legend.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub name: String,
    pub color: Rgb,
    pub mark: Mark,
}

/// The mark of a legend entry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    Line(Dash),
    Square,
    Dot,
    /// A character such as ◆.
    Sign(char),
}

impl Mark {
    /// Returns the width of the mark and the gap after it in pixels.
    fn width(self) -> f32 {
        if matches!(self, Mark::Line(_)) { 33.0 } else { 19.0 }
    }
}

const KEY_HEIGHT: f32 = 20.0;

/// Returns the positions of the entries within `width`, row by row, and the total height.
fn key_places(keys: &[Key], width: f32) -> (Vec<Point>, f32) {
    let style = SceneText::new(LABEL, [0; 3]);
    let (mut x, mut y) = (0.0, 0.0);
    let mut places = Vec::new();
    for key in keys {
        let needed = key.mark.width() + style.width(&key.name);
        if x > 0.0 && x + needed > width {
            (x, y) = (0.0, y + KEY_HEIGHT);
        }
        places.push((x, y));
        x += needed + 20.0;
    }
    (places, if keys.is_empty() { 0.0 } else { y + KEY_HEIGHT })
}

/// Returns the height of [`legend`].
pub(crate) fn legend_height(keys: &[Key], width: f32) -> f32 {
    key_places(keys, width).1
}

/// Draws a legend in rows within `width`.
pub(crate) fn legend(
    scene: &mut Scene,
    (left, top): Point,
    width: f32,
    keys: &[Key],
    palette: &Palette,
) {
    let style = SceneText::new(LABEL, palette.ink).anchor(Anchor::Middle);
    for (key, (dx, dy)) in keys.iter().zip(key_places(keys, width).0) {
        let (x, y) = (left + dx, top + dy + KEY_HEIGHT / 2.0);
        match key.mark {
            Mark::Line(Dash::Solid) => {
                scene.line(vec![(x + 1.0, y), (x + 25.0, y)], 2.5, key.color)
            }
            Mark::Line(dash) => {
                let (count, size, gap) =
                    if dash == Dash::Dashed { (3, 6.0, 3.5) } else { (5, 0.2, 5.8) };
                for i in 0..count {
                    let from = x + 1.0 + i as f32 * (size + gap);
                    scene.line(vec![(from, y), (from + size, y)], 2.5, key.color);
                }
            }
            Mark::Square => scene.rect(x, y - 6.0, 12.0, 12.0, key.color),
            Mark::Dot => scene.circle((x + 6.0, y), 5.0, key.color),
            Mark::Sign(sign) => {
                let style =
                    SceneText { size: 14.0, color: key.color, ..style.align(Align::Middle) };
                scene.text(x + 6.0, y, sign, style);
            }
        }
        scene.text(x + key.mark.width(), y, key.name.as_str(), style);
    }
}
