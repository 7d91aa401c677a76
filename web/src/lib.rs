//! The page of `fer serve` with the network inside the browser: a Web Worker holds a [`Page`] and answers the
//! same calls. Nothing leaves the browser. `.ci/web` builds the folder that a web server hands out.
#![cfg(target_arch = "wasm32")]
#![allow(unsafe_code, reason = "the macros of wasm-bindgen write it")]

use fer::dataset::{SynthOptions, synthesize};
use fer::model::LoadedModel;
use fer::page::calls::CALLS;
use fer::page::message::Message;
use fer::page::output::{Listener, Output, Reply};
use fer::page::workspace::{Source, Workspace};
use wasm_bindgen::prelude::*;

/// Faces that are drawn to look at: as many as keep the start short.
const FACES: usize = 140;

#[wasm_bindgen]
unsafe extern "C" {
    /// Receives every message of a call but its last one.
    #[wasm_bindgen(js_name = receiveMessage)]
    fn receive_message(message: &[u8]);
}

/// Hands messages to the script of the worker.
struct Script;

impl Listener for Script {
    fn deliver(&self, reply: Reply) {
        if let Ok(message) = reply {
            receive_message(&message.encode());
        }
    }
}

fn error(e: &fer::Error) -> JsError {
    JsError::new(&e.to_string())
}

/// The embedded network, and what calls remember.
#[wasm_bindgen]
pub struct Page {
    space: Workspace<'static>,
}

#[wasm_bindgen]
impl Page {
    /// Prepares the embedded network and draws faces to look at.
    ///
    /// # Errors
    /// The message of what cannot be prepared.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Page, JsError> {
        let model = LoadedModel::read_or_embedded(None).map_err(|e| error(&e))?;
        let faces = synthesize(&SynthOptions { count: FACES, ..SynthOptions::default() });
        let faces = faces.map_err(|e| error(&e))?;
        let mean_face = model.mean_face();
        let gray = || vec![model.network.spec.mean as f32; fer::PIXELS];
        let mean_face = mean_face.unwrap_or_else(gray);
        let source = Source { model, faces, faces_from: "drawn".into(), mean_face };
        // Lives as long as the page.
        let space = Workspace::new(Box::leak(Box::new(source))).map_err(|e| error(&e))?;
        Ok(Page { space })
    }

    /// Answers a call as `fer serve` does. `message` and the result are encoded messages.
    ///
    /// # Errors
    /// The message of the call's error.
    pub fn call(&mut self, name: &str, message: &[u8]) -> Result<Vec<u8>, JsError> {
        let call = CALLS.iter().find(|call| call.name == name);
        let call = call.ok_or_else(|| JsError::new(&format!("no call {name:?}")))?;
        let message = Message::parse(message).map_err(|e| error(&e))?;
        let answer = (call.run)(&mut self.space, &message, &Output::to(Script));
        answer.map(|message| message.encode()).map_err(|e| error(&e))
    }
}
