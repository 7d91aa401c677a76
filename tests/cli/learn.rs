//! `fer learn`: a course is made, its holes open and close, and success is seen.

use crate::support::place::Place;
use fer::learn::exercises;
use std::path::Path;

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every hole finds its place in today's source, changes it, and has its tests.
#[test]
fn every_exercise_is_a_hole_in_the_source() {
    let read = |file: &str| std::fs::read_to_string(checkout().join(file)).unwrap();
    let folder = std::fs::read_dir(checkout().join("tests/learn")).unwrap();
    let tests: String =
        folder.map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap()).collect();
    let all = exercises().unwrap();
    assert!(all.len() >= 25 && all.iter().filter(|e| e.fast).count() >= 12);
    assert!(all.is_sorted_by_key(|e| e.chapter));
    for exercise in all {
        let source = read(&exercise.file);
        let opened = exercise.open(&source).unwrap_or_else(|e| panic!("{}: {e}", exercise.name));
        assert!(opened.contains("todo!()"), "{}", exercise.name);
        assert!(!source[exercise.place(&source).unwrap()].contains("todo!"));
        assert!(
            tests.contains(&format!("mod {} {{", exercise.name)),
            "{} has no tests",
            exercise.name
        );
        assert!(exercise.hints.iter().all(|h| h.len() > 10), "{}", exercise.name);
    }
}

#[test]
fn a_course_can_be_made_left_and_resumed() {
    let place = Place::new();
    let line = format!("learn new engine --from {}", checkout().display());
    let made = place.ok(&line).stdout;
    assert!(made.contains("src/autograd/scalar.rs:") && made.contains("scalar_backward"), "{made}");
    place.fails(&line, 2, &["engine exists"]);
    place.fails("learn", 2, &["fer learn new"]);
    let fer = |line: &str, code: i32| {
        let done = place.command(line).current_dir(place.path("engine/src")).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(done.status.code(), Some(code), "{line}: {}", text(&done.stderr));
        text(&done.stdout) + &text(&done.stderr)
    };
    let source = || place.text("engine/src/autograd/scalar.rs");
    assert!(source().contains("// Exercise scalar_backward:"));
    for number in [1, 2, 3, 3] {
        assert!(fer("learn hint", 0).starts_with(&format!("hint {number} of 3: ")));
    }
    assert!(fer("learn solution", 2).contains("not solved yet"));
    // Any exercise alone: the first hole closes, another opens.
    assert!(fer("learn start cosine", 0).contains("src/optim/schedule.rs:"));
    let reference = std::fs::read_to_string(checkout().join("src/autograd/scalar.rs")).unwrap();
    assert_eq!(source(), reference);
    let schedule = place.text("engine/src/optim/schedule.rs");
    assert!(schedule.contains("// Exercise cosine:"));
    // Another exercise keeps what was written; a reset removes it.
    let written = schedule.replace("todo!()", "0.0");
    place.write("engine/src/optim/schedule.rs", written.as_bytes());
    fer("learn start ema", 0);
    assert!(!place.text("engine/src/optim/schedule.rs").contains("// Exercise cosine:"));
    fer("learn start cosine", 0);
    assert_eq!(place.text("engine/src/optim/schedule.rs"), written);
    fer("learn reset", 0);
    assert_eq!(place.text("engine/src/optim/schedule.rs"), schedule);
    assert!(fer("learn list", 0).contains("* cosine"));
    assert!(fer("learn start nonsense", 2).contains("no exercise \"nonsense\""));
}

/// One exercise in full: the hole fails, the reference passes, the next hole opens. Compiles the engine in
/// a folder of its own, without the network.
#[test]
fn a_hole_fails_and_its_solution_passes() {
    let place = Place::new();
    place.ok(&format!("learn new engine --from {}", checkout().display()));
    // Kept from one run of the suite to the next, for the engine's crates take their time.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("learn");
    std::os::unix::fs::symlink(&target, place.path("engine/target")).unwrap();
    std::fs::create_dir_all(&target).unwrap();
    let fer = |line: &str| {
        let mut command = place.command(line);
        command.current_dir(place.path("engine")).timeout(std::time::Duration::from_secs(600));
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (code, said) = fer("learn check");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("not yet implemented") && said.contains("scalar_backward: not yet"),
        "{said}"
    );
    let file = "src/autograd/scalar.rs";
    let reference = place.text(&format!("engine/.learn/reference/{file}"));
    place.write(&format!("engine/{file}"), reference.as_bytes());
    let (code, said) = fer("learn check");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("✓ scalar_backward") && said.contains("scalar_mul"), "{said}");
    assert!(place.text(&format!("engine/{file}")).contains("// Exercise scalar_mul:"));
    let (_, shown) = fer("learn solution scalar_backward");
    assert!(shown.contains("grads[input] += grad_output * derivative;"), "{shown}");
}
