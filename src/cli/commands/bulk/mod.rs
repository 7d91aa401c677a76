//! `fer predict` for many pictures: one record after the other, in bounded memory, resumable, in shards.
//!
//! | file | what it does |
//! |---|---|
//! | this file | reads records, decodes them on all threads, predicts whole batches |
//! | `part` | the answers so far, and how far that is: what `--resume` continues |
//! | `parquet_out` | the finished table as Parquet (feature `parquet`) |

#[cfg(feature = "parquet")]
mod parquet_out;
mod part;

use crate::cli::commands::bulk::part::{Job, Part, Progress};
use crate::cli::shared::photos::{FaceCrop, PhotoArgs, require_size};
use crate::cli::shared::predictions::{csv_header, csv_of};
use crate::cli::shared::progress::duration;
use crate::console::eprintln_safe;
use crate::dataset::image::{decode, read_image};
use crate::dataset::stream::{Content, Record, each_record, is_archive};
use crate::dataset::{Dataset, Sample};
use crate::error::Shown as _;
use crate::model::Ensemble;
use crate::photo::{FaceChoice, SeetaFace, crop_faces};
use crate::render::format::{counted, thousands};
use crate::{Error, Result};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

/// Records that are decoded and predicted together.
const TOGETHER: usize = 256;
/// Records that cannot be read and are named; all are counted.
const NAMED: usize = 20;

/// One of n parts of the work: every n-th record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Number of the part, from 1.
    pub number: usize,
    /// Number of parts.
    pub of: usize,
}

impl FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("found `{text}`; expected I/N such as 1/4, with I from 1 to N");
        let (number, of) = text.split_once('/').ok_or_else(expected)?;
        let parse = |text: &str| text.trim().parse::<usize>().map_err(|_| expected());
        let (number, of) = (parse(number)?, parse(of)?);
        match (1..=of).contains(&number) {
            true => Ok(Self { number, of }),
            false => Err(expected()),
        }
    }
}

/// Options of a bulk prediction.
pub(crate) struct Bulk<'a> {
    /// Files and folders.
    pub inputs: &'a [PathBuf],
    /// The networks.
    pub ensemble: &'a Ensemble,
    /// Which faces of a photo are used.
    pub photos: &'a PhotoArgs,
    /// Whether ten views are averaged.
    pub tta: bool,
    /// Whether records that cannot be read are no failure.
    pub skip_bad: bool,
    /// The part of the work.
    pub shard: Shard,
    /// Whether an earlier run is continued.
    pub resume: bool,
    /// The table to write: CSV, or Parquet by its ending.
    pub out: &'a Path,
}

/// Whether a file is Parquet by its name.
fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// Whether these inputs, or this output, need one record at a time.
pub(crate) fn is_needed(inputs: &[PathBuf], out: Option<&Path>) -> bool {
    out.is_some_and(is_parquet) || inputs.iter().any(|input| is_archive(input))
}

impl Bulk<'_> {
    /// Predicts all records of the shard and writes the table, which appears when it is complete.
    ///
    /// # Errors
    /// [`Error::Data`] for an input that cannot be read further, [`Error::Inputs`] at the end for records
    /// that cannot be read, [`Error::Usage`] for an earlier run with other settings.
    pub fn run(&self) -> Result<()> {
        require_writer(self.out)?;
        let header = csv_header(&self.ensemble.classes())?;
        let mut part = Part::open(self.out, self.job()?, &header, self.resume)?;
        let (done, begun) = (part.progress.records, Instant::now());
        if done > 0 {
            eprintln_safe!("continues after {}", counted(done, "record"));
        }
        if let Err(error) = self.predict_all(&mut part) {
            match part.progress.seen {
                0 => part.discard(), // nothing to continue
                _ => part.note()?,
            }
            return Err(error);
        }
        self.report(part.progress.records - done, begun, part.progress.faces);
        let Progress { records, bad, faces, .. } = part.progress;
        // A shard may have no record; then its table has no row.
        if faces == 0 && records > 0 {
            part.discard();
            return Err(nothing(bad));
        }
        part.finish(self.out, finish_parquet)?;
        match bad {
            0 => Ok(()),
            _ if self.skip_bad => Ok(()),
            n => Err(Error::Inputs(format!(
                "{} cannot be read; the others are in {}",
                counted(n, "record"),
                self.out.shown()
            ))),
        }
    }

    /// Reads the records of this shard that an earlier run has not seen, and adds their answers.
    fn predict_all(&self, part: &mut Part) -> Result<()> {
        let names = self.ensemble.classes();
        let Shard { number: mine, of } = self.shard;
        let (mut number, seen) = (0, part.progress.seen);
        let mut batch = Vec::with_capacity(TOGETHER);
        for input in self.inputs {
            each_record(input, self.skip_bad, &mut |record| {
                if number % of + 1 == mine && number >= seen {
                    batch.push((input.clone(), record));
                }
                number += 1;
                match batch.len() {
                    TOGETHER => self.answer(std::mem::take(&mut batch), number, &names, part),
                    _ => Ok(()),
                }
            })?;
        }
        self.answer(batch, number, &names, part)
    }

    /// Settings that a continued run must share with its beginning.
    fn job(&self) -> Result<Job> {
        let size = |path: &PathBuf| {
            let bytes = std::fs::metadata(path).map_err(Error::io(path))?;
            let bytes = if bytes.is_dir() { 0 } else { bytes.len() };
            Ok(format!("{} ({bytes} bytes)", path.display()))
        };
        let inputs: Result<Vec<String>> = self.inputs.iter().map(size).collect();
        Ok(Job {
            version: env!("CARGO_PKG_VERSION").into(),
            inputs: inputs?,
            networks: self.ensemble.checksums(),
            shard: format!("{}/{}", self.shard.number, self.shard.of),
            detect: format!("{:?}", self.photos.choice).to_lowercase(),
            tta: self.tta,
            precision: format!("{:?}", self.ensemble.first().network.precision).to_lowercase(),
        })
    }

    /// Decodes records on all threads, predicts their faces, and adds the rows.
    fn answer(
        &self,
        records: Vec<(PathBuf, Record)>,
        seen: usize,
        names: &[&str],
        part: &mut Part,
    ) -> Result<()> {
        let count = records.len();
        let choice = self.photos.choice;
        let read = |(input, record): (PathBuf, Record)| faces_of(choice, &input, record);
        let read: Vec<Result<Dataset>> = records.into_par_iter().map(read).collect();
        let (mut faces, mut bad) = (Dataset::new(), 0);
        for one in read {
            match one {
                Ok(found) => faces.append(found),
                Err(error) => {
                    bad += 1;
                    self.name(&error, part.progress.bad + bad);
                }
            }
        }
        let rows = match faces.is_empty() {
            true => String::new(),
            false => {
                let predictions = self.ensemble.predict_whole_batches(&faces, self.tta)?;
                csv_of(&faces, &predictions, names)?
            }
        };
        part.add(&rows, count, seen, faces.len(), bad)
    }

    fn name(&self, error: &Error, number: usize) {
        match number {
            n if n <= NAMED => eprintln_safe!("{error}"),
            n if n == NAMED + 1 => {
                eprintln_safe!("further records that cannot be read are only counted")
            }
            _ => {}
        }
    }

    /// Says how fast it was, decoding included.
    fn report(&self, records: usize, begun: Instant, faces: usize) {
        let seconds = begun.elapsed().as_secs_f64();
        let number = |rate: f64| match rate < 10.0 {
            true => format!("{rate:.1}"),
            false => format!("{rate:.0}"),
        };
        let (rate, cores) = (records as f64 / seconds.max(1e-9), rayon::current_num_threads());
        eprintln_safe!(
            "{} in {}: {} a second, {} per core, reading and decoding included; {} in the table",
            counted(records, "record"),
            duration(seconds),
            number(rate),
            number(rate / cores as f64),
            counted(faces, "face")
        );
    }
}

/// The faces of a record, named as `fer predict` names them. None where a photo shows none.
fn faces_of(choice: FaceChoice, input: &Path, Record { id, content }: Record) -> Result<Dataset> {
    let mut data = Dataset::new();
    let source = data.add_source(input);
    let picture = match content {
        Content::Bad(error) => return Err(error),
        Content::Face(pixels) => {
            data.push(&pixels, Sample { id: Some(id), ..Sample::default() }, source);
            return Ok(data);
        }
        Content::File(path) => require_size(read_image(&path)?, &path)?,
        Content::Picture(bytes) => {
            let place = input.join(&id);
            require_size(decode(&bytes, &place)?, &place)?
        }
    };
    let detector = SeetaFace::new()?;
    for (face, number) in crop_faces(&picture, choice, &detector).iter().zip(1..) {
        let crop = FaceCrop { location: face.location, turn: face.turn, number };
        data.push(&face.pixels, Sample { id: Some(crop.name(&id)), ..Sample::default() }, source);
    }
    Ok(data)
}

fn nothing(bad: usize) -> Error {
    match bad {
        0 => Error::NoFace("any record".into()),
        n => Error::Inputs(format!("all {} records cannot be read", thousands(n as u64))),
    }
}

/// Refuses a Parquet output where this build cannot write it, before any work.
fn require_writer(out: &Path) -> Result<()> {
    match is_parquet(out) && cfg!(not(feature = "parquet")) {
        false => Ok(()),
        true => Err(Error::Usage(format!(
            "--out {}: this build cannot write Parquet: cargo build --release --features parquet, or write a \
             CSV",
            out.shown()
        ))),
    }
}

/// Turns the finished CSV into the output.
fn finish_parquet(csv: &Path, out: &Path) -> Result<bool> {
    #[cfg(feature = "parquet")]
    if is_parquet(out) {
        parquet_out::write(csv, out)?;
        return Ok(true);
    }
    let _ = (csv, out);
    Ok(false)
}
