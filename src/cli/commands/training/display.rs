//! The progress of a training on the terminal.

use crate::Result;
use crate::cli::shared::progress::{self, duration};
use crate::cli::shared::signals;
use crate::console::eprintln_safe;
use crate::monitor::Recorder;
use crate::render::chart::Epoch;
use crate::render::terminal;
use crate::train::{EpochMetrics, Observer, StepResult, Trainer};
use indicatif::ProgressBar;

/// Shows a training as a progress bar, or as one line per epoch, and passes it on to the recorder.
pub(crate) struct Display {
    /// Progress bar over the steps of an epoch.
    pub bar: ProgressBar,
    plot: bool,
    /// Writes the records into the run folder.
    pub recorder: Recorder,
}

/// Width of curves in the terminal.
const COLUMNS: usize = 100;

impl Display {
    /// A display that ends the training at the first signal.
    pub fn new(plot: bool, recorder: Recorder) -> Self {
        Self { bar: progress::bar(1, ""), plot, recorder }
    }

    /// Prints a line, above the bar if there is one.
    fn print(&self, line: &str) {
        if progress::plain() { eprintln_safe!("{line}") } else { self.bar.println(line) }
    }
}

impl Observer for Display {
    fn step(&mut self, trainer: &Trainer, result: &StepResult) -> bool {
        self.recorder.step(trainer, result);
        let p = &trainer.progress;
        self.bar.set_length(trainer.steps_per_epoch() as u64);
        self.bar.set_position(p.step_in_epoch as u64);
        let left = trainer.remaining().map(duration);
        // Plain lines show only the prefix, and the time of this epoch.
        let total = match &left {
            Some(left) if progress::plain() => format!(" ({left} left in total)"),
            _ => String::new(),
        };
        self.bar.set_prefix(format!("epoch {}{total}", p.epoch + 1));
        let faces = p.sums.faces.max(1) as f64;
        self.bar.set_message(format!(
            "loss {:.3} acc {:.1} % {:.0} img/s{};",
            p.sums.loss / faces,
            100.0 * p.sums.correct as f64 / faces,
            faces / p.sums.seconds.max(1e-9),
            left.map_or(String::new(), |left| format!(", {left} left")),
        ));
        !signals::stop_requested()
    }

    fn epoch(&mut self, trainer: &Trainer, m: &EpochMetrics) -> Result<()> {
        self.recorder.epoch(trainer, m)?;
        let skipped = match m.skipped_steps {
            0 => String::new(),
            1 => "  1 step skipped: loss not finite".into(),
            n => format!("  {n} steps skipped: loss not finite"),
        };
        let line = format!(
            "epoch {:>3}  loss {:.4}  acc {:5.2} %  val loss {:.4}  val acc {:5.2} %  lr {:.4}  \
             {:.0} img/s  {}{}{skipped}",
            m.epoch,
            m.loss,
            100.0 * m.accuracy,
            m.val_loss,
            100.0 * m.val_accuracy,
            m.lr,
            m.images_per_second,
            duration(m.seconds),
            trainer.remaining().map_or(String::new(), |s| format!(", {} left", duration(s)))
        );
        self.print(&line);
        self.bar.reset_elapsed();
        if self.plot {
            let epochs: Vec<Epoch> = trainer.progress.history.iter().map(Epoch::from).collect();
            let color = !progress::plain() && terminal::color_wanted();
            self.print(&terminal::curves(&epochs, COLUMNS, color));
        }
        Ok(())
    }

    fn saved(&mut self, trainer: &Trainer) -> Result<()> {
        self.recorder.saved(trainer)
    }
}
