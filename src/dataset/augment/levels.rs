//! Changes the gray levels of a face: equalisation, contrast, brightness, random erasing.

use crate::random::Rng;

/// Pixel value / 255.
pub(super) const PLAIN_LEVELS: [f32; 256] = {
    let mut levels = [0.0; 256];
    let mut i = 0;
    while i < 256 {
        levels[i] = i as f32 / 255.0;
        i += 1;
    }
    levels
};

/// Returns the value of each gray level after histogram equalisation: (c(v) − c_min)/(n − c_min), where
/// c(v) is the number of pixels ≤ v and c_min that of the darkest level. A blank face does not change.
pub(super) fn equalized_levels(image: &[u8]) -> [f32; 256] {
    let mut counts = [0_u32; 256];
    for &p in image {
        counts[usize::from(p)] += 1;
    }
    let darkest = counts.iter().copied().find(|&c| c > 0).unwrap_or(0);
    let spread = image.len() as u32 - darkest;
    if spread == 0 {
        return PLAIN_LEVELS;
    }
    let mut below = 0;
    counts.map(|count| {
        below += count;
        below.saturating_sub(darkest) as f32 / spread as f32
    })
}

/// Changes contrast and brightness: out ← clamp((out − mean)·contrast + mean + brightness) to [0, 1].
pub(super) fn adjust_light(out: &mut [f32], contrast: f32, brightness: f32) {
    if contrast == 1.0 && brightness == 0.0 {
        return;
    }
    let mean = out.iter().sum::<f32>() / out.len() as f32;
    let offset = mean * (1.0 - contrast) + brightness;
    for value in out {
        *value = (*value * contrast + offset).clamp(0.0, 1.0);
    }
}

/// Fills a rectangle with one random gray (random erasing, Zhong et al. 2020; aspect ratio 0.3 to 3.3).
pub(super) fn erase(out: &mut [f32], side: usize, area: [f32; 2], rng: &mut Rng) {
    let area = rng.uniform_in(area[0].into(), area[1].into()) * (side * side) as f64;
    let ratio = rng.uniform_in(0.3_f64.ln(), 3.3_f64.ln()).exp();
    let height = ((area * ratio).sqrt().round() as usize).clamp(1, side);
    let width = ((area / ratio).sqrt().round() as usize).clamp(1, side);
    let (top, left) = (rng.below(side - height + 1), rng.below(side - width + 1));
    let gray = rng.uniform() as f32;
    for row in out.chunks_exact_mut(side).skip(top).take(height) {
        row[left..left + width].fill(gray);
    }
}
