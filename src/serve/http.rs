//! HTTP/1.1 (RFC 9112), as far as the page needs it: one GET or HEAD per connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 8192;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Method, such as `GET`.
    pub method: String,
    /// Target as sent, such as `/live.json`.
    pub target: String,
    /// Header `Host`; empty if there is none, or more than one.
    pub host: String,
    /// Header `If-None-Match`.
    pub if_none_match: String,
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status, such as `200 OK`.
    pub status: &'static str,
    /// Content type, such as `text/html; charset=utf-8`.
    pub content_type: &'static str,
    /// Version of the content; may be empty.
    pub etag: String,
    /// Seconds since the content was written, if known.
    pub age: Option<u64>,
    /// Header `Allow`: the methods that there are; may be empty.
    pub allow: &'static str,
    /// Content.
    pub body: Vec<u8>,
}

impl Response {
    /// A response that consists of its status.
    pub fn error(status: &'static str) -> Self {
        let content_type = "text/plain; charset=utf-8";
        Response { status, content_type, body: status.into(), ..Response::default() }
    }
}

/// Reads the head of a request; `None` if it is not HTTP/1, or too long.
///
/// # Errors
/// Those of the connection.
pub fn read_request(input: &mut impl Read) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = input.read(&mut buffer)?;
        if count == 0 || head.len() + count > MAX_HEAD {
            return Ok(None);
        }
        head.extend_from_slice(&buffer[..count]);
    }
    Ok(std::str::from_utf8(&head).ok().and_then(parse))
}

fn parse(head: &str) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if !version.starts_with("HTTP/1.") || words.next().is_some() {
        return None;
    }
    let mut request =
        Request { method: method.into(), target: target.into(), ..Request::default() };
    let mut hosts = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "host" => {
                hosts += 1;
                request.host = value.trim().into();
            }
            "if-none-match" => request.if_none_match = value.trim().into(),
            _ => {}
        }
    }
    if hosts != 1 {
        request.host.clear();
    }
    Some(request)
}

/// A connection that must be done before a moment, however slowly the other side sends or reads.
#[derive(Debug)]
pub struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    /// Gives a connection this much time from now on.
    pub fn new(stream: TcpStream, time: Duration) -> Self {
        Timed { stream, until: Instant::now() + time }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Writes a response with `Connection: close`; without its body, if that was not asked for.
///
/// The headers allow the page to load only from this server, forbid to show it in another page, and
/// make the browser ask for changes each time.
///
/// # Errors
/// Those of the connection.
pub fn write_response(
    output: &mut impl Write,
    response: &Response,
    with_body: bool,
) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {}\r\nConnection: close\r\n\
         Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'\r\n",
        response.status,
    );
    // RFC 9110, 8.6: neither has a body, and the length of 304 would be that of the file.
    if !["204 No Content", "304 Not Modified"].contains(&response.status) {
        let (kind, length) = (response.content_type, response.body.len());
        head += &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n");
    }
    if !response.allow.is_empty() {
        head += &format!("Allow: {}\r\n", response.allow);
    }
    if !response.etag.is_empty() {
        head += &format!("ETag: {}\r\n", response.etag);
    }
    if let Some(age) = response.age {
        head += &format!("X-Age: {age}\r\n");
    }
    output.write_all(format!("{head}\r\n").as_bytes())?;
    if with_body {
        output.write_all(&response.body)?;
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Request> {
        read_request(&mut text.as_bytes()).unwrap()
    }

    #[test]
    fn the_head_is_read() {
        let found = read("GET /a HTTP/1.1\r\nHOST: localhost:1\r\nIf-None-Match: \"x\"\r\n\r\n");
        let found = found.unwrap();
        assert_eq!((found.method.as_str(), found.target.as_str()), ("GET", "/a"));
        assert_eq!((found.host.as_str(), found.if_none_match.as_str()), ("localhost:1", "\"x\""));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for bad in [
            "",
            "GET / HTTP/1.1\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET / x HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(MAX_HEAD));
        assert_eq!(read(&long), None);
        assert!(read_request(&mut &b"GET /\xff HTTP/1.1\r\n\r\n"[..]).unwrap().is_none());
        let twice = read("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").unwrap();
        assert_eq!(twice.host, "");
    }
}
