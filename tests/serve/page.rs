//! The parts of the page.

use crate::serve::Served;
use fer::page::parts::PARTS;

/// A file of the page.
#[derive(Clone, Copy)]
struct Part {
    target: &'static str,
    text: &'static str,
}

fn parts() -> Vec<Part> {
    PARTS.iter().map(|&(target, text)| Part { target, text }).collect()
}

#[test]
fn every_part_is_served_and_loads_nothing_from_elsewhere() {
    let served = Served::new();
    let page = served.send("GET", "/", "", b"");
    assert!(page.head.contains("cache-control: no-store"), "{}", page.head);
    assert!(page.head.contains("script-src 'self'") && !page.head.contains("unsafe-inline"));
    assert!(!page.text().contains("<style") && !page.text().contains(" style="));
    assert_eq!(
        page.text().matches("<script").count(),
        page.text().matches("<script type=\"module\" src=").count()
    );
    for part in parts() {
        let answer = served.send("GET", part.target, "", b"");
        assert_eq!((answer.status, answer.text()), (200, part.text.to_owned()), "{}", part.target);
        let known = answer.head.lines().find_map(|l| l.strip_prefix("etag: ")).unwrap();
        let again = served.send("GET", part.target, &format!("If-None-Match: {known}\r\n"), b"");
        assert_eq!((again.status, again.body.len()), (304, 0), "{}", part.target);
        let head = served.send("HEAD", part.target, "", b"");
        assert_eq!((head.status, head.body.len()), (200, 0), "{}", part.target);
        for line in part.text.lines().filter(|l| l.contains("://")) {
            assert!(line.contains("http://www.w3.org/"), "{}: {line}", part.target);
        }
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!part.text.contains(word), "{} writes markup: {word}", part.target);
        }
    }
    // Every import is a part.
    let known: Vec<&str> = parts().iter().map(|p| p.target).collect();
    for part in parts() {
        for import in part.text.split("from './").skip(1) {
            let name = format!("/{}", import.split('\'').next().unwrap());
            assert!(known.contains(&name.as_str()), "{} imports {name}", part.target);
        }
    }
}

/// Every word that the scripts ask for is there in both languages.
#[test]
fn every_word_has_two_languages() {
    let of = |target: &str| parts().iter().find(|p| p.target == target).unwrap().text;
    let words = of("/i18n.js");
    for part in parts().iter().filter(|p| p.target != "/i18n.js") {
        for key in part
            .text
            .split(" t('")
            .skip(1)
            .chain(part.text.split("(t('").skip(1))
            .chain(part.text.split("{t('").skip(1))
        {
            let key = key.split('\'').next().unwrap();
            assert!(words.contains(&format!("{key}: ['")), "{}: {key}", part.target);
        }
    }
}
