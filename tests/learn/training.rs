//! Chapters 4 and 7: initial weights, learning rates, momentum, averages.

mod he_normal {
    use fer::prelude::*;

    #[test]
    fn the_variance_is_two_over_fan_in() {
        let network = Network::<f64>::new(architecture("tiny").unwrap(), 0).unwrap();
        let parameters = network.parameters();
        let weight = parameters.iter().find(|p| p.name == "conv2d_4.weight").unwrap();
        let w = weight.value.to_vec();
        let fan_in: usize = weight.value.shape()[1..].iter().product();
        let variance = w.iter().map(|w| w * w).sum::<f64>() / w.len() as f64;
        let ratio = variance * fan_in as f64 / 2.0;
        assert!(
            (0.95..1.05).contains(&ratio),
            "variance·fan_in/2 = {ratio} of {} weights",
            w.len()
        );
    }
}

mod cosine {
    use fer::optim::{Schedule, ScheduleShape};

    #[test]
    fn one_half_zero() {
        let schedule = Schedule { shape: ScheduleShape::Cosine, warmup: 0.0 };
        let got = [0.0, 0.5, 1.0, 1.0 / 3.0].map(|p| schedule.factor(p));
        crate::assert_near("at 0, ½, 1, ⅓", &got, &[1.0, 0.5, 0.0, 0.75]);
    }

    #[test]
    fn it_can_rise() {
        let schedule = Schedule { shape: ScheduleShape::OneCycle, warmup: 0.0 };
        let got = [0.0, 0.15, 0.3].map(|p| schedule.factor(p));
        crate::assert_near("one-cycle at 0, 0.15, 0.3", &got, &[0.04, 0.52, 1.0]);
    }
}

mod nesterov {
    use fer_kernels::update::{Sgd, sgd};

    /// The parameter and the velocity after steps with these gradients, from 0 and 0.
    fn after(nesterov: bool, weight_decay: f64, grad_scale: f64, gradients: &[f64]) -> [f64; 2] {
        let rule = Sgd { lr: 0.1, momentum: 0.9, nesterov, weight_decay, grad_scale };
        let (mut p, mut v) = ([0.0], [0.0]);
        for g in gradients {
            sgd(&rule, &mut p, &[*g], &mut v);
        }
        [p[0], v[0]]
    }

    #[test]
    fn the_velocity_grows_along_a_slope() {
        // v = 1, 1.9, 2.71
        crate::assert_near("momentum", &after(false, 0.0, 1.0, &[1.0; 3]), &[-0.561, 2.71]);
    }

    #[test]
    fn nesterov_looks_ahead() {
        // Steps 1 + 0.9·1, 1 + 0.9·1.9, 1 + 0.9·2.71
        crate::assert_near("Nesterov", &after(true, 0.0, 1.0, &[1.0; 3]), &[-0.8049, 2.71]);
    }

    #[test]
    fn decay_and_clipping_change_the_gradient() {
        // First g = ½·1; then ½·1 + 0.2·(−0.05)
        let got = after(false, 0.2, 0.5, &[1.0, 1.0]);
        crate::assert_near("decay 0.2, scale ½", &got, &[-0.144, 0.94]);
    }
}

mod ema {
    use fer::optim::Ema;
    use fer::tensor::Tensor;

    #[test]
    fn the_first_weights_are_forgotten_at_once() {
        let (start, now) = (Tensor::<f64>::scalar(0.0), Tensor::scalar(1.0));
        let mut ema = Ema::new(&[("w".into(), &start)], 0.999);
        ema.update(&[("w".into(), &now)]);
        crate::assert_near("after one update, d = 1/10", &[ema.average[0].item()], &[0.9]);
        ema.update(&[("w".into(), &now)]);
        crate::assert_near("after two, d = 2/11", &[ema.average[0].item()], &[1.0 - 0.2 / 11.0]);
    }

    #[test]
    fn in_the_long_run_the_decay_is_the_one_that_was_asked_for() {
        let (start, now) = (Tensor::<f64>::scalar(0.0), Tensor::scalar(1.0));
        let mut ema = Ema::new(&[("w".into(), &start)], 0.5);
        ema.updates = 1_000_000;
        ema.update(&[("w".into(), &now)]);
        crate::assert_near("d = 0.5", &[ema.average[0].item()], &[0.5]);
    }
}
