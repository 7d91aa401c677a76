//! A 128-bit hash of an image's pixels.
//!
//! It is our own because splits depend on it and must not change with the version of a library. It is
//! not a cryptographic hash.

/// Hash of the pixels of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageHash(pub u128);

/// Odd multipliers of two independent lanes: the fractional digits of √2 and √3.
const LANES: [u64; 2] = [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b];

/// Returns the exclusive or of both halves of the product, so that every input bit affects every output
/// bit.
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

impl ImageHash {
    /// Computes the hash of `pixels`.
    ///
    /// Each lane k starts with h = length ⊕ laneₖ. For each 8-byte little-endian word w, the last one
    /// padded with zeros: h ← fold(h ⊕ w, laneₖ) + rotl(h, 23). At the end two folds of both lanes give
    /// the two halves. The upper one rotates a lane; otherwise both halves would be equal, because a
    /// product is commutative.
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
        let low = fold(h[0] ^ LANES[1], h[1] ^ LANES[0]);
        let high = fold(h[0] ^ LANES[0], h[1].rotate_left(32) ^ LANES[1]);
        ImageHash(u128::from(high) << 64 | u128::from(low))
    }

    /// Returns the lower 64 bits, which seed random streams.
    pub fn low(self) -> u64 {
        self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values of the same function in Python. If they change, every split changes.
    #[test]
    fn hashes_have_their_golden_values() {
        let ramp: Vec<u8> = (0..2304_u32).map(|i| (i % 251) as u8).collect();
        assert_eq!(ImageHash::of(b""), ImageHash(GOLDEN[0]));
        assert_eq!(ImageHash::of(b"face"), ImageHash(GOLDEN[1]));
        assert_eq!(ImageHash::of(&ramp), ImageHash(GOLDEN[2]));
    }
    const GOLDEN: [u128; 3] = [
        0x4402_fb6b_bf7e_41a9_ccad_0802_52c7_0b04,
        0xdc96_5290_78bd_27b7_48b7_9576_f3a3_223f,
        0xd2c2_c90e_b62e_0ff4_6cc9_e085_9aec_f915,
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

    /// Over many images the halves differ in about half of their bits: they are independent.
    #[test]
    fn halves_are_independent() {
        let mut differing = 0;
        for i in 0..1000_u32 {
            let hash = ImageHash::of(&i.to_le_bytes()).0;
            differing += ((hash >> 64) as u64 ^ hash as u64).count_ones();
        }
        assert!((31_000..33_000).contains(&differing), "{differing} of 64,000 bits");
    }

    #[test]
    fn the_length_is_hashed() {
        assert_ne!(ImageHash::of(&[0; 8]), ImageHash::of(&[0; 16]));
        assert_ne!(ImageHash::of(&[0; 3]), ImageHash::of(&[0; 4]));
    }
}
