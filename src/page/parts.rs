//! The files of the page, as the browser loads them: modules without a bundler, readable as source.

/// A file of the page: its target, such as `/app.css`, and its text.
pub type Part = (&'static str, &'static str);

/// The page itself; `{token}` stands for the token of its calls.
pub const HTML: &str = include_str!("files/index.html");

/// The files beside its HTML.
pub const PARTS: [Part; 16] = [
    ("/app.css", include_str!("files/app.css")),
    ("/answer.js", include_str!("files/answer.js")),
    ("/api.js", include_str!("files/api.js")),
    ("/cell.js", include_str!("files/cell.js")),
    ("/datamap.js", include_str!("files/datamap.js")),
    ("/dom.js", include_str!("files/dom.js")),
    ("/faces.js", include_str!("files/faces.js")),
    ("/filter.js", include_str!("files/filter.js")),
    ("/i18n.js", include_str!("files/i18n.js")),
    ("/main.js", include_str!("files/main.js")),
    ("/messages.js", include_str!("files/messages.js")),
    ("/microscope.js", include_str!("files/microscope.js")),
    ("/notes.js", include_str!("files/notes.js")),
    ("/paint.js", include_str!("files/paint.js")),
    ("/timeline.js", include_str!("files/timeline.js")),
    ("/why.js", include_str!("files/why.js")),
];

/// The transport of an exported page, in place of `api.js`: answers from files.
pub const STATIC_API: &str = include_str!("files/static_api.js");
