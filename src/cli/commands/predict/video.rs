//! `fer predict` of a video: one row per face and frame.

use crate::console::{self, eprintln_safe};
use crate::dataset::Dataset;
use crate::dataset::read::STDIN;
use crate::files::write_atomic;
use crate::model::Ensemble;
use crate::photo::video::{VideoReader, Y4M_MAGIC};
use crate::photo::{CropBox, FaceTracker, SeetaFace};
use crate::stats::argmax;
use crate::{Error, Result};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead as _, Read};
use std::path::{Path, PathBuf};

/// First bytes of a JPEG picture.
const JPEG: &[u8] = b"\xff\xd8";

/// Options of videos.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct VideoArgs {
    /// Videos: answer every Nth frame
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true,
          value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Videos: frames per second of Motion JPEG, which does not say it [default: 25]
    #[arg(long, value_name = "F")]
    fps: Option<f64>,
}

/// A video, open.
pub type Video = VideoReader<Box<dyn Read>>;

impl VideoArgs {
    /// Opens an input if it is a video: a file that ends in .y4m, .mjpeg or .mjpg, or standard input with
    /// YUV4MPEG2, or with JPEG pictures and `--fps`.
    ///
    /// # Errors
    /// [`Error::Data`] if it is no such video; [`Error::Usage`] for a rate that is none.
    pub fn open(&self, input: &Path) -> Result<Option<Video>> {
        let rate = self.fps.unwrap_or(25.0);
        if !(rate > 0.0 && rate <= 1e6) {
            return Err(Error::Usage(format!("--fps {rate}: expected a number above 0")));
        }
        let (stream, name): (Box<dyn Read>, &Path) = match input == Path::new("-") {
            true if self.stdin_is_video()? => (Box::new(std::io::stdin()), Path::new(STDIN)),
            false if is_video(input) => {
                (Box::new(File::open(input).map_err(Error::io(input))?), input)
            }
            _ => return Ok(None),
        };
        VideoReader::new(stream, name, rate).map(Some)
    }

    /// Looks at the first bytes of standard input, which stay there.
    fn stdin_is_video(&self) -> Result<bool> {
        let mut stdin = std::io::stdin().lock();
        let head = stdin.fill_buf().map_err(Error::io(STDIN))?;
        Ok(head.starts_with(Y4M_MAGIC) || head.starts_with(JPEG) && self.fps.is_some())
    }
}

/// Whether a path ends like a video that can be read.
pub fn is_video(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["y4m", "mjpeg", "mjpg"].iter().any(|e| ending == *e)
}

/// Where the rows go.
pub struct Rows<'a> {
    /// Whether each row is a JSON object; else a line of CSV.
    pub json: bool,
    /// A CSV file instead of standard output.
    pub out: Option<&'a PathBuf>,
}

/// Follows the faces of a video and writes a row for each face in each answered frame.
///
/// # Errors
/// Those of reading and writing; [`Error::NoFace`] if no frame holds a face.
pub fn predict(
    mut video: Video,
    ensemble: &Ensemble,
    args: VideoArgs,
    rows: &Rows<'_>,
    name: &str,
) -> Result<()> {
    let detector = SeetaFace::new()?;
    let mut tracker = FaceTracker::default();
    let names = ensemble.classes();
    let (mut frames, mut faces, mut csv) = (0u64, 0u64, header(&names)?);
    if !rows.json && rows.out.is_none() {
        console::print(&std::mem::take(&mut csv))?;
    }
    while let Some(frame) = video.read()? {
        frames += 1;
        for face in tracker.follow(&frame.image, frame.seconds, &detector) {
            faces += 1;
            let square = CropBox::around(&face.face);
            let crop = Dataset::from_pixels(square.crop(&frame.image), vec![None], name)?;
            let raw = ensemble.predict_calibrated(&crop, false, |_| {})?.of(0).to_vec();
            let smoothed = tracker.smooth(face.id, &raw);
            let class = names[argmax(&smoothed)];
            if rows.json {
                console::print_json(&json!({
                    "seconds": frame.seconds, "frame": frame.number, "face": face.id, "box": square,
                    "class": class, "smoothed": named(&names, &smoothed), "raw": named(&names, &raw),
                }))?;
                continue;
            }
            let place = [square.x, square.y, square.side].map(|v| format!("{v:.1}"));
            let head =
                [format!("{:.3}", frame.seconds), frame.number.to_string(), face.id.to_string()];
            let numbers = smoothed.iter().chain(&raw).map(|p| format!("{p:.4}"));
            let fields = head.into_iter().chain(place).chain([class.to_owned()]).chain(numbers);
            let line = line(fields)?;
            match rows.out {
                Some(_) => csv += &line,
                None => console::print(&line)?,
            }
        }
        for _ in 1..args.every {
            if !video.skip()? {
                break;
            }
        }
    }
    if let Some(path) = rows.out {
        write_atomic(path, csv.as_bytes())?;
        super::print_table(path);
    }
    eprintln_safe!("{name}: {frames} frames answered, faces in them: {faces}");
    if video.is_cut() {
        eprintln_safe!(
            "note: {name} ends inside a frame, which is left out: the file or the pipe was cut"
        );
    }
    if faces == 0 {
        return Err(Error::NoFace(name.to_owned()));
    }
    Ok(())
}

fn named(names: &[&str], values: &[f32]) -> serde_json::Map<String, serde_json::Value> {
    names.iter().zip(values).map(|(name, p)| ((*name).to_owned(), json!(p))).collect()
}

fn header(names: &[&str]) -> Result<String> {
    let fixed = ["seconds", "frame", "face", "x", "y", "side", "class"].map(str::to_owned);
    let raw = names.iter().map(|name| format!("{name}_raw"));
    line(fixed.into_iter().chain(names.iter().map(|&n| n.to_owned())).chain(raw))
}

fn line(fields: impl Iterator<Item = String>) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(fields).map_err(|e| Error::Usage(e.to_string()))?;
    let bytes = csv.into_inner().map_err(|e| Error::Usage(e.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
