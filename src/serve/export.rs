//! The microscope as a static site: the same page, with answers that were computed beforehand.

use crate::dataset::Dataset;
use crate::error::Shown as _;
use crate::explain::{Classifier, LayerKind};
use crate::files::{make_folder, write_atomic};
use crate::page::calls::{faces, filters, map, network};
use crate::page::message::Message;
use crate::page::output::{Nobody, Output};
use crate::page::parts::{HTML, PARTS, STATIC_API};
use crate::page::workspace::{Source, Workspace};
use crate::stats::evenly_spread;
use crate::{CLASS_NAMES, Error, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::path::Path;

/// Most faces of a site, for the strongest patches and the map.
const FACES: usize = 300;

/// Faces whose feature maps are part of the site.
const SHOWN: usize = 3;

/// Modules of the page that a site needs, each after those that it imports.
const MODULES: [&str; 7] = ["i18n", "dom", "faces", "cell", "filter", "microscope", "datamap"];

/// Writes the microscope of a network into a folder, with gradient ascent for the first `ascents` filters of
/// every convolution. `progress` receives what is being computed, and its share of the work.
///
/// # Errors
/// Those of the network, and [`crate::Error::Io`].
pub fn export(
    source: &Source,
    folder: &Path,
    ascents: usize,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<()> {
    let source = Source { faces: chosen(&source.faces), ..source.clone() };
    let mut space = Workspace::new(&source)?;
    let output = Output::to(Nobody);
    let data = folder.join("data");
    refuse_other_files(folder)?;
    make_folder(&data)?;
    write_page(folder)?;
    let shown = SHOWN.min(source.faces.len());
    let mut hello = network::hello(&mut space, &Message::default(), &output)?;
    (hello.json["faces"], hello.json["ascents"]) = (json!(shown), json!(ascents));
    write(&data, "hello", &answer(&hello))?;
    let all: Vec<usize> = (0..source.faces.len()).collect();
    let set = faces::set(&mut space, &Message::json(json!({ "faces": all })), &output)?;
    write(&data, "faces", &answer(&set))?;
    progress("map", 0.0);
    for layout in ["pca", "tsne"] {
        let asked = Message::json(json!({ "layout": layout }));
        let found = map::map(&mut space, &asked, &output)?;
        write(&data, &format!("map-{layout}"), &answer(&found))?;
    }
    let layers = space.classifier.layers();
    let names = layers.iter().map(|l| l.name.clone()).chain([network::INPUT.to_owned()]);
    for name in names {
        for face in 0..shown {
            let asked = Message {
                json: json!({ "layer": name }),
                bytes: source.faces.image(face).to_vec(),
            };
            let maps = network::maps(&mut space, &asked, &output)?;
            write(&data, &format!("maps-{face}-{name}"), &answer(&maps))?;
        }
    }
    let wanted = |kind| matches!(kind, LayerKind::Conv2d | LayerKind::Linear);
    for (done, layer) in layers.iter().enumerate() {
        progress(&layer.name, done as f64 / layers.len() as f64);
        let filters = 0..layer.output[0];
        let ask = |filter| Message::json(json!({ "layer": layer.name, "filter": filter }));
        let kernels = filters.clone().map(|k| network::kernel(&mut space, &ask(k), &output));
        let kernels: Vec<Value> = kernels.map(|k| k.map(|k| answer(&k))).collect::<Result<_>>()?;
        write(&data, &format!("kernel-{}", layer.name), &json!(kernels))?;
        if wanted(layer.kind) {
            write_filters(&mut space, &data, &layer.name, layer.output[0], ascents, &output)?;
        }
    }
    progress("", 1.0);
    Ok(())
}

/// Refuses a folder with files that are not an earlier site.
fn refuse_other_files(folder: &Path) -> Result<()> {
    let holds_files = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if holds_files && !folder.join("data/hello.js").exists() {
        let found = folder.shown();
        return Err(Error::Usage(format!(
            "{found} holds other files; name a new folder, or one with an earlier site"
        )));
    }
    Ok(())
}

/// Chooses faces of all classes; the first ones are of different classes.
fn chosen(all: &Dataset) -> Dataset {
    let first = |class: usize| all.indices_of(class as u8).first().copied();
    let mut numbers: Vec<usize> = [3, 5, 0].into_iter().filter_map(first).collect();
    numbers.extend((0..CLASS_NAMES.len()).filter_map(first));
    numbers.extend(evenly_spread(all.len(), FACES));
    let mut seen = std::collections::HashSet::new();
    numbers.retain(|&i| seen.insert(i));
    all.select(&numbers[..numbers.len().min(FACES)])
}

fn write_filters(
    space: &mut Workspace<'_>,
    data: &Path,
    layer: &str,
    count: usize,
    ascents: usize,
    output: &Output,
) -> Result<()> {
    let mut all = Vec::with_capacity(count);
    for filter in 0..count {
        let asked = json!({ "layer": layer, "filter": filter });
        let found = filters::filter(space, &Message::json(asked), output)?;
        all.push(json!({ "json": found.json })); // its patches are cut from the faces
    }
    write(data, &format!("filter-{layer}"), &json!(all))?;
    for filter in 0..count.min(ascents) {
        for method in ["naive", "maco"] {
            let asked = json!({ "layer": layer, "filter": filter, "method": method, "every": 0 });
            let found = filters::ascent(space, &Message::json(asked), output)?;
            write(data, &format!("ascent-{layer}-{filter}-{method}"), &answer(&found))?;
        }
    }
    Ok(())
}

fn answer(message: &Message) -> Value {
    json!({ "json": message.json, "bytes": BASE64_STANDARD.encode(&message.bytes) })
}

/// Writes an answer as a script, because a page opened from disk cannot fetch files. `<` is escaped, so that
/// no name can end a script.
fn write(folder: &Path, name: &str, value: &Value) -> Result<()> {
    let text = value.to_string().replace('<', "\\u003c");
    write_atomic(
        folder.join(format!("{name}.js")),
        format!("fer_data({}, {text});\n", json!(name)).as_bytes(),
    )
}

fn write_page(folder: &Path) -> Result<()> {
    let html = HTML.replace("<meta name=\"token\" content=\"{token}\">\n", "").replace(
        "<script type=\"module\" src=\"main.js\"></script>",
        "<script src=\"app.js\" defer></script>",
    );
    write_atomic(folder.join("index.html"), html.as_bytes())?;
    let part = |target: &str| {
        PARTS.iter().find(|(known, _)| *known == target).map_or("", |(_, text)| text)
    };
    write_atomic(folder.join("app.css"), part("/app.css").as_bytes())?;
    let mut script = String::from("'use strict';\n");
    let [words, others @ ..] = MODULES;
    script += &module(words, part(&format!("/{words}.js")));
    script += &module("api", STATIC_API);
    for name in others {
        script += &module(name, part(&format!("/{name}.js")));
    }
    script += &module("main", part("/main.js"));
    write_atomic(folder.join("app.js"), script.as_bytes())
}

/// Turns a module into a function that returns what it exports, for a script that a browser may load from
/// disk. Every import stands on one line.
fn module(name: &str, text: &str) -> String {
    let (mut body, mut exported) = (String::new(), Vec::new());
    for line in text.lines() {
        if let Some(import) = line.strip_prefix("import ") {
            if let Some((names, from)) = import.split_once(" from './") {
                let from = from.trim_end_matches("';").trim_end_matches(".js");
                if from == "api" || MODULES.contains(&from) {
                    body += &format!("const {names} = module_{from};\n");
                }
            }
            continue;
        }
        let Some(declaration) = line.strip_prefix("export ") else {
            body += line;
            body.push('\n');
            continue;
        };
        let words = declaration.trim_start_matches("async ").split([' ', '(']);
        let names: Vec<&str> = words.take(4).collect();
        match names.as_slice() {
            ["const", ..] => {
                // `const a = 1, b = 2;` exports both.
                let list = declaration.trim_start_matches("const ");
                let is_pair = |part: &str| part.contains(" = ") && !list.contains("=>");
                let parts: Vec<&str> = list.split(", ").filter(|part| is_pair(part)).collect();
                let parts = if parts.is_empty() { vec![list] } else { parts };
                let name = |part: &&str| part.split(' ').next().map(str::to_owned);
                exported.extend(parts.iter().filter_map(name));
            }
            [_, name, ..] => exported.push((*name).to_owned()),
            _ => {}
        }
        body += declaration;
        body.push('\n');
    }
    format!(
        "const module_{name} = (() => {{\n{body}return {{ {} }};\n}})();\n",
        exported.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_becomes_a_function() {
        let text = "import { t } from './i18n.js';\nimport { x } from './why.js';\nexport const A = 4, B = A * A;\n\
                    export const f = (a, b) => a + b;\nexport async function g(a) {\n}\nexport class C extends D {\n}\n";
        let found = module("m", text);
        assert!(
            found.starts_with("const module_m = (() => {\nconst { t } = module_i18n;\nconst A"),
            "{found}"
        );
        assert!(found.ends_with("return { A, B, f, g, C };\n})();\n"), "{found}");
        assert!(!found.contains("import") && !found.contains("why"), "{found}");
    }
}
