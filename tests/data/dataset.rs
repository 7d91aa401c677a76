//! Laws of the data: what is read, split and drawn is what it claims to be.

use std::path::PathBuf;

use fer::dataset::clean::check::check;
use fer::dataset::clean::duplicates::{
    blank_faces, cross_duplicates, deduplicate, find_duplicates,
};
use fer::dataset::{
    Dataset, ReadOptions, SynthOptions, read, stratified_split, synthesize, write_csv,
};
use fer::model::mean_face::mean_face;
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

    let copies = find_duplicates(&train);
    assert_eq!(copies.distinct, 27_473);
    assert_eq!((copies.conflicting_groups, copies.conflicting_faces), (39, 107));
    assert_eq!(blank_faces(&train).len(), 11);
    assert_eq!(deduplicate(&train).kept.len(), 27_434);
    let across = cross_duplicates(&train, &test);
    assert_eq!((across.faces.len(), across.agreeing), (280, 273));

    let split = stratified_split(&train, 0.1, 0).expect("a share");
    let (a, b) = (train.select(&split.train), train.select(&split.validation));
    assert_eq!(a.len() + b.len(), train.len());
    assert_eq!(cross_duplicates(&a, &b).faces, [0; 0], "a copy straddles the split");
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
    let copies = find_duplicates(&dataset);
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
        assert_eq!(cross_duplicates(&a, &b).faces, [0; 0], "seed {seed}");
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
    assert!(mean_face(&dataset, false).iter().all(|&v| (v - 0.4).abs() < 1e-7));
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
    assert_eq!(find_duplicates(&faces(700, 0)).repeated, 0);
    assert_eq!(faces(700, 0).class_counts(), [100; 7]);
}

/// In the mean drawn face, eyes and mouth are darker than cheeks and forehead, where FER2013 has
/// them.
#[test]
fn features_stand_where_the_template_says() {
    let mean = mean_face(&faces(700, 1), false);
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
