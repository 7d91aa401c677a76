//! A drawing as a list of primitives, written as PNG or as SVG.

use crate::Result;
use crate::render::canvas::{self, Ink, Point};
use crate::render::font::{self, Weight};
use crate::render::image::check_pixels;
use crate::render::{Rgb, RgbImage, svg};

/// Which part of a line of text is at its x position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// The first letter.
    #[default]
    Start,
    /// The middle.
    Middle,
    /// The end.
    End,
}

/// Which part of a line of text is at its y position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// The baseline.
    #[default]
    Baseline,
    /// The top of capital letters.
    Top,
    /// Half the height of capital letters.
    Middle,
}

/// Font, colour and position of text.
#[derive(Clone, Copy, Debug)]
pub struct TextStyle {
    /// Font size (1 em) in pixels.
    pub size: f32,
    /// Font weight.
    pub weight: Weight,
    /// Colour.
    pub color: Rgb,
    /// Horizontal alignment.
    pub align: Align,
    /// Vertical alignment.
    pub anchor: Anchor,
    /// Whether the text is rotated to read upwards; alignment and anchor rotate with it.
    pub upwards: bool,
}

impl TextStyle {
    /// Creates a regular style with the start of the baseline at the position.
    pub fn new(size: f32, color: Rgb) -> Self {
        TextStyle {
            size,
            weight: Weight::Regular,
            color,
            align: Align::Start,
            anchor: Anchor::Baseline,
            upwards: false,
        }
    }
    /// Returns the style in bold.
    pub fn bold(self) -> Self {
        TextStyle { weight: Weight::Bold, ..self }
    }
    /// Returns the style with an alignment.
    pub fn align(self, align: Align) -> Self {
        TextStyle { align, ..self }
    }
    /// Returns the style with an anchor.
    pub fn anchor(self, anchor: Anchor) -> Self {
        TextStyle { anchor, ..self }
    }
    /// Returns the style reading upwards.
    pub fn upwards(self) -> Self {
        TextStyle { upwards: true, ..self }
    }
    /// Returns the width of a line in pixels.
    pub fn width(&self, text: &str) -> f32 {
        font::width(text, self.size, self.weight)
    }
    /// Returns the distance of two baselines in pixels.
    pub fn line_height(&self) -> f32 {
        self.size * font::LINE_HEIGHT
    }
}

/// A drawing primitive. Lengths are in pixels at scale 1, y downwards.
#[derive(Clone, Debug)]
pub(crate) enum Primitive {
    Rect {
        left: f32,
        top: f32,
        right: f32,
        bottom: f32,
        ink: Ink,
    },
    Line {
        points: Vec<Point>,
        width: f32,
        ink: Ink,
    },
    Polygon {
        points: Vec<Point>,
        ink: Ink,
    },
    Circle {
        center: Point,
        radius: f32,
        ink: Ink,
    },
    /// `origin` is the start of the baseline, after alignment.
    Text {
        content: String,
        origin: Point,
        style: TextStyle,
    },
    Picture {
        picture: RgbImage,
        left: f32,
        top: f32,
        width: f32,
        height: f32,
        smooth: bool,
    },
}

/// A drawing of fixed size with a background colour.
#[derive(Clone, Debug)]
pub struct Scene {
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) ground: Rgb,
    pub(crate) primitives: Vec<Primitive>,
}

impl Scene {
    /// Creates an empty drawing.
    pub fn new(width: f32, height: f32, ground: Rgb) -> Self {
        Scene { width, height, ground, primitives: Vec::new() }
    }

    /// Returns width and height in pixels at scale 1.
    pub fn size(&self) -> (f32, f32) {
        (self.width, self.height)
    }

    /// Fills a rectangle.
    pub fn rect(&mut self, left: f32, top: f32, width: f32, height: f32, ink: impl Into<Ink>) {
        let (right, bottom) = (left + width.max(0.0), top + height.max(0.0));
        self.primitives.push(Primitive::Rect { left, top, right, bottom, ink: ink.into() });
    }

    /// Draws the outline of a rectangle, inside it.
    pub fn frame(&mut self, left: f32, top: f32, width: f32, height: f32, line: f32, color: Rgb) {
        self.rect(left, top, width, line, color);
        self.rect(left, top + height - line, width, line, color);
        self.rect(left, top + line, line, height - 2.0 * line, color);
        self.rect(left + width - line, top + line, line, height - 2.0 * line, color);
    }

    /// Draws a line through points.
    pub fn line(&mut self, points: Vec<Point>, width: f32, ink: impl Into<Ink>) {
        self.primitives.push(Primitive::Line { points, width, ink: ink.into() });
    }

    /// Fills a polygon.
    pub fn polygon(&mut self, points: Vec<Point>, ink: impl Into<Ink>) {
        self.primitives.push(Primitive::Polygon { points, ink: ink.into() });
    }

    /// Fills a disc.
    pub fn circle(&mut self, center: Point, radius: f32, ink: impl Into<Ink>) {
        self.primitives.push(Primitive::Circle { center, radius, ink: ink.into() });
    }

    /// Adds one line of text at (`x`, `y`).
    pub fn text(&mut self, x: f32, y: f32, content: impl Into<String>, style: TextStyle) {
        let content = content.into();
        let along = match style.align {
            Align::Start => 0.0,
            Align::Middle => -style.width(&content) / 2.0,
            Align::End => -style.width(&content),
        };
        let across = match style.anchor {
            Anchor::Baseline => 0.0,
            Anchor::Top => style.size * font::CAP_HEIGHT,
            Anchor::Middle => style.size * font::CAP_HEIGHT / 2.0,
        };
        let origin = if style.upwards { (x + across, y - along) } else { (x + along, y + across) };
        self.primitives.push(Primitive::Text { content, origin, style });
    }

    /// Adds text wrapped to `max_width`, the first line at `y`. Returns the height.
    pub fn paragraph(
        &mut self,
        x: f32,
        y: f32,
        max_width: f32,
        text: &str,
        style: TextStyle,
    ) -> f32 {
        let lines = font::wrap(text, style.size, style.weight, max_width);
        for (i, line) in lines.iter().enumerate() {
            self.text(x, y + i as f32 * style.line_height(), line.as_str(), style);
        }
        lines.len() as f32 * style.line_height()
    }

    /// Adds an image, resized to `width` × `height` by nearest neighbour, or bilinearly if `smooth`.
    pub fn picture(
        &mut self,
        picture: RgbImage,
        (left, top): Point,
        (width, height): (f32, f32),
        smooth: bool,
    ) {
        self.primitives.push(Primitive::Picture { picture, left, top, width, height, smooth });
    }

    /// Adds another drawing without its background, its top left corner at (`left`, `top`).
    pub fn insert(&mut self, other: &Scene, left: f32, top: f32) {
        let moved = |p: &Point| (p.0 + left, p.1 + top);
        let all = |points: &[Point]| points.iter().map(moved).collect::<Vec<_>>();
        self.primitives.extend(other.primitives.iter().map(|primitive| match primitive.clone() {
            Primitive::Rect { left: l, top: t, right, bottom, ink } => Primitive::Rect {
                left: l + left,
                top: t + top,
                right: right + left,
                bottom: bottom + top,
                ink,
            },
            Primitive::Line { points, width, ink } => {
                Primitive::Line { points: all(&points), width, ink }
            }
            Primitive::Polygon { points, ink } => Primitive::Polygon { points: all(&points), ink },
            Primitive::Circle { center, radius, ink } => {
                Primitive::Circle { center: moved(&center), radius, ink }
            }
            Primitive::Text { content, origin, style } => {
                Primitive::Text { content, origin: moved(&origin), style }
            }
            Primitive::Picture { picture, left: l, top: t, width, height, smooth } => {
                Primitive::Picture { picture, left: l + left, top: t + top, width, height, smooth }
            }
        }));
    }

    /// Rasterises the drawing with `scale` pixels per unit.
    ///
    /// # Errors
    /// [`crate::Error::Render`] if there are too many pixels.
    pub fn rasterize(&self, scale: f32) -> Result<RgbImage> {
        let pixels = |length: f32| (length * scale).ceil().max(1.0) as usize;
        let (width, height) = (pixels(self.width), pixels(self.height));
        check_pixels(width, height)?;
        let mut picture = RgbImage::new(width, height, self.ground);
        for primitive in &self.primitives {
            paint(&mut picture, primitive, scale);
        }
        Ok(picture)
    }

    /// Returns the drawing as a PNG file; scale 1 for the screen, 2 for print.
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>> {
        self.rasterize(scale)?.to_png()
    }

    /// Returns the drawing as an SVG document; images are embedded as PNG.
    pub fn to_svg(&self) -> Result<String> {
        svg::write(self)
    }
}

fn paint(picture: &mut RgbImage, primitive: &Primitive, scale: f32) {
    let scaled = |points: &[Point]| points.iter().map(|p| (p.0 * scale, p.1 * scale)).collect();
    match primitive {
        Primitive::Rect { left, top, right, bottom, ink } => {
            canvas::fill_rect(
                picture,
                left * scale,
                top * scale,
                right * scale,
                bottom * scale,
                *ink,
            );
        }
        Primitive::Line { points, width, ink } => {
            let points: Vec<Point> = scaled(points);
            canvas::stroke(picture, &points, width * scale, *ink);
        }
        Primitive::Polygon { points, ink } => {
            let points: Vec<Point> = scaled(points);
            canvas::fill_polygon(picture, &points, *ink);
        }
        Primitive::Circle { center, radius, ink } => {
            let center = (center.0 * scale, center.1 * scale);
            canvas::fill_circle(picture, center, radius * scale, *ink);
        }
        Primitive::Text { content, origin, style } => {
            let origin = (origin.0 * scale, origin.1 * scale);
            let (size, ink) = (style.size * scale, style.color.into());
            canvas::text(picture, content, origin, size, style.weight, style.upwards, ink);
        }
        Primitive::Picture { picture: source, left, top, width, height, smooth } => {
            let edge = |at: f32| (at * scale).round().max(0.0) as usize;
            let (x, y) = (edge(*left), edge(*top));
            let size = (edge(left + width) - x, edge(top + height) - y);
            let enlarged = match smooth {
                true => source.resized_smooth(size.0, size.1),
                false => source.resized_nearest(size.0, size.1),
            };
            picture.blit(&enlarged, x, y);
        }
    }
}
