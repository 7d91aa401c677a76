//! The page in a browser, during a real training and after it.

use crate::monitor::live::browser::Browser;
use crate::support::place::Place;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(120);

/// `fer` in a place, whose address is read from what it says.
fn serving(place: &Place, line: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fer"))
        .current_dir(place.path("."))
        .args(line.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("http://127.0.0.1:") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "no address before the end");
    }
    // Read on, or the training would block on a full pipe.
    std::thread::spawn(move || said.read_to_string(&mut String::new()));
    let at = line.find("http://").unwrap();
    let address = line[at..].split_whitespace().next().unwrap().to_owned();
    (child, address)
}

/// Where pictures go to be looked at: `FER_SHOTS=DIR`.
fn shots() -> Option<PathBuf> {
    std::env::var_os("FER_SHOTS").map(PathBuf::from)
}

const EPOCHS: &str = "Number(document.body.dataset.epochs || 0)";
const SHIFTS: &str = "window.moved = 0; new PerformanceObserver(list => { \
     for (const e of list.getEntries()) window.moved += e.value; \
     }).observe({ type: 'layout-shift', buffered: true });";

#[test]
fn the_page_follows_a_training_to_its_end() {
    let Some(mut browser) = Browser::start() else { return };
    let place = Place::with_faces();
    place.ok("data synth --count 700 --out faces.csv");
    let train = "train --data faces.csv --arch small.toml --batch-size 32 --lr 0.01 --out run \
                 --epochs 1000 --live 0";
    let (mut training, address) = serving(&place, train);
    browser.look(1200, 900, "light");
    browser.open(&address);
    browser.wait_until("document.getElementById('state')?.textContent === 'running'", LONG);
    browser.wait_until(&format!("{EPOCHS} >= 2"), LONG);
    browser.value(SHIFTS);

    // Everything is there ...
    for (what, count) in [
        ("#accuracy-chart polyline", 2),
        ("#loss-chart polyline", 2),
        ("#lr-chart polyline", 1),
        ("#recall .fill", 7),
        ("#confusion td", 49),
        ("#faces figure", 7),
        ("#filters figure", 5),
        ("#layers tr", 5), // the head, a convolution, a batch norm, a rectifier, a linear layer
    ] {
        let found = browser.value(&format!("document.querySelectorAll('{what}').length"));
        assert_eq!(found, json!(count), "{what}");
    }
    let broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length";
    browser.wait_until(&format!("{broken} === 0"), LONG);
    let maps =
        "[...document.querySelectorAll('#faces img')].filter(i => i.naturalWidth === 48).length";
    assert_eq!(browser.value(maps), json!(14), "seven faces and seven maps");
    let faces =
        "[...document.querySelectorAll('#confusion td')].reduce((n, c) => n + +c.textContent, 0)";
    assert_eq!(browser.value(faces), json!(70), "every validation face is in the matrix");

    // ... and goes on, without a thing moving, also after a reload.
    let seen = browser.value(EPOCHS).as_u64().unwrap();
    browser.wait_until(&format!("{EPOCHS} >= {}", seen + 3), LONG);
    let moved = browser.value("window.moved").as_f64().unwrap();
    assert!(moved < 0.01, "the layout moved by {moved}");
    browser.reload();
    browser.wait_until(&format!("{EPOCHS} >= {}", seen + 3), LONG);

    // The end reaches the page, and what it shows stays.
    Command::new("kill").args(["-INT", &training.id().to_string()]).status().unwrap();
    assert_eq!(training.wait().unwrap().code(), Some(130));
    browser.wait_until("document.getElementById('state').textContent === 'stopped'", LONG);
    browser
        .wait_until("document.getElementById('news').textContent.includes('fer watch run')", LONG);
    let drawn =
        "document.querySelector('#accuracy-chart polyline').getAttribute('points').length > 20";
    assert_eq!(browser.value(drawn), json!(true));
    let own = |c: &String| !c.contains("ERR_CONNECTION") && !c.contains("ERR_EMPTY_RESPONSE");
    let complaints: Vec<String> = browser.complaints.drain(..).filter(own).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn watch_shows_a_run_that_has_ended_on_every_screen() {
    let Some(mut browser) = Browser::start() else { return };
    let place = Place::with_run(4);
    let mut command = Command::new(env!("CARGO_BIN_EXE_fer"));
    command.current_dir(place.path(".")).args(["watch", "run", "--port", "0"]);
    let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(watch.stdout.take().unwrap()).read_line(&mut address).unwrap();
    for (width, scheme) in [(1200, "light"), (1200, "dark"), (360, "light"), (360, "dark")] {
        browser.look(width, 900, scheme);
        browser.open(address.trim());
        browser.wait_until(&format!("{EPOCHS} === 4"), LONG);
        browser.wait_until("document.getElementById('state').textContent === 'finished'", LONG);
        let overflow = "document.documentElement.scrollWidth - innerWidth";
        let overflow = browser.value(overflow).as_f64().unwrap();
        assert!(overflow <= 0.0, "{width} {scheme}: {overflow} pixels too wide");
        // The slider goes back to the first epoch.
        browser.value("f = document.getElementById('frame'); f.value = 0; f.dispatchEvent(new Event('input'))");
        assert_eq!(browser.value("document.getElementById('frame-epoch').textContent"), json!("1"));
        if let Some(folder) = shots() {
            browser.screenshot(&folder.join(format!("page-{width}-{scheme}.png")));
        }
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}
