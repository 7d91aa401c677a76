//! Views of a face: warps, light, erasing, equalisation.

use fer::dataset::{Augment, Preset, SynthOptions, synthesize};
use fer::{PIXELS, SIDE};

/// A face that is a ramp: value = 4·column, so that a shift by one pixel changes it by 4.
fn ramp() -> Vec<u8> {
    (0..PIXELS).map(|i| 4 * (i % SIDE) as u8).collect()
}

fn varied(augment: &Augment, image: &[u8], side: usize, address: (u64, u64, u64)) -> Vec<f32> {
    let mut out = vec![f32::NAN; side * side];
    augment.apply(image, side, &mut out, address);
    out
}

#[test]
fn without_variation_pixels_are_divided_by_255() {
    let out = varied(&Augment::default(), &ramp(), 48, (0, 0, 0));
    assert_eq!(out, ramp().iter().map(|&p| f32::from(p) / 255.0).collect::<Vec<_>>());
}

/// Cubic convolution is exact for polynomials of second degree, away from the border, where the edge
/// pixel goes on.
#[test]
fn other_sides_sample_the_whole_face() {
    let curve = |c: usize| (c * (c + 1) / 2).min(253) as u8; // 22·23/2 = 253
    let curved: Vec<u8> = (0..PIXELS).map(|i| curve(i % SIDE)).collect();
    for side in [24, 32, 40, 96] {
        let out = varied(&Augment::default(), &ramp(), side, (0, 0, 0));
        let bent = varied(&Augment::default(), &curved, side, (0, 0, 0));
        let scale = 48.0 / side as f32;
        for x in 0..side {
            let from = (scale * (x as f32 - (side as f32 - 1.0) / 2.0) + 23.5).clamp(0.0, 47.0);
            let inside = (1.0..46.0).contains(&from);
            let allowed = if inside { 1e-5 } else { 0.3 / 255.0 };
            let expected = 4.0 * from / 255.0;
            assert!((out[5 * side + x] - expected).abs() < allowed, "side {side}, column {x}");
            if (1.0..21.0).contains(&from) {
                let expected = from * (from + 1.0) / 2.0 / 255.0;
                assert!((bent[5 * side + x] - expected).abs() < 1e-5, "side {side}, column {x}");
            }
        }
    }
}

#[test]
fn test_time_views_are_five_warps_of_the_face_and_of_its_mirror_image() {
    use fer::dataset::augment::View;
    let face: Vec<u8> = (0..PIXELS).map(|i| (i % 7 * 30 + i / SIDE) as u8).collect();
    let mirrored: Vec<u8> = face.chunks(SIDE).flat_map(|row| row.iter().rev().copied()).collect();
    let render = |view: View, image: &[u8]| {
        let mut out = vec![0.0; PIXELS];
        view.render(image, false, SIDE, &mut out);
        out
    };
    let views = View::tta();
    let (plain, mirror) = views.split_at(5);
    let mut seen = vec![render(View::PLAIN, &face)];
    for (a, b) in plain.iter().zip(mirror) {
        let (a, b) = (render(*a, &mirrored), render(*b, &face));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4));
        assert!(!seen.contains(&b), "no view twice, and none as sharp as the face itself");
        seen.push(b);
    }
    // Smaller: the dark frame comes into sight, as its edge pixels go on.
    let bright = |p: usize| (8..40).contains(&(p % SIDE)) && (8..40).contains(&(p / SIDE));
    let square: Vec<u8> = (0..PIXELS).map(|p| if bright(p) { 200 } else { 0 }).collect();
    let sum = |view: View| render(view, &square).iter().sum::<f32>();
    assert!((sum(plain[3]) / sum(View::PLAIN) - 0.81).abs() < 0.01);
    assert!((sum(plain[0]) / sum(View::PLAIN) - 1.0).abs() < 0.01);
}

#[test]
fn alternating_flip_shows_both_sides_in_two_epochs() {
    use fer::dataset::augment::Flip;
    let augment = Augment { flip: Flip::Alternating, ..Augment::default() };
    let plain = varied(&Augment::default(), &ramp(), 48, (0, 0, 0));
    let mirrored: Vec<f32> = plain.chunks(48).flat_map(|row| row.iter().rev().copied()).collect();
    let mut first = 0;
    for sample in 0..200 {
        let [a, b, c] = [0, 1, 2].map(|e| varied(&augment, &ramp(), 48, (9, e, sample)));
        assert_ne!(a, b);
        assert_eq!(a, c);
        assert!((a == plain && b == mirrored) || (a == mirrored && b == plain));
        first += usize::from(a == mirrored);
    }
    assert!((70..130).contains(&first), "{first} of 200 begin mirrored");
}

#[test]
fn shifts_rotations_and_zooms_stay_within_their_bounds() {
    let shift = Augment { shift: 3.0, ..Augment::default() };
    let zoom = Augment { zoom: [0.9, 1.1], ..Augment::default() };
    let rotation = Augment { rotation: 10.0, ..Augment::default() };
    let (mut shifts, mut zooms, mut angles) = (Vec::new(), Vec::new(), Vec::new());
    for epoch in 0..400 {
        let at = |out: &[f32], x: usize, y: usize| out[y * 48 + x] * 255.0 / 4.0;
        let out = varied(&shift, &ramp(), 48, (0, epoch, 0));
        shifts.push(23.0 - at(&out, 23, 23));
        let out = varied(&zoom, &ramp(), 48, (0, epoch, 0));
        zooms.push(20.0 / (at(&out, 33, 23) - at(&out, 13, 23)));
        let out = varied(&rotation, &ramp(), 48, (0, epoch, 0));
        angles.push(((at(&out, 23, 33) - at(&out, 23, 13)) / 20.0).asin().to_degrees());
    }
    for (values, low, high) in [(shifts, -3.0, 3.0), (zooms, 0.9, 1.1), (angles, -10.0, 10.0)] {
        let least = values.iter().copied().fold(f32::MAX, f32::min);
        let most = values.iter().copied().fold(f32::MIN, f32::max);
        let slack = 0.05 * (high - low);
        assert!((low - 1e-3..low + slack).contains(&least), "least {least} of {low}");
        assert!((high - slack..high + 1e-3).contains(&most), "most {most} of {high}");
    }
}

#[test]
fn strong_variation_keeps_the_range_and_its_address() {
    let strong = Augment::preset(Preset::Strong);
    let dataset =
        synthesize(&SynthOptions { count: 14, seed: 0, ..Default::default() }).expect("drawn");
    let indices: Vec<usize> = (0..14).rev().collect();
    let mut batch = vec![f32::NAN; 14 * 40 * 40];
    let draws: Vec<u64> = indices.iter().map(|&i| i as u64).collect();
    strong.fill_batch(&dataset, &indices, &draws, 40, &mut batch, (3, 5));
    assert!(batch.iter().all(|v| (0.0..=1.0).contains(v)));
    for (face, &i) in batch.chunks(1600).zip(&indices) {
        assert_eq!(face, varied(&strong, dataset.image(i), 40, (3, 5, i as u64)));
    }
    let one = |address| varied(&strong, dataset.image(0), 48, address);
    assert_ne!(one((0, 0, 0)), one((1, 0, 0)));
    assert_ne!(one((0, 0, 0)), one((0, 1, 0)));
    assert_ne!(one((0, 0, 0)), one((0, 0, 1)));
}

#[test]
fn erasing_happens_as_often_and_as_large_as_asked() {
    let augment = Augment { erase_probability: 0.25, ..Augment::default() };
    let white = vec![255; PIXELS];
    let erased: Vec<usize> = (0..2_000)
        .map(|i| varied(&augment, &white, 48, (0, 0, i)).iter().filter(|&&v| v < 1.0).count())
        .filter(|&n| n > 0)
        .collect();
    assert!((430..570).contains(&erased.len()), "{} of 2000", erased.len());
    let (least, most) = (erased.iter().min(), erased.iter().max());
    assert!(least >= Some(&30) && most <= Some(&520), "{least:?} {most:?}");
}

#[test]
fn equalisation_spreads_the_levels_and_leaves_a_blank_face_alone() {
    let augment = Augment { equalize: true, ..Augment::default() };
    let mut image = vec![100; PIXELS / 2];
    image.extend(vec![101; PIXELS / 4]);
    image.extend(vec![102; PIXELS / 4]);
    let out = varied(&augment, &image, 48, (0, 0, 0));
    assert_eq!((out[0], out[PIXELS / 2], out[PIXELS - 1]), (0.0, 0.5, 1.0));
    let blank = varied(&augment, &vec![7; PIXELS], 48, (0, 0, 0));
    assert!(blank.iter().all(|&v| v == 7.0 / 255.0));
}

#[test]
fn settings_are_checked_and_unknown_ones_refused() {
    for preset in [Preset::None, Preset::Light, Preset::Strong] {
        Augment::preset(preset).validate().expect("a preset is valid");
    }
    let bad = |change: fn(&mut Augment)| {
        let mut augment = Augment::preset(Preset::Light);
        change(&mut augment);
        augment.validate().expect_err("must be refused").to_string()
    };
    assert!(bad(|a| a.rotation = -1.0).contains("augment.rotation is -1"));
    assert!(bad(|a| a.shift = f32::NAN).contains("augment.shift"));
    assert!(bad(|a| a.zoom = [1.1, 0.9]).contains("augment.zoom"));
    assert!(bad(|a| a.erase_probability = 1.5).contains("erase_probability"));
    assert!(toml::from_str::<Augment>("shift = 2.0\nflip = \"random\"").is_ok());
    assert!(toml::from_str::<Augment>("shfit = 2.0").is_err());
}
