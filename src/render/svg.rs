//! Scenes as SVG documents.

use std::fmt::Write as _;

use crate::Result;
use crate::render::canvas::{Ink, Point};
use crate::render::font::{self, Weight};
use crate::render::html::escape;
use crate::render::scene::Primitive;
use crate::render::{Rgb, Scene};

/// Returns the document. `fmt::Write` into a `String` cannot fail, so its results are ignored.
pub(crate) fn write(scene: &Scene) -> Result<String> {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{}\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
        font::FAMILY,
        hex(scene.ground)
    );
    for primitive in &scene.primitives {
        write_primitive(&mut svg, primitive)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn write_primitive(svg: &mut String, primitive: &Primitive) -> Result<()> {
    let _ = match primitive {
        Primitive::Rect { left, top, right, bottom, ink } => writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}/>",
            number(*left),
            number(*top),
            number(right - left),
            number(bottom - top),
            paint("fill", *ink)
        ),
        Primitive::Line { points, width, ink } => writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" {} stroke-width=\"{}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"/>",
            path(points),
            paint("stroke", *ink),
            number(*width)
        ),
        Primitive::Polygon { points, ink } => {
            let fill = paint("fill", *ink);
            writeln!(svg, "<polygon points=\"{}\" fill-rule=\"evenodd\" {fill}/>", path(points))
        }
        Primitive::Circle { center, radius, ink } => writeln!(
            svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>",
            number(center.0),
            number(center.1),
            number(*radius),
            paint("fill", *ink)
        ),
        Primitive::Text { content, origin, style } => {
            let (x, y) = (number(origin.0), number(origin.1));
            let turn = match style.upwards {
                true => format!(" transform=\"rotate(-90 {x} {y})\""),
                false => String::new(),
            };
            let weight = if style.weight == Weight::Bold { " font-weight=\"bold\"" } else { "" };
            writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"{weight}{turn} fill=\"{}\">{}</text>",
                number(style.size),
                hex(style.color),
                escape(content)
            )
        }
        Primitive::Picture { picture, left, top, width, height, smooth } => {
            let rendering = if *smooth { "auto" } else { "pixelated" };
            writeln!(
                svg,
                "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
                 style=\"image-rendering:{rendering}\" href=\"{}\"/>",
                number(*left),
                number(*top),
                number(*width),
                number(*height),
                picture.to_data_uri()?
            )
        }
    };
    Ok(())
}

/// Returns a colour in CSS notation, `#rrggbb`.
pub fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn paint(kind: &str, ink: Ink) -> String {
    match ink.alpha {
        1.0 => format!("{kind}=\"{}\"", hex(ink.color)),
        alpha => format!("{kind}=\"{}\" {kind}-opacity=\"{}\"", hex(ink.color), number(alpha)),
    }
}

fn path(points: &[Point]) -> String {
    let finite = points.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
    let pairs: Vec<String> = finite.map(|p| format!("{},{}", number(p.0), number(p.1))).collect();
    pairs.join(" ")
}

/// Formats a number with at most two decimals; 0 if it is not finite.
fn number(value: f32) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".into() } else { short.into() }
}
