//! A parallel region: threads that stay together for many short loops.
//!
//! The layers of a network take some tens of microseconds each for one image, less than it takes to
//! wake a sleeping thread. Inside [`on_team`] the other threads of rayon's current pool wait for the
//! next loop by spinning, and leave soon after the region has ended.
//!
//! The thread that opens the region leads: it publishes each loop and takes part in it. Tasks are
//! claimed one by one, by the leader from the first on and by the others from the last on. So a loop
//! needs nobody but the leader to finish, and in a network that is run again and again a thread
//! mostly finds the weights of its tasks in its own cache.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time that a thread spins for the next loop of an open region before it leaves.
const PATIENCE: Duration = Duration::from_millis(1);
/// Time that a thread spins for the next region before it leaves.
const LINGER: Duration = Duration::from_micros(100);
/// Spins between two looks at the clock, each followed by an offer of the core to other threads.
const SPINS: u32 = 256;
/// Bits of a claim. Each claim of a longer loop has several tasks.
const BITS: u32 = 12;
const MASK: u64 = (1 << BITS) - 1;

/// The claims of a loop, as a closure over their numbers.
type Job<'a> = &'a (dyn Fn(usize) + Sync);
type Panic = Box<dyn Any + Send>;

/// A value on cache lines of its own: two, because the hardware prefetches them in pairs.
#[repr(align(128))]
struct Apart<T>(T);

struct Team {
    /// Number of the loop, first free claim, end of the free claims; see [`pack`].
    state: Apart<AtomicU64>,
    /// Finished claims of the loop.
    done: Apart<AtomicUsize>,
    /// Address of the loop's [`Job`], valid while a claim of it is not done.
    job: AtomicPtr<()>,
    panic: Mutex<Option<Panic>>,
    open: AtomicBool,
    /// Threads that follow, or will as soon as the pool lets them.
    followers: AtomicUsize,
    threads: usize,
}

/// Role of a thread in a team.
enum Role {
    None,
    Leads(Arc<Team>),
    /// Waits for loops or works in one; loops of its own run on this thread alone.
    Works,
}

thread_local! {
    static ROLE: RefCell<Role> = const { RefCell::new(Role::None) };
}

/// The team of the last region. Its threads may still be there.
static LAST: Mutex<Option<Arc<Team>>> = Mutex::new(None);

static IS_MEASURED: AtomicBool = AtomicBool::new(false);
static WORKED: AtomicU64 = AtomicU64::new(0);
static WAITED: AtomicU64 = AtomicU64::new(0);

/// Times of all regions of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct TeamTimes {
    /// Work of the threads that follow, added up.
    pub followers_worked: Duration,
    /// Time in which leaders waited for them at the end of loops.
    pub leaders_waited: Duration,
}

/// Starts to measure [`team_times`], or stops.
pub fn measure_team_times(on: bool) {
    IS_MEASURED.store(on, Relaxed);
}

/// Returns the times measured so far.
pub fn team_times() -> TeamTimes {
    let [followers_worked, leaders_waited] =
        [&WORKED, &WAITED].map(|time| Duration::from_nanos(time.load(Relaxed)));
    TeamTimes { followers_worked, leaders_waited }
}

/// Returns the present time if times are measured.
fn now() -> Option<Instant> {
    IS_MEASURED.load(Relaxed).then(Instant::now)
}

/// Adds the time since `begun` to a sum.
fn add_time(sum: &AtomicU64, begun: Option<Instant>) {
    if let Some(begun) = begun {
        sum.fetch_add(begun.elapsed().as_nanos() as u64, Relaxed);
    }
}

/// Runs `f` with the threads of rayon's current pool at hand for its parallel loops.
///
/// Within another region it just runs `f`.
pub fn on_team<R>(f: impl FnOnce() -> R) -> R {
    if ROLE.with_borrow(|role| !matches!(role, Role::None)) {
        return f();
    }
    let _region = Region::open(rayon::current_num_threads());
    f()
}

/// Calls `f(0) … f(tasks − 1)` on the team that this thread leads. Outside of a region it does
/// nothing and returns false.
pub fn run_on_team(tasks: usize, f: &(dyn Fn(usize) + Sync)) -> bool {
    match ROLE.replace(Role::Works) {
        Role::None => {
            ROLE.set(Role::None);
            return false;
        }
        Role::Works => (0..tasks).for_each(f),
        Role::Leads(team) => {
            team.recruit();
            let panic = team.run(tasks, f);
            ROLE.set(Role::Leads(team));
            if let Some(panic) = panic {
                resume_unwind(panic);
            }
        }
    }
    true
}

/// An open region of the current thread; dropping it closes the region.
struct Region(Arc<Team>);

impl Region {
    fn open(threads: usize) -> Self {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        let team = last.filter(|team| team.threads == threads);
        let team = team.unwrap_or_else(|| Arc::new(Team::new(threads)));
        team.open.store(true, Release);
        team.recruit();
        ROLE.set(Role::Leads(team.clone()));
        Self(team)
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        ROLE.set(Role::None);
        self.0.open.store(false, Release);
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.0.clone());
    }
}

/// Packs the state: number of the loop (40 bits), first free claim, end of the free claims.
fn pack(number: u64, claims: usize) -> u64 {
    number << (2 * BITS) | claims as u64
}

impl Team {
    fn new(threads: usize) -> Self {
        Self {
            state: Apart(AtomicU64::new(0)),
            done: Apart(AtomicUsize::new(0)),
            job: AtomicPtr::new(std::ptr::null_mut()),
            panic: Mutex::new(None),
            open: AtomicBool::new(false),
            followers: AtomicUsize::new(0),
            threads,
        }
    }

    /// Calls threads of the pool in place of those that have left.
    fn recruit(self: &Arc<Self>) {
        while self.followers.load(Relaxed) + 1 < self.threads {
            self.followers.fetch_add(1, Relaxed);
            let team = self.clone();
            rayon::spawn(move || team.follow());
        }
    }

    /// Runs a loop as the leader. Returns the panic of a task.
    fn run(&self, tasks: usize, f: &(dyn Fn(usize) + Sync)) -> Option<Panic> {
        let per_claim = tasks.div_ceil(MASK as usize).max(1);
        let claims = tasks.div_ceil(per_claim);
        let claim = |i: usize| (i * per_claim..tasks.min((i + 1) * per_claim)).for_each(f);
        let job: Job = &claim;
        self.done.0.store(0, Relaxed);
        self.job.store((&raw const job).cast_mut().cast(), Relaxed);
        let number = (self.state.0.load(Relaxed) >> (2 * BITS)) + 1;
        self.state.0.store(pack(number, claims), Release);
        self.work(true);
        let (begun, mut spins) = (now(), 0u32);
        while self.done.0.load(Acquire) < claims {
            spins += 1;
            if spins.is_multiple_of(SPINS) {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
        add_time(&WAITED, begun);
        self.panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Claims and runs parts of the current loop until none is free. Returns how many.
    fn work(&self, leads: bool) -> usize {
        let mut finished = 0;
        let mut begun = None;
        let mut state = self.state.0.load(Acquire);
        loop {
            let (first, end) = (state >> BITS & MASK, state & MASK);
            if first == end {
                break;
            }
            let job = self.job.load(Relaxed);
            let (claim, next) =
                if leads { (first, state + (1 << BITS)) } else { (end - 1, state - 1) };
            match self.state.0.compare_exchange_weak(state, next, AcqRel, Acquire) {
                Ok(_) => {}
                Err(now) => {
                    state = now;
                    continue;
                }
            }
            if finished == 0 {
                begun = now().filter(|_| !leads);
            }
            // SAFETY: the exchange succeeded, so the loop with number `state` still had free claims
            // when `job` was loaded: the leader replaces `job` and leaves `run`, where the closure
            // lives, only after every claim is counted in `done`, this one included. The closure is
            // Sync, so that any thread may call it.
            let job = unsafe { *job.cast::<Job>() };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job(claim as usize))) {
                *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
            finished += 1;
            state = self.state.0.load(Acquire);
        }
        add_time(&WORKED, begun);
        if finished > 0 {
            self.done.0.fetch_add(finished, AcqRel);
        }
        finished
    }

    /// Takes part in loops until there is none for a while.
    fn follow(&self) {
        // A leader that waits for rayon may be given its own follower to run.
        if ROLE.with_borrow(|role| matches!(role, Role::None)) {
            ROLE.set(Role::Works);
            let (mut spins, mut since) = (0u32, Instant::now());
            loop {
                if self.work(false) > 0 {
                    (spins, since) = (0, Instant::now());
                }
                spins += 1;
                if spins.is_multiple_of(SPINS) {
                    let patience = if self.open.load(Acquire) { PATIENCE } else { LINGER };
                    if since.elapsed() > patience {
                        break;
                    }
                    std::thread::yield_now();
                }
                std::hint::spin_loop();
            }
            ROLE.set(Role::None);
        }
        self.followers.fetch_sub(1, AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    /// Counts the runs of each task of a loop.
    fn counts(tasks: usize) -> Vec<usize> {
        let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
        let is_region = run_on_team(tasks, &|i: usize| {
            counts[i].fetch_add(1, Relaxed);
        });
        assert!(is_region);
        counts.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_task_runs_once() {
        // Miri takes a second for a thousand tasks.
        let (rounds, sizes): (_, &[usize]) = match cfg!(miri) {
            true => (3, &[0, 1, 2, 5, 64]),
            false => (200, &[0, 1, 2, 5, 64, 4095, 4096, 10_000]),
        };
        for threads in [2, 3, 7] {
            pool(threads).install(|| {
                for round in 0..rounds {
                    on_team(|| {
                        for &tasks in sizes {
                            let tasks = if round % 20 == 0 { tasks } else { tasks.min(5) };
                            assert!(counts(tasks).iter().all(|&n| n == 1), "{threads}, {tasks}");
                        }
                    });
                }
            });
        }
    }

    #[test]
    fn a_loop_in_a_task_runs_there() {
        pool(3).install(|| {
            on_team(|| {
                let sum = AtomicUsize::new(0);
                run_on_team(10, &|_: usize| {
                    on_team(|| {
                        let here = std::thread::current().id();
                        assert!(run_on_team(5, &|i: usize| {
                            assert_eq!(std::thread::current().id(), here);
                            sum.fetch_add(i, Relaxed);
                        }));
                    });
                });
                assert_eq!(sum.into_inner(), 100);
            });
        });
        assert!(!run_on_team(3, &|_: usize| unreachable!()));
    }

    #[test]
    fn a_panic_reaches_the_leader_and_ends_the_region() {
        pool(2).install(|| {
            for bad in [0, 9] {
                let region = || on_team(|| run_on_team(10, &|i: usize| assert_ne!(i, bad)));
                assert!(catch_unwind(region).is_err());
                assert!(!run_on_team(1, &|_: usize| ()));
                on_team(|| assert!(counts(10).iter().all(|&n| n == 1)));
            }
        });
    }

    /// Leaders on several threads of one pool at once, with rayon's own loops inside.
    #[test]
    fn regions_run_beside_each_other_and_around_rayon() {
        use rayon::prelude::*;
        pool(3).install(|| {
            (0..64).into_par_iter().for_each(|_| {
                on_team(|| {
                    let (a, b) = rayon::join(|| counts(3), || (0..100usize).into_par_iter().sum());
                    let _: usize = b;
                    assert_eq!(a, [1, 1, 1]);
                });
            });
        });
    }
}
