//! A plotters backend that draws into a [`Scene`].

use std::convert::Infallible;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind,
};

use crate::render::Scene;
use crate::render::canvas::{Ink, Point};
use crate::render::font::{self, Weight};
use crate::render::scene::{Align, Anchor, TextStyle as SceneText};

/// Plotters uses whole pixels; it is given eighths of a pixel, so that curves are smooth.
pub(crate) const UNITS: f32 = 8.0;

/// Converts a length in pixels to the units of plotters.
pub(crate) fn units(pixels: f32) -> u32 {
    (pixels * UNITS).round().max(0.0) as u32
}

type DrawResult = Result<(), DrawingErrorKind<Infallible>>;

/// A rectangle of a scene as a plotters backend.
pub(crate) struct SceneBackend<'a> {
    /// Target scene.
    pub scene: &'a mut Scene,
    /// Top left corner in pixels.
    pub origin: Point,
    /// Width and height in pixels.
    pub size: (f32, f32),
}

impl SceneBackend<'_> {
    fn point(&self, (x, y): BackendCoord) -> Point {
        (self.origin.0 + x as f32 / UNITS, self.origin.1 + y as f32 / UNITS)
    }
}

fn ink(color: BackendColor) -> Ink {
    let (r, g, b) = color.rgb;
    Ink { color: [r, g, b], alpha: color.alpha as f32 }
}

fn scene_text<S: BackendTextStyle>(style: &S) -> SceneText {
    let anchor = style.anchor();
    let color = ink(style.color()).color;
    let text = SceneText::new(style.size() as f32 / UNITS, color)
        .align(match anchor.h_pos {
            HPos::Left => Align::Start,
            HPos::Center => Align::Middle,
            HPos::Right => Align::End,
        })
        .anchor(match anchor.v_pos {
            VPos::Top => Anchor::Top,
            VPos::Center => Anchor::Middle,
            VPos::Bottom => Anchor::Baseline,
        });
    match style.transform() {
        FontTransform::Rotate270 => text.upwards(),
        _ => text,
    }
}

impl DrawingBackend for SceneBackend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (units(self.size.0), units(self.size.1))
    }

    fn ensure_prepared(&mut self) -> DrawResult {
        Ok(())
    }

    fn present(&mut self) -> DrawResult {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> DrawResult {
        let (x, y) = self.point(point);
        self.scene.rect(x, y, 1.0 / UNITS, 1.0 / UNITS, ink(color));
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &S,
    ) -> DrawResult {
        self.draw_path([a, b], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> DrawResult {
        let (a, b) = (self.point(upper_left), self.point(bottom_right));
        let (left, top) = (a.0.min(b.0), a.1.min(b.1));
        let (width, height) = ((a.0 - b.0).abs(), (a.1 - b.1).abs());
        if fill {
            self.scene.rect(left, top, width, height, ink(style.color()));
        } else {
            let line = style.stroke_width() as f32 / UNITS;
            self.scene.frame(left, top, width, height, line, ink(style.color()).color);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> DrawResult {
        let points: Vec<Point> = path.into_iter().map(|p| self.point(p)).collect();
        self.scene.line(points, style.stroke_width() as f32 / UNITS, ink(style.color()));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> DrawResult {
        let center = self.point(center);
        self.scene.circle(center, radius as f32 / UNITS, ink(style.color()));
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> DrawResult {
        let points: Vec<Point> = path.into_iter().map(|p| self.point(p)).collect();
        self.scene.polygon(points, ink(style.color()));
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        pos: BackendCoord,
    ) -> DrawResult {
        let (x, y) = self.point(pos);
        self.scene.text(x, y, text, scene_text(style));
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size() as f32;
        let width = font::width(text, size, Weight::Regular);
        Ok((width.ceil() as u32, (size * font::LINE_HEIGHT).ceil() as u32))
    }
}
