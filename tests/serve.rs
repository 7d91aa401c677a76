//! The page of a network: whom it answers, and what.

mod attacks;
mod browser;
mod calls;
mod page;
mod site;

use crate::support::place::Place;
use fer::dataset::{SynthOptions, synthesize};
use fer::model::LoadedModel;
use fer::page::message::Message;
use fer::page::workspace::Source;
use fer::serve::{Server, network_page};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A served page of a small network that was trained in a place.
pub struct Served {
    pub place: Place,
    _server: Server,
    port: u16,
    token: String,
}

/// A status and a body.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The messages of a call.
    pub fn messages(&self) -> Vec<Message> {
        assert_eq!(self.status, 200, "{}", self.text());
        let (mut rest, mut all) = (self.body.as_slice(), Vec::new());
        while !rest.is_empty() {
            let length = |at: usize| u32::from_le_bytes(*rest[at..].first_chunk().unwrap());
            let (message, next) = rest.split_at(8 + length(0) as usize + length(4) as usize);
            all.push(Message::parse(message).unwrap());
            rest = next;
        }
        all
    }
}

impl Served {
    pub fn new() -> Self {
        let place = Place::with_run(2);
        let server = network_page::start(source(&place), Some(0)).unwrap();
        let address = server.address();
        let port = address.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
        let mut served = Served { place, _server: server, port, token: String::new() };
        let page = served.send("GET", "/", "", b"").text();
        let token = page.split("name=\"token\" content=\"").nth(1).unwrap();
        served.token = token.split('"').next().unwrap().to_owned();
        served
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends bytes and reads the whole answer.
    pub fn exchange(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let _ = stream.write_all(request); // a refusal may close the connection first
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(answer.len());
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head, body: answer.get(end + 4..).unwrap_or_default().to_vec() }
    }

    /// Sends a request of HTTP/1.0, whose answer ends with the connection. `fields` end each with CRLF.
    pub fn send(&self, method: &str, target: &str, fields: &str, body: &[u8]) -> Answer {
        let (host, length) = (self.host(), body.len());
        let head = format!(
            "{method} {target} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n{fields}\r\n"
        );
        self.exchange(&[head.as_bytes(), body].concat())
    }

    /// The header of a call by the page itself.
    pub fn own(&self) -> String {
        format!("X-Token: {}\r\nOrigin: http://{}\r\n", self.token, self.host())
    }

    pub fn call(&self, name: &str, json: Value, bytes: &[u8]) -> Answer {
        let message = Message { json, bytes: bytes.to_vec() }.encode();
        self.send("POST", &format!("/api/{name}"), &self.own(), &message)
    }

    /// The last message of a call that succeeds.
    pub fn ask(&self, name: &str, json: Value, bytes: &[u8]) -> Message {
        self.call(name, json, bytes).messages().pop().unwrap()
    }
}

/// The network of a place and seventy drawn faces.
pub fn source(place: &Place) -> Source {
    let model = LoadedModel::read(&place.path("run")).unwrap();
    let faces = synthesize(&SynthOptions { count: 70, ..SynthOptions::default() }).unwrap();
    let mean_face = model.mean_face().unwrap_or(vec![0.5; fer::PIXELS]);
    Source { model, faces, faces_from: "drawn".into(), mean_face }
}

/// The numbers of a message.
pub fn numbers(message: &Message) -> Vec<f32> {
    let four = |b: &[u8]| f32::from_le_bytes(*b.first_chunk().unwrap());
    message.bytes.chunks_exact(4).map(four).collect()
}
