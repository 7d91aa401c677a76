//! What is read at most: every limit on input from outside, in one place.
//!
//! Whatever exceeds a limit is refused by name before memory is allocated for it. A limit that belongs to
//! one algorithm, such as the epochs of a training, stands with the algorithm.

/// Longest line of a table, in bytes. A face needs at most 9,300.
pub const MAX_LINE: usize = 128 << 10;

/// Longest line that is skipped instead of read, in bytes. Reading ends at a longer one, because its end
/// may never come.
pub const MAX_SKIPPED: usize = 16 << 20;

/// Most blank lines in a row.
pub const MAX_BLANK: usize = 1_000;

/// Longest field of a table, in bytes.
pub const MAX_FIELD: usize = 64 << 10;

/// Longest id of a row, in bytes.
pub const MAX_ID: usize = 256;

/// Most faces of a data set: 2.3 GB.
pub const MAX_FACES: usize = 1_000_000;

/// Largest ratio of decompressed to compressed bytes. Faces compress to about a third.
pub const MAX_GZIP_RATIO: u64 = 20;

/// Number of decompressed bytes from which the ratio is checked.
pub const GZIP_RATIO_FROM: u64 = 32 << 20;

/// Largest picture file, in bytes.
pub const MAX_PICTURE: usize = 64 << 20;

/// Longest side of a picture, in pixels.
pub const MAX_SIDE: usize = 16_384;

/// Most pixels of a picture: 8192×8192.
pub const MAX_PIXELS: usize = 64 << 20;

/// Most memory that decoding a JPEG file may need, in bytes. A progressive file, whose coefficients are
/// all kept, may have 29 megapixels.
pub const MAX_JPEG_WORK: usize = 256 << 20;

/// Largest settings file or description of a network, in bytes.
pub const MAX_TEXT: u64 = 1 << 20;

/// Largest header of a weights file, in bytes. The longest history of a training needs a twentieth of it,
/// a network of a thousand layers less.
pub const MAX_HEADER: usize = 1 << 24;

/// Most classes of a network. The faces have seven.
pub const MAX_CLASSES: usize = 100;

/// Most parameters of a network: 400 MB in f32; training needs about four times as much.
pub const MAX_PARAMETERS: usize = 100_000_000;

/// Most values of one input, including the padding of a convolution, and of the output of a layer for one
/// input: 16 MB in f32. VGG-16 on images of 224×224 stays below.
pub const MAX_VALUES: usize = 1 << 22;
