//! The languages of reports: a table of phrases and the number formats of each.
//!
//! A phrase is a whole sentence with named placeholders, `{recall} of {faces}`, so that each language
//! has its own word order. The code that reads the numbers chooses the phrase, once for all languages.

/// Declares [`Phrases`] and its English table. A translation that lacks a phrase does not compile.
macro_rules! phrases {
    ($($name:ident: $english:literal,)*) => {
        /// All phrases of the reports in one language.
        pub(crate) struct Phrases {
            $(pub $name: &'static str,)*
        }

        impl Phrases {
            /// Returns names and phrases in order.
            #[cfg(test)]
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }

        pub(crate) const TABLE: Phrases = Phrases { $($name: $english,)* };
    };
}

mod chinese;
mod english;

pub(crate) use english::Phrases;

use crate::CLASS_NAMES;
use crate::explain::regions::face_regions::Region;
use crate::render::format::thousands;
use crate::stats::Interval;

/// The language of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Chinese, simplified.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// Returns the language code of HTML.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// Returns the table of phrases.
    pub(crate) fn phrases(self) -> &'static Phrases {
        match self {
            Language::English => &english::TABLE,
            Language::Chinese => &chinese::TABLE,
        }
    }

    /// Returns the name of a class; a class that FER2013 does not have keeps its name.
    pub fn class(self, name: &str) -> &str {
        let place = CLASS_NAMES.iter().position(|n| *n == name);
        match (self, place) {
            (Language::Chinese, Some(c)) => chinese::CLASSES[c],
            _ => name,
        }
    }

    /// Returns the name of a face region.
    pub fn region(self, region: Region) -> &'static str {
        match self {
            Language::English => region.label(),
            Language::Chinese => chinese::REGIONS[region as usize],
        }
    }

    /// Returns a short name of a face region for chart labels.
    pub fn short_region(self, region: Region) -> &'static str {
        match self {
            Language::English => english::SHORT_REGIONS[region as usize],
            Language::Chinese => chinese::SHORT_REGIONS[region as usize],
        }
    }

    /// Returns a share with one decimal, `12.3 %`; `–` if it is not finite.
    pub fn percent(self, share: f64) -> String {
        self.percentage(share, 1)
    }

    /// Returns a share without decimals, `12 %`.
    pub fn whole_percent(self, share: f64) -> String {
        self.percentage(share, 0)
    }

    fn percentage(self, share: f64, decimals: usize) -> String {
        let gap = if self == Language::English { " " } else { "" };
        match share.is_finite() {
            true => minus(format!("{:.decimals$}{gap}%", 100.0 * share)),
            false => "–".into(),
        }
    }

    /// Returns an interval of shares, `64 to 68 %`.
    pub fn between(self, interval: Interval) -> String {
        let (low, high) = (100.0 * interval.low, 100.0 * interval.high);
        match self {
            Language::English => minus(format!("{low:.0} to {high:.0} %")),
            Language::Chinese => minus(format!("{low:.0}%～{high:.0}%")),
        }
    }

    /// Returns a number of faces in words: `1 face`, `3,589 faces`.
    pub fn faces(self, count: u64) -> String {
        let p = self.phrases();
        match count {
            1 => p.one_face.into(),
            n => phrase!(p.count_of_faces, count = thousands(n)),
        }
    }

    /// Returns an enumeration: `a, b and c`.
    pub fn list<S: AsRef<str>>(self, items: &[S]) -> String {
        let (comma, and) = match self {
            Language::English => (", ", " and "),
            Language::Chinese => ("、", "和"),
        };
        let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
        match items.split_last() {
            Some((last, first)) if !first.is_empty() => first.join(comma) + and + last,
            _ => items.concat(),
        }
    }

    /// Joins sentences.
    pub fn paragraph<S: AsRef<str>>(self, sentences: &[S]) -> String {
        let said = sentences.iter().map(AsRef::as_ref).filter(|s| !s.is_empty());
        said.collect::<Vec<_>>().join(if self == Language::English { " " } else { "" })
    }
}

/// Replaces the hyphen of a printed number by a minus sign, and `NaN` by a dash.
pub(crate) fn minus(number: String) -> String {
    match number.as_str() {
        "NaN" => "–".into(),
        _ => number.replace('-', "−"),
    }
}

/// Capitalises the first letter of a sentence.
pub(crate) fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |c| c.to_uppercase().chain(letters).collect())
}

/// Fills the placeholders of a phrase.
pub(crate) fn fill(phrase: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(phrase.len() + 16);
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(n, _)| *n == name);
        debug_assert!(value.is_some(), "`{name}` is not given to: {phrase}");
        text.push_str(before);
        text.push_str(value.map_or("", |v| v.1.as_str()));
        rest = tail;
    }
    text + rest
}

/// Returns a phrase with its placeholders filled: `phrase!(p.best_class, recall = …, faces = …)`.
macro_rules! phrase {
    ($phrase:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::report::i18n::fill($phrase, &[$((stringify!($name), $value.to_string())),*])
    };
}
pub(crate) use phrase;

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(phrase: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            phrase.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|p| p.0).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn both_tables_have_the_same_placeholders_and_no_phrase_is_empty() {
        let tables = [Language::English, Language::Chinese].map(|l| l.phrases().all());
        for ((name, english), (_, chinese)) in tables[0].iter().zip(&tables[1]) {
            assert_eq!(placeholders(english), placeholders(chinese), "{name}");
            assert!(!english.is_empty() && !chinese.is_empty(), "{name}");
        }
    }

    #[test]
    fn chinese_phrases_are_chinese() {
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        for (name, phrase) in Language::Chinese.phrases().all() {
            assert!(phrase.chars().any(is_chinese), "{name}: {phrase}");
        }
        for (name, phrase) in Language::English.phrases().all() {
            assert!(!phrase.chars().any(is_chinese), "{name}: {phrase}");
        }
    }

    #[test]
    fn numbers_and_lists_are_written_as_each_language_does() {
        let (en, zh) = (Language::English, Language::Chinese);
        assert_eq!((en.percent(0.1234), zh.percent(0.1234)), ("12.3 %".into(), "12.3%".into()));
        assert_eq!(en.percent(f64::NAN), "–");
        assert_eq!(en.whole_percent(-0.05), "−5 %");
        assert_eq!(en.list(&["a", "b", "c"]), "a, b and c");
        assert_eq!((zh.list(&["a", "b"]), zh.list(&["a"])), ("a和b".into(), "a".into()));
        assert_eq!((en.class("happy"), zh.class("happy")), ("happy", "高兴"));
        assert_eq!(zh.class("joy"), "joy");
        assert_eq!((en.faces(1), zh.faces(2000)), ("1 face".into(), "2,000 张人脸".into()));
        assert_eq!(phrase!("{a} of {b}", b = 2, a = "1"), "1 of 2");
    }
}
