//! Progress of a report.

/// Reports the progress of stages that take known shares of the time.
pub struct Progress<'a> {
    report: &'a mut dyn FnMut(&str, f64),
    stage: &'static str,
    done: f64,
    weight: f64,
}

impl<'a> Progress<'a> {
    /// `report` receives the name of the stage and the share of all work done, 0…1.
    pub fn new(report: &'a mut dyn FnMut(&str, f64)) -> Progress<'a> {
        Progress { report, stage: "", done: 0.0, weight: 0.0 }
    }

    /// Begins a stage that takes about `weight` of the time and ends the stage before.
    pub fn begin(&mut self, stage: &'static str, weight: f64) {
        self.done += self.weight;
        (self.stage, self.weight) = (stage, weight);
        self.part(0.0);
    }

    /// Reports the share of the stage that is done, 0…1.
    pub fn part(&mut self, share: f64) {
        (self.report)(self.stage, (self.done + self.weight * share.clamp(0.0, 1.0)).min(1.0));
    }
}
