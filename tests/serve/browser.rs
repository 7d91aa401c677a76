//! The page in a real browser, as `tests/external/browser_check.py` uses it.

use std::process::Command;

#[test]
fn a_photo_a_camera_a_video_and_the_walk_to_the_pixel_work_in_chromium() {
    let shots = tempfile::tempdir().unwrap();
    let script = "tests/external/browser_check.py";
    let mut command = Command::new("python3");
    command.args([script, env!("CARGO_BIN_EXE_fer")]).arg(shots.path());
    let Ok(done) = command.output() else {
        eprintln!("skipped: no python3 in PATH");
        return;
    };
    let [said, errors] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text));
    eprintln!("{said}"); // also why it was skipped
    assert!(done.status.success(), "{said}\n{errors}");
    assert!(said.starts_with("skipped: ") || said.contains("screenshots"), "{said}\n{errors}");
}
