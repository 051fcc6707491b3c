//! The process in which one client runs one row, as often as its parent asks.
//!
//! A process of its own, so that no client's heap, threads or warm caches are another's.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::str::FromStr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::allocations::{self, Allocations};
use crate::clients::{Client, Entry, Job};
use crate::machine::{self, Core, Memory};
use crate::rows::{Scheme, Senders};
use crate::target::Target;
use crate::{Failure, Outcome};

/// What some requests cost.
#[derive(Clone, Copy, Default)]
pub struct Sample {
    pub wall: Duration,
    pub cpu: Duration,
    pub allocations: Allocations,
    pub memory: Memory,
}

/// What a line of standard input asks for.
#[derive(Clone, Copy)]
pub enum Order {
    Time(u64),
    Count(u64),
}

/// Carries out the orders on standard input, one a line, until it ends; answers each with a
/// [`Sample`] on a line of standard output.
pub fn run(entry: &Entry, job: &Job) -> Outcome<()> {
    machine::pin(Core::Client)?;
    let first = (entry.prepare)(job)?;
    let threads = match job.row.senders {
        Senders::Threads(count) => count,
        Senders::One | Senders::Tasks(_) => 1,
    };
    let siblings = (1..threads).map(|_| first.sibling()).collect::<Outcome<Vec<_>>>()?;
    let mut clients = vec![first];
    clients.extend(siblings);
    for line in io::stdin().lines() {
        println!("{}", carry_out(line?.parse()?, &mut clients, job)?);
    }
    Ok(())
}

fn carry_out(order: Order, clients: &mut [Box<dyn Client>], job: &Job) -> Outcome<Sample> {
    let (wall, cpu) = (Instant::now(), machine::cpu_time());
    let allocations = match order {
        Order::Time(requests) => {
            perform(clients, requests, job)?;
            Allocations::default()
        }
        Order::Count(requests) => {
            let (done, counted) = allocations::counted(|| perform(clients, requests, job));
            done?;
            counted
        }
    };
    Ok(Sample {
        wall: wall.elapsed(),
        cpu: machine::cpu_time() - cpu,
        allocations,
        memory: machine::memory()?,
    })
}

fn perform(clients: &mut [Box<dyn Client>], requests: u64, job: &Job) -> Outcome<()> {
    let share = requests.div_ceil(clients.len() as u64);
    let [one] = clients else { return perform_together(clients, share, job) };
    match job.row.senders {
        Senders::Tasks(count) => one.perform_in_tasks(count, requests.div_ceil(count)),
        _ if job.row.is_idle() => leave_idle(one.as_mut(), requests, job),
        _ => one.repeat(share, job),
    }
}

/// Leaves a connection to each of so many ports open.
fn leave_idle(client: &mut dyn Client, connections: u64, job: &Job) -> Outcome<()> {
    let Target { idle, idle_tls, .. } = &job.target;
    let ports = if job.row.scheme == Scheme::Plain { idle } else { idle_tls };
    let open = machine::sockets()?;
    for &port in ports.iter().skip(usize::try_from(open)?).take(usize::try_from(connections)?) {
        client.turn_to(port)?;
        client.repeat(1, job)?;
    }
    let left = machine::sockets()? - open;
    if left == connections {
        return Ok(());
    }
    Err(format!("{left} connections are left where {connections} were to be").into())
}

fn perform_together(clients: &mut [Box<dyn Client>], share: u64, job: &Job) -> Outcome<()> {
    let start = &Barrier::new(clients.len());
    thread::scope(|scope| {
        let begin = |client: &'_ mut Box<dyn Client>| {
            start.wait();
            client.repeat(share, job)
        };
        let threads = clients.iter_mut().map(|client| scope.spawn(move || begin(client)));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().try_for_each(|one| one.join().map_err(|_| "a thread panicked")?)
    })
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Order::Time(requests) => write!(f, "time {requests}"),
            Order::Count(requests) => write!(f, "count {requests}"),
        }
    }
}

impl FromStr for Order {
    type Err = Failure;

    fn from_str(line: &str) -> Outcome<Self> {
        match line.split_once(' ') {
            Some(("time", requests)) => Ok(Order::Time(requests.parse()?)),
            Some(("count", requests)) => Ok(Order::Count(requests.parse()?)),
            _ => Err(format!("no such order: {line}").into()),
        }
    }
}

impl Display for Sample {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Allocations { fresh, resized, bytes, kept } = self.allocations;
        let (wall, cpu) = (self.wall.as_nanos(), self.cpu.as_nanos());
        let Memory { resident, peak } = self.memory;
        write!(f, "{wall} {cpu} {fresh} {resized} {bytes} {resident} {peak} {kept}")
    }
}

impl FromStr for Sample {
    type Err = Failure;

    fn from_str(line: &str) -> Outcome<Self> {
        let mut words = line.split_whitespace();
        let kept = words.next_back().ok_or("an empty sample")?.parse()?;
        let mut numbers = words.map(str::parse);
        let mut number = || numbers.next().ok_or("an incomplete sample")?.map_err(Failure::from);
        Ok(Self {
            wall: Duration::from_nanos(number()?),
            cpu: Duration::from_nanos(number()?),
            allocations: Allocations {
                fresh: number()?,
                resized: number()?,
                bytes: number()?,
                kept,
            },
            memory: Memory { resident: number()?, peak: number()? },
        })
    }
}
