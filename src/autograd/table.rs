//! The tape as a table and as a graph for Graphviz.

use crate::autograd::{NodeId, Tape};
use crate::tensor::Element;
use std::fmt::Write as _;

impl<T: Element> Tape<T> {
    /// Returns the tape as a table: node, op, inputs, shape, and the names given by
    /// [`Tape::set_name`]. `–` is a constant, which has no node.
    ///
    /// ```
    /// # use fer::prelude::*;
    /// let mut tape = Tape::new();
    /// let (a, b) = (tape.leaf(Tensor::scalar(2.0)), tape.leaf(Tensor::scalar(-3.0)));
    /// let product = ops::mul(&mut tape, &a, &b)?;
    /// let y = ops::add(&mut tape, &product, &a)?;
    /// for (x, name) in [(&a, "a"), (&b, "b"), (&y, "y")] {
    ///     tape.set_name(x, name);
    /// }
    /// assert_eq!(
    ///     tape.to_table(),
    ///     "\
    /// node  op    inputs  shape  name
    /// 0     leaf  –       []     a
    /// 1     leaf  –       []     b
    /// 2     mul   0, 1    []
    /// 3     add   2, 0    []     y
    /// "
    /// );
    /// # Ok::<(), fer::Error>(())
    /// ```
    pub fn to_table(&self) -> String {
        let mut rows = vec![["node", "op", "inputs", "shape", "name"].map(String::from)];
        rows.extend(self.nodes().map(|(id, op, inputs, shape)| {
            let inputs: Vec<_> = inputs.iter().map(|&i| self.input(i)).collect();
            let inputs = if inputs.is_empty() { "–".into() } else { inputs.join(", ") };
            [id.index().to_string(), op.into(), inputs, format!("{shape:?}"), self.name(id).into()]
        }));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
        let mut table = String::new();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
            let _ = writeln!(table, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        table
    }

    /// Returns the tape as a graph in the language of Graphviz, from inputs to results:
    /// `dot -Tsvg tape.dot > tape.svg`.
    ///
    /// ```
    /// # use fer::prelude::*;
    /// let mut tape = Tape::new();
    /// let x = tape.leaf(Tensor::scalar(3.0));
    /// ops::mul(&mut tape, &x, &x)?;
    /// let dot = tape.to_dot();
    /// assert_eq!(dot.matches("n0 -> n1").count(), 2); // x is used twice: two arrows, two gradients
    /// # Ok::<(), fer::Error>(())
    /// ```
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph tape {\n  rankdir=LR; node [shape=box];\n");
        for (id, op, inputs, shape) in self.nodes() {
            let index = id.index();
            let name = self.name(id).replace('\\', "\\\\").replace('"', "\\\"");
            let name = if name.is_empty() { name } else { format!("{name}\\n") };
            let _ = writeln!(dot, "  n{index} [label=\"{name}{op} {shape:?}\"];");
            for input in inputs.iter().flatten() {
                let _ = writeln!(dot, "  n{} -> n{index};", input.index());
            }
        }
        dot + "}\n"
    }

    fn input(&self, input: Option<NodeId>) -> String {
        input.map_or("–".into(), |id| id.index().to_string())
    }
}
