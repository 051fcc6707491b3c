//! The process in which one client runs one row, as often as its parent asks.
//!
//! A separate process, so that no client shares its heap, threads or warm caches with another.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::str::FromStr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::allocations::{self, Allocations};
use crate::clients::{Client, Entry, Job};
use crate::latency::{self, Latency};
use crate::machine::{self, Core, Memory};
use crate::rows::{Scheme, Senders};
use crate::target::Target;
use crate::{Failure, Outcome};

/// The cost of some requests.
#[derive(Clone, Copy, Default)]
pub struct Sample {
    pub wall: Duration,
    pub cpu: Duration,
    pub allocations: Allocations,
    pub memory: Memory,
    pub latency: Latency,
}

/// An order on a line of standard input.
#[derive(Clone, Copy)]
pub enum Order {
    Time(u64),
    /// With the latencies of requests.
    Watch(u64),
    Count(u64),
}

/// Carries out the orders on standard input, one a line, until it ends; writes a [`Sample`] for
/// each on a line of standard output.
pub fn run(entry: &Entry, job: &Job) -> Outcome<()> {
    machine::pin(Core::Client)?;
    let mut first = (entry.prepare)(job)?;
    meet_other_hosts(first.as_mut(), job)?;
    let threads = match job.row.senders {
        Senders::Threads(count) => count,
        Senders::One | Senders::Tasks(_) | Senders::Queue(_) => 1,
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
    let mut latency = Latency::default();
    let allocations = match order {
        Order::Time(requests) => {
            perform(clients, requests, job)?;
            Allocations::default()
        }
        Order::Watch(requests) => {
            let (done, measured) = latency::measured(|| perform(clients, requests, job));
            done?;
            latency = measured;
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
        latency,
    })
}

fn perform(clients: &mut [Box<dyn Client>], requests: u64, job: &Job) -> Outcome<()> {
    let share = requests.div_ceil(clients.len() as u64);
    let [one] = clients else { return perform_together(clients, share, job) };
    match job.row.senders {
        Senders::Tasks(count) | Senders::Queue(count) => {
            one.perform_in_tasks(count, requests.div_ceil(count))
        }
        _ if job.row.is_idle() => leave_idle(one.as_mut(), requests, job),
        _ => one.repeat(share, job),
    }
}

/// Leaves a connection to each of the other hosts open, and switches to the host of the row.
fn meet_other_hosts(client: &mut dyn Client, job: &Job) -> Outcome<()> {
    let SocketAddr::V4(home) = job.target.address(job.row) else { return Ok(()) };
    let before = machine::sockets()?;
    for number in 0..u32::try_from(job.row.other_hosts)? {
        let host = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + number);
        client.turn_to(SocketAddrV4::new(host, home.port()))?;
        client.repeat(1, job)?;
    }
    let left = machine::sockets()? - before;
    if left != job.row.other_hosts {
        return Err(format!("{left} of {} other hosts are left", job.row.other_hosts).into());
    }
    if left > 0 {
        client.turn_to(home)?;
    }
    Ok(())
}

/// Leaves a connection to each of so many ports open.
fn leave_idle(client: &mut dyn Client, connections: u64, job: &Job) -> Outcome<()> {
    let Target { idle, idle_tls, .. } = &job.target;
    let ports = if job.row.scheme == Scheme::Plain { idle } else { idle_tls };
    let open = machine::sockets()?;
    for &port in ports.iter().skip(usize::try_from(open)?).take(usize::try_from(connections)?) {
        client.turn_to(SocketAddrV4::new(job.target.host, port))?;
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
            Order::Watch(requests) => write!(f, "watch {requests}"),
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
            Some(("watch", requests)) => Ok(Order::Watch(requests.parse()?)),
            Some(("count", requests)) => Ok(Order::Count(requests.parse()?)),
            _ => Err(format!("no such order: {line}").into()),
        }
    }
}

impl Display for Sample {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Allocations { fresh, resized, bytes, kept, peak } = self.allocations;
        let (wall, cpu) = (self.wall.as_nanos(), self.cpu.as_nanos());
        let Memory { resident, peak: highest } = self.memory;
        let (median, p99) = (self.latency.median.as_nanos(), self.latency.p99.as_nanos());
        write!(
            f,
            "{wall} {cpu} {fresh} {resized} {bytes} {kept} {peak} {resident} {highest} {median} {p99}"
        )
    }
}

impl FromStr for Sample {
    type Err = Failure;

    fn from_str(line: &str) -> Outcome<Self> {
        let mut numbers = line.split_whitespace().map(str::parse);
        // The number of kept bytes may be negative.
        let mut signed = || -> Outcome<i64> { Ok(numbers.next().ok_or("an incomplete sample")??) };
        let mut number = || Ok::<_, Failure>(signed()?.cast_unsigned());
        Ok(Self {
            wall: Duration::from_nanos(number()?),
            cpu: Duration::from_nanos(number()?),
            allocations: Allocations {
                fresh: number()?,
                resized: number()?,
                bytes: number()?,
                kept: number()?.cast_signed(),
                peak: number()?.cast_signed(),
            },
            memory: Memory { resident: number()?, peak: number()? },
            latency: Latency {
                median: Duration::from_nanos(number()?),
                p99: Duration::from_nanos(number()?),
            },
        })
    }
}
