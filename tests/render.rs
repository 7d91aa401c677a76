//! Pictures: size, determinism, colours, words, escaping, and bad numbers without a panic.

use fer::render::chart::{self, Look};
use fer::render::colormap::{NAN_COLOR, draw_map, overlay};
use fer::render::confusion::{Confusion, Normalize};
use fer::render::html::{Document, escape};
use fer::render::panel::{Cell, Line, Page, Row, Tone};
use fer::render::theme::{contrast, readable_on};
use fer::render::{Colormap, Picture, Scale, ScaleBar, Scene, Theme, ascii, numbers};

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
        assert!(!tag.contains("NaN") && !tag.contains("inf\""), "not a number in {tag}");
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
        let picture = Picture::from_png(&png).unwrap();
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

#[test]
fn png_round_trip_of_colour_and_gray() {
    let color = Picture::from_fn(7, 3, |x, y| [x as u8 * 30, y as u8 * 90, 17]);
    assert_eq!(Picture::from_png(&color.to_png().unwrap()).unwrap(), color);
    let gray = Picture::from_gray(&[0, 1, 128, 254, 255, 3], 3, 2).unwrap();
    let png = gray.to_png().unwrap();
    // Byte 25 of a PNG is its colour type; 0 is gray.
    assert_eq!(png[25], 0);
    assert_eq!(Picture::from_png(&png).unwrap(), gray);
    assert_eq!(gray.luma(), [0, 1, 128, 254, 255, 3]);
}

#[test]
fn damaged_png_is_an_error() {
    let png = Picture::new(9, 9, [1, 2, 3]).to_png().unwrap();
    for cut in 0..png.len() - 12 {
        assert!(Picture::from_png(&png[..cut]).is_err(), "cut at {cut}");
    }
    let mut forged = png.clone();
    forged[16..24].copy_from_slice(&[0x7f; 8]);
    assert!(Picture::from_png(&forged).is_err());
    assert!(Picture::new(0, 5, [0; 3]).to_png().is_err());
}

#[test]
fn enlarging_keeps_square_pixels_and_interpolates_smoothly() {
    let two = Picture::from_gray(&[0, 200], 2, 1).unwrap();
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
    for colormap in [Colormap::Magma, Colormap::Inferno, Colormap::Viridis, Colormap::Gray] {
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
    let face = Picture::from_gray(&[10, 20, 30, 40], 2, 2).unwrap();
    let scale = Scale { clip: 1.0, max: 1.0 };
    let over = overlay(&face, &[0.0, 1.0, 0.0, 0.5], Colormap::Inferno, scale).unwrap();
    assert_eq!((over.at(0, 0), over.at(0, 1)), ([10; 3], [30; 3]));
    assert_ne!(over.at(1, 0), [20; 3]);
    assert!(overlay(&face, &[0.0; 3], Colormap::Inferno, scale).is_err());
}

#[test]
fn scale_bar_says_its_numbers() {
    let bar = |scale, colormap| {
        let bar = ScaleBar { colormap, scale, label: "|gradient|".into() };
        let mut page = Page::new("p", Theme::Light);
        page.scale_bars = vec![bar];
        page.to_svg().unwrap()
    };
    let clipped = bar(Some(Scale { clip: 0.00103, max: 0.00127 }), Colormap::Inferno);
    assert!(clipped.contains("≥ 1.03e-3") && clipped.contains("raw max 1.27e-3"));
    let signed = bar(Some(Scale { clip: 2.0, max: 2.0 }), Colormap::BlueRed);
    assert!(signed.contains(">−2.00<") && signed.contains(">2.00<"));
    assert!(bar(None, Colormap::Viridis).contains("each map on its own scale"));
}

fn confusion(normalize: Normalize) -> Confusion {
    let counts = vec![vec![90, 10, 0], vec![5, 5, 0], vec![0, 0, 0]];
    Confusion::new("all & <some>", &["happy", "disgust", "sad"], counts, normalize)
}

#[test]
fn confusion_matrix_normalises_by_row_and_by_column() {
    assert_eq!(confusion(Normalize::Recall).share(0, 1), 0.1);
    assert_eq!(confusion(Normalize::Precision).share(0, 1), 10.0 / 15.0);
    assert_eq!(confusion(Normalize::Recall).share(2, 2), 0.0);
    let svg = check(|theme| confusion(Normalize::Recall).draw(theme).unwrap());
    for word in
        [">happy<", ">true<", ">predicted<", ">90 %<", ">50 %<", ">–<", ">110<", "&lt;some&gt;"]
    {
        assert!(svg.contains(word), "{word} is missing");
    }
    let precision = check(|theme| confusion(Normalize::Precision).draw(theme).unwrap());
    assert!(precision.contains(">95 %<") && precision.contains(">67 %<"));
    assert!(check(|theme| confusion(Normalize::Counts).draw(theme).unwrap()).contains(">90<"));
}

#[test]
fn confusion_cells_darken_and_their_digits_are_readable() {
    let matrix = confusion(Normalize::Recall);
    assert_eq!(matrix.cell_color(2, 0, Theme::Light), [255; 3]);
    let picture = matrix.draw(Theme::Light).unwrap().rasterize(1.0).unwrap();
    assert!(picture.pixels().contains(&matrix.cell_color(0, 0, Theme::Light)));
    assert_eq!(readable_on(matrix.cell_color(0, 0, Theme::Light)), [255; 3]);
    assert_eq!(readable_on(matrix.cell_color(0, 1, Theme::Light)), [0; 3]);
    for share in 0..=100 {
        for map in [Colormap::Blues, Colormap::Viridis] {
            let ground = map.color(share as f32 / 100.0);
            assert!(contrast(readable_on(ground), ground) >= 4.5, "{map:?} {share} %");
        }
    }
}

#[test]
fn confusion_matrix_that_is_not_square_is_refused() {
    let mut ragged = confusion(Normalize::Counts);
    ragged.counts[1].pop();
    assert!(ragged.draw(Theme::Light).is_err());
    ragged.counts.pop();
    assert!(ragged.draw(Theme::Light).unwrap_err().to_string().contains("3 rows of 3"));
}

#[test]
fn page_holds_every_word_and_grows_with_its_rows() {
    let page = |rows: usize, theme| {
        let map = draw_map(&ramp(), 48, 48, Colormap::BlueRed, Scale::maximum(&ramp())).unwrap();
        let face = Picture::stretched(&ramp(), 48, 48).unwrap();
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
                    Cell::map(map.clone(), "signed"),
                    Cell::Mosaic {
                        pictures: vec![face.clone(); 9],
                        columns: 3,
                        caption: String::new(),
                    },
                    Cell::Numbers(vec![("HF share".into(), "0.12".into())]),
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
        "Saliency &lt;b&gt;",
        "✗ sad 40.3 %",
        "HF share",
        ">0.12<",
        "data:image/png;base64,",
        "speaks for it",
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
    let face = Picture::from_fn(48, 48, |x, y| [(x * 5) as u8, (y * 5) as u8, 99]);
    let page = Page::sheet("one face", vec![Cell::picture(face.clone(), "")], 1, Theme::Light);
    let drawn = page.scene().rasterize(1.0).unwrap();
    let first = drawn.pixels().iter().position(|p| *p == [0, 0, 99]).unwrap();
    let (left, top) = (first % drawn.width(), first / drawn.width());
    for (x, y) in [(0, 0), (143, 0), (71, 100), (143, 143)] {
        assert_eq!(drawn.at(left + x, top + y), face.at(x / 3, y / 3));
    }
}

fn run(value: f64) -> chart::Run {
    let epochs = (1..=5).map(|epoch| chart::Epoch {
        epoch,
        train_accuracy: value,
        train_loss: if epoch == 3 { value } else { 0.5 },
        validation_accuracy: 0.5 + 0.01 * epoch as f64,
        validation_loss: value,
    });
    chart::Run::new("run", epochs.collect())
}

#[test]
fn curves_mark_the_first_best_epoch() {
    assert_eq!(run(0.4).best, Some(5));
    let mut flat = run(0.4).epochs;
    flat.iter_mut().for_each(|e| e.validation_accuracy = if e.epoch == 2 { f64::NAN } else { 0.5 });
    assert_eq!(chart::Run::new("flat", flat).best, Some(1));
    let svg = check(|theme| chart::curves("Two panels", &[run(0.4)], Look::new(theme)).unwrap());
    for word in ["Accuracy", "Loss", "training", "validation", "epoch 5: 55.0 %", ">epoch<"] {
        assert!(svg.contains(word), "{word} is missing");
    }
    let several = chart::curves("", &[run(0.4), run(0.6)], Look::default()).unwrap();
    assert!(several.to_svg().unwrap().contains("best epoch"));
}

#[test]
fn bar_heights_are_in_proportion() {
    let chart = chart::BarChart {
        title: "counts".into(),
        categories: vec!["happy".into(), "disgust".into()],
        series: vec![chart::BarSeries { values: vec![7215.0, 436.0], ..Default::default() }],
        ..Default::default()
    };
    let svg = check(|theme| chart::bars(&chart, Look::new(theme)).unwrap());
    assert!(svg.contains(">7,215<") && svg.contains(">436<") && svg.contains(">disgust<"));
    let color = format!("fill=\"#{:02x}{:02x}{:02x}\"", 0, 101, 168);
    let bars = svg.lines().filter(|l| l.starts_with("<rect") && l.contains(&color));
    let height = |line: &str| -> f64 {
        line.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let heights: Vec<f64> = bars.map(height).collect();
    assert_eq!(heights.len(), 2);
    assert!((heights[0] / heights[1] / (7215.0 / 436.0) - 1.0).abs() < 0.02, "{heights:?}");
}

#[test]
fn every_chart_survives_bad_numbers_and_empty_input() {
    for bad in BAD {
        check(|theme| chart::curves("t", &[run(bad)], Look::new(theme)).unwrap());
        let chart = chart::BarChart {
            categories: vec!["a".into(), "b".into()],
            series: vec![chart::BarSeries {
                values: vec![bad, 1.0],
                intervals: vec![(bad, bad)],
                ..Default::default()
            }],
            controls: vec![chart::Control { name: "c".into(), values: vec![bad] }],
            reference: Some((bad, "r".into())),
            ..Default::default()
        };
        check(|theme| chart::bars(&chart, Look::new(theme)).unwrap());
        let bins = [chart::Bin { count: 3, confidence: bad, accuracy: bad }; 3];
        check(|theme| chart::reliability("r", &bins, bad, Look::new(theme)).unwrap());
        for log_x in [false, true] {
            let point =
                |x, y| chart::ScatterPoint { label: "p".into(), x, y, interval: Some((bad, y)) };
            let points = vec![point(bad, 0.5), point(3.0, bad)];
            let chart = chart::ScatterChart { points, log_x, ..Default::default() };
            check(|theme| chart::scatter(&chart, Look::new(theme)).unwrap());
        }
        let samples = vec![("s".into(), vec![bad, 0.5]), ("none".into(), vec![])];
        let chart =
            chart::HistogramChart { samples, marks: vec![(bad, "m".into())], ..Default::default() };
        check(|theme| chart::histogram(&chart, Look::new(theme)).unwrap());
        let line = |dash| chart::Band {
            name: "l".into(),
            x: vec![0.0, 0.5, 1.0],
            y: vec![1.0, bad, 0.2],
            low: vec![bad; 3],
            high: vec![1.0; 3],
            dash,
        };
        let lines = [chart::Dash::Solid, chart::Dash::Dashed, chart::Dash::Dotted].map(line);
        check(|theme| chart::bands("b", "", ("x", "y"), &lines, Look::new(theme)).unwrap());
        let point = |gflops, executed| chart::RooflinePoint {
            name: "k".into(),
            intensity: bad,
            gflops,
            executed,
        };
        let roof = chart::Roofline {
            roofs: vec![chart::Roof { name: "all".into(), bandwidth: bad, peak: bad }],
            points: vec![point(bad, None), point(5.0, Some(bad))],
            ..Default::default()
        };
        check(|theme| chart::roofline(&roof, Look::new(theme)).unwrap());
    }
    let tiny = Look::default().sized(1.0, 1.0);
    chart::curves("", &[], tiny).unwrap().to_png(1.0).unwrap();
    chart::bars(&Default::default(), tiny).unwrap().to_png(1.0).unwrap();
    chart::scatter(&Default::default(), tiny).unwrap().to_png(1.0).unwrap();
    chart::roofline(&Default::default(), tiny).unwrap().to_png(1.0).unwrap();
    chart::reliability("", &[], 0.0, tiny).unwrap().to_png(1.0).unwrap();
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
        .png(&Picture::new(2, 2, [9; 3]).to_png().unwrap(), "a \"square\"", "Figure <1>")
        .svg(&Scene::new(9.0, 9.0, [255; 3]).to_svg().unwrap(), "")
        .table(&["class", "recall"], &[vec!["<happy>".into(), "87.0 %".into()]], "per class");
    let html = page.finish();
    assert_well_formed(&html);
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    assert!(html.contains("<td class=\"n\">87.0 %</td>") && html.contains("&lt;happy&gt;"));
    let outside = html.matches("http").count() - html.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(outside, 0, "the page must not ask the network");
    assert_eq!(escape("\u{0}\u{1b}[m'\n"), "[m&#39;\n");
}

#[test]
fn csv_and_npy_read_back_exactly() {
    let values = [0.1f32, -1.5e-30, f32::NAN, f32::MAX, 0.0, 1.0 / 3.0];
    let csv = numbers::map_to_csv(&values, 3, 2).unwrap();
    let rows: Vec<Vec<f32>> =
        csv.lines().map(|l| l.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    assert_eq!((rows.len(), rows[0].len()), (2, 3));
    let npy = numbers::to_npy(&values, &[2, 3]).unwrap();
    assert_eq!(&npy[..8], b"\x93NUMPY\x01\x00");
    let header = u16::from_le_bytes([npy[8], npy[9]]) as usize;
    assert_eq!((10 + header) % 64, 0);
    let text = std::str::from_utf8(&npy[10..10 + header]).unwrap();
    assert!(text.contains("'shape': (2, 3,)") && text.ends_with('\n'), "{text}");
    let data: Vec<f32> = npy[10 + header..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    for (read, value) in rows.concat().iter().zip(&data).zip(&values) {
        assert!(read.0.to_bits() == value.to_bits() || value.is_nan() && read.0.is_nan());
        assert_eq!(read.1.to_bits(), value.to_bits());
    }
    assert!(numbers::map_to_csv(&values, 4, 2).is_err());
    assert!(numbers::to_npy(&values, &[7]).is_err());
}

#[test]
fn terminal_chart_is_plain_without_colour_and_survives_bad_numbers() {
    let epochs = run(0.3).epochs;
    let plain = ascii::curves(&epochs, 100, false);
    assert!(plain.is_ascii() || plain.replace('…', "").is_ascii(), "{plain}");
    assert!(plain.contains('t') && plain.contains('v') && plain.contains("55.000"));
    assert!(plain.lines().all(|l| l.chars().count() <= 120));
    assert!(ascii::curves(&epochs, 100, true).contains("\x1b[33m"));
    for bad in BAD {
        ascii::curves(&run(bad).epochs, 0, true);
        ascii::curves(&run(bad).epochs, 80, false);
    }
    ascii::curves(&[], 80, true);
    ascii::curves(&epochs[..1], 80, true);
}
