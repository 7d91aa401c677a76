//! Pictures: size, determinism, colours, words, escaping, and bad numbers without a panic.

mod charts;
mod maps;
mod pages;
mod report;
mod reproduced;

use fer::render::chart::confusion_matrix::{Confusion, Normalize};
use fer::render::{RgbImage, Scene, Theme};

/// Numbers that a failed training or an empty class can produce.
const BAD: [f64; 5] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, f64::MAX];

/// Panics unless every tag is closed in order and every attribute is quoted.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let mut quoted = false;
        let end = rest[start..]
            .find(|c| {
                quoted ^= c == '"';
                c == '>' && !quoted
            })
            .expect("a tag that does not end");
        let tag = &rest[start + 1..start + end];
        rest = &rest[start + end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
        let void = tag.ends_with('/') || ["!DOCTYPE", "meta", "img"].contains(&name);
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !void {
            open.push(name);
        }
        let text = tag.split("base64,").next().unwrap(); // the bytes of a picture may spell anything
        assert!(!text.contains("NaN") && !text.contains("inf\""), "not a number in {text}");
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Draws twice both ways: same bytes, right size, well-formed.
fn check(draw: impl Fn(Theme) -> Scene) -> String {
    for theme in [Theme::Light, Theme::Dark] {
        let (a, b) = (draw(theme), draw(theme));
        let png = a.to_png(1.0).unwrap();
        assert_eq!(png, b.to_png(1.0).unwrap());
        assert_eq!(a.to_svg().unwrap(), b.to_svg().unwrap());
        let picture = RgbImage::from_png(&png).unwrap();
        let (width, height) = a.size();
        assert_eq!(
            (picture.width(), picture.height()),
            (width.ceil() as usize, height.ceil() as usize)
        );
        assert_eq!(picture.at(0, 0), theme.palette().ground);
        assert_well_formed(&a.to_svg().unwrap());
    }
    draw(Theme::Light).to_svg().unwrap()
}

fn ramp() -> Vec<f32> {
    (0..48 * 48).map(|i| i as f32 - 1152.0).collect()
}

fn confusion(normalize: Normalize) -> Confusion {
    let counts = vec![vec![90, 10, 0], vec![5, 5, 0], vec![0, 0, 0]];
    Confusion::new("all & <some>", &["happy", "disgust", "sad"], counts, normalize)
}
