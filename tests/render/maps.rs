//! Pixels: PNG, enlarging, colour maps and their scales.

use fer::render::colormap::{NAN_COLOR, draw_map, overlay};
use fer::render::panel::Page;
use fer::render::{BarEnds, Colormap, RgbImage, Scale, ScaleBar, Theme};

#[test]
fn png_round_trip_of_colour_and_gray() {
    let color = RgbImage::from_fn(7, 3, |x, y| [x as u8 * 30, y as u8 * 90, 17]);
    assert_eq!(RgbImage::from_png(&color.to_png().unwrap()).unwrap(), color);
    let gray = RgbImage::from_gray(&[0, 1, 128, 254, 255, 3], 3, 2).unwrap();
    let png = gray.to_png().unwrap();
    // Byte 25 of a PNG is its colour type; 0 is gray.
    assert_eq!(png[25], 0);
    assert_eq!(RgbImage::from_png(&png).unwrap(), gray);
    assert_eq!(gray.luma(), [0, 1, 128, 254, 255, 3]);
}

#[test]
fn damaged_png_is_an_error() {
    let png = RgbImage::new(9, 9, [1, 2, 3]).to_png().unwrap();
    for cut in 0..png.len() - 12 {
        assert!(RgbImage::from_png(&png[..cut]).is_err(), "cut at {cut}");
    }
    let mut forged = png.clone();
    forged[16..24].copy_from_slice(&[0x7f; 8]);
    assert!(RgbImage::from_png(&forged).is_err());
    assert!(RgbImage::new(0, 5, [0; 3]).to_png().is_err());
}

#[test]
fn enlarging_keeps_square_pixels_and_interpolates_smoothly() {
    let two = RgbImage::from_gray(&[0, 200], 2, 1).unwrap();
    assert_eq!(two.resized_nearest(6, 1).luma(), [0, 0, 0, 200, 200, 200]);
    assert_eq!(two.resized_smooth(4, 1).luma(), [0, 50, 150, 200]);
    assert_eq!(two.resized_smooth(2, 1), two);
}

#[test]
fn signed_map_is_white_at_zero_red_above_blue_below() {
    assert_eq!(Colormap::BlueRed.color(0.0), [255; 3]);
    let (red, blue) = (Colormap::BlueRed.color(0.7), Colormap::BlueRed.color(-0.7));
    assert!(red[0] > red[2] + 50 && blue[2] > blue[0] + 50, "{red:?} {blue:?}");
    let map = draw_map(
        &[-2.0, 0.0, 2.0, f32::NAN],
        4,
        1,
        Colormap::BlueRed,
        Scale { clip: 2.0, max: 2.0 },
    );
    let map = map.unwrap();
    assert_eq!(map.at(1, 0), [255; 3]);
    assert_eq!(map.at(0, 0), Colormap::BlueRed.color(-1.0));
    assert_eq!(map.at(3, 0), NAN_COLOR);
}

#[test]
fn magnitude_maps_grow_lighter_and_take_the_size_of_negative_numbers() {
    for colormap in [Colormap::Magma, Colormap::Inferno, Colormap::Viridis] {
        let light = |t| fer::render::theme::luminance(colormap.color(t));
        assert!(
            (0..20).all(|i| light(i as f32 / 20.0) < light((i + 1) as f32 / 20.0)),
            "{colormap:?}"
        );
    }
    let map = draw_map(&[-3.0, 3.0], 2, 1, Colormap::Magma, Scale { clip: 3.0, max: 3.0 }).unwrap();
    assert_eq!(map.at(0, 0), map.at(1, 0));
}

#[test]
fn scale_clips_at_the_99th_percentile_like_numpy() {
    let values: Vec<f32> = (0..=200).map(|i| -(i as f32)).collect();
    assert_eq!(Scale::percentile99(&values), Scale { clip: 198.0, max: 200.0 });
    // One hot pixel of 2304: more than 99 % are 0.
    let mut hot = vec![0.0; 2304];
    hot[5] = 4.0;
    assert_eq!(Scale::percentile99(&hot), Scale { clip: 4.0, max: 4.0 });
    for empty in [&[][..], &[0.0, 0.0], &[f32::NAN, f32::INFINITY]] {
        let scale = Scale::percentile99(empty);
        assert_eq!(scale, Scale { clip: 0.0, max: 0.0 });
        assert_eq!(scale.part(3.0), 0.0);
    }
    let common = Scale::common(&[Scale { clip: 1.0, max: 5.0 }, Scale { clip: 2.0, max: 3.0 }]);
    assert_eq!(common, Scale { clip: 2.0, max: 5.0 });
}

#[test]
fn overlay_shows_the_face_where_there_is_no_evidence() {
    let face = RgbImage::from_gray(&[10, 20, 30, 40], 2, 2).unwrap();
    let scale = Scale { clip: 1.0, max: 1.0 };
    let over = overlay(&face, &[0.0, 1.0, 0.0, 0.5], Colormap::Inferno, scale).unwrap();
    assert_eq!((over.at(0, 0), over.at(0, 1)), ([10; 3], [30; 3]));
    assert_ne!(over.at(1, 0), [20; 3]);
    assert!(overlay(&face, &[0.0; 3], Colormap::Inferno, scale).is_err());
}

#[test]
fn scale_bar_says_its_numbers() {
    let bar = |ends, colormap| {
        let bar = ScaleBar { colormap, ends, label: "|gradient|".into() };
        let mut page = Page::new("p", Theme::Light);
        page.scale_bars = vec![bar];
        page.to_svg().unwrap()
    };
    let clipped = bar(BarEnds::Numbers(Scale { clip: 0.00103, max: 0.00127 }), Colormap::Inferno);
    assert!(clipped.contains("≥ 0.00103") && clipped.contains("max 0.00127"));
    let signed = bar(BarEnds::Numbers(Scale { clip: 2.0, max: 2.0 }), Colormap::BlueRed);
    assert!(signed.contains(">−2.00<") && signed.contains(">2.00<"));
    let own = bar(BarEnds::Percentile99("row"), Colormap::BlueRed);
    assert!(own.contains("each row on its own scale") && own.contains("−99th percentile"));
    let own = bar(BarEnds::Maximum("map"), Colormap::Viridis);
    assert!(own.contains(">max<") && own.contains("each map on its own scale"));
}
