//! Limits of everything that a file or an option can ask for, in one place.
//!
//! Whatever exceeds a limit is refused by name before memory is allocated for it.

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

/// Most faces of a data set: 0.9 GB of memory.
pub const MAX_FACES: usize = 400_000;

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

/// Most memory that decoding a picture may need, in bytes. A progressive JPEG, whose coefficients are
/// all kept, may have 29 megapixels.
pub const MAX_DECODING: usize = 256 << 20;

/// Largest text file that describes something: settings, a network, a calibration. In bytes.
pub const MAX_TEXT: u64 = 1 << 20;

/// Largest number of parameters of a network: 72 MB in f32, enough for the convolutions of VGG-16. A training holds
/// about fourteen times as much, just below 1 GiB: gradients, moments, average, and the checkpoint while it is
/// written.
pub const MAX_PARAMETERS: usize = 18_000_000;

/// Largest number of values of one input, including the padding of a convolution, and of the output of a
/// layer for one input: 16 MB in f32.
pub const MAX_VALUES: usize = 1 << 22;

/// Most classes of a network. The faces have seven.
pub const MAX_CLASSES: usize = 100;

/// Largest number of layers of a network, those inside residual blocks included.
pub const MAX_LAYERS: usize = 1_000;

/// Sides of the faces that a network may be trained on, and of the inputs of a weights file, in pixels.
pub const SIDES: std::ops::RangeInclusive<usize> = 16..=192;

/// Largest number of values that the layers of a network put out for one batch of a training: 1 GiB in
/// f32.
pub const MAX_BATCH_VALUES: usize = 1 << 28;

/// Largest number of values that one layer puts out for one batch of predictions: 128 MiB in f32.
pub const MAX_PREDICTION_VALUES: usize = 1 << 25;

/// Most epochs of a training, whatever its budget: each checkpoint contains the history.
pub const MAX_EPOCHS: usize = 1_500;
/// Most minutes of a training: a year.
pub const MAX_MINUTES: f64 = 525_600.0;

/// Largest number of gradient steps of an activation maximisation.
pub const MAX_STEPS: usize = 100_000;

/// Largest header of a weights file, in bytes. The longest history of a training needs a twentieth of it,
/// a network of a thousand layers less.
pub const MAX_HEADER: usize = 1 << 24;

/// Largest weights file or checkpoint, in bytes: four times the parameters (weights, two moments, average)
/// and the header.
pub const MAX_WEIGHTS_FILE: u64 = (4 * 4 * MAX_PARAMETERS + MAX_HEADER) as u64;

/// Largest file that a training writes for charts and the live page, in bytes.
pub const MAX_RECORD: u64 = 1 << 26;
