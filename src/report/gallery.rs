//! The index page of a gallery of explanations.

use crate::render::html::Document;

/// Title of the section that stands on top, whenever its pages were added.
pub const OVERVIEW: &str = "Overview";

/// One page of the gallery.
#[derive(Clone, Debug)]
struct Entry {
    section: &'static str,
    file: String,
    title: String,
    words: String,
}

/// An index with its pages.
#[derive(Clone, Debug)]
pub struct Gallery {
    model: String,
    entries: Vec<Entry>,
}

impl Gallery {
    /// Creates an empty gallery of a network.
    pub fn new(model: &str) -> Gallery {
        Gallery { model: model.into(), entries: vec![] }
    }

    /// Adds a page to the section of this title; `file` is its name beside the index.
    pub fn add(&mut self, section: &'static str, file: &str, title: &str, words: &str) {
        let (file, title, words) = (file.into(), title.into(), words.into());
        self.entries.push(Entry { section, file, title, words });
    }

    /// Returns the index page.
    pub fn to_html(&self) -> String {
        let mut page = Document::new("Where the network looks", "en");
        page.paragraph(&format!(
            "{}. Every method on every expression. The methods can disagree. The command \
             `fer saliency --sanity-check` tests which of them can be trusted on this network.",
            self.model
        ));
        let mut sections: Vec<&str> = vec![];
        for entry in &self.entries {
            if !sections.contains(&entry.section) {
                sections.push(entry.section);
            }
        }
        sections.sort_by_key(|section| *section != OVERVIEW);
        for section in sections {
            let own = || self.entries.iter().filter(move |e| e.section == section);
            page.heading(2, section);
            let anchors: Vec<String> = own().map(|e| format!("#{}", anchor(&e.file))).collect();
            let links: Vec<(&str, &str)> =
                anchors.iter().zip(own()).map(|(a, e)| (a.as_str(), e.title.as_str())).collect();
            page.links(&links);
            for entry in own() {
                page.anchor(3, anchor(&entry.file), &entry.title);
                page.linked(
                    &entry.file,
                    &format!("{}: {}", entry.title, entry.words),
                    &entry.words,
                );
            }
        }
        page.finish()
    }
}

fn anchor(file: &str) -> &str {
    file.strip_suffix(".png").unwrap_or(file)
}
