//! Sentences about the lift of the face regions.

use crate::explain::regions::face_regions::Region;
use crate::explain::regions::region_lift::{Lift, MapSource};
use crate::explain::significance::MIN_FACES;
use crate::report::face::name;
use crate::report::i18n::{Language, capital, phrase};

/// Share of the highest lift from which a second region is named, too.
const NEARLY_AS_MUCH: f64 = 0.85;
/// Lift below which a region hardly counts.
const HARDLY: f64 = 0.8;

/// Returns the lift of a region for a class (`None`: all faces) and a map source.
pub fn lift_of(
    lifts: &[Lift],
    class: Option<usize>,
    source: MapSource,
    region: Region,
) -> Option<&Lift> {
    lifts.iter().find(|l| l.class == class && l.source == source && l.region == region)
}

/// Returns the sentences of [`region_sentences`] in English as one paragraph.
pub fn region_words(lifts: &[Lift], names: &[&str]) -> String {
    region_sentences(lifts, names, Language::English).join(" ")
}

/// Returns the sentences: the share on the face, then the highest lift of all faces and of each class.
pub fn region_sentences(lifts: &[Lift], names: &[&str], language: Language) -> Vec<String> {
    let mut classes: Vec<usize> = lifts.iter().filter_map(|l| l.class).collect();
    classes.sort_unstable();
    classes.dedup();
    let all = language.phrases().over_all_faces;
    let known = |class| lifts.iter().any(|l| l.class == class && l.is_known());
    if !known(None) {
        return vec![phrase!(language.phrases().few_faces, fewest = MIN_FACES)];
    }
    let mut words = vec![verdict(lifts, language), most_looked_at(lifts, None, all, language)];
    words.extend(classes.into_iter().filter(|&c| known(Some(c))).map(|c| {
        let who = capital(language.class(name(names, c)));
        let most = most_looked_at(lifts, Some(c), &who, language);
        language.paragraph(&[most, more_than_all(lifts, c, language)])
    }));
    words.retain(|w| !w.is_empty());
    words
}

/// Returns sentences on the share of the attribution on the face, for the network and the controls.
fn verdict(lifts: &[Lift], language: Language) -> String {
    let outside = |source| lift_of(lifts, None, source, Region::Outside);
    let (Some(network), Some(uniform)) = (outside(MapSource::Network), outside(MapSource::Uniform))
    else {
        return String::new();
    };
    let p = language.phrases();
    let on_face = |l: &Lift| language.percent(1.0 - l.share);
    let mut text = vec![phrase!(p.on_face, share = on_face(network), area = on_face(uniform))];
    let mut not_beaten = vec![];
    for (source, what) in
        [(MapSource::Sobel, p.image_edges), (MapSource::Randomised, p.random_weights)]
    {
        if let Some(control) = outside(source) {
            text.push(phrase!(p.by_control, control = what, share = on_face(control)));
            if network.interval.high >= control.interval.low {
                not_beaten.push(what);
            }
        }
    }
    text.push(
        match (network.interval.high < 1.0, not_beaten.is_empty()) {
            (true, true) => p.looks_at_face,
            (true, false) => p.so_does_a_control,
            (false, _) => p.not_at_face,
        }
        .into(),
    );
    if !not_beaten.is_empty() {
        text.push(phrase!(p.not_above, controls = language.list(&not_beaten)));
    }
    language.paragraph(&text)
}

/// Returns one sentence: the regions with the highest lift, beside the edges, and the part of the face
/// that hardly counts.
fn most_looked_at(lifts: &[Lift], class: Option<usize>, who: &str, language: Language) -> String {
    let own = lifts.iter().filter(|l| l.class == class && l.source == MapSource::Network);
    let mut own: Vec<&Lift> = own.filter(|l| l.region != Region::Outside).collect();
    own.sort_by(|a, b| b.lift.total_cmp(&a.lift));
    let (Some(best), Some(least)) = (own.first(), own.last()) else { return String::new() };
    let p = language.phrases();
    let beside = match lift_of(lifts, class, MapSource::Sobel, best.region) {
        Some(e) if best.interval.low > e.interval.high => {
            phrase!(p.above_edges, lift = format!("{:.2}", e.lift))
        }
        Some(e) => phrase!(p.like_edges, lift = format!("{:.2}", e.lift)),
        None => p.no_control.into(),
    };
    let is_close = |l: &&&Lift| l.lift >= NEARLY_AS_MUCH * best.lift && l.interval.low > 1.0;
    let most: Vec<&str> = match own.get(1).filter(is_close) {
        Some(second) => vec![language.region(best.region), language.region(second.region)],
        None => vec![language.region(best.region)],
    };
    let hardly = match least.interval.high < HARDLY {
        true => phrase!(p.hardly, region = language.region(least.region)),
        false => String::new(),
    };
    let (region, lift) = (language.list(&most), format!("{:.2}", best.lift));
    phrase!(p.most_at, who = who, region = region, lift = lift, beside = beside, hardly = hardly)
}

/// Returns the region where a class exceeds all faces most, if the intervals do not overlap.
fn more_than_all(lifts: &[Lift], class: usize, language: Language) -> String {
    let pair = |region: Region| {
        let own = lift_of(lifts, Some(class), MapSource::Network, region)?;
        let all = lift_of(lifts, None, MapSource::Network, region)?;
        let edges = lift_of(lifts, Some(class), MapSource::Sobel, region)?;
        (own.interval.low > all.interval.high).then_some((own, all, edges))
    };
    let gain = |(own, all, _): &(&Lift, &Lift, &Lift)| own.lift - all.lift;
    let pairs = Region::ALL.into_iter().filter_map(pair);
    let Some((own, all, edges)) = pairs.max_by(|a, b| gain(a).total_cmp(&gain(b))) else {
        return String::new();
    };
    let [lift, over_all, edges] = [own, all, edges].map(|l| format!("{:.2}", l.lift));
    let (region, p) = (language.region(own.region), language.phrases());
    phrase!(p.more_than_all, region = region, lift = lift, all = over_all, edges = edges)
}
