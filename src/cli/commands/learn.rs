//! `fer learn`: exercises on the engine's own source.

use crate::learn::course::named;
use crate::learn::{Course, Exercise, exercises};
use crate::{Error, Result, console};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Arguments of `fer learn`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Begin, in the source of fer:\n  fer learn new my-engine\n  cd my-engine\n  fer learn\n\n\
                        Each exercise is a hole in the engine. Fill it, then: fer learn check"
)]
pub struct Args {
    /// Command of the course [default: show the exercise that is open]
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a folder to learn in: a copy of the engine
    New {
        /// The folder; it must not exist
        folder: PathBuf,
        /// The source of fer
        #[arg(long, default_value = ".")]
        from: PathBuf,
        /// Only the exercises of the fast track
        #[arg(long)]
        fast: bool,
    },
    /// List the exercises; * is open, ✓ is solved
    List,
    /// Open an exercise, whichever, in any order
    Start {
        /// Its name
        name: String,
    },
    /// Run the tests of the open exercise
    Check {
        /// Another exercise
        name: Option<String>,
    },
    /// Check again whenever the file is saved; Ctrl-C ends
    Watch,
    /// Show a hint; there are three
    Hint,
    /// Cut the hole again; what else was changed in the file stays
    Reset,
    /// Show the reference, once the exercise is solved
    Solution {
        /// Another exercise
        name: Option<String>,
    },
}

/// Arguments of `fer new-op`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, in the source of fer:\n  fer new-op softplus\n\n\
                        docs/adding-an-op.md says what to do then")]
pub struct NewOp {
    /// Its name, such as softplus
    name: String,
    /// The source of fer
    #[arg(long, default_value = ".")]
    from: PathBuf,
}

pub(crate) fn new_op(args: NewOp) -> Result<()> {
    let written = crate::learn::new_op::new_op(&args.from, &args.name)?;
    let mut text = String::new();
    for path in &written {
        let _ = writeln!(text, "{}", path.display());
    }
    let name = &args.name;
    let _ = writeln!(
        text,
        "\n{name} returns its input so far. Two edits in the first file: f(x), and ȳ · f′(x). Then\n  \
         cargo test --test suite -- {name} extremes"
    );
    console::print(&text)
}

pub(crate) fn run(args: Args) -> Result<()> {
    let here = Path::new(".");
    let Some(action) = args.action else { return show(&Course::find(here)?) };
    match action {
        Action::New { folder, from, fast } => {
            let course = Course::create(&folder, &from, fast)?;
            console::print(&format!(
                "{}: a copy of the engine with a hole in it\n\n",
                folder.display()
            ))?;
            show(&course)?;
            console::print(&format!("\nGo on there: cd {}\n", folder.display()))
        }
        Action::List => list(&Course::find(here)?),
        Action::Start { name } => {
            let mut course = Course::find(here)?;
            course.start(named(&name)?)?;
            show(&course)
        }
        Action::Check { name } => {
            let mut course = Course::find(here)?;
            let exercise = chosen(&course, name.as_deref())?;
            match check(&mut course, exercise)? {
                true => Ok(()),
                false => Err(Error::Failed(format!("{} is not solved yet", exercise.name))),
            }
        }
        Action::Watch => watch(&mut Course::find(here)?),
        Action::Hint => {
            let mut course = Course::find(here)?;
            let exercise = chosen(&course, None)?;
            let (number, hint) = course.hint(exercise)?;
            console::print(&format!("hint {number} of 3: {hint}\n"))
        }
        Action::Reset => {
            let mut course = Course::find(here)?;
            let exercise = chosen(&course, None)?;
            course.start(exercise)?;
            show(&course)
        }
        Action::Solution { name } => solution(&Course::find(here)?, name.as_deref()),
    }
}

/// Returns the named exercise, else the one that is open.
fn chosen(course: &Course, name: Option<&str>) -> Result<&'static Exercise> {
    match name {
        Some(name) => named(name),
        None => course.current()?.ok_or_else(|| {
            Error::Usage("no exercise is open; `fer learn start NAME` opens one".into())
        }),
    }
}

fn show(course: &Course) -> Result<()> {
    let is_solved = |e: &Exercise| course.progress.solved.contains(&e.name);
    let Some(exercise) = course.current()?.filter(|e| !is_solved(e)) else {
        return console::print(&finished(course)?);
    };
    let (path, line) = course.place(exercise)?;
    let path = path.strip_prefix(course.folder()).unwrap_or(&path).display().to_string();
    console::print(&format!(
        "chapter {}, {}\n{path}:{line}\n\n{}\n\nwhen you think it is right: fer learn check   \
         (stuck? fer learn hint)\n",
        exercise.chapter, exercise.name, exercise.task
    ))
}

/// Says what is left.
fn finished(course: &Course) -> Result<String> {
    let left = exercises()?.len() - course.progress.solved.len();
    Ok(match (left, course.next()?) {
        (0, _) => "That was the last one. The engine is yours.\n".to_owned(),
        (_, Some(next)) => {
            format!("No exercise is open; `fer learn start {}` goes on.\n", next.name)
        }
        (left, None) => format!(
            "The fast track is finished. {left} more: `fer learn list` names them, `fer learn start NAME` opens one.\n"
        ),
    })
}

fn list(course: &Course) -> Result<()> {
    let mut text = String::new();
    let mut chapter = 0;
    for e in exercises()? {
        if e.chapter != chapter {
            chapter = e.chapter;
            let _ = writeln!(text, "chapter {chapter}");
        }
        let solved = course.progress.solved.contains(&e.name);
        let is_open = course.progress.current.as_deref() == Some(&e.name);
        let mark = if solved {
            '✓'
        } else if is_open {
            '*'
        } else {
            ' '
        };
        let track = if e.fast { "★" } else { "" };
        let _ = writeln!(text, "  {mark} {:<22} {:<42} {track}", e.name, e.file);
    }
    let (solved, all) = (course.progress.solved.len(), exercises()?.len());
    let count = format!("{solved} of {all} solved; ★ is the fast track\n");
    console::print(&(text + &count))
}

/// Grades, says what the tests say, and opens the next exercise after success.
fn check(course: &mut Course, exercise: &Exercise) -> Result<bool> {
    if !course.folder().join("target").exists() {
        console::print("compiling the engine for the first time: a minute or two\n")?;
    }
    let begun = Instant::now();
    let found = course.check(exercise)?;
    let seconds = begun.elapsed().as_secs_f64();
    if !found.passed {
        let said = found.said.trim_end();
        console::print(&format!("{said}\n{}: not yet ({seconds:.0} s)\n", exercise.name))?;
        return Ok(false);
    }
    console::print(&format!(
        "✓ {} in {seconds:.0} s   (compare: fer learn solution {})\n",
        exercise.name, exercise.name
    ))?;
    if course.progress.current.as_deref() == Some(&exercise.name) {
        match course.next()? {
            Some(next) => {
                course.start(next)?;
                console::print("\nNext:\n")?;
                show(course)?;
            }
            None => console::print(&finished(course)?)?,
        }
    }
    Ok(true)
}

/// Checks whenever the file of the open exercise has changed, until Ctrl-C.
fn watch(course: &mut Course) -> Result<()> {
    let mut seen: Option<(PathBuf, SystemTime)> = None;
    show(course)?;
    while let Some(exercise) = course.current()? {
        let (path, _) = course.place(exercise)?;
        let changed =
            std::fs::metadata(&path).and_then(|m| m.modified()).map_err(Error::io(&path))?;
        let is_new = seen.as_ref().is_some_and(|(p, at)| *p == path && *at != changed);
        seen = Some((path, changed));
        if is_new && !check(course, exercise)? {
            console::print("waiting for the file to be saved …\n")?;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    Ok(())
}

fn solution(course: &Course, name: Option<&str>) -> Result<()> {
    let exercise = chosen(course, name)?;
    if !course.progress.solved.contains(&exercise.name) {
        let message = format!("{} is not solved yet; `fer learn hint` helps", exercise.name);
        return Err(Error::Usage(message));
    }
    console::print(&crate::learn::excerpt::dedent(&course.solution(exercise)?))
}
