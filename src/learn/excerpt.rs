//! Pieces of source files, found by the text of their first line.
//!
//! An anchor is the beginning of a line, or several separated by ` > `, each inside the one before:
//! `impl<T: Element> Gradients<T> > fn accumulate`. The piece ends where its braces close, which in
//! formatted code is the next line of the same indentation that begins with `}`, or is `];`.

use std::ops::Range;

/// Returns the bytes of the item at `anchor`, whole lines with the last line break, or what is wrong
/// with the anchor.
pub fn item(text: &str, anchor: &str) -> Result<Range<usize>, String> {
    let mut found = 0..text.len();
    for part in anchor.split(" > ") {
        found = within(text, found, part)?;
    }
    Ok(found)
}

fn within(text: &str, outer: Range<usize>, first: &str) -> Result<Range<usize>, String> {
    let lines = lines(text, outer);
    let starts = |line: &&Range<usize>| text[(*line).clone()].trim_start().starts_with(first);
    let mut candidates = lines.iter().filter(starts);
    let Some(start) = candidates.next() else {
        return Err(format!("no line begins with `{first}`"));
    };
    if candidates.next().is_some() {
        return Err(format!("several lines begin with `{first}`"));
    }
    let indent = indent_of(&text[start.clone()]);
    let is_whole =
        |line: &str| line.trim_end().ends_with([';', ',']) || line.trim_end().ends_with('}');
    if is_whole(&text[start.clone()]) {
        return Ok(start.clone());
    }
    let closes = |line: &&Range<usize>| {
        let line = &text[(*line).clone()];
        let words = line.trim();
        indent_of(line) == indent && (words.starts_with('}') || words == "];")
    };
    match lines.iter().filter(|line| line.start > start.start).find(closes) {
        Some(end) => Ok(start.start..end.end),
        None => Err(format!("the item at `{first}` has no end")),
    }
}

/// Returns the bytes of the body of the function or block at `anchor`: the lines between the one that
/// ends with `{` and the last.
///
/// # Errors
/// As [`item`], and if the item has no body.
pub fn body(text: &str, anchor: &str) -> Result<Range<usize>, String> {
    let whole = item(text, anchor)?;
    let lines = lines(text, whole.clone());
    let opens = |line: &&Range<usize>| text[(*line).clone()].trim_end().ends_with('{');
    match (lines.iter().find(opens), lines.last()) {
        (Some(open), Some(last)) if open.end < last.start => Ok(open.end..last.start),
        _ => Err(format!("the item at `{anchor}` has no body")),
    }
}

/// Returns the text without the indentation of its first line.
pub fn dedent(text: &str) -> String {
    let indent = indent_of(text);
    let cut = |line: &str| line.get(indent.min(indent_of(line))..).unwrap_or_default().to_owned();
    text.lines().map(|line| cut(line) + "\n").collect()
}

/// Returns the text with every line that is not empty moved to the right.
pub fn indented(text: &str, by: usize) -> String {
    let moved = |line: &str| {
        if line.is_empty() { "\n".to_owned() } else { format!("{}{line}\n", " ".repeat(by)) }
    };
    text.lines().map(moved).collect()
}

/// Returns the number of spaces at the beginning.
pub fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Returns the number of the line, from 1, in which a byte stands.
pub fn line_number(text: &str, byte: usize) -> usize {
    1 + text.as_bytes().iter().take(byte).filter(|b| **b == b'\n').count()
}

/// The lines of a piece, each with its line break.
fn lines(text: &str, piece: Range<usize>) -> Vec<Range<usize>> {
    let mut start = piece.start;
    let line = |line: &str| {
        start += line.len();
        start - line.len()..start
    };
    text[piece].split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "use a::b;\n\nimpl A {\n    /// Doc.\n    fn f(\n        x: u8,\n    ) -> u8 {\n        \
                          match x {\n            0 => 1,\n        }\n    }\n}\nimpl B {\n    fn f() {}\n    fn g() {\n        \
                          1\n    }\n}\n";

    #[test]
    fn items_and_bodies_are_found() {
        let text = |r: Range<usize>| &SOURCE[r];
        assert_eq!(text(item(SOURCE, "use a").unwrap()), "use a::b;\n");
        assert!(text(item(SOURCE, "impl A > fn f").unwrap()).starts_with("    fn f(\n"));
        assert_eq!(text(item(SOURCE, "impl B > fn f").unwrap()), "    fn f() {}\n");
        let found = text(body(SOURCE, "impl A > fn f").unwrap());
        assert_eq!(found, "        match x {\n            0 => 1,\n        }\n");
        assert_eq!(dedent(found), "match x {\n    0 => 1,\n}\n");
        assert_eq!(indented(&dedent(found), 8), found);
        assert_eq!(text(body(SOURCE, "fn g").unwrap()), "        1\n");
        assert_eq!(line_number(SOURCE, item(SOURCE, "fn g").unwrap().start), 15);
    }

    #[test]
    fn a_bad_anchor_says_what_is_wrong() {
        assert_eq!(item(SOURCE, "fn h").unwrap_err(), "no line begins with `fn h`");
        assert_eq!(item(SOURCE, "fn f").unwrap_err(), "several lines begin with `fn f`");
        assert!(body(SOURCE, "use a").unwrap_err().contains("no body"));
    }
}
