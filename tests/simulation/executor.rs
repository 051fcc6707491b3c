//! The executor: polls any task that was woken, in an order that the seed chooses.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};

use super::world::{happen, note, with};

/// More polls than any run that ends takes.
const MOST_STEPS: usize = 400_000;

/// A task.
struct Task {
    /// None once it has ended.
    future: Option<Work>,
    bell: Arc<Bell>,
    polls: usize,
    cancelled_at: Option<usize>,
}

/// The task can move between threads, as in other executors.
pub(super) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Runs all tasks until nothing happens any more.
pub(super) fn run(tasks: impl Iterator<Item = (Work, Option<usize>)>) {
    let mut tasks: Vec<_> = tasks.map(Task::new).collect();
    for _ in 0..MOST_STEPS {
        let ready: Vec<_> = (0..tasks.len()).filter(|at| tasks[*at].is_ready()).collect();
        let is_time = with(|world| {
            let is_now = world.next_time() == Some(world.agenda.now());
            ready.is_empty() || (is_now && world.seed.one_in(3))
        });
        match is_time {
            true if with(|world| world.next_time().is_none()) => return asleep(&tasks),
            true => happen(),
            false => {
                let at = with(|world| world.seed.pick(&ready));
                tasks[at].poll(at);
            }
        }
    }
    with(|world| world.violated("it never ends"));
}

/// 1: a waiting task is woken eventually.
fn asleep(tasks: &[Task]) {
    for at in (0..tasks.len()).filter(|at| tasks[*at].future.is_some()) {
        with(|world| world.violated(format!("task {at} is never woken")));
    }
}

impl Task {
    fn new((future, cancelled_at): (Work, Option<usize>)) -> Self {
        let bell = Arc::new(Bell(AtomicBool::new(true)));
        Self { future: Some(future), bell, polls: 0, cancelled_at }
    }

    /// Returns whether the task was woken; sometimes true without a wake, for a spurious poll.
    fn is_ready(&self) -> bool {
        let spurious = || with(|world| world.plan.stutters && world.seed.one_in(40));
        self.future.is_some() && (self.bell.0.load(Relaxed) || spurious())
    }

    fn poll(&mut self, number: usize) {
        self.bell.0.store(false, Relaxed);
        self.polls += 1;
        with(|world| world.ledger.running = Some(number));
        let waker = Waker::from(Arc::clone(&self.bell));
        let Some(future) = &mut self.future else { return };
        let is_cancelled = self.cancelled_at.is_some_and(|at| self.polls > at);
        if is_cancelled {
            with(|world| {
                note!(world, "task {number} is given up");
                world.ledger.tasks[number].is_given_up = true;
            });
        }
        if is_cancelled || future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.future = None; // dropped while it is the current task
        }
        with(|world| world.ledger.running = None);
    }
}
