//! Chapters 9 to 11: what a kernel must move, in which order it reads, and how many products it needs.

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

mod register_tile {
    use super::layer;
    use fer_kernels::ladder::{im2col_naive, simd_tile, wide_tile};

    #[test]
    fn tiles_give_the_sums_of_the_definition() {
        let g = fer_kernels::Conv2dGeometry { c_out: 19, ..layer() };
        let numbers = |n: usize, k: usize| (0..n).map(move |i| ((i * k) % 7) as f32 - 3.0);
        let x: Vec<f32> = numbers(2 * 3 * 30, 5).collect();
        let w: Vec<f32> = numbers(19 * 27, 3).collect();
        let run = |f: fn(&fer_kernels::Conv2dGeometry, &[f32], &[f32], &mut [f32])| {
            let mut y = vec![f32::NAN; 2 * 19 * 30];
            f(&g, &x, &w, &mut y);
            y
        };
        let want = run(im2col_naive); // 19 columns: one or two tiles, and a rest
        assert_eq!(run(simd_tile), want, "4×8");
        assert_eq!(run(wide_tile), want, "6×16");
    }
}

mod winograd_tile {
    use fer_kernels::naive::winograd::tile;

    const G: [[f64; 3]; 3] = [[1.0, -2.0, 3.0], [0.5, 7.0, -1.0], [2.0, 0.0, 4.0]];

    /// A single pixel of 1 shows which weight each output gives it.
    #[test]
    fn each_pixel_meets_its_weights() {
        for at in 0..16 {
            let mut d = [[0.0; 4]; 4];
            d[at / 4][at % 4] = 1.0;
            let weight = |i: usize, j: usize| {
                let (u, v) = ((at / 4).checked_sub(i)?, (at % 4).checked_sub(j)?);
                G.get(u)?.get(v).copied()
            };
            let want = [0, 1].map(|i| [0, 1].map(|j| weight(i, j).unwrap_or(0.0)));
            assert_eq!(tile(&d, &G), want, "a pixel at {}, {}", at / 4, at % 4);
        }
    }
}
