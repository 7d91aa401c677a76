//! The integration suite, one module per law.

mod golden;
