//! PNG files for notebooks.

use crate::errors::{raise, usage};
use fer::SIDE;
use fer::explain::Method;
use fer::render::colormap::{draw_map, overlay};
use fer::render::{Colormap, Rgb, RgbImage, Scale};
use fer::report::saliency::one_method_page::colors_of;
use numpy::PyReadonlyArray3;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Enlargement of a face.
const ENLARGED: usize = 6;
/// Width of the gap between pictures.
const GAP: usize = 2;
/// Colour between pictures.
const PAPER: Rgb = [255; 3];

fn slice<'a>(array: &'a PyReadonlyArray3<'_, f32>) -> PyResult<&'a [f32]> {
    array.as_slice().map_err(|_| usage("pictures: expected an array in C order"))
}

/// Draws a map `[1, 48, 48]` over its face `[1, 48, 48]` in \[0,1\], in the colours of the method.
#[pyfunction]
pub fn map_png<'py>(
    py: Python<'py>,
    face: PyReadonlyArray3<'py, f32>,
    map: PyReadonlyArray3<'py, f32>,
    method: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let (face, map) = (slice(&face)?, slice(&map)?);
    let method: Method = method.parse().map_err(raise)?;
    let draw = || {
        let face = RgbImage::from_unit(face, SIDE, SIDE)?;
        let drawn = overlay(&face, map, colors_of(method), Scale::percentile99(map))?;
        let side = ENLARGED * SIDE;
        match method.is_smooth() {
            true => drawn.resized_smooth(side, side).to_png(),
            false => drawn.resized_nearest(side, side).to_png(),
        }
    };
    Ok(PyBytes::new(py, &py.detach(draw).map_err(raise)?))
}

/// Draws pictures `[n, h, w]` in a grid of about `width` pixels: gray for values in \[0,1\], or with
/// `as_maps` in colours on one scale.
#[pyfunction]
pub fn pictures_png<'py>(
    py: Python<'py>,
    pictures: PyReadonlyArray3<'py, f32>,
    as_maps: bool,
    width: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let shape = pictures.as_array().dim();
    let values = slice(&pictures)?;
    let draw = || grid(values, [shape.0, shape.1, shape.2], as_maps, width)?.to_png();
    Ok(PyBytes::new(py, &py.detach(draw).map_err(raise)?))
}

fn grid(
    values: &[f32],
    [n, h, w]: [usize; 3],
    as_maps: bool,
    width: usize,
) -> fer::Result<RgbImage> {
    let columns = (n as f64).sqrt().ceil().max(1.0) as usize;
    let by = (width / (columns * w.max(1)).max(1)).clamp(1, 64);
    let (wide, high) = (by * w + GAP, by * h + GAP);
    let rows = n.div_ceil(columns);
    let scale = Scale::maximum(values);
    let mut out = RgbImage::new((columns * wide).max(1), (rows * high).max(1), PAPER);
    let whole = out.width();
    for (i, tile) in values.chunks_exact((h * w).max(1)).take(n).enumerate() {
        let picture = match as_maps {
            true => draw_map(tile, w, h, Colormap::Inferno, scale)?,
            false => RgbImage::from_unit(tile, w, h)?,
        };
        let (left, top) = (i % columns * wide, i / columns * high);
        for y in 0..by * h {
            for x in 0..by * w {
                out.pixels_mut()[(top + y) * whole + left + x] = picture.at(x / by, y / by);
            }
        }
    }
    Ok(out)
}
