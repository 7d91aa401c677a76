//! Where one JPEG picture ends in a stream of them.

/// Where the bytes of a JPEG picture end: segments have lengths, and may hold pictures themselves.
#[derive(Debug, Default)]
pub(super) struct JpegEnd {
    state: State,
    /// Bytes of the segment that are left.
    left: usize,
    /// Whether the segment starts a scan, whose data follow.
    scan: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Outside,
    FirstFf,
    Marker,
    MarkerFf,
    LengthHigh,
    LengthLow,
    Segment,
    Data,
    DataFf,
}

/// What a byte is.
pub(super) enum Step {
    /// Before the picture; the byte, if 0xff, may be its first.
    Before,
    Inside,
    End,
}

impl JpegEnd {
    /// Takes the next byte.
    pub fn step(&mut self, byte: u8) -> Step {
        use State::{
            Data, DataFf, FirstFf, LengthHigh, LengthLow, Marker, MarkerFf, Outside, Segment,
        };
        self.state = match (self.state, byte) {
            (Outside | FirstFf, 0xff) => {
                self.state = FirstFf;
                return Step::Before;
            }
            (Outside, _) => return Step::Before,
            (FirstFf, 0xd8) => Marker,
            (FirstFf, _) => {
                self.state = Outside;
                return Step::Before;
            }
            (Marker, 0xff) | (MarkerFf, 0xff) => MarkerFf,
            (Marker, _) => Marker, // stray bytes between headers
            (MarkerFf | DataFf, 0xd9) => return Step::End,
            (MarkerFf, 0x01 | 0xd0..=0xd8) => Marker,
            (MarkerFf, marker) => {
                self.scan = marker == 0xda;
                LengthHigh
            }
            (LengthHigh, high) => {
                self.left = usize::from(high) << 8;
                LengthLow
            }
            (LengthLow, low) => {
                self.left = (self.left + usize::from(low)).saturating_sub(2);
                self.after_segment()
            }
            (Segment, _) => {
                self.left -= 1;
                self.after_segment()
            }
            (Data, 0xff) | (DataFf, 0xff) => DataFf,
            (Data, _) | (DataFf, 0x00 | 0xd0..=0xd7) => Data,
            (DataFf, marker) => {
                self.scan = marker == 0xda;
                LengthHigh
            }
        };
        Step::Inside
    }

    fn after_segment(&self) -> State {
        match (self.left, self.scan) {
            (0, true) => State::Data,
            (0, false) => State::Marker,
            _ => State::Segment,
        }
    }
}
