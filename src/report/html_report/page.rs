//! Building blocks of the page: numbered figures, cards of images, charts in two themes.

use crate::Result;
use crate::render::html::{Document, escape};
use crate::render::{Colormap, RgbImage, Scene, Theme};
use crate::report::i18n::{Language, capital, phrase};
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");

/// The page while it is written.
pub(crate) struct ReportPage {
    pub language: Language,
    pub document: Document,
    figures: usize,
}

/// An image in a card with a label above and lines below.
pub(crate) struct Tile {
    pub label: String,
    pub picture: RgbImage,
    pub lines: Vec<String>,
    /// Whether pixels are drawn as squares.
    pub crisp: bool,
}

impl Tile {
    pub fn new(label: impl Into<String>, picture: RgbImage) -> Tile {
        Tile { label: label.into(), picture, lines: vec![], crisp: false }
    }
    pub fn lines(self, lines: Vec<String>) -> Tile {
        Tile { lines, ..self }
    }
    pub fn crisp(self) -> Tile {
        Tile { crisp: true, ..self }
    }
}

impl ReportPage {
    pub fn new(title: &str, language: Language) -> ReportPage {
        let mut document = Document::new(title, language.code());
        document.style(STYLE);
        ReportPage { language, document, figures: 0 }
    }

    /// Writes a numbered figure with its caption; `content` is HTML.
    pub fn figure(&mut self, content: &str, caption: &str) {
        self.figures = self.next_figure();
        let number = phrase!(self.language.phrases().figure, number = self.figures);
        self.document.raw(&format!(
            "<figure>\n{content}<figcaption><b>{}</b> {}</figcaption>\n</figure>\n",
            escape(&number),
            escape(caption)
        ));
    }

    /// Returns the number of the next figure.
    pub fn next_figure(&self) -> usize {
        self.figures + 1
    }

    /// Writes a subsection title.
    pub fn part(&mut self, title: &str) {
        self.document.heading(3, title);
    }

    pub fn paragraph(&mut self, text: &str) {
        self.document.paragraph(text);
    }

    /// Writes a table below its caption. The caption wraps; the table scrolls.
    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>], caption: &str, class: &str) {
        if !caption.is_empty() {
            self.document.raw(&format!("<p class=\"note\">{}</p>\n", escape(caption)));
        }
        self.document.raw(&format!("<div class=\"{class}\">\n"));
        self.document.table(header, rows, "").raw("</div>\n");
    }

    /// Writes sentences as a list.
    pub fn findings(&mut self, sentences: &[String]) {
        let item = |s: &String| format!("<li>{}</li>\n", escape(&capital(s)));
        let items: String = sentences.iter().filter(|s| !s.is_empty()).map(item).collect();
        if !items.is_empty() {
            self.document.raw(&format!("<ul class=\"findings\">\n{items}</ul>\n"));
        }
    }
}

/// Returns an embedded image.
pub(crate) fn image(picture: &RgbImage, alt: &str, crisp: bool) -> Result<String> {
    let class = if crisp { " class=\"crisp\"" } else { "" };
    Ok(format!("<img{class} src=\"{}\" alt=\"{}\">", picture.to_data_uri()?, escape(alt)))
}

/// Returns images side by side.
pub(crate) fn tiles(context: &str, tiles: &[Tile]) -> Result<String> {
    let mut html = String::from("<div class=\"tiles\">\n");
    for tile in tiles {
        let alt = format!("{context}: {}", tile.label);
        let _ = write!(
            html,
            "<div class=\"tile\"><b>{}</b>{}<div>",
            escape(&tile.label),
            image(&tile.picture, &alt, tile.crisp)?
        );
        for line in &tile.lines {
            let _ = write!(html, "<span>{}</span>", escape(line));
        }
        html.push_str("</div></div>\n");
    }
    Ok(html + "</div>\n")
}

/// Returns a card with a title, paragraphs, and images.
pub(crate) fn card(title: &str, words: &[String], pictures: &[Tile]) -> Result<String> {
    let mut html = format!("<div class=\"card\">\n<h4>{}</h4>\n", escape(title));
    for line in words.iter().filter(|l| !l.is_empty()) {
        let _ = writeln!(html, "<p>{}</p>", escape(line));
    }
    Ok(html + &tiles(title, pictures)? + "</div>\n")
}

/// Returns a grid of cards.
pub(crate) fn cards(cards: &[String], class: &str) -> String {
    format!("<div class=\"cards {class}\">\n{}</div>\n", cards.concat())
}

/// Returns a drawing in two themes: the setting of the browser decides, print uses the light theme.
pub(crate) fn chart(draw: impl Fn(Theme) -> Result<Scene>) -> Result<String> {
    let (light, dark) = (draw(Theme::Light)?.to_svg()?, draw(Theme::Dark)?.to_svg()?);
    Ok(format!(
        "<div class=\"chart\"><div class=\"day\">{light}</div><div class=\"night\">{dark}</div></div>\n"
    ))
}

/// Returns a grid of charts.
pub(crate) fn charts(charts: &[String]) -> String {
    format!("<div class=\"charts\">\n{}</div>\n", charts.concat())
}

/// Returns a colour scale between two labels.
pub(crate) fn color_key(colormap: Colormap, low: &str, high: &str) -> Result<String> {
    let signed = colormap.is_signed();
    let at = |x: usize| if signed { x as f32 / 31.5 - 1.0 } else { x as f32 / 63.0 };
    let strip = RgbImage::from_fn(64, 1, |x, _| colormap.color(at(x)));
    let (low, high) = (escape(low), escape(high));
    Ok(format!(
        "<div class=\"key\"><span>{low}</span>{}<span>{high}</span></div>\n",
        image(&strip, "", false)?
    ))
}
