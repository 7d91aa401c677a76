//! The HTML page that plays a pass.

use crate::render::html::Document;
use crate::trace::Trace;
use crate::{Error, Result};

impl Trace {
    /// Returns one self-contained page: the scalar example and a convolution to play with, and this pass,
    /// forward and backward, step by step. Only here a script is needed; nothing is loaded.
    ///
    /// # Errors
    /// None that a trace of finite sizes could cause.
    pub fn to_html(&self) -> Result<String> {
        let data = serde_json::to_string(self).map_err(|e| Error::Usage(e.to_string()))?;
        let data = data.replace('<', "\\u003c"); // no name may end the script
        let mut page = Document::new("The tape: a pass, forward and backward", "en");
        page.style(include_str!("page.css"));
        page.raw(include_str!("page.html"));
        page.raw(&format!("<script>\nconst TRACE = {data};\n"));
        page.raw(include_str!("page.js"));
        page.raw("</script>\n");
        Ok(page.finish())
    }
}
