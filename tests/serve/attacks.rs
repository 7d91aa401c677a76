//! Requests of others, and of a page that sends what it should not.

use crate::serve::Served;
use fer::page::message::Message;
use serde_json::json;

#[test]
fn a_call_needs_the_token_and_no_foreign_origin() {
    let served = Served::new();
    let body = Message::json(json!({})).encode();
    let ask = |fields: &str| served.send("POST", "/api/hello", fields, &body).status;
    let (token, host) = (served.token.clone(), served.host());
    assert_eq!(ask(&served.own()), 200);
    assert_eq!(ask(&format!("X-Token: {token}\r\n")), 200, "a program that has read the page");
    for fields in [
        String::new(),
        "X-Token: \r\n".into(),
        format!("X-Token: {}\r\n", &token[1..]),
        format!("X-Token: {}0\r\n", &token[..31]).replace("00\r\n", "01\r\n"),
        format!("X-Token: {token}0\r\n"),
        format!("X-Token: {token}\r\nOrigin: http://evil.example\r\n"),
        format!("X-Token: {token}\r\nOrigin: null\r\n"),
        format!("X-Token: {token}\r\nOrigin: https://{host}\r\n"),
        format!("X-Token: {token}\r\nOrigin: http://{host}.evil.example\r\n"),
        format!("X-Token: {token}\r\nOrigin: http://{host}\r\nOrigin: http://evil.example\r\n"),
    ] {
        if fields != format!("X-Token: {token}\r\n") {
            assert_eq!(ask(&fields), 403, "{fields:?}");
        }
    }
    let foreign = format!(
        "POST /api/hello HTTP/1.0\r\nHost: evil.example\r\nX-Token: {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    assert_eq!(served.exchange(&[foreign.as_bytes(), &body].concat()).status, 400);
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        assert_eq!(served.send(method, "/api/hello", &served.own(), &body).status, 405, "{method}");
    }
    assert_eq!(served.send("POST", "/", &served.own(), b"").status, 405);
    assert_ne!(token, Served::new().token, "every server has its own");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let served = Served::new();
    // The announced bytes never come: an answer means that they were not waited for.
    for (name, length) in [("hello", 1 << 20), ("picture", 1 << 30), ("frame", 1 << 22)] {
        let head = format!(
            "POST /api/{name} HTTP/1.0\r\nHost: {}\r\nContent-Length: {length}\r\n{}\r\n",
            served.host(),
            served.own()
        );
        assert_eq!(served.exchange(head.as_bytes()).status, 413, "{name}");
    }
    let endless = format!(
        "POST /api/hello HTTP/1.1\r\nConnection: close\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n{}\r\n",
        served.host(),
        served.own()
    );
    let endless = [endless.as_bytes(), &b"1\r\na\r\n".repeat(9)].concat();
    assert_eq!(served.exchange(&endless).status, 413, "a body without a length");
}

#[test]
fn pictures_keep_the_limits_of_predict() {
    let served = Served::new();
    let picture = |bytes: &[u8]| served.call("picture", json!({ "name": "x.png" }), bytes);
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let body = [&kind[..], data].concat();
        let crc = crc32fast::hash(&body).to_be_bytes();
        [&(data.len() as u32).to_be_bytes()[..], &body, &crc].concat()
    };
    let mut header = Vec::new();
    header.extend(60_000u32.to_be_bytes());
    header.extend(60_000u32.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let bomb = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", &header).as_slice(), &chunk(b"IDAT", &[0; 9])]
        .concat();
    for (bytes, word) in [
        (bomb.as_slice(), "60000"),
        (b"", "empty"),
        (b"II*\0-not-a-picture", "TIFF"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
    ] {
        let answer = picture(bytes);
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(answer.text().contains(word), "{word}: {}", answer.text());
    }
    let answer = served.call("picture", json!({ "name": "../../x", "width": 3 }), &[0; 12]);
    assert_eq!(answer.status, 422, "four rows of three pixels: {}", answer.text());
}

#[test]
fn what_is_no_call_is_refused_in_words() {
    let served = Served::new();
    assert_eq!(served.call("nothing", json!({}), b"").status, 404);
    assert_eq!(served.call("../hello", json!({}), b"").status, 404);
    let broken = served.send("POST", "/api/hello", &served.own(), b"\x09\0\0\0\0\0\0\0{}");
    assert_eq!((broken.status, broken.text().contains("lengths 9 and 0")), (400, true));
    let face = [7; fer::PIXELS];
    for (name, json, bytes, word) in [
        ("maps", json!({}), &face[..], "missing field `layer`"),
        ("maps", json!({ "layer": "conv2d_9" }), &face[..], "no layer `conv2d_9`"),
        ("maps", json!({ "layer": "conv2d_1" }), &face[1..], "expected faces of 2304"),
        ("kernel", json!({ "layer": "conv2d_1", "filter": 8 }), b"", "filters 0 to 7"),
        ("filter", json!({ "layer": "conv2d_1", "filter": 99 }), b"", "there is no filter 99"),
        ("attribution", json!({ "method": "x", "class": 0 }), &face[..], "no method `x`"),
        ("attribution", json!({ "method": "ig", "class": 9 }), &face[..], "class 9 does not exist"),
        ("set", json!({ "faces": [70] }), b"", "from 0 to 69"),
        ("draw", json!({ "class": 7, "number": 0 }), b"", "expected 0 to 6"),
        ("frame", json!({ "video": "v", "seconds": 0.0, "width": 0 }), b"ab", "rows of 0"),
        ("frame", json!({ "video": "v", "seconds": 0.0, "width": 3 }), b"ab", "one byte per pixel"),
        ("hello", json!({ "lane": "x".repeat(65) }), b"", "at most 64 bytes"),
        ("answer", json!({}), b"", "found 0 bytes"),
    ] {
        let answer = served.call(name, json.clone(), bytes);
        assert_eq!(answer.status, 400, "{name} {json}: {}", answer.text());
        assert!(answer.text().contains(word), "{name} {json}: {}", answer.text());
    }
    assert_eq!(served.call("hello", json!({}), b"").status, 200, "and it goes on");
}
