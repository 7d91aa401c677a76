//! How far a report is.

/// Parts of the work with their share of the time, told to whoever waits.
pub struct Progress<'a> {
    tell: &'a mut dyn FnMut(&str, f64),
    stage: &'static str,
    done: f64,
    weight: f64,
}

impl<'a> Progress<'a> {
    /// `tell` hears the name of the present part and the share of everything that is done, 0…1.
    pub fn new(tell: &'a mut dyn FnMut(&str, f64)) -> Progress<'a> {
        Progress { tell, stage: "", done: 0.0, weight: 0.0 }
    }

    /// Begins a part that takes about `weight` of the time; the one before is done.
    pub fn begin(&mut self, stage: &'static str, weight: f64) {
        self.done += self.weight;
        (self.stage, self.weight) = (stage, weight);
        self.part(0.0);
    }

    /// How much of the present part is done, 0…1.
    pub fn part(&mut self, share: f64) {
        (self.tell)(self.stage, (self.done + self.weight * share.clamp(0.0, 1.0)).min(1.0));
    }
}
