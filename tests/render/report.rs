//! `fer report`: one page that needs nothing, answers in order, and says what the numbers say.

use crate::render::assert_well_formed;
use crate::support::place::Place;
use fer::metrics::Confusion;
use fer::model::Ensemble;
use std::sync::OnceLock;

/// A run with its report in both languages, made once for all tests.
pub(super) struct Reported {
    pub place: Place,
    pub english: String,
    pub chinese: String,
    pub json: serde_json::Value,
}

pub(super) fn reported() -> &'static Reported {
    static REPORTED: OnceLock<Reported> = OnceLock::new();
    REPORTED.get_or_init(|| {
        let place = Place::with_run(3);
        let json = place.ok("report run --quick --out en.html --json").json();
        place.ok("report run --quick --lang zh --out zh.html");
        let (english, chinese) = (place.text("en.html"), place.text("zh.html"));
        Reported { place, english, chinese, json }
    })
}

/// The values of an attribute, wherever it stands.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let key = format!(" {attribute}=\"");
    html.split(&key).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The text inside of elements of a name, without the tags in it.
pub(super) fn texts(html: &str, name: &str) -> Vec<String> {
    let element = |rest: &str| {
        let rest = rest.split_once('>')?.1;
        let inside = rest.split(&format!("</{name}>")).next()?;
        Some(without_tags(inside))
    };
    let open = format!("<{name}");
    let is_whole = |rest: &&str| rest.starts_with(['>', ' ']);
    html.split(&open).skip(1).filter(is_whole).filter_map(element).collect()
}

fn without_tags(html: &str) -> String {
    let mut parts = html.split('<');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.filter_map(|p| p.split_once('>')).fold(first, |text, (_, after)| text + after)
}

#[test]
fn report_needs_nothing_but_itself() {
    for html in [&reported().english, &reported().chinese] {
        assert!(!html.contains("<script") && !html.contains("javascript:"));
        assert!(!html.contains("@import") && !html.contains("url("));
        assert!(!html.contains("<link") && !html.contains("<iframe"));
        for source in values(html, "src") {
            assert!(source.starts_with("data:image/png;base64,"), "{source:.60}");
        }
        for target in values(html, "href") {
            let inside = target.starts_with("data:") || target.starts_with('#');
            assert!(inside, "{target:.60}");
        }
        let handlers = ["onload", "onclick", "onerror"];
        assert!(handlers.iter().all(|h| values(html, h).is_empty()));
    }
}

#[test]
fn report_is_well_formed() {
    for html in [&reported().english, &reported().chinese] {
        assert_well_formed(html);
        let undescribed = |tag: &&str| !tag.split('>').next().unwrap_or("").contains("alt=");
        assert_eq!(html.split("<img").skip(1).filter(undescribed).count(), 0);
    }
}

#[test]
fn four_questions_are_answered_in_order_in_both_languages() {
    let reported = reported();
    for (html, language) in [(&reported.english, "en"), (&reported.chinese, "zh")] {
        assert!(html.contains(&format!("<html lang=\"{language}\">")));
        let sections = ["saliency", "filters", "evaluation", "training", "provenance"];
        let places = sections.map(|id| html.find(&format!("<h2 id=\"{id}\">")).expect(id));
        assert!(places.is_sorted(), "{places:?}");
        for (id, end) in sections.iter().zip(places[1..].iter().chain([&html.len()])) {
            let begin = html.find(&format!("<h2 id=\"{id}\">")).expect(id);
            let section = &html[begin..*end];
            let figures = section.matches("<figcaption>").count();
            assert!(*id == "provenance" || figures >= 1, "{id} has no figure");
            assert_eq!(section.matches("<figure>").count(), figures, "{id}: a caption a figure");
        }
        // A card for each of the seven expressions: typical faces, means, ideal faces, LIME.
        assert!(html.matches("class=\"card\"").count() >= 4 * 7);
    }
}

#[test]
fn chinese_report_is_chinese_throughout() {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let html = &reported().chinese;
    for name in ["title", "h1", "h2", "h3", "figcaption", "p", "li", "caption"] {
        for text in texts(html, name) {
            assert!(text.chars().any(is_chinese), "<{name}>: {text}");
            // Names of layers and methods are no words; two words in a row are English.
            let words: Vec<bool> = text
                .split(' ')
                .map(|w| w.chars().count() > 2 && w.chars().all(|c| c.is_ascii_alphabetic()))
                .collect();
            assert!(!words.windows(2).any(|w| w == [true, true]), "<{name}>: {text}");
        }
    }
    for class in fer::CLASS_NAMES {
        let headings = texts(html, "h4");
        assert!(headings.iter().all(|h| !h.contains(class)), "{class} is not translated");
    }
    for heading in texts(html, "th") {
        let translated = heading.chars().any(is_chinese) || heading.is_empty() || heading == "F1";
        assert!(translated, "<th>: {heading}");
    }
}

#[test]
fn words_say_what_the_network_does() {
    let reported = reported();
    // Split as the training did: the run names its file relative to where it ran.
    let csv = reported.place.path("faces.csv");
    let (all, _) = fer::dataset::read(&csv, &fer::dataset::ReadOptions::default()).expect("faces");
    assert_eq!(all.len(), 140);
    let ensemble = Ensemble::read(&[reported.place.path("run")]).expect("a run");
    let split = fer::dataset::stratified_split(&all, 0.1, 0).expect("a split");
    let faces = all.select(&split.validation);
    let predictions = ensemble.predict(&faces, false, |_| {}).expect("judgements");
    let labels: Vec<usize> = faces.labels().iter().flatten().map(|&l| l.into()).collect();
    let said: Vec<usize> = (0..faces.len()).map(|i| predictions.class(i)).collect();
    let right = labels.iter().zip(&said).filter(|(a, b)| a == b).count();
    let share = |n: usize, of: usize| format!("{:.0}\u{a0}%", 100.0 * n as f64 / of as f64);
    let sentence =
        format!("predicts {} of {} faces correctly", share(right, labels.len()), labels.len());
    assert!(reported.english.contains(&sentence), "{sentence}");
    let chinese = format!("网络对 {} 张人脸的预测有 {}", labels.len(), share(right, labels.len()));
    assert!(reported.chinese.contains(&chinese.replace('\u{a0}', "")), "{chinese}");
    // Every class's recall, and the counts of the matrix, row by row.
    let confusion = Confusion::new(&labels, &said, 7).expect("a matrix");
    for (c, name) in fer::CLASS_NAMES.iter().enumerate() {
        let (found, of) = (confusion.counts[c][c] as usize, confusion.support(c) as usize);
        let faces = if of == 1 { "face" } else { "faces" };
        let words = format!("recall {} of {of} {faces}", share(found, of));
        let why = texts(&reported.english, "li");
        let of_class = |l: &&String| l.to_lowercase().starts_with(&format!("{name} is recognised"));
        let line = why.iter().find(of_class).expect(name);
        assert!(line.contains(&words), "{words} in {line}");
    }
    let cells = &reported.english[reported.english.find("class=\"matrix\"").expect("a matrix")..];
    let cells = texts(&cells[..cells.find("</table>").expect("its end")], "td");
    let counts: Vec<u64> = confusion.counts.concat();
    assert_eq!(cells.len(), counts.len());
    for (cell, count) in cells.iter().zip(&counts) {
        assert!(cell.starts_with(&count.to_string()), "{cell} for {count}");
    }
    let accuracy = reported.json["evaluation"]["accuracy"].as_f64().expect("a number");
    assert!((accuracy - right as f64 / labels.len() as f64).abs() < 1e-12);
}

#[test]
fn words_say_what_the_curves_say() {
    let reported = reported();
    let csv = reported.place.text("run/metrics.csv");
    let column = |name: &str| {
        let header: Vec<&str> = csv.lines().next().expect("a header").split(',').collect();
        let at = header.iter().position(|h| *h == name).expect(name);
        let cell =
            |l: &str| l.split(',').nth(at).expect("a cell").parse::<f64>().expect("a number");
        csv.lines().skip(1).map(cell).collect::<Vec<f64>>()
    };
    let accuracy = column("val_accuracy");
    let best = (0..3).fold(0, |b, i| if accuracy[i] > accuracy[b] { i } else { b });
    let words = format!(
        "Epochs: 3. Best validation accuracy: {:.1}\u{a0}% after epoch {}. After the last epoch: \
         {:.1}\u{a0}%.",
        100.0 * accuracy[best],
        best + 1,
        100.0 * accuracy[2]
    );
    assert!(reported.english.contains(&words), "{words}");
    assert_eq!(reported.json["training"]["best_epoch"], best as u64 + 1);
}

#[test]
fn same_inputs_same_page_for_any_number_of_threads() {
    let reported = reported();
    reported.place.ok("report run --quick --out en.html --threads 1");
    let fixed = |html: &str| {
        let lines = html.lines().filter(|l| !l.starts_with("<tr class=\"varies\">"));
        lines.map(String::from).collect::<Vec<String>>()
    };
    let (first, second) = (fixed(&reported.english), fixed(&reported.place.text("en.html")));
    let differs = first.iter().zip(&second).find(|(a, b)| a != b);
    assert!(differs.is_none() && first.len() == second.len(), "{differs:.200?}");
    assert_eq!(reported.english.matches("class=\"varies\"").count(), 3);
}

#[test]
fn report_names_what_made_it() {
    let reported = reported();
    let commands = texts(&reported.english, "code").concat();
    assert!(commands.starts_with("fer report run --quick --out en.html\n"), "{commands}");
    // What the page offers to be typed can be typed.
    let filters = commands.lines().find(|l| l.starts_with("fer filters")).expect("a command");
    reported.place.ok(&filters.replacen("fer ", "", 1).replace("--seed 0", "--seed 0 --steps 2"));
    // With a file to point to, the commands name the very faces.
    reported.place.ok("report run --quick --data faces.csv --out data.html");
    let commands = texts(&reported.place.text("data.html"), "code").concat();
    for start in
        ["fer saliency run --data faces.csv --index ", "fer activations run --data faces.csv"]
    {
        let line = commands.lines().find(|l| l.starts_with(start)).expect(start);
        reported
            .place
            .ok(&line.replacen("fer ", "", 1).replace("--layer all", "--layer activation_1"));
    }
    let hash = reported.json["data_hash"].as_str().expect("a hash");
    assert!(hash.len() == 16 && reported.english.contains(hash));
}

#[test]
fn what_cannot_be_reported_is_refused() {
    let place = Place::with_run(1);
    place.fails("report run --out report.pdf", 2, &["report.pdf", ".html"]);
    place.fails("report run --out no/report.html", 2, &["the folder no does not exist"]);
    place.fails("report run --out r.html --lang fr", 2, &["`fr`", "`en` or `zh`"]);
    place.fails("report nothing --out r.html", 4, &["nothing"]);
    place.fails("report run --data gone.csv --out r.html", 3, &["gone.csv", "does not exist"]);
    let csv = place.text("faces.csv");
    let pixels = csv.lines().nth(1).and_then(|l| l.rsplit(',').next()).expect("pixels");
    place.write("plain.csv", format!("id,feature\n1,{pixels}\n").as_bytes());
    place.fails("report run --data plain.csv --out r.html", 3, &["plain.csv", "label"]);
    assert!(!place.path("r.html").exists());
    // Weights alone: a report without a history, which says so.
    place.ok("report run/best.safetensors --data faces.csv --quick --out r.html");
    assert!(place.text("r.html").contains("The training history is not available"));
}
