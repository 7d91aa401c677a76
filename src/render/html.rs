//! Self-contained HTML pages without scripts, for screens, phones and print, in a light and a dark theme.

use std::fmt::Write as _;

use crate::render::image::png_data_uri;

/// Escapes text for HTML and XML, in content and in quoted attributes; drops control characters that
/// XML forbids.
///
/// ```
/// assert_eq!(fer::render::html::escape("a<b & \"c\""), "a&lt;b &amp; &quot;c&quot;");
/// ```
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' | '\r' => safe.push(letter),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => {}
            c => safe.push(c),
        }
    }
    safe
}

/// An HTML page. All text is escaped, except by [`Document::raw`].
#[derive(Clone, Debug)]
pub struct Document {
    title: String,
    language: String,
    style: String,
    body: String,
}

impl Document {
    /// Creates a page with its title as first heading; `language` is an HTML language code.
    pub fn new(title: &str, language: &str) -> Self {
        let body = format!("<h1>{}</h1>\n", escape(title));
        Document { title: title.into(), language: language.into(), style: String::new(), body }
    }

    /// Adds rules to the style sheet.
    pub fn style(&mut self, css: &str) -> &mut Self {
        self.style.push_str(css);
        self
    }

    /// Adds a heading of level 2…6.
    pub fn heading(&mut self, level: u8, text: &str) -> &mut Self {
        let level = level.clamp(2, 6);
        self.raw(&format!("<h{level}>{}</h{level}>\n", escape(text)))
    }

    /// Adds a heading of level 2…6 with an id.
    pub fn anchor(&mut self, level: u8, id: &str, text: &str) -> &mut Self {
        let level = level.clamp(2, 6);
        self.raw(&format!("<h{level} id=\"{}\">{}</h{level}>\n", escape(id), escape(text)))
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: &str) -> &mut Self {
        self.raw(&format!("<p>{}</p>\n", escape(text)))
    }

    /// Adds preformatted code.
    pub fn code(&mut self, text: &str) -> &mut Self {
        self.raw(&format!("<pre><code>{}</code></pre>\n", escape(text)))
    }

    /// Adds a bulleted list.
    pub fn list<S: AsRef<str>>(&mut self, items: &[S]) -> &mut Self {
        let items: String =
            items.iter().map(|i| format!("<li>{}</li>\n", escape(i.as_ref()))).collect();
        self.raw(&format!("<ul>\n{items}</ul>\n"))
    }

    /// Adds a list of links: address and text.
    pub fn links(&mut self, links: &[(&str, &str)]) -> &mut Self {
        let item = |(to, text): &(&str, &str)| {
            format!("<li><a href=\"{}\">{}</a></li>\n", escape(to), escape(text))
        };
        let items: String = links.iter().map(item).collect();
        self.raw(&format!("<nav><ul>\n{items}</ul></nav>\n"))
    }

    /// Adds a figure with an embedded PNG file. `alt` is the alternative text.
    pub fn png(&mut self, png: &[u8], alt: &str, caption: &str) -> &mut Self {
        self.linked(&png_data_uri(png), alt, caption)
    }

    /// Adds a figure from a file beside the page.
    pub fn linked(&mut self, source: &str, alt: &str, caption: &str) -> &mut Self {
        let image = format!("<img src=\"{}\" alt=\"{}\">", escape(source), escape(alt));
        self.figure(&image, caption)
    }

    /// Adds a figure with an embedded SVG document.
    pub fn svg(&mut self, svg: &str, caption: &str) -> &mut Self {
        self.figure(svg, caption)
    }

    /// Adds a figure in two themes: the setting of the browser decides, print uses the light theme.
    pub fn themed_svg(&mut self, light: &str, dark: &str, caption: &str) -> &mut Self {
        let both = format!("<div class=\"day\">{light}</div><div class=\"night\">{dark}</div>");
        self.figure(&both, caption)
    }

    fn figure(&mut self, content: &str, caption: &str) -> &mut Self {
        let caption = match caption {
            "" => String::new(),
            words => format!("\n<figcaption>{}</figcaption>", escape(words)),
        };
        self.raw(&format!("<figure>\n<div class=\"wide\">{content}</div>{caption}\n</figure>\n"))
    }

    /// Adds a table; numbers are aligned to the right.
    pub fn table<S: AsRef<str>>(
        &mut self,
        header: &[S],
        rows: &[Vec<String>],
        caption: &str,
    ) -> &mut Self {
        let mut table = match caption {
            "" => String::new(),
            // Not a <caption>, which would be as wide as the table and cut on a phone.
            words => format!("<p class=\"caption\">{}</p>\n", escape(words)),
        };
        table += "<div class=\"wide\"><table>\n";
        let cell = |tag: &str, number: bool, text: &str| {
            let class = if number { " class=\"n\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(text))
        };
        // The title of a column is aligned like its numbers.
        let over_numbers =
            |i: usize| rows.first().and_then(|r| r.get(i)).is_some_and(|c| is_number(c));
        let names = header.iter().enumerate();
        let head: String = names.map(|(i, h)| cell("th", over_numbers(i), h.as_ref())).collect();
        let _ = writeln!(table, "<thead><tr>{head}</tr></thead>\n<tbody>");
        for row in rows {
            let cells: String = row.iter().map(|c| cell("td", is_number(c), c)).collect();
            let _ = writeln!(table, "<tr>{cells}</tr>");
        }
        table.push_str("</tbody>\n</table></div>\n");
        self.raw(&table)
    }

    /// Adds HTML without escaping. The caller must escape text from outside.
    pub fn raw(&mut self, html: &str) -> &mut Self {
        self.body.push_str(html);
        self
    }

    /// Returns the page.
    pub fn finish(&self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n\
             </body>\n</html>\n",
            escape(&self.language),
            escape(&self.title),
            self.style,
            self.body.replace(" %", "\u{a0}%") // a number and its unit stay on one line
        )
    }
}

/// Returns whether a text is a number, with unit or sign: `12`, `−3.4 %`, `1,024`, `±0.2`.
fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '−', '+', '±', '≥', '≤', '<', ' ']);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().filter(|c| c.is_alphabetic()).count() <= 3
}

const STYLE: &str = include_str!("style.css");
