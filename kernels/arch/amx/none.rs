//! Tile registers on CPUs of an architecture that has none.

use super::SimdLevel;

pub const TILE_SIDE: usize = 32;

/// No value exists.
pub enum Tiles {}

#[allow(dead_code)] // nothing reads it
pub struct TileRows<'a> {
    pub data: &'a [u16],
    pub start: usize,
    pub row: usize,
    pub segments: &'a [usize],
    pub steps: usize,
}

impl Tiles {
    pub fn of(_: SimdLevel) -> Option<Self> {
        None
    }
    pub fn multiply(&self, _: &TileRows, _: &[f32], _: &mut [f32], _: usize, _: bool) {
        match *self {}
    }
    pub fn transpose(&self, _: &[f32], _: usize, _: [usize; 2], _: &mut [f32], _: usize) {
        match *self {}
    }
}
