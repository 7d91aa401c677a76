//! A 128-bit fingerprint of a picture's pixels: equal pixels, equal fingerprint.
//!
//! Our own, because splits depend on it and must not change with a library's version. Not made to
//! resist somebody who looks for collisions.

/// Fingerprint of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageHash(pub u128);

/// Odd multipliers of two independent lanes (fractional digits of the square roots of 2 and 3).
const LANES: [u64; 2] = [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b];

/// Folds the product's two halves, so that every input bit reaches every output bit.
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

impl ImageHash {
    /// For each lane k and each 8-byte little-endian word w (the last one filled up with zeros):
    /// h ← fold(h ⊕ w, laneₖ) + rotl(h, 23); begins with h = length ⊕ laneₖ, ends with one more fold.
    pub fn of(pixels: &[u8]) -> Self {
        let mut h = LANES.map(|lane| pixels.len() as u64 ^ lane);
        let (words, rest) = pixels.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        for word in words.iter().chain(std::iter::once(&last)) {
            let w = u64::from_le_bytes(*word);
            for (h, lane) in h.iter_mut().zip(LANES) {
                *h = fold(*h ^ w, lane).wrapping_add(h.rotate_left(23));
            }
        }
        let [a, b] = [0, 1].map(|k| fold(h[k] ^ LANES[1 - k], LANES[k] ^ h[1 - k]));
        ImageHash(u128::from(a) << 64 | u128::from(b))
    }

    /// The lower 64 bits, to address random streams.
    pub fn low(self) -> u64 {
        self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values, made by this code: a change of the function would silently change every split.
    #[test]
    fn fingerprints_are_pinned() {
        let ramp: Vec<u8> = (0..2304_u32).map(|i| (i % 251) as u8).collect();
        assert_eq!(ImageHash::of(b""), ImageHash(GOLDEN[0]));
        assert_eq!(ImageHash::of(b"face"), ImageHash(GOLDEN[1]));
        assert_eq!(ImageHash::of(&ramp), ImageHash(GOLDEN[2]));
    }
    const GOLDEN: [u128; 3] = [
        0xccad_0802_52c7_0b04_ccad_0802_52c7_0b04,
        0x48b7_9576_f3a3_223f_48b7_9576_f3a3_223f,
        0x6cc9_e085_9aec_f915_6cc9_e085_9aec_f915,
    ];

    #[test]
    fn one_changed_pixel_changes_about_half_of_the_bits() {
        let mut image = vec![128_u8; 2304];
        let before = ImageHash::of(&image).0;
        for i in 0..2304 {
            image[i] ^= 1;
            let changed = (ImageHash::of(&image).0 ^ before).count_ones();
            assert!((30..=98).contains(&changed), "pixel {i}: {changed} of 128 bits");
            image[i] ^= 1;
        }
    }

    #[test]
    fn lengths_count() {
        assert_ne!(ImageHash::of(&[0; 8]), ImageHash::of(&[0; 16]));
        assert_ne!(ImageHash::of(&[0; 3]), ImageHash::of(&[0; 4]));
    }
}
