//! Charts and the confusion matrix.

use crate::render::{BAD, check, confusion};
use fer::render::chart::confusion_matrix::Normalize;
use fer::render::chart::{self, ChartOptions};
use fer::render::theme::{contrast, readable_on};
use fer::render::{Colormap, Theme, terminal};

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
    let svg =
        check(|theme| chart::curves("Two panels", &[run(0.4)], ChartOptions::new(theme)).unwrap());
    for word in ["Accuracy", "Loss", "training", "validation", "epoch 5: 55.0 %", ">epoch<"] {
        assert!(svg.contains(word), "{word} is missing");
    }
    let several = chart::curves("", &[run(0.4), run(0.6)], ChartOptions::default()).unwrap();
    assert!(several.to_svg().unwrap().contains("best epoch"));
}

#[test]
fn the_words_at_the_best_epoch_go_where_no_line_runs() {
    // The training's loss comes to the validation's from above, or from below.
    let words_lie_below = |fall: f64| {
        let epochs = (1..=20).map(|epoch| chart::Epoch {
            epoch,
            train_accuracy: 0.5,
            train_loss: 1.05 + fall * f64::from(20 - epoch),
            validation_accuracy: f64::from(epoch) / 20.0,
            validation_loss: if epoch == 1 { 2.0 } else { 1.05 },
        });
        let run = chart::Run::new("run", epochs.collect());
        let svg = chart::curves("", &[run], ChartOptions::default()).unwrap().to_svg().unwrap();
        let attribute = |line: &str, name: &str| -> f64 {
            let at = line.split(&format!(" {name}=\"")).nth(1).unwrap();
            at.split('"').next().unwrap().parse().unwrap()
        };
        let dot = svg.lines().rfind(|l| l.starts_with("<circle")).unwrap();
        let words = svg.lines().find(|l| l.contains("epoch 20: 1.050")).unwrap();
        attribute(words, "y") > attribute(dot, "cy")
    };
    assert!(words_lie_below(0.02) && !words_lie_below(-0.02));
}

#[test]
fn bar_heights_are_in_proportion() {
    let chart = chart::BarChart {
        title: "counts".into(),
        categories: vec!["happy".into(), "disgust".into()],
        series: vec![chart::BarSeries { values: vec![7215.0, 436.0], ..Default::default() }],
        ..Default::default()
    };
    let svg = check(|theme| chart::bars(&chart, ChartOptions::new(theme)).unwrap());
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
        check(|theme| chart::curves("t", &[run(bad)], ChartOptions::new(theme)).unwrap());
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
        check(|theme| chart::bars(&chart, ChartOptions::new(theme)).unwrap());
        let words = chart::ReliabilityWords::default();
        let bins = [chart::ReliabilityBin { count: 3, confidence: bad, accuracy: bad }; 3];
        check(|theme| chart::reliability(&words, "r", &bins, ChartOptions::new(theme)).unwrap());
        let point =
            |x, y| chart::ScatterPoint { label: "p".into(), x, y, interval: Some((bad, y)) };
        let points = vec![point(bad, 0.5), point(3.0, bad)];
        let chart = chart::ScatterChart { points, ..Default::default() };
        check(|theme| chart::scatter(&chart, ChartOptions::new(theme)).unwrap());
        let line = |dash| chart::LineSeries {
            name: "l".into(),
            points: vec![(0.0, 1.0), (0.5, bad), (1.0, 0.2)],
            dash,
        };
        let lines = [chart::Dash::Solid, chart::Dash::Dashed, chart::Dash::Dotted].map(line);
        check(|theme| chart::lines("b", "", ("x", "y"), &lines, ChartOptions::new(theme)).unwrap());
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
        check(|theme| chart::roofline(&roof, ChartOptions::new(theme)).unwrap());
    }
    let tiny = ChartOptions::default().sized(1.0, 1.0);
    chart::curves("", &[], tiny).unwrap().to_png(1.0).unwrap();
    chart::bars(&Default::default(), tiny).unwrap().to_png(1.0).unwrap();
    chart::scatter(&Default::default(), tiny).unwrap().to_png(1.0).unwrap();
    chart::roofline(&Default::default(), tiny).unwrap().to_png(1.0).unwrap();
    chart::reliability(&Default::default(), "", &[], tiny).unwrap().to_png(1.0).unwrap();
}

#[test]
fn terminal_chart_is_plain_without_colour_and_survives_bad_numbers() {
    let epochs = run(0.3).epochs;
    let plain = terminal::curves(&epochs, 100, false);
    assert!(plain.is_ascii() || plain.replace('…', "").is_ascii(), "{plain}");
    assert!(plain.contains('t') && plain.contains('v') && plain.contains("55.000"));
    assert!(plain.lines().all(|l| l.chars().count() <= 120));
    assert!(terminal::curves(&epochs, 100, true).contains("\x1b[33m"));
    for bad in BAD {
        terminal::curves(&run(bad).epochs, 0, true);
        terminal::curves(&run(bad).epochs, 80, false);
    }
    terminal::curves(&[], 80, true);
    terminal::curves(&epochs[..1], 80, true);
}
