//! Measurements that decide whether an attribution map can be believed.

pub mod faithfulness;
pub mod gradient_check;
pub mod infidelity;
pub mod randomisation;
pub mod sanity_table;
pub mod sensitivity;
pub mod significance;
