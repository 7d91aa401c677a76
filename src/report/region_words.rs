//! Region lift in words: face or not face?

use super::face::name;
use crate::explain::region_lift::{Lift, Source};
use crate::explain::regions::Region;
use crate::render::numbers::percent;

/// The lift of a region for a class (`None`: all faces) and a source.
pub fn lift_of(
    lifts: &[Lift],
    class: Option<usize>,
    source: Source,
    region: Region,
) -> Option<&Lift> {
    lifts.iter().find(|l| l.class == class && l.source == source && l.region == region)
}

/// The answer to the question, for all faces and for each class.
pub fn region_words(lifts: &[Lift], names: &[&str]) -> String {
    let mut words = vec![verdict(lifts)];
    let classes: Vec<usize> = {
        let mut found: Vec<usize> = lifts.iter().filter_map(|l| l.class).collect();
        found.dedup();
        found.sort_unstable();
        found.dedup();
        found
    };
    words.push(most_looked_at(lifts, None, "Over all faces"));
    words.extend(
        classes.into_iter().map(|c| most_looked_at(lifts, Some(c), &capital(name(names, c)))),
    );
    words.retain(|w| !w.is_empty());
    words.join(" ")
}

/// Whether the attribution lies on the face, and whether edges or random weights would do the same.
fn verdict(lifts: &[Lift]) -> String {
    let outside = |source| lift_of(lifts, None, source, Region::Outside);
    let (Some(network), Some(uniform)) = (outside(Source::Network), outside(Source::Uniform))
    else {
        return String::new();
    };
    let on_face = |l: &Lift| percent(1.0 - l.share);
    let mut text = format!(
        "Face or not face? {} of the attribution falls on the face, which takes {} of the picture.",
        on_face(network),
        on_face(uniform)
    );
    let mut beaten = vec![];
    let mut not_beaten = vec![];
    for (source, what) in
        [(Source::Sobel, "the picture's edges"), (Source::Randomised, "random weights")]
    {
        if let Some(control) = outside(source) {
            text += &format!(" By {what} alone it would be {}.", on_face(control));
            let better = network.interval.high < control.interval.low;
            if better { beaten.push(what) } else { not_beaten.push(what) }
        }
    }
    text += match (network.interval.high < 1.0, not_beaten.is_empty()) {
        (true, true) => " So it looks at the face, and more than the controls explain.",
        (true, false) => " So it looks at the face more than at the rest, but so does a control.",
        (false, _) => " So it does not look at the face more than at the rest.",
    };
    if !not_beaten.is_empty() {
        text += &format!(" Not above: {}.", not_beaten.join(", "));
    }
    text
}

/// The region with the highest lift, and whether edges explain it.
fn most_looked_at(lifts: &[Lift], class: Option<usize>, who: &str) -> String {
    let own = lifts.iter().filter(|l| l.class == class && l.source == Source::Network);
    let Some(best) = own.max_by(|a, b| a.lift.total_cmp(&b.lift)) else { return String::new() };
    let edges = lift_of(lifts, class, Source::Sobel, best.region);
    let beside = match edges {
        Some(e) if best.interval.low > e.interval.high => format!("above edges, {:.2}", e.lift),
        Some(e) => format!("no more than edges, {:.2}", e.lift),
        None => "no control".into(),
    };
    format!("{who}: most at {}, {:.2} times its area ({beside}).", best.region.label(), best.lift)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |c| c.to_uppercase().chain(letters).collect())
}
