//! The order of the folders: who may use whom, read from the `use` lines and paths of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each folder of `src/` (or file beside them) with the folders that it may use. A folder may only use
/// folders that stand above it, so no circle of folders is possible.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("console", &["error"]),
    ("limits", &[]),
    ("random", &[]),
    ("stats", &["random"]),
    ("platform", &[]),
    ("files", &["error", "platform"]),
    ("protobuf", &[]),
    ("tensor", &["error"]),
    ("autograd", &["error", "random", "tensor"]),
    ("ops", &["autograd", "error", "random", "tensor"]),
    ("nn", &["autograd", "error", "ops", "random", "tensor"]),
    ("optim", &["autograd", "error", "nn", "tensor"]),
    ("dataset", &["console", "error", "files", "limits", "random", "stats"]),
    ("metrics", &["error", "stats"]),
    (
        "model",
        &[
            "autograd", "console", "dataset", "error", "files", "limits", "metrics", "nn", "ops",
            "random", "stats", "tensor",
        ],
    ),
    ("prelude", &["autograd", "dataset", "error", "model", "nn", "ops", "optim", "tensor"]),
    (
        "explain",
        &[
            "autograd", "dataset", "error", "metrics", "model", "nn", "ops", "optim", "random",
            "stats", "tensor",
        ],
    ),
    (
        "train",
        &[
            "autograd", "console", "dataset", "error", "files", "limits", "metrics", "model", "nn",
            "ops", "optim", "random", "stats", "tensor",
        ],
    ),
    ("export", &["autograd", "error", "model", "nn", "ops", "protobuf", "tensor"]),
    ("render", &["console", "error", "files", "stats"]),
    ("photo", &["dataset", "error", "limits", "render", "stats"]),
    (
        "report",
        &[
            "console", "dataset", "error", "explain", "files", "metrics", "model", "nn", "optim",
            "render", "stats", "train",
        ],
    ),
    (
        "monitor",
        &[
            "autograd", "console", "dataset", "error", "explain", "files", "limits", "metrics",
            "model", "nn", "ops", "optim", "platform", "protobuf", "random", "render", "stats",
            "tensor", "train",
        ],
    ),
    (
        "page",
        &[
            "dataset", "error", "explain", "limits", "metrics", "model", "nn", "photo", "random",
            "stats", "tensor",
        ],
    ),
    (
        "serve",
        &[
            "console", "dataset", "error", "explain", "files", "limits", "model", "monitor",
            "page", "random", "stats",
        ],
    ),
    (
        "bench",
        &[
            "autograd", "console", "error", "model", "nn", "ops", "optim", "random", "render",
            "tensor", "train",
        ],
    ),
    ("trace", &["autograd", "error", "model", "nn", "ops", "render", "tensor"]),
    ("learn", &["error", "files", "ops"]),
    (
        "cli",
        &[
            "bench", "console", "dataset", "error", "explain", "export", "files", "learn",
            "limits", "metrics", "model", "monitor", "nn", "optim", "page", "photo", "platform",
            "random", "render", "report", "serve", "stats", "tensor", "trace", "train",
        ],
    ),
];

/// The source of a crate: module path (`["explain", "target"]`) to text without comments and tests.
type Sources = BTreeMap<Vec<String>, String>;

fn read_sources(root: &Path) -> Sources {
    let mut sources = Sources::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("main.rs") {
                let module = path.strip_prefix(root).unwrap().with_extension("");
                let names = module.iter().map(|n| n.to_str().unwrap().to_owned());
                let module = names.filter(|n| n != "mod" && n != "lib").collect();
                sources.insert(module, code_of(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    sources
}

fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines().map(|l| l.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every path of a `use` tree: `a::{b, c::d}` gives `a::b` and `a::c::d`. `as NAME` is kept as the
/// second part.
fn leaves(tree: &str, prefix: &[String], out: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some(inner) = tree.strip_suffix('}') {
        let (head, inner) = inner.split_once('{').unwrap();
        let mut path = prefix.to_vec();
        path.extend(head.split("::").map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()));
        let (mut depth, mut start) = (0, 0);
        for (i, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !inner[start..i].trim().is_empty() {
                        leaves(&inner[start..i], &path, out);
                    }
                    start = i + 1;
                }
                _ => {}
            }
        }
    } else {
        let (tree, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path = prefix.to_vec();
        path.extend(tree.split("::").map(|s| s.trim().to_owned()));
        path.retain(|s| s != "self" || path_starts_with_self(tree));
        let name =
            if alias.is_empty() { path.last().unwrap().clone() } else { alias.trim().into() };
        out.push((path, name));
    }
}

fn path_starts_with_self(tree: &str) -> bool {
    tree.trim_start().starts_with("self::")
}

/// The path from the root of the crate, if it is one of this crate.
fn absolute(sources: &Sources, module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut rest = path;
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        first => {
            let mut child = module.to_vec();
            child.push(first.to_owned());
            return sources.contains_key(&child).then(|| [module, path].concat());
        }
    };
    while let Some(first) =
        rest.first().filter(|s| ["crate", "self", "super"].contains(&s.as_str()))
    {
        if first == "super" {
            base.pop();
        }
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// Paths that a module uses, and what it re-exports under which name.
fn paths_of(
    sources: &Sources,
    module: &[String],
) -> (Vec<Vec<String>>, BTreeMap<String, Vec<String>>) {
    let text = &sources[module];
    let (mut paths, mut exported) = (Vec::new(), BTreeMap::new());
    let mut rest = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let is_public = start.starts_with("pub");
        let start =
            ["pub ", "pub(crate) "].iter().find_map(|p| start.strip_prefix(p)).unwrap_or(start);
        let Some(tree) = start.strip_prefix("use ") else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.trim_end().ends_with(';') {
            tree.push_str(lines.next().expect("a use that never ends"));
        }
        let mut found = Vec::new();
        leaves(tree.trim_end().trim_end_matches(';'), &[], &mut found);
        for (path, name) in found {
            if let Some(path) = absolute(sources, module, &path) {
                if is_public {
                    exported.insert(name, path.clone());
                }
                paths.push(path);
            }
        }
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for word in rest.split(|c| !is_word(c)).filter(|w| w.contains("::")) {
        let path: Vec<String> = word.split("::").map(str::to_owned).collect();
        if ["crate", "super", "self"].contains(&path[0].as_str()) {
            paths.extend(absolute(sources, module, &path));
        }
    }
    (paths, exported)
}

/// Which module uses which others. Re-exports are looked through: whoever uses `crate::ops::add` uses the
/// file that defines it, not `ops/mod.rs`.
fn uses(sources: &Sources) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let read: BTreeMap<_, _> = sources.keys().map(|m| (m.clone(), paths_of(sources, m))).collect();
    let resolve = |path: &[String]| {
        let mut path = path.to_vec();
        loop {
            let depth = (0..=path.len()).rev().find(|&n| sources.contains_key(&path[..n])).unwrap();
            let Some(next) = path.get(depth) else { return path };
            match read[&path[..depth]].1.get(next) {
                Some(target) if target[..] != path[..=depth] => {
                    path = [target, &path[depth + 1..]].concat();
                }
                _ => return path[..depth].to_vec(),
            }
        }
    };
    let mut graph = BTreeMap::new();
    for (module, (paths, exported)) in &read {
        let own = paths.iter().filter(|p| !exported.values().any(|e| e == *p));
        let used: BTreeSet<_> = own.map(|p| resolve(p)).filter(|m| m != module).collect();
        graph.insert(module.clone(), used);
    }
    graph
}

fn sources_of(folder: &str) -> Sources {
    read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

#[test]
fn folders_use_only_what_the_table_allows() {
    let mut seen = Vec::new();
    for (folder, allowed) in MAY_USE {
        for other in *allowed {
            assert!(seen.contains(other), "{folder} may not use {other}, which stands below it");
        }
        seen.push(*folder);
    }
    let mut wrong = BTreeSet::new();
    for (module, used) in uses(&sources_of("src")) {
        let Some(folder) = module.first() else { continue };
        let (_, allowed) = MAY_USE.iter().find(|(f, _)| f == folder).expect(folder);
        for other in used.iter().filter_map(|m| m.first()).filter(|o| *o != folder) {
            if !allowed.contains(&other.as_str()) {
                wrong.insert(format!("src/{} uses {other}", module.join("/")));
            }
        }
    }
    let lines: Vec<String> = wrong.into_iter().collect();
    assert!(lines.is_empty(), "not in the table of {}:\n{}", file!(), lines.join("\n"));
}

/// Files that can reach each other by `use`, in groups.
fn circles(graph: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> BTreeSet<Vec<String>> {
    let reach = |from: &Vec<String>| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            for next in &graph[&module] {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = graph.keys().map(|m| (m, reach(m))).collect();
    let together = |a: &Vec<String>| {
        let back = reached[a].iter().filter(|b| reached[b].contains(a));
        back.map(|b| b.join("/")).collect::<Vec<_>>()
    };
    graph.keys().map(together).filter(|circle| circle.len() > 2).collect()
}

#[test]
fn no_import_circle_has_more_than_two_files() {
    for folder in ["src", "kernels"] {
        let found = circles(&uses(&sources_of(folder)));
        let lines: Vec<String> = found.iter().map(|c| c.join(", ")).collect();
        assert!(found.is_empty(), "circles in {folder}/:\n{}", lines.join("\n"));
    }
}

#[test]
fn a_circle_and_a_forbidden_use_are_found() {
    let text = |t: &str| t.to_owned();
    let path = |p: &str| p.split("::").filter(|s| !s.is_empty()).map(str::to_owned).collect();
    let sources: Sources = [
        (path(""), text("pub mod a; pub mod b; pub mod c;")),
        (path("a"), text("pub use inner::Thing;\nuse crate::b::{self, f as g};")),
        (path("a::inner"), text("pub struct Thing;")),
        (path("b"), text("fn f() { crate::c::h() }")),
        (path("c"), text("use super::a::{Thing, other};")),
    ]
    .into();
    let graph = uses(&sources);
    assert_eq!(graph[&path("c") as &Vec<String>], [path("a"), path("a::inner")].into());
    assert_eq!(circles(&graph), [vec![text("a"), text("b"), text("c")]].into());
}
