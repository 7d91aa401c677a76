//! Measurements that show whether an attribution map can be believed.
//!
//! [`sanity_table`] makes one row of all of them for each method.

pub mod faithfulness;
pub mod gradient_check;
pub mod infidelity;
pub mod kinks;
pub mod randomisation;
pub mod sanity_table;
pub mod sensitivity;
