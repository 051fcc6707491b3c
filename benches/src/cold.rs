//! The cold start: a process from its start to its first response, and the memory that a program
//! with one client in it needs for a large body.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::Outcome;
use crate::machine::{self, Core, Memory};
use crate::options::Plan;
use crate::process::Run;
use crate::programs::{self, Chunks, Program, Speaks};
use crate::statistics::Summary;
use crate::target::Target;
use crate::tools;

/// A situation that each program is put in.
pub struct Scene {
    pub name: &'static str,
    pub title: &'static str,
    scheme: &'static str,
    path: &'static str,
    /// The length of the body.
    size: u64,
    can: fn(&Program) -> bool,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Start,
    Body,
}

pub const SCENES: &[Scene] = &[
    Scene {
        name: "cold",
        title: "Start of a process to its first response",
        scheme: "http",
        path: "/small",
        size: 13,
        can: |_| true,
        kind: Kind::Start,
    },
    Scene {
        name: "cold-tls",
        title: "Start of a process to its first response over TLS",
        scheme: "https",
        path: "/small",
        size: 13,
        can: |program| matches!(program.speaks, Speaks::PlainAndTls(_)),
        kind: Kind::Start,
    },
    Scene {
        name: "peak",
        title: "A program that downloads 1 GiB, Content-Length",
        scheme: "http",
        path: "/text/1073741824/sized",
        size: GIB,
        can: |program| program.speaks != Speaks::Nothing,
        kind: Kind::Body,
    },
    Scene {
        name: "peak-chunked",
        title: "A program that downloads 1 GiB, chunked",
        scheme: "http",
        path: "/text/1073741824/16384",
        size: GIB,
        can: |program| match program.speaks {
            Speaks::Nothing => false,
            Speaks::Plain => true,
            Speaks::PlainAndTls(chunks) => chunks == Chunks::Read,
        },
        kind: Kind::Body,
    },
    Scene {
        name: "peak-tls",
        title: "A program that downloads 1 GiB over TLS, Content-Length",
        scheme: "https",
        path: "/text/1073741824/sized",
        size: GIB,
        can: |program| matches!(program.speaks, Speaks::PlainAndTls(_)),
        kind: Kind::Body,
    },
];

const GIB: u64 = 1 << 30;

/// Number of starts for the measurement of time.
const STARTS: usize = 25;

pub struct SceneCosts {
    pub scene: &'static Scene,
    pub programs: Vec<Costs>,
}

/// The cost of one program in a scene.
pub struct Costs {
    pub program: &'static str,
    /// Microseconds.
    pub wall: Summary,
    pub cpu: Summary,
    /// The memory of the whole process, in KiB.
    pub peak_memory: u64,
    /// Instructions of the whole process; none for large bodies.
    pub instructions: Option<f64>,
    pub system_calls: Option<f64>,
}

pub fn measure(scene: &'static Scene, plan: &Plan, target: &Target) -> Outcome<SceneCosts> {
    machine::pin(Core::Client)?;
    let folder = programs::folder()?;
    let mut subjects = Vec::new();
    for &program in plan.programs.iter().filter(|program| (scene.can)(program)) {
        subjects.push(Subject { program, path: program.build(&folder)?, scene, target });
    }
    let rounds = match scene.kind {
        Kind::Start => STARTS,
        Kind::Body => 1,
    };
    let mut samples = vec![Vec::new(); subjects.len()];
    for _ in 0..rounds {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            samples.push(subject.sample()?);
        }
    }
    let costs = subjects.iter().zip(&samples).map(|(subject, samples)| subject.costs(samples));
    Ok(SceneCosts { scene, programs: costs.collect::<Outcome<_>>()? })
}

struct Subject<'a> {
    program: &'static Program,
    path: PathBuf,
    scene: &'static Scene,
    target: &'a Target,
}

#[derive(Clone, Copy)]
struct Sample {
    wall: Duration,
    cpu: Duration,
    memory: Memory,
}

impl Subject<'_> {
    fn costs(&self, samples: &[Sample]) -> Outcome<Costs> {
        let summary = |of: fn(&Sample) -> Duration| {
            Summary::of(samples.iter().map(|sample| 1e6 * of(sample).as_secs_f64()))
        };
        let is_counted = self.scene.kind == Kind::Start;
        Ok(Costs {
            program: self.program.name,
            wall: summary(|sample| sample.wall).ok_or("no samples")?,
            cpu: summary(|sample| sample.cpu).ok_or("no samples")?,
            peak_memory: samples.iter().map(|sample| sample.memory.peak).max().unwrap_or(0),
            instructions: is_counted.then(|| self.instructions()).transpose()?,
            system_calls: is_counted.then(|| self.system_calls()).transpose()?,
        })
    }

    fn sample(&self) -> Outcome<Sample> {
        let began = Instant::now();
        let run = self.run(&[])?;
        let wall = began.elapsed();
        let process = run.id().to_string();
        let sample = Sample { wall, cpu: cpu_time(&process)?, memory: Memory::read(&process)? };
        run.finish()?;
        Ok(sample)
    }

    fn instructions(&self) -> Outcome<f64> {
        tools::instructions(|wrapper| self.run(wrapper)?.finish())
    }

    fn system_calls(&self) -> Outcome<f64> {
        Ok(tools::system_calls(|wrapper| self.run(wrapper)?.finish())?.values().sum())
    }

    /// Starts the program and waits for its response.
    fn run(&self, wrapper: &[&str]) -> Outcome<Run> {
        let Scene { scheme, path, size, .. } = self.scene;
        let Target { plain, tls, certificate, .. } = self.target;
        let (port, count) = if *scheme == "http" { (plain, 1) } else { (tls, 2) };
        let url = format!("{scheme}://127.0.0.1:{port}{path}");
        let arguments = [url.as_str(), certificate.as_str()];
        let mut run = Run::start(wrapper, &self.path, &arguments[..count])?;
        let got: u64 = run.line()?.trim().parse()?;
        let expected = if self.program.speaks == Speaks::Nothing { 0 } else { *size };
        if got == expected { Ok(run) } else { Err(format!("{got} bytes").into()) }
    }
}

/// The CPU time of another process, over all its current threads.
fn cpu_time(process: &str) -> Outcome<Duration> {
    // A thread that has just sent may not be asleep yet.
    thread::sleep(Duration::from_millis(2));
    let mut total = 0;
    for thread in fs::read_dir(Path::new("/proc").join(process).join("task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text.split(' ').next().ok_or("no CPU time")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}
