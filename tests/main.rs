
mod explain;
