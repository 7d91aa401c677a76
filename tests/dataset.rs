//! Laws of the data: what is read, split, drawn and varied is what it claims to be.

use std::path::PathBuf;

use fer::dataset::check::check;
use fer::dataset::copies::{blank_faces, cross_copies, deduplicate, find_copies};
use fer::dataset::{
    Augment, Dataset, Preset, ReadOptions, SynthOptions, read, stratified_split, synthesize,
    write_csv,
};
use fer::random::{Purpose, Rng};
use fer::{PIXELS, SIDE};

/// FER2013, if it lies beside the project or where FER_SHARED says.
fn shared(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let root = std::env::var("FER_SHARED").unwrap_or_else(|_| beside.into());
    let path = PathBuf::from(root).join("fer2013").join(name);
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

fn faces(count: usize, seed: u64) -> Dataset {
    synthesize(&SynthOptions { count, seed, ..SynthOptions::default() }).expect("drawn")
}

/// The figures of accuracy.md, all read off the files themselves.
#[test]
fn fer2013_is_what_is_known_of_it() {
    let (Some(train), Some(test)) = (shared("train.csv.gz"), shared("public_test.csv.gz")) else {
        return;
    };
    let (train, report) = read(train, &ReadOptions::default()).expect("train.csv.gz is whole");
    let (test, _) = read(test, &ReadOptions::default()).expect("public_test.csv.gz is whole");
    assert_eq!((train.len(), test.len(), report.bad_count), (28_709, 3_589, 0));
    assert_eq!(train.class_counts(), [3995, 436, 4097, 7215, 4830, 3171, 4965]);
    let (mean, std) = train.mean_and_std();
    assert!((mean - 0.5077).abs() < 1e-4 && (std - 0.2551).abs() < 1e-4, "{mean} {std}");

    let copies = find_copies(&train);
    assert_eq!(copies.distinct, 27_473);
    assert_eq!((copies.conflicting_groups, copies.conflicting_faces), (39, 107));
    assert_eq!(blank_faces(&train).len(), 11);
    assert_eq!(deduplicate(&train).kept.len(), 27_434);
    let across = cross_copies(&train, &test);
    assert_eq!((across.faces.len(), across.agreeing), (280, 273));

    let split = stratified_split(&train, 0.1, 0).expect("a share");
    let (a, b) = (train.select(&split.train), train.select(&split.validation));
    assert_eq!(a.len() + b.len(), train.len());
    assert_eq!(cross_copies(&a, &b).faces, [0; 0], "a copy straddles the split");
    for (all, part) in train.class_counts().iter().zip(b.class_counts()) {
        assert!((part as f64 - 0.1 * *all as f64).abs() < 25.0, "{part} of {all}");
    }
}

/// Some faces, one with three copies, one with two labels.
fn with_copies() -> Dataset {
    let base = faces(70, 5);
    let order: Vec<usize> = (0..70).chain([0, 0, 0, 8, 9]).collect();
    let mut pixels = base.select(&order).pixels().to_vec();
    let mut labels = base.select(&order).labels().to_vec();
    labels[74] = Some((labels[9].expect("drawn with a label") + 1) % 7);
    pixels[30 * PIXELS..31 * PIXELS].fill(128);
    Dataset::from_pixels(pixels, labels, "t").expect("lengths fit")
}

#[test]
fn copies_and_conflicts_are_found() {
    let dataset = with_copies();
    let copies = find_copies(&dataset);
    let groups: Vec<_> = copies.groups.iter().map(|g| (&g.faces[..], g.conflicting)).collect();
    let expected: [(&[usize], bool); 3] =
        [(&[0, 70, 71, 72], false), (&[8, 73], false), (&[9, 74], true)];
    assert_eq!(groups, expected);
    assert_eq!((copies.distinct, copies.repeated), (70, 5));
    assert_eq!((copies.conflicting_groups, copies.conflicting_faces), (1, 2));
    let kept = deduplicate(&dataset);
    assert_eq!(kept.kept, (0..70).filter(|&i| i != 9).collect::<Vec<_>>());
    assert_eq!((kept.copies, kept.conflicts), (4, 2));

    let found = check(&dataset, Default::default(), Some(&dataset.select(&[3, 74, 30])));
    assert_eq!((found.blank, found.blank_examples), (1, vec!["t:31".to_string()]));
    assert!(found.conflicts[0][0].starts_with("t:10 "), "{:?}", found.conflicts);
    let across = found.across.expect("a second set was given");
    assert_eq!((across.faces, across.copies, across.agreeing), (3, 3, 3));
    assert!(serde_json::to_string(&check(&dataset, Default::default(), None)).is_ok());
}

#[test]
fn a_split_is_stratified_keeps_copies_together_and_ignores_the_order_of_rows() {
    let dataset = with_copies();
    for seed in 0..20 {
        let split = stratified_split(&dataset, 0.3, seed).expect("a share");
        let (a, b) = (dataset.select(&split.train), dataset.select(&split.validation));
        let mut all = [&split.train[..], &split.validation].concat();
        all.sort_unstable();
        assert_eq!(all, (0..75).collect::<Vec<_>>());
        assert_eq!(cross_copies(&a, &b).faces, [0; 0], "seed {seed}");
        for count in b.class_counts() {
            assert!((2..=7).contains(&count), "seed {seed}: {:?}", b.class_counts());
        }
    }
    let split = |d: &Dataset, seed| stratified_split(d, 0.3, seed).expect("a share");
    assert_ne!(split(&dataset, 0), split(&dataset, 1));
    let reversed: Vec<usize> = (0..75).rev().collect();
    let mut mirrored: Vec<_> =
        split(&dataset.select(&reversed), 0).validation.iter().map(|i| 74 - i).collect();
    mirrored.sort_unstable();
    assert_eq!(mirrored, split(&dataset, 0).validation);
    for share in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(stratified_split(&dataset, share, 0).is_err());
    }
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let dataset = faces(20, 3);
    for name in ["d.csv", "d.csv.gz"] {
        let path = folder.path().join(name);
        write_csv(&dataset, &path).expect("writable");
        let first = std::fs::read(&path).expect("just written");
        write_csv(&dataset, &path).expect("over the old one");
        assert_eq!(std::fs::read(&path).expect("just written"), first, "same faces, same bytes");
        assert_eq!(first.starts_with(b"\x1f\x8b"), name.ends_with("gz"));
        let (back, _) = read(&path, &ReadOptions::default()).expect("our own file");
        assert_eq!((back.pixels(), back.labels()), (dataset.pixels(), dataset.labels()));
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 2, "no temporary stays");
    assert!(write_csv(&dataset, folder.path().join("absent/d.csv")).is_err());
}

#[test]
fn the_sample_in_the_repository_is_what_the_program_draws() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample.csv");
    let (sample, _) = read(path, &ReadOptions::default()).expect("data/sample.csv");
    let drawn = faces(21, 0);
    assert_eq!((sample.pixels(), sample.labels()), (drawn.pixels(), drawn.labels()));
}

#[test]
fn moments_and_mean_face() {
    let pixels = [vec![0; PIXELS], vec![255; PIXELS], vec![51; PIXELS]].concat();
    let dataset = Dataset::from_pixels(pixels, vec![None; 3], "t").expect("lengths fit");
    let (mean, std) = dataset.mean_and_std();
    // values 0, 1, .2: mean .4, variance (.16 + .36 + .04)/3
    assert!((mean - 0.4).abs() < 1e-12 && (std - (0.56_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert!(dataset.mean_image().iter().all(|&v| (v - 0.4).abs() < 1e-7));
}

// ---- drawn faces

#[test]
fn drawn_faces_depend_on_seed_and_number_alone() {
    let all = faces(30, 7);
    let tail = synthesize(&SynthOptions { count: 9, first: 21, seed: 7, ..Default::default() })
        .expect("drawn");
    assert_eq!(tail.pixels(), all.select(&(21..30).collect::<Vec<_>>()).pixels());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    assert_eq!(pool.install(|| faces(30, 7)).pixels(), all.pixels());
    assert_ne!(faces(30, 8).pixels(), all.pixels());
    assert_eq!(find_copies(&faces(700, 0)).repeated, 0);
    assert_eq!(faces(700, 0).class_counts(), [100; 7]);
}

/// In the mean drawn face, eyes and mouth are darker than cheeks and forehead, where FER2013 has
/// them.
#[test]
fn features_stand_where_the_template_says() {
    let mean = faces(700, 1).mean_image();
    let area = |rows: std::ops::Range<usize>, cols: std::ops::Range<usize>| {
        let n = (rows.len() * cols.len()) as f32;
        rows.map(|y| mean[y * SIDE..][cols.clone()].iter().sum::<f32>()).sum::<f32>() / n
    };
    let (left_eye, right_eye) = (area(11..21, 8..21), area(11..21, 27..40));
    let (left_cheek, right_cheek) = (area(24..33, 8..17), area(24..33, 31..40));
    let (mouth, nose) = (area(36..42, 18..31), area(20..28, 21..28));
    assert!(left_eye < left_cheek - 0.05 && right_eye < right_cheek - 0.05);
    assert!(mouth < nose - 0.05, "mouth {mouth}, nose {nose}");
}

/// Multinomial logistic regression on standardised pixels by gradient descent; test accuracy.
fn linear_accuracy(train: &Dataset, test: &Dataset) -> f64 {
    let standardised = |d: &Dataset, i: usize| -> Vec<f32> {
        let image: Vec<f32> = d.image(i).iter().map(|&p| f32::from(p)).collect();
        let mean = image.iter().sum::<f32>() / PIXELS as f32;
        let sd = (image.iter().map(|p| (p - mean).powi(2)).sum::<f32>() / PIXELS as f32).sqrt();
        image.iter().map(|p| (p - mean) / (sd + 1.0)).collect()
    };
    let scores = |w: &[f32], x: &[f32]| -> [f32; 7] {
        std::array::from_fn(|c| w[c * PIXELS..][..PIXELS].iter().zip(x).map(|(w, x)| w * x).sum())
    };
    let inputs: Vec<Vec<f32>> = (0..train.len()).map(|i| standardised(train, i)).collect();
    let mut w = vec![0.0_f32; 7 * PIXELS];
    let epochs = 12;
    for epoch in 0..epochs {
        let mut order: Vec<usize> = (0..train.len()).collect();
        Rng::new(0, Purpose::Test, epoch, 0).shuffle(&mut order);
        let lr = 4e-4 * (1.0 - epoch as f32 / epochs as f32);
        for i in order {
            let s = scores(&w, &inputs[i]);
            let top = s.iter().copied().fold(f32::MIN, f32::max);
            let exps = s.map(|v| (v - top).exp());
            let sum: f32 = exps.iter().sum();
            for (c, e) in exps.iter().enumerate() {
                let target = f32::from(u8::from(train.label(i) == Some(c as u8)));
                let step = lr * (target - e / sum);
                for (w, x) in w[c * PIXELS..][..PIXELS].iter_mut().zip(&inputs[i]) {
                    *w += step * x;
                }
            }
        }
    }
    let right = (0..test.len())
        .filter(|&i| {
            let s = scores(&w, &standardised(test, i));
            let best = (0..7).max_by(|&a, &b| s[a].total_cmp(&s[b]));
            best.map(|c| c as u8) == test.label(i)
        })
        .count();
    right as f64 / test.len() as f64
}

/// Hard enough to need more than a template per class, easy enough to be no noise.
#[test]
fn a_linear_classifier_stays_below_80_percent_on_drawn_faces() {
    let accuracy = linear_accuracy(&faces(3_000, 1), &faces(1_000, 2));
    println!("linear classifier on drawn faces: {:.1} %", 100.0 * accuracy);
    assert!((0.4..0.8).contains(&accuracy), "{accuracy}");
}

// ---- augmentation

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
    let dataset = faces(14, 0);
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
