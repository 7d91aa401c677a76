//! Deletion and insertion: does the score follow the pixels in the map's order?

use crate::explain::Classifier;
use crate::explain::batch::{face, probabilities_of};
use crate::explain::sanity::significance::Estimate;
use crate::explain::validate::{check_classes, check_maps, check_picture};
use crate::random::{Purpose, Rng};
use crate::stats::trapezoid;
use crate::{PIXELS, Result, SIDE};

/// Steps of a curve: 48 pixels at a time.
pub const STEPS: usize = 48;

/// Areas under both curves of one face; mean probability over the curve, in \[0,1\].
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Areas {
    /// Most important pixels are replaced first: **low is good**.
    pub deletion: f64,
    /// Most important pixels are shown first: **high is good**.
    pub insertion: f64,
}

/// Areas of a map and of two orders that know nothing of the network.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Faithfulness {
    /// The map's order.
    pub map: Areas,
    /// Random order.
    pub random: Areas,
    /// The middle first: a Gaussian on the centre of the face.
    pub centre: Areas,
}

impl Faithfulness {
    /// Mean over faces.
    pub fn mean(all: &[Faithfulness]) -> Faithfulness {
        let areas = |pick: &dyn Fn(&Faithfulness) -> Areas| Areas {
            deletion: all.iter().map(|f| pick(f).deletion).sum::<f64>() / all.len() as f64,
            insertion: all.iter().map(|f| pick(f).insertion).sum::<f64>() / all.len() as f64,
        };
        Faithfulness {
            map: areas(&|f| f.map),
            random: areas(&|f| f.random),
            centre: areas(&|f| f.centre),
        }
    }
}

/// By how much maps beat the better of both controls, face by face; above 0 is good.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Advantage {
    /// Deletion area of the control minus that of the map.
    pub deletion: Estimate,
    /// Insertion area of the map minus that of the control.
    pub insertion: Estimate,
}

impl Advantage {
    /// Over faces.
    pub fn of(all: &[Faithfulness]) -> Advantage {
        let over = |control: fn(&Faithfulness) -> Areas| {
            let deletion = |f: &Faithfulness| control(f).deletion - f.map.deletion;
            let insertion = |f: &Faithfulness| f.map.insertion - control(f).insertion;
            [
                Estimate::of(&all.iter().map(deletion).collect::<Vec<_>>()),
                Estimate::of(&all.iter().map(insertion).collect::<Vec<_>>()),
            ]
        };
        let (random, centre) = (over(|f| f.random), over(|f| f.centre));
        let smaller =
            |i: usize| if centre[i].mean < random[i].mean { centre[i] } else { random[i] };
        Advantage { deletion: smaller(0), insertion: smaller(1) }
    }
}

/// Deletion and insertion of every face's map, `[n, 48, 48]`, for the probability of
/// `classes[face]`.
///
/// Pixels in the order of the signed map, largest first, change places with `baseline` (the mean
/// face) in 48 equal steps; the area is the trapezoid mean over 49 points. Without the controls an
/// area means nothing: a face in the middle makes any central blob look faithful.
/// **Errors**: those of [`check_classes`]; `Shape` where a map is missing or the baseline not 48×48.
/// **Source**: Petsiuk, Das & Saenko 2018 (arXiv 1806.07421), § 4.
pub fn faithfulness(
    model: &dyn Classifier,
    faces: &[f32],
    maps: &[f32],
    classes: &[usize],
    baseline: &[f32],
    seed: u64,
) -> Result<Vec<Faithfulness>> {
    let controls = controls(model, faces, classes, baseline, seed)?;
    let maps = map_areas(model, faces, maps, classes, baseline)?;
    let join = |(map, [random, centre]): (Areas, [Areas; 2])| Faithfulness { map, random, centre };
    Ok(maps.into_iter().zip(controls).map(join).collect())
}

/// Areas of both controls for every face: a random order, and the middle first. They do not depend
/// on the map, so several methods may share them.
///
/// **Errors**: those of [`faithfulness`].
pub fn controls(
    model: &dyn Classifier,
    faces: &[f32],
    classes: &[usize],
    baseline: &[f32],
    seed: u64,
) -> Result<Vec<[Areas; 2]>> {
    check_classes(model, faces, classes)?;
    check_picture("baseline", baseline)?;
    let centre = order(&centre_gaussian());
    let one_face = |(f, &class): (usize, &usize)| {
        let mut random: Vec<usize> = (0..PIXELS).collect();
        Rng::new(seed, Purpose::Explain, 4, f as u64).shuffle(&mut random);
        let found = curves(model, face(faces, f), baseline, class, &[random, centre.clone()])?;
        Ok([found[0], found[1]])
    };
    classes.iter().enumerate().map(one_face).collect()
}

/// Areas of every face's map.
///
/// **Errors**: those of [`faithfulness`].
pub fn map_areas(
    model: &dyn Classifier,
    faces: &[f32],
    maps: &[f32],
    classes: &[usize],
    baseline: &[f32],
) -> Result<Vec<Areas>> {
    check_classes(model, faces, classes)?;
    check_picture("baseline", baseline)?;
    check_maps(faces, maps)?;
    let one_face = |(f, &class): (usize, &usize)| {
        Ok(curves(model, face(faces, f), baseline, class, &[order(face(maps, f))])?[0])
    };
    classes.iter().enumerate().map(one_face).collect()
}

/// Pixels by falling value; the first in reading order among equals.
fn order(map: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..map.len()).collect();
    order.sort_by(|&a, &b| map[b].total_cmp(&map[a]).then(a.cmp(&b)));
    order
}

fn centre_gaussian() -> Vec<f32> {
    let middle = (SIDE as f32 - 1.0) / 2.0;
    let at = |p: usize| {
        let (i, j) = ((p / SIDE) as f32 - middle, (p % SIDE) as f32 - middle);
        (-(i * i + j * j) / (2.0 * 12.0 * 12.0)).exp()
    };
    (0..PIXELS).map(at).collect()
}

fn curves(
    model: &dyn Classifier,
    x: &[f32],
    baseline: &[f32],
    class: usize,
    orders: &[Vec<usize>],
) -> Result<Vec<Areas>> {
    const POINTS: usize = STEPS + 1;
    let draw = |k: usize, out: &mut [f32]| {
        let (curve, step) = (k / POINTS, k % POINTS);
        let insert = curve % 2 == 1;
        let (from, to) = if insert { (baseline, x) } else { (x, baseline) };
        out.copy_from_slice(from);
        for &p in &orders[curve / 2][..step * PIXELS / STEPS] {
            out[p] = to[p];
        }
    };
    let seen = probabilities_of(model, 2 * orders.len() * POINTS, draw, |_| class)?;
    let seen: Vec<f64> = seen.into_iter().map(f64::from).collect();
    let area = |curve: usize| trapezoid(&seen[curve * POINTS..(curve + 1) * POINTS]);
    Ok((0..orders.len())
        .map(|o| Areas { deletion: area(2 * o), insertion: area(2 * o + 1) })
        .collect())
}
