//! Draws a whole face: background, hair, head, beard, glasses, hand, light, camera.

use crate::dataset::synth::canvas::{
    Canvas, Map, Paint, ellipse, ellipse_distance, region, smooth, stroke,
};
use crate::dataset::synth::expression::Expression;
use crate::dataset::synth::features::Features;
use crate::dataset::synth::person::{CENTRE, Environment, Hair, Person, Pose};
use crate::random::Rng;
use crate::{PIXELS, SIDE};

/// Half of the head's height.
const HEAD_HEIGHT: f32 = 25.0;

/// A bounding box of the whole canvas.
const ALL: ([f32; 2], [f32; 2]) = ([-99.0; 2], [150.0; 2]);

/// Draws a face and returns its gray levels 0…255, row-major, `[48, 48]`.
pub fn draw(
    person: &Person,
    expression: &Expression,
    pose: &Pose,
    environment: &Environment,
    rng: &mut Rng,
) -> [u8; PIXELS] {
    let (head, features) = pose.maps();
    let mut canvas = Canvas { gray: [0.0; PIXELS] };
    background(&mut canvas, environment, rng);
    hair_behind(&mut canvas, &head, person);
    head_and_neck(&mut canvas, &head, person);
    beard(&mut canvas, &features, person);
    Features { canvas: &mut canvas, map: &features, person, expression }.paint();
    moustache(&mut canvas, &features, person, expression);
    hair_in_front(&mut canvas, &head, person);
    if let Some(gray) = person.glasses {
        glasses(&mut canvas, &features, person, gray);
    }
    light(&mut canvas, &head, person, environment);
    if let Some((at, size)) = environment.hand {
        hand(&mut canvas, &head, person, at, size);
    }
    camera(&mut canvas, environment, rng)
}

/// Paints the background: a gradient plus a 5×5 grid of random grays, smoothly interpolated.
fn background(canvas: &mut Canvas, environment: &Environment, rng: &mut Rng) {
    let grid: [[f32; 5]; 5] =
        std::array::from_fn(|_| std::array::from_fn(|_| rng.uniform() as f32 - 0.5));
    let [gray, right, down] = environment.background;
    for (i, pixel) in canvas.gray.iter_mut().enumerate() {
        let (x, y) = ((i % SIDE) as f32 / SIDE as f32, (i / SIDE) as f32 / SIDE as f32);
        let (gx, gy) = ((4.0 * x) as usize, (4.0 * y) as usize);
        let (tx, ty) = (smooth((4.0 * x).fract()), smooth((4.0 * y).fract()));
        let row = |j: usize| grid[j][gx] + tx * (grid[j][gx + 1] - grid[j][gx]);
        let cloud = row(gy) + ty * (row(gy + 1) - row(gy));
        *pixel = gray + right * x + down * y + 2.0 * environment.texture * cloud;
    }
}

/// Returns the signed distance to the outline of the head, enlarged by `grown` pixels: an ellipse whose
/// lower half narrows to the chin.
fn head_distance(person: &Person, grown: f32) -> impl Fn([f32; 2]) -> f32 + Copy {
    let (width, jaw) = (person.head + grown, person.jaw);
    let whole = ellipse_distance(CENTRE, [width, HEAD_HEIGHT + grown]);
    move |p| {
        let below = ((p[1] - CENTRE[1]) / HEAD_HEIGHT).clamp(0.0, 1.0);
        let narrowed = 1.0 - jaw * below * below;
        whole([CENTRE[0] + (p[0] - CENTRE[0]) / narrowed, p[1]])
    }
}

fn hair_behind(canvas: &mut Canvas, map: &Map, person: &Person) {
    let ink = Paint::solid(person.hair_gray);
    match person.hair {
        Hair::Long => {
            canvas.paint(map, &ellipse([24.0, 26.0], [person.head + 4.5, 30.0]), ink);
            let fall =
                region([0.0, 20.0], [48.0, 70.0], |p| (p[0] - 24.0).abs() - person.head - 3.0);
            canvas.paint(map, &fall, ink);
        }
        Hair::Short | Hair::Fringe => {
            canvas.paint(map, &ellipse([24.0, 17.0], [person.head + 1.8, 19.5]), ink);
        }
        Hair::Receding => canvas.paint(map, &ellipse([24.0, 19.0], [person.head + 1.2, 18.0]), ink),
        Hair::Bald => {}
    }
}

fn head_and_neck(canvas: &mut Canvas, map: &Map, person: &Person) {
    let neck = region([24.0 - 10.0, 40.0], [24.0 + 10.0, 90.0], |p| (p[0] - 24.0).abs() - 10.0);
    canvas.paint(map, &neck, Paint::solid(person.skin * 0.72));
    for side in [-1.0, 1.0] {
        let ear = ellipse([24.0 + side * (person.head + 0.6), 22.5], [2.4, 4.6]);
        canvas.paint(map, &ear, Paint::solid(person.skin * 0.82));
        let shell = ellipse([24.0 + side * (person.head + 1.0), 22.5], [1.1, 2.8]);
        canvas.paint(map, &shell, Paint::tint(person.skin * 0.5, 0.6, 1.6));
    }
    if person.hair == Hair::Long {
        let mass = ellipse_distance([24.0, 26.0], [person.head + 4.5, 30.0]);
        for side in [-1.0, 1.0] {
            let lock = ellipse([24.0 + side * (person.head + 2.4), 26.0], [3.2, 20.0]);
            canvas.paint(map, &lock.within(mass), Paint::solid(person.hair_gray));
        }
    }
    let outline = head_distance(person, 0.0);
    canvas.paint(map, &region(ALL.0, ALL.1, outline), Paint::solid(person.skin));
    let rim = region(ALL.0, ALL.1, move |p| (outline(p) + 0.5).abs() - 1.2);
    canvas.paint(map, &rim, Paint::tint(person.skin * 0.55, 0.4, 3.0));
}

fn hair_in_front(canvas: &mut Canvas, map: &Map, person: &Person) {
    let outline = head_distance(person, 1.0);
    let line = person.hairline;
    // Height of the hairline at x: t is 0 in the middle, 1 at the temples.
    let edge = move |x: f32| {
        let t = ((x - 24.0) / person.head).clamp(-1.2, 1.2);
        match person.hair {
            Hair::Bald => -99.0,
            Hair::Short => line + 8.0 * t.powi(4),
            Hair::Fringe => line + 2.2 + 0.8 * (x * 1.3).sin() + 9.0 * t.powi(6),
            Hair::Long => line - 2.0 + 15.0 * t * t,
            Hair::Receding => line - 1.5 - 6.0 * t * t + 16.0 * t.powi(6),
        }
    };
    let cap = region(ALL.0, ALL.1, move |p| outline(p).max(p[1] - edge(p[0])));
    canvas.paint(map, &cap, Paint { soft: 1.6, ..Paint::solid(person.hair_gray) });
    if person.hair != Hair::Bald {
        let bare = head_distance(person, 0.0);
        strands(canvas, map, person, move |p| (-bare(p)).min(p[1] - edge(p[0]) + 0.8));
    }
}

/// Paints lighter and darker lines that fan out from the parting, where the distance `hair` is negative.
fn strands(canvas: &mut Canvas, map: &Map, person: &Person, hair: impl Fn([f32; 2]) -> f32 + Copy) {
    let long = person.hair == Hair::Long;
    for k in 0..8 {
        let (side, step) = (if k % 2 == 0 { -1.0 } else { 1.0 }, (k / 2) as f32);
        let from = [24.0 + side * (1.0 + 2.0 * step), -1.0 + 0.8 * step];
        let reach = person.head + if long { 3.4 - 0.9 * step } else { -1.0 - 3.0 * step };
        let to = [24.0 + side * reach, if long { 34.0 } else { 12.0 - step }];
        let line = stroke(from, to, -side * if long { 9.0 } else { 3.0 }, 1.1, 0.5).within(hair);
        let gray = if k % 3 == 0 { 0.5 * person.hair_gray } else { person.hair_gray + 0.16 };
        canvas.paint(map, &line, Paint::tint(gray, 0.5, 1.6));
    }
}

fn beard(canvas: &mut Canvas, map: &Map, person: &Person) {
    if person.beard == 0.0 {
        return;
    }
    let outline = head_distance(person, 0.5);
    let bare = ellipse_distance([24.0, 22.5], [person.head * 0.93, 16.0]);
    let shape = region(ALL.0, ALL.1, move |p| outline(p).max(-bare(p)).max(24.0 - p[1]));
    canvas.paint(map, &shape, Paint::tint(person.hair_gray, person.beard, 2.6));
}

fn moustache(canvas: &mut Canvas, map: &Map, person: &Person, expression: &Expression) {
    if person.moustache == 0.0 {
        return;
    }
    let y = person.nose_y + 2.6 - 0.6 * expression.lip_upper.max(0.0);
    let shape = stroke([24.0 - 5.0, y], [24.0 + 5.0, y], -0.7, 1.9, 0.5);
    canvas.paint(map, &shape, Paint::tint(person.hair_gray, person.moustache, 1.6));
}

fn glasses(canvas: &mut Canvas, map: &Map, person: &Person, gray: f32) {
    let ink = Paint::tint(gray, 0.9, 1.0);
    let y = person.eye_y + 0.4;
    for side in [-1.0, 1.0] {
        let x = 24.0 + side * person.eye_gap;
        let lens = ellipse_distance([x, y], [6.4, 5.0]);
        let frame = region([x - 8.0, y - 7.0], [x + 8.0, y + 7.0], move |p| lens(p).abs() - 0.55);
        canvas.paint(map, &frame, ink);
        let arm = stroke([x + side * 6.4, y - 1.0], [24.0 + side * 20.0, y - 1.6], 0.0, 1.0, 1.0);
        canvas.paint(map, &arm, ink);
    }
    let gap = person.eye_gap - 6.2;
    canvas.paint(map, &stroke([24.0 - gap, y - 1.0], [24.0 + gap, y - 1.0], -0.8, 1.1, 1.0), ink);
}

/// Paints fingers on the cheek or chin.
fn hand(canvas: &mut Canvas, map: &Map, person: &Person, at: [f32; 2], size: f32) {
    let lean = if at[0] < 24.0 { 1.0 } else { -1.0 };
    for finger in 0..4 {
        let k = finger as f32;
        let base = [at[0] - lean * (3.0 - 2.6 * k) * size, at[1] + (8.0 - 0.6 * k) * size];
        let tip = [base[0] + lean * 3.0 * size, base[1] - (10.0 - (k - 1.5).powi(2)) * size];
        let outline = stroke(base, tip, 0.4, 3.6 * size, 1.0);
        canvas.paint(map, &outline, Paint::tint(person.skin * 0.45, 0.8, 1.4));
        let skin = stroke(base, tip, 0.4, 2.6 * size, 1.0);
        canvas.paint(map, &skin, Paint::solid(person.skin * 0.92));
    }
}

/// Shades the head like a sphere: brighter towards the light.
fn light(canvas: &mut Canvas, map: &Map, person: &Person, environment: &Environment) {
    for (gray, p) in canvas.gray.iter_mut().zip(map) {
        let n =
            [(p[0] - CENTRE[0]) / (person.head + 3.0), (p[1] - CENTRE[1]) / (HEAD_HEIGHT + 3.0)];
        let along = n[0] * environment.light[0] + n[1] * environment.light[1];
        let fall_off = 0.10 * (n[0] * n[0] + n[1] * n[1]).min(2.0);
        *gray *= (1.04 + along - fall_off).max(0.05);
    }
}

/// Applies blur, gamma, contrast, brightness and noise, and rounds to eight bits.
fn camera(canvas: &mut Canvas, environment: &Environment, rng: &mut Rng) -> [u8; PIXELS] {
    canvas.blur(environment.blur);
    canvas.gray.map(|gray| {
        let gray = gray.clamp(0.0, 1.0).powf(environment.gamma);
        let seen = (gray - 0.5) * environment.contrast + 0.5 + environment.brightness;
        (255.0 * (seen + environment.noise * nearly_normal(rng.bits()))).round() as u8 // saturates
    })
}

/// Returns the sum of four uniform numbers, scaled to variance 1: approximately normal.
fn nearly_normal(bits: u64) -> f32 {
    let sum: u64 = (0..4).map(|k| bits >> (16 * k) & 0xffff).sum();
    (sum as f32 / 65_536.0 - 2.0) * 1.732
}
