//! The live page: what it serves, to whom, and nothing else; and how it looks to a browser.

mod browser;
mod page;

use crate::support::place::{Place, TRAIN};
use fer::serve::LivePage;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Sends bytes and reads the whole answer.
fn exchange(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // a refusal may end with a reset
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(port: u16, target: &str) -> String {
    ask(port, "GET", target, &format!("Host: 127.0.0.1:{port}\r\n"))
}

/// Sends a request after which the server closes the connection.
fn ask(port: u16, method: &str, target: &str, fields: &str) -> String {
    let request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n");
    exchange(port, request.as_bytes())
}

fn port_of(server: &LivePage) -> u16 {
    let address = server.address();
    address.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

/// A folder with a secret beside the run and one inside it.
fn served() -> (Place, LivePage, u16) {
    let place = Place::with_run(1);
    place.write("secret", b"SECRET");
    place.write("run/secret", b"SECRET");
    let server = LivePage::start(&place.path("run"), Some(0)).unwrap();
    let port = port_of(&server);
    (place, server, port)
}

#[test]
fn the_page_and_its_two_files_are_served() {
    let (place, server, port) = served();
    for (target, kind, words) in [
        ("/", "text/html", "<title>fer</title>"),
        ("/live.css", "text/css", "prefers-color-scheme: dark"),
        ("/live.js", "text/javascript", "progress.json"),
        ("/live.json", "application/json", "\"network\":\"small\""),
        ("/progress.json", "application/json", "\"state\":\"finished\""),
    ] {
        let answer = get(port, target);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{target}: {answer}");
        assert!(answer.contains(&format!("content-type: {kind}")), "{target}");
        assert!(answer.contains(words), "{target}");
        assert!(answer.contains("content-security-policy: default-src 'none'"), "{target}");
        assert!(!answer.contains("access-control-allow-origin"), "{target}");
    }
    // A file that the browser has already is not sent again.
    let answer = get(port, "/live.json");
    let tag = answer.lines().find_map(|l| l.strip_prefix("etag: ")).unwrap().to_owned();
    let again = format!("Host: localhost:{port}\r\nIf-None-Match: {tag}\r\n");
    let answer = ask(port, "GET", "/live.json", &again);
    assert!(answer.starts_with("HTTP/1.1 304 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(!answer.contains("content-length"), "that of the file, or none: {answer}");
    std::fs::remove_file(place.path("run/live.json")).unwrap();
    assert!(get(port, "/live.json").starts_with("HTTP/1.1 404 "));
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the server ends with its value");
}

#[test]
fn no_address_reaches_another_file() {
    let (place, _server, port) = served();
    let absolute = place.path("secret").display().to_string();
    let here = place.path("run/secret").display().to_string();
    for target in [
        "/secret",
        "/run/secret",
        "/../secret",
        "/..",
        "/./secret",
        "/live.json/../secret",
        "/live.json/../../secret",
        "/%2e%2e/secret",
        "/%2E%2E%2Fsecret",
        "/..%2fsecret",
        "/..%5csecret",
        "/..\\secret",
        "/%252e%252e/secret",
        "/%00",
        "/live.json%00",
        "/live.json?x=1",
        "//secret",
        "/config.toml",
        "/last.safetensors",
        "secret",
        "../secret",
        "*",
        "",
        absolute.as_str(),
        here.as_str(),
        &format!("file://{absolute}"),
        &format!("http://127.0.0.1:{port}/live.json"),
    ] {
        let answer = get(port, target);
        let refused = ["HTTP/1.1 404 Not Found\r\n", "HTTP/1.1 400 Bad Request\r\n"];
        assert!(refused.iter().any(|r| answer.starts_with(r)), "{target:?}: {answer}");
        assert!(!answer.contains("SECRET"), "{target:?}: {answer}");
    }
}

#[test]
fn only_this_machine_by_its_own_name_and_only_get() {
    let (_place, _server, port) = served();
    let ask = |method: &str, target: &str, hosts: &str| ask(port, method, target, hosts);
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    assert!(ask("GET", "/live.json", &own).starts_with("HTTP/1.1 200 "));
    for hosts in [
        "".to_string(),
        "Host: evil.example\r\n".into(),
        format!("Host: evil.example:{port}\r\n"),
        format!("Host: 127.0.0.1:{}\r\n", port ^ 1),
        "Host: 127.0.0.1\r\n".into(),
        format!("Host: 127.0.0.1:{port}.evil.example\r\n"),
        format!("Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n"),
    ] {
        for target in ["/", "/live.json", "/progress.json"] {
            let answer = ask("GET", target, &hosts);
            assert!(answer.starts_with("HTTP/1.1 400 "), "{hosts:?}: {answer}");
            assert!(!answer.contains("network"), "{hosts:?}: {answer}");
        }
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get"] {
        let answer = ask(method, "/", &own);
        assert!(answer.starts_with("HTTP/1.1 405 "), "{method}");
        assert!(answer.contains("\r\nallow: GET,HEAD\r\n"), "{method}: {answer}"); // RFC 9110, 15.5.6
    }
    // RFC 9110, 9.3.2: the same head as for GET, without the content.
    for target in ["/", "/live.json", "/nothing"] {
        let (get, head) = (ask("GET", target, &own), ask("HEAD", target, &own));
        let fields = |text: &str| -> Vec<String> {
            let (fields, _) = text.split_once("\r\n\r\n").unwrap();
            fields
                .lines()
                .filter(|l| !l.starts_with("x-age") && !l.starts_with("date"))
                .map(String::from)
                .collect()
        };
        assert_eq!(fields(&head), fields(&get), "{target}");
        assert!(head.ends_with("\r\n\r\n") && head.contains("content-length: "), "{target}");
    }
    // Bytes that are no request, and a head without an end.
    assert!(
        exchange(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n").starts_with("HTTP/1.1 400")
    );
    let endless = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; 20_000]].concat();
    let answer = exchange(port, &endless);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}"); // RFC 6585, 5
    assert!(get(port, "/").starts_with("HTTP/1.1 200 "), "and it goes on");
}

/// A browser leaves out the port in `Host` only where it is 80.
#[test]
fn on_port_80_the_host_has_no_port() {
    use axum::http::{HeaderMap, Method, Uri, header::HOST};
    let passes = |host: &str, port: u16| {
        let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        let gate = fer::serve::Gate::new(port).unwrap();
        gate.refusal(&Method::GET, &Uri::from_static("/"), &headers).is_none()
    };
    for host in ["localhost", "127.0.0.1", "localhost:80", "127.0.0.1:80"] {
        assert!(passes(host, 80), "{host}");
    }
    assert!(!passes("localhost", 8080) && !passes("evil.example", 80));
}

/// Connections that send a byte now and then do not lock out others, and are ended.
#[test]
fn two_hundred_slow_connections_leave_the_page_usable() {
    let (_place, _server, port) = served();
    let mut slow: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    for stream in &mut slow {
        stream.write_all(b"G").unwrap();
    }
    for target in ["/", "/live.js", "/live.json", "/progress.json"] {
        assert!(get(port, target).starts_with("HTTP/1.1 200 "), "{target}");
    }
    let mut alive = slow.len();
    while alive > 0 {
        alive = 0;
        for stream in &mut slow {
            // The second write after the other side has closed fails.
            alive += usize::from(stream.write_all(b"E").is_ok());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(get(port, "/").starts_with("HTTP/1.1 200 "));
}

/// A connection whose answers nobody takes is ended, so that it keeps neither memory nor a place.
#[test]
fn a_reader_who_takes_nothing_is_ended() {
    let (_place, _server, port) = served();
    let mut lazy = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("GET /live.js HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    // More answers than the buffers of both sides hold. Writing ends with an error once the other side has
    // closed; without the limit it would block for ten minutes.
    lazy.set_write_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let ended = loop {
        if let Err(error) = lazy.write_all(request.as_bytes()) {
            break error;
        }
    };
    let closed = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::BrokenPipe];
    assert!(closed.contains(&ended.kind()), "{ended:?}");
    assert!(get(port, "/").starts_with("HTTP/1.1 200 "));
}

#[test]
#[cfg(target_os = "linux")]
fn the_server_listens_on_the_loopback_only() {
    let (_place, _server, port) = served();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let six = std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let wanted = format!(":{port:04X}");
    let listening = |line: &&str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns.len() > 3 && columns[1].ends_with(&wanted) && columns[3] == "0A"
    };
    let found: Vec<&str> = table.lines().chain(six.lines()).filter(listening).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("0100007F:"), "{found:?}");
}

#[test]
fn watch_refuses_what_is_no_run_and_a_port_that_is_taken() {
    let place = Place::with_faces();
    place.fails("watch nowhere", 4, &["nowhere", "does not exist", "run folder"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.fails("watch empty", 4, &["holds no live.json"]);
    place.ok(&format!("{TRAIN} --epochs 1 --out run"));
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    place.fails(&format!("watch run --port {port}"), 2, &["cannot serve on port", "name another"]);
}

#[test]
fn options_decide_what_is_written_and_printed() {
    let place = Place::with_faces();
    let done = place.ok(&format!("{TRAIN} --epochs 2 --out a --plot"));
    let line = "tensorboard --logdir a --samples_per_plugin images=1000,histograms=1000";
    assert!(done.stderr.contains(line), "{}", done.stderr);
    assert_eq!(done.stderr.matches("t training  v validation").count(), 2, "{}", done.stderr);
    assert!(place.path("a/train").is_dir());

    let done = place.ok(&format!("{TRAIN} --epochs 2 --out b --no-tensorboard"));
    assert!(!done.stderr.contains("tensorboard") && !done.stderr.contains("t training"));
    assert!(!place.path("b/train").exists() && place.path("b/live.json").is_file());
    let weights = |run: &str| {
        let bytes = place.read(&format!("{run}/best.safetensors"));
        fer::model::weights::Archive::from_bytes("x".as_ref(), &bytes).unwrap().tensors
    };
    assert_eq!(weights("a"), weights("b"));

    place.ok(&format!("{TRAIN} --epochs 3 --out c --histogram-every 2"));
    let steps: Vec<u64> = crate::monitor::tensorboard::values(&place.path("c/train"))
        .into_iter()
        .filter(|(_, value)| value.tag == "layers/conv2d_1/kernel/histogram")
        .map(|(step, _)| step)
        .collect();
    assert_eq!(steps, [1], "after the second epoch");
}
