//! Classes by name or number: one parser for labels, folders and options.

use crate::CLASS_NAMES;

/// The classes by number and name, for messages.
pub const EXPECTED_CLASSES: &str =
    "0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise or 6 neutral";

/// Returns the class with this name or number, ignoring case and spaces around it. Names are ours and the
/// spellings of other releases of FER2013; a number may be written as a decimal one, as `3.0`.
///
/// # Example
/// ```
/// use fer::dataset::class_of;
/// assert_eq!([class_of("Happiness"), class_of(" 3.0"), class_of("7")], [Some(3), Some(3), None]);
/// ```
pub fn class_of(text: &str) -> Option<u8> {
    const SPELLINGS: [&[&str]; CLASS_NAMES.len()] = [
        &["angry", "anger"],
        &["disgust", "disgusted"],
        &["fear", "fearful", "afraid"],
        &["happy", "happiness"],
        &["sad", "sadness"],
        &["surprise", "surprised"],
        &["neutral", "neutrality"],
    ];
    let text = text.trim().to_ascii_lowercase();
    let named = (0..).zip(SPELLINGS).find(|(_, names)| names.contains(&text.as_str()));
    named.map(|(class, _)| class).or_else(|| class_number(&text))
}

/// Parses a whole number below 7 with or without zeros behind a point.
fn class_number(text: &str) -> Option<u8> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_whole = whole.bytes().all(|b| b.is_ascii_digit()) && fraction.bytes().all(|b| b == b'0');
    let number = is_whole.then(|| whole.parse::<u8>().ok())??;
    (usize::from(number) < CLASS_NAMES.len()).then_some(number)
}

/// Finds a class among the names of a network: by its name, its number there, or another spelling.
pub fn class_among(text: &str, names: &[&str]) -> Option<usize> {
    let position = |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name.trim()));
    let by_number = || text.trim().parse().ok().filter(|&class| class < names.len());
    let spelled = || position(CLASS_NAMES[usize::from(class_of(text)?)]);
    position(text).or_else(by_number).or_else(spelled)
}
