//! Faithfulness: deletion and insertion of pixels in the order of the map.

use crate::explain::batch::{face, probabilities_of};
use crate::explain::significance::Estimate;
use crate::explain::{Face, FaceBatch};
use crate::random::{Purpose, Rng};
use crate::stats::trapezoid;
use crate::{PIXELS, Result, SIDE};

/// Steps of a curve, of 48 pixels each.
pub const STEPS: usize = 48;

/// Areas under the deletion and the insertion curve of one face: mean probabilities in \[0,1\].
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Areas {
    /// Most important pixels are replaced first: **low is good**.
    pub deletion: f64,
    /// Most important pixels are shown first: **high is good**.
    pub insertion: f64,
}

/// Areas of a map and of two control orders that do not depend on the network.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Faithfulness {
    /// The map's order.
    pub map: Areas,
    /// Random order.
    pub random: Areas,
    /// Centre first: the order of a Gaussian on the centre of the face.
    pub centre: Areas,
}

impl Faithfulness {
    /// Returns the mean over faces.
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

/// Advantage of the maps over the better control, paired face by face. **Above 0 is good.**
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Advantage {
    /// Deletion area of the control minus that of the map.
    pub deletion: Estimate,
    /// Insertion area of the map minus that of the control.
    pub insertion: Estimate,
}

impl Advantage {
    /// Estimates the advantage over faces.
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

/// Measures deletion and insertion with every face's map, `maps` `[n, 48, 48]`, for the probability
/// of the target's class.
///
/// Pixels in the order of the signed map, largest first, are exchanged with `baseline` (the mean
/// face) in 48 equal steps. The area is the trapezoid mean over 49 points. It must be compared with
/// the controls: because the face is in the middle, any central blob has a good area.
///
/// **Errors**: `Shape` where a map is missing; those of the network.
/// **Source**: Petsiuk, Das & Saenko 2018 (arXiv 1806.07421), § 4.
pub fn faithfulness(
    faces: &FaceBatch<'_>,
    maps: &[f32],
    baseline: &Face,
    seed: u64,
) -> Result<Vec<Faithfulness>> {
    let controls = controls(faces, baseline, seed)?;
    let maps = map_areas(faces, maps, baseline)?;
    let join = |(map, [random, centre]): (Areas, [Areas; 2])| Faithfulness { map, random, centre };
    Ok(maps.into_iter().zip(controls).map(join).collect())
}

/// Measures the areas of both controls for every face: random order, and centre first. They do not
/// depend on the map, so several methods share them.
pub fn controls(faces: &FaceBatch<'_>, baseline: &Face, seed: u64) -> Result<Vec<[Areas; 2]>> {
    let centre = order(&centre_gaussian());
    let one_face = |f: usize| {
        let mut random: Vec<usize> = (0..PIXELS).collect();
        Rng::new(seed, Purpose::Explain, 4, f as u64).shuffle(&mut random);
        let found = curves(faces, f, baseline, &[random, centre.clone()])?;
        Ok([found[0], found[1]])
    };
    (0..faces.len()).map(one_face).collect()
}

/// Measures the areas of every face's map, `maps` `[n, 48, 48]`.
pub fn map_areas(faces: &FaceBatch<'_>, maps: &[f32], baseline: &Face) -> Result<Vec<Areas>> {
    faces.check_maps(maps)?;
    let one_face = |f: usize| Ok(curves(faces, f, baseline, &[order(face(maps, f))])?[0]);
    (0..faces.len()).map(one_face).collect()
}

/// Pixels by decreasing value; equal ones in reading order.
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

/// Areas of face f for each order of its pixels.
fn curves(
    faces: &FaceBatch<'_>,
    f: usize,
    baseline: &Face,
    orders: &[Vec<usize>],
) -> Result<Vec<Areas>> {
    const POINTS: usize = STEPS + 1;
    let (x, baseline): (&[f32], &[f32]) = (faces.face(f), baseline);
    let draw = |k: usize, out: &mut [f32]| {
        let (curve, step) = (k / POINTS, k % POINTS);
        let insert = curve % 2 == 1;
        let (from, to) = if insert { (baseline, x) } else { (x, baseline) };
        out.copy_from_slice(from);
        for &p in &orders[curve / 2][..step * PIXELS / STEPS] {
            out[p] = to[p];
        }
    };
    let total = 2 * orders.len() * POINTS;
    let found = probabilities_of(faces.classifier(), faces.class(f), total, draw)?;
    let found: Vec<f64> = found.into_iter().map(f64::from).collect();
    let area = |curve: usize| trapezoid(&found[curve * POINTS..(curve + 1) * POINTS]);
    Ok((0..orders.len())
        .map(|o| Areas { deletion: area(2 * o), insertion: area(2 * o + 1) })
        .collect())
}
