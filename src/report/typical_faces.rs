//! The typical face of each class.

/// Returns for each class the face whose features are nearest to the mean of the class, among correctly
/// predicted faces if there are any; `None` for a class without faces.
pub fn typical_faces(
    features: &[f32],
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Vec<Option<usize>> {
    let d = features.len() / labels.len().max(1);
    let row = |f: usize| &features[f * d..][..d];
    let typical = |class: usize| {
        let own: Vec<usize> = (0..labels.len()).filter(|&f| labels[f] == class).collect();
        let mut mean = vec![0.0f64; d];
        for &f in &own {
            mean.iter_mut().zip(row(f)).for_each(|(m, &v)| *m += f64::from(v) / own.len() as f64);
        }
        let distance = |f: usize| -> f64 {
            row(f).iter().zip(&mean).map(|(&v, m)| (f64::from(v) - m).powi(2)).sum()
        };
        let right: Vec<usize> = own.iter().copied().filter(|&f| predicted[f] == class).collect();
        let among = if right.is_empty() { own } else { right };
        among.into_iter().min_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)))
    };
    (0..classes).map(typical).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_is_nearest_to_the_mean_among_correct_predictions() {
        // Class 0: 0, 1, 5 with mean 2; face 1 is nearest, but predicted wrongly. Class 1: all predicted wrongly.
        let features = [0.0, 1.0, 5.0, 7.0, 9.0, 8.5];
        let found = typical_faces(&features, &[0, 0, 0, 1, 1, 1], &[0, 1, 0, 0, 0, 0], 3);
        assert_eq!(found, [Some(0), Some(5), None]);
    }
}
