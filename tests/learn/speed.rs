//! Chapters 9 and 10: what a kernel must move, and in which order it reads.

use fer_kernels::Conv2dGeometry;

fn layer() -> Conv2dGeometry {
    Conv2dGeometry::new([2, 3, 5, 6], [4, 3, 3, 3], [1, 1], [1, 1], [1, 1], 1).unwrap()
}

mod bytes_moved {
    use super::layer;
    use fer_kernels::ladder::LADDER;

    #[test]
    fn operands_and_result_once() {
        let elements = 2 * 3 * 30 + 4 * 27 + 2 * 4 * 30; // x, w, y
        for rung in LADDER.iter().filter(|r| !r.name.contains("im2col")) {
            assert_eq!(rung.bytes(&layer()), 4 * elements, "{}", rung.name);
        }
    }

    #[test]
    fn columns_are_written_and_read() {
        let elements = 2 * 3 * 30 + 4 * 27 + 2 * 4 * 30 + 2 * (2 * 30 * 27);
        for rung in LADDER.iter().filter(|r| r.name.contains("im2col")) {
            assert_eq!(rung.bytes(&layer()), 4 * elements, "{}", rung.name);
        }
    }
}

mod loop_order {
    use super::layer;
    use fer_kernels::ladder::{im2col_blocked, im2col_naive};

    #[test]
    fn the_order_of_the_loops_changes_no_sum() {
        let g = layer();
        let numbers = |n: usize, k: usize| (0..n).map(move |i| ((i * k) % 7) as f32 - 3.0);
        let x: Vec<f32> = numbers(2 * 3 * 30, 5).collect();
        let w: Vec<f32> = numbers(4 * 27, 3).collect();
        let (mut fast, mut naive) = (vec![f32::NAN; 2 * 4 * 30], vec![f32::NAN; 2 * 4 * 30]);
        im2col_blocked(&g, &x, &w, &mut fast);
        im2col_naive(&g, &x, &w, &mut naive);
        assert_eq!(fast, naive); // small whole numbers: exact in any order
    }
}
