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
        let mut table = String::from("<div class=\"wide\"><table>\n");
        if !caption.is_empty() {
            let _ = writeln!(table, "<caption>{}</caption>", escape(caption));
        }
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
            self.body
        )
    }
}

/// Returns whether a text is a number, with unit or sign: `12`, `−3.4 %`, `1,024`, `±0.2`.
fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '−', '+', '±', '≥', '≤', '<', ' ']);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().filter(|c| c.is_alphabetic()).count() <= 3
}

const STYLE: &str = "\
:root { --ground: #fff; --ink: #1c2026; --muted: #5a616b; --line: #d8dce1; --shade: #f5f6f8; --link: #0065a8; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15181e; --ink: #eceff3; --muted: #a5adb8; --line: #39404a; --shade: #1e222a; --link: #5cb4f5; }
  .day + .night { display: block; }
  .day { display: none; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.6 system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0.6em 0; }
h2 { font-size: 1.4rem; line-height: 1.3; margin: 2.2em 0 0.6em; padding-top: 0.6em; border-top: 1px solid var(--line); }
h3 { font-size: 1.12rem; margin: 1.6em 0 0.4em; }
p, li { max-width: 44rem; overflow-wrap: break-word; }
a { color: var(--link); }
figure { margin: 1.4em 0; }
figure img, figure svg { max-width: max(100%, 34rem); height: auto; display: block; border-radius: 4px; }
.night { display: none; }
figcaption, caption { color: var(--muted); font-size: 0.92rem; margin-top: 0.5em; max-width: 44rem; text-align: left; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.94rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35em 0.8em; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { background: var(--shade); }
.n { text-align: right; }
pre { background: var(--shade); padding: 0.8em 1em; border-radius: 4px; overflow-x: auto; font-size: 0.88rem; }
@media print {
  :root { --ground: #fff; --ink: #000; --muted: #444; --line: #bbb; --shade: #f3f3f3; --link: #000; }
  main { max-width: none; padding: 0; }
  figure img, figure svg { max-width: 100%; }
  .day { display: block; }
  .day + .night { display: none; }
  figure, table, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
";
