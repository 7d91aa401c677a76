//! Pages, HTML, and numbers as files.

use crate::render::{assert_well_formed, check, confusion, ramp};
use fer::render::chart::confusion_matrix::Normalize;
use fer::render::colormap::draw_map;
use fer::render::html::{Document, escape};
use fer::render::panel::{Cell, Line, Page, Row, Tone};
use fer::render::{Colormap, RgbImage, Scale, Scene, Theme, format};

#[test]
fn page_holds_every_word_and_grows_with_its_rows() {
    let page = |rows: usize, theme| {
        let map = draw_map(&ramp(), 48, 48, Colormap::BlueRed, Scale::maximum(&ramp())).unwrap();
        let face = RgbImage::from_unit(&ramp(), 48, 48).unwrap();
        let mut page = Page::new("Saliency <b>", theme);
        page.subtitle = "run 1".into();
        page.columns = vec!["original".into(), "map".into(), "top 9".into(), "numbers".into()];
        page.caption = "a long caption ".repeat(30);
        page.legend =
            vec![([0, 120, 84], "speaks for it".into()), ([190, 60, 0], "against".into())];
        for _ in 0..rows {
            page.rows.push(Row {
                header: vec![Line::new("happy", Tone::Strong), Line::verdict("sad", 0.403, false)],
                cells: vec![
                    Cell::picture(face.clone(), "face"),
                    Cell::picture(map.clone(), "signed"),
                    Cell::Mosaic {
                        pictures: vec![face.clone(); 9],
                        columns: 3,
                        caption: String::new(),
                    },
                    Cell::Drawing(confusion(Normalize::Counts).draw(theme).unwrap()),
                    Cell::Text(vec![Line::new("no positive evidence", Tone::Muted)]),
                    Cell::Empty,
                ],
            });
        }
        page.scene()
    };
    let svg = check(|theme| page(2, theme));
    for word in [
        "Saliency &lt;b&gt;", "✗ sad 40.3 %", "data:image/png;base64,", "speaks for it",
        ">predicted<",
    ] {
        assert!(svg.contains(word), "{word} is missing");
    }
    assert_eq!(svg.matches("<image").count(), 2 * 11);
    assert!(page(3, Theme::Light).size().1 - page(2, Theme::Light).size().1 >= 144.0);
    assert_eq!(page(3, Theme::Light).size().0, page(2, Theme::Light).size().0);
    check(|theme| page(0, theme));
}

#[test]
fn page_shows_face_pixels_as_exact_squares() {
    let face = RgbImage::from_fn(48, 48, |x, y| [(x * 5) as u8, (y * 5) as u8, 99]);
    let page = Page::sheet("one face", vec![Cell::picture(face.clone(), "")], 1, Theme::Light);
    let drawn = page.scene().rasterize(1.0).unwrap();
    let first = drawn.pixels().iter().position(|p| *p == [0, 0, 99]).unwrap();
    let (left, top) = (first % drawn.width(), first / drawn.width());
    for (x, y) in [(0, 0), (143, 0), (71, 100), (143, 143)] {
        assert_eq!(drawn.at(left + x, top + y), face.at(x / 3, y / 3));
    }
}

#[test]
fn a_drawing_beyond_the_limit_is_refused() {
    let error = Scene::new(1e6, 1e6, [0; 3]).to_png(1.0).unwrap_err().to_string();
    assert!(error.contains("make it smaller"), "{error}");
}

#[test]
fn html_is_escaped_self_contained_and_well_formed() {
    let mut page = Document::new("<script>alert(1)</script>", "en");
    page.heading(2, "a & b")
        .paragraph("1 < 2")
        .code("fer demo > out")
        .links(&[("a\"b.html", "next")])
        .png(&RgbImage::new(2, 2, [9; 3]).to_png().unwrap(), "a \"square\"", "Figure <1>")
        .svg(&Scene::new(9.0, 9.0, [255; 3]).to_svg().unwrap(), "")
        .table(&["class", "recall"], &[vec!["<happy>".into(), "87.0 %".into()]], "per class");
    let html = page.finish();
    assert_well_formed(&html);
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    assert!(html.contains("<td class=\"n\">87.0\u{a0}%</td>") && html.contains("&lt;happy&gt;"));
    let outside = html.matches("http").count() - html.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(outside, 0, "the page must not ask the network");
    assert_eq!(escape("\u{0}\u{1b}[m'\n"), "[m&#39;\n");
}

#[test]
fn npy_reads_back_exactly() {
    let values = [0.1f32, -1.5e-30, f32::NAN, f32::MAX, 0.0, 1.0 / 3.0];
    let npy = format::to_npy(&values, &[2, 3]).unwrap();
    assert_eq!(&npy[..8], b"\x93NUMPY\x01\x00");
    let header = u16::from_le_bytes([npy[8], npy[9]]) as usize;
    assert_eq!((10 + header) % 64, 0);
    let text = std::str::from_utf8(&npy[10..10 + header]).unwrap();
    assert!(text.contains("'shape': (2, 3,)") && text.ends_with('\n'), "{text}");
    let data: Vec<f32> = npy[10 + header..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&data), bits(&values));
    assert!(format::to_npy(&values, &[7]).is_err());
}
