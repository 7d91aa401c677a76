//! Geometries: the sizes, strides and paddings of an operation, and the order of axes in memory.

use crate::Scalar;
use std::fmt;

/// The memory order of the axes N, C, H, W of a rank-4 tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// N, C, H, W, row-major. Tensors of any other rank are row-major, too.
    Nchw,
    /// N, H, W, C: channels last. The channels of a pixel are contiguous, so a SIMD register holds
    /// channels, and a convolution is a matrix product without a transpose.
    Nhwc,
}

/// Whether a matrix is stored as written or transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transpose {
    /// Stored as written, row-major.
    No,
    /// Stored as its transpose, row-major.
    Yes,
}

/// Sizes of a matrix product C\[m,n\] = op(A)\[m,k\] · op(B)\[k,n\].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GemmGeometry {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Inner size.
    pub k: usize,
    /// `Yes`: A is stored \[k,m\].
    pub trans_a: Transpose,
    /// `Yes`: B is stored \[n,k\].
    pub trans_b: Transpose,
}

/// Sizes of a 2-D convolution (cross-correlation, as the field calls it convolution).
///
/// y\[n,o,i,j\] = b\[o\] + Σ_{c,u,v} w\[o,c,u,v\] · x\[n, c + group(o)·c_in/groups, i·s_h + u·d_h −
/// p_h, j·s_w + v·d_w − p_w\]
///
/// with x = 0 outside. Weights are `[c_out, c_in/groups, k_h, k_w]`, row-major, for both layouts
/// of the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dGeometry {
    /// Images in the batch.
    pub n: usize,
    /// Input channels.
    pub c_in: usize,
    /// Input height.
    pub h_in: usize,
    /// Input width.
    pub w_in: usize,
    /// Output channels.
    pub c_out: usize,
    /// Kernel height.
    pub k_h: usize,
    /// Kernel width.
    pub k_w: usize,
    /// Step between windows, (height, width).
    pub stride: [usize; 2],
    /// Zeros added on each side, (height, width).
    pub padding: [usize; 2],
    /// Distance between taps, (height, width).
    pub dilation: [usize; 2],
    /// Independent groups of channels.
    pub groups: usize,
    /// Output height, derived.
    pub h_out: usize,
    /// Output width, derived.
    pub w_out: usize,
}

/// The error of a geometry that has no output, or whose sizes contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeometryError(pub String);

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for GeometryError {}

/// Returns the number of window positions: ⌊(size + 2·padding − dilation·(kernel−1) − 1)/stride⌋ +
/// 1.
fn num_windows(
    what: &str,
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Result<usize, GeometryError> {
    if kernel == 0 || stride == 0 || dilation == 0 {
        return Err(GeometryError(format!(
            "{what}: kernel {kernel}, stride {stride} and dilation {dilation} must be at least 1"
        )));
    }
    // The sizes can come from a file, so an overflow is an error like any other.
    let span = dilation.checked_mul(kernel - 1).and_then(|s| s.checked_add(1));
    let padded = padding.checked_mul(2).and_then(|p| p.checked_add(size));
    let (Some(span), Some(padded)) = (span, padded) else {
        return Err(GeometryError(format!(
            "{what}: kernel {kernel}, dilation {dilation} or padding {padding} is too large"
        )));
    };
    if padded < span {
        return Err(GeometryError(format!(
            "{what}: a kernel that spans {span} does not fit {size} with padding {padding}"
        )));
    }
    Ok((padded - span) / stride + 1)
}

impl Conv2dGeometry {
    /// Derives the output size.
    ///
    /// `input` is \[n, c_in, h_in, w_in\], `weight` \[c_out, c_in/groups, k_h, k_w\].
    ///
    /// # Errors
    /// Channels that do not divide into the groups, or a window that does not fit.
    pub fn new(
        input: [usize; 4],
        weight: [usize; 4],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
    ) -> Result<Self, GeometryError> {
        let [n, c_in, h_in, w_in] = input;
        let [c_out, c_per_group, k_h, k_w] = weight;
        if groups == 0 || c_per_group.checked_mul(groups) != Some(c_in) || c_out % groups != 0 {
            return Err(GeometryError(format!(
                "input {input:?} and weight {weight:?} do not agree for {groups} group(s): \
                 expected weight [c_out, c_in/groups, k_h, k_w] with c_out a multiple of groups"
            )));
        }
        Ok(Self {
            n,
            c_in,
            h_in,
            w_in,
            c_out,
            k_h,
            k_w,
            stride,
            padding,
            dilation,
            groups,
            h_out: num_windows("height", h_in, k_h, stride[0], padding[0], dilation[0])?,
            w_out: num_windows("width", w_in, k_w, stride[1], padding[1], dilation[1])?,
        })
    }

    /// Returns the number of elements of the input.
    pub fn input_len(&self) -> usize {
        self.n * self.c_in * self.h_in * self.w_in
    }
    /// Returns the number of elements of the output.
    pub fn output_len(&self) -> usize {
        self.n * self.c_out * self.h_out * self.w_out
    }
    /// Returns the number of elements of the weights.
    pub fn weight_len(&self) -> usize {
        self.c_out * self.c_in / self.groups * self.k_h * self.k_w
    }
    /// Returns the multiply-accumulates of one forward pass by the definition, taps in the padding
    /// included.
    pub fn macs(&self) -> usize {
        self.n * self.h_out * self.w_out * self.weight_len()
    }
    /// Returns the input row of output row `i` under kernel row `u`, if it is inside the image.
    #[inline]
    pub fn row(&self, i: usize, u: usize) -> Option<usize> {
        let r = (i * self.stride[0] + u * self.dilation[0]).checked_sub(self.padding[0])?;
        (r < self.h_in).then_some(r)
    }
    /// Returns the input column of output column `j` under kernel column `v`, if it is inside the
    /// image.
    #[inline]
    pub fn col(&self, j: usize, v: usize) -> Option<usize> {
        let c = (j * self.stride[1] + v * self.dilation[1]).checked_sub(self.padding[1])?;
        (c < self.w_in).then_some(c)
    }
}

/// Sizes of a 2-D pooling, without dilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool2dGeometry {
    /// Images in the batch.
    pub n: usize,
    /// Channels.
    pub c: usize,
    /// Input height.
    pub h_in: usize,
    /// Input width.
    pub w_in: usize,
    /// Window, (height, width).
    pub kernel: [usize; 2],
    /// Step between windows, (height, width).
    pub stride: [usize; 2],
    /// Padding on each side, (height, width): ignored by max pooling, zeros in average pooling.
    pub padding: [usize; 2],
    /// Output height, derived.
    pub h_out: usize,
    /// Output width, derived.
    pub w_out: usize,
}

impl Pool2dGeometry {
    /// Returns the geometry of 2×2 windows side by side over \[n, c, h, w\]; the last row or column
    /// of an odd size is left out.
    ///
    /// # Errors
    /// Images smaller than 2×2.
    pub fn halving(input: [usize; 4]) -> Result<Self, GeometryError> {
        Self::new(input, [2; 2], [2; 2], [0; 2])
    }
    /// Derives the output size from `input` = \[n, c, h_in, w_in\].
    ///
    /// # Errors
    /// A window that does not fit, or padding above half the window, where a window could be empty.
    pub fn new(
        input: [usize; 4],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Result<Self, GeometryError> {
        let [n, c, h_in, w_in] = input;
        if padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2 {
            return Err(GeometryError(format!(
                "padding {padding:?} must be at most half the kernel {kernel:?}"
            )));
        }
        Ok(Self {
            n,
            c,
            h_in,
            w_in,
            kernel,
            stride,
            padding,
            h_out: num_windows("height", h_in, kernel[0], stride[0], padding[0], 1)?,
            w_out: num_windows("width", w_in, kernel[1], stride[1], padding[1], 1)?,
        })
    }
    /// Returns the number of elements of the input.
    pub fn input_len(&self) -> usize {
        self.n * self.c * self.h_in * self.w_in
    }
    /// Returns the number of elements of the output.
    pub fn output_len(&self) -> usize {
        self.n * self.c * self.h_out * self.w_out
    }
    /// Returns the rows of the image under output row `i`.
    #[inline]
    pub fn rows(&self, i: usize) -> std::ops::Range<usize> {
        span(i, self.kernel[0], self.stride[0], self.padding[0], self.h_in)
    }
    /// Returns the columns of the image under output column `j`.
    #[inline]
    pub fn cols(&self, j: usize) -> std::ops::Range<usize> {
        span(j, self.kernel[1], self.stride[1], self.padding[1], self.w_in)
    }
}

#[inline]
fn span(
    i: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    size: usize,
) -> std::ops::Range<usize> {
    let start = i * stride;
    start.saturating_sub(padding)..(start + kernel).saturating_sub(padding).min(size)
}

/// A view of a tensor by its channels: memory is `[outer, channels, inner]`.
///
/// NCHW is `[n, c, h·w]`, NHWC is `[n·h·w, c, 1]`, and a matrix `[n, c]` is `[n, c, 1]`, so one
/// batch norm covers all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelView {
    /// Product of the axes before the channels.
    pub outer: usize,
    /// Channels.
    pub channels: usize,
    /// Product of the axes after the channels.
    pub inner: usize,
}

impl ChannelView {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.outer * self.channels * self.inner
    }
    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Returns the number of elements of one channel.
    pub fn per_channel(&self) -> usize {
        self.outer * self.inner
    }
}

/// Statistics and parameters of a batch norm z = γ·(x − mean)·inv_std + β, each `[channels]`.
#[derive(Clone, Copy, Debug)]
pub struct Normalisation<'a, T> {
    /// Mean.
    pub mean: &'a [T],
    /// 1/√(variance + ε).
    pub inv_std: &'a [T],
    /// Scale γ.
    pub gamma: &'a [T],
    /// Shift β.
    pub beta: &'a [T],
}

impl<T: Scalar> Normalisation<'_, T> {
    /// Returns (scale, shift) of the same map z = x·scale + shift.
    pub fn affine(&self, channel: usize) -> (T, T) {
        let scale = self.gamma[channel] * self.inv_std[channel];
        (scale, self.beta[channel] - self.mean[channel] * scale)
    }
}
