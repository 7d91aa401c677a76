//! Limits work to a share of the training time.

/// Allows work while its total time stays below a share of the training time.
#[derive(Clone, Copy, Debug)]
pub struct TimeBudget {
    share: f64,
    /// Seconds of the training when the budget began.
    since: f64,
    spent: f64,
    last: f64,
}

impl TimeBudget {
    /// A budget of `share` of the time from second `now` on.
    pub fn new(share: f64, now: f64) -> Self {
        TimeBudget { share, since: now, spent: 0.0, last: 0.0 }
    }

    /// Whether as much time as last time may be spent again. The first work is always allowed.
    pub fn allows(&self, now: f64) -> bool {
        self.spent + self.last <= self.share * (now - self.since)
    }

    /// Adds seconds that were spent.
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
        let mut budget = TimeBudget::new(0.01, 100.0);
        assert!(budget.allows(100.0), "the first time");
        budget.spend(1.0);
        // Twice 1 s is 1 % of 200 s.
        assert!(!budget.allows(299.0));
        assert!(budget.allows(300.0));
        budget.spend(0.0);
        assert!(budget.allows(200.0), "1 s of 100 s");
    }
}
