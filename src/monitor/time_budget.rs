//! A share of the training's time that watching may take.

/// Allows work as long as all of it together stays below a share of the time.
#[derive(Clone, Copy, Debug)]
pub struct Ration {
    share: f64,
    /// Seconds when the ration began.
    since: f64,
    spent: f64,
    last: f64,
}

impl Ration {
    /// `share` of the time from second `now` on.
    pub fn new(share: f64, now: f64) -> Self {
        Ration { share, since: now, spent: 0.0, last: 0.0 }
    }

    /// Whether as much as last time may be spent again. The first time is free to begin.
    pub fn allows(&self, now: f64) -> bool {
        self.spent + self.last <= self.share * (now - self.since)
    }

    /// Seconds were spent.
    pub fn spend(&mut self, seconds: f64) {
        self.spent += seconds;
        self.last = seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept() {
        let mut ration = Ration::new(0.01, 100.0);
        assert!(ration.allows(100.0), "the first time");
        ration.spend(1.0);
        // Twice 1 s is 1 % of 200 s.
        assert!(!ration.allows(299.0));
        assert!(ration.allows(300.0));
        ration.spend(0.0);
        assert!(ration.allows(200.0), "1 s of 100 s");
    }
}
