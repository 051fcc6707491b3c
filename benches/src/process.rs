//! The other processes: the server and the workers, started from this program.

use std::env;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Outcome;
use crate::clients::Entry;
use crate::rows::Row;
use crate::server::Ports;
use crate::target::Target;
use crate::worker::{Order, Sample};

/// The server, which ends when this value is dropped.
pub struct Server {
    _input: ChildStdin,
    pub target: Target,
}

impl Server {
    pub fn start(ports: Ports) -> Outcome<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(match ports {
            Ports::Few => "server",
            Ports::Many => "server-on-many-ports",
        });
        let mut child = spawn(&mut command)?;
        let (input, mut output) = pipes(&mut child)?;
        let mut line = String::new();
        output.read_line(&mut line)?;
        Ok(Self { _input: input, target: line.parse()? })
    }
}

/// A worker process: a client and a row.
pub struct Worker {
    name: String,
    run: Run,
}

impl Worker {
    /// Starts a worker, under another program if `wrapper` names one and its arguments.
    pub fn start(wrapper: &[&str], entry: &Entry, row: &Row, target: &Target) -> Outcome<Self> {
        let name = format!("{}, row {}", entry.name, row.name);
        let arguments = ["worker", entry.name, row.name, &target.to_string()];
        let run = Run::start(wrapper, &env::current_exe()?, &arguments);
        Ok(Self { run: run.map_err(|error| format!("{name}: {error}"))?, name })
    }

    pub fn order(&mut self, order: Order) -> Outcome<Sample> {
        let answered = self.run.tell(order).and_then(|()| self.run.line()?.parse());
        answered.map_err(|error| format!("{}: {error}", self.name).into())
    }

    /// Ends the worker and waits for it.
    pub fn finish(self) -> Outcome<()> {
        self.run.finish().map_err(|error| format!("{}: {error}", self.name).into())
    }
}

/// A process with pipes for input and output.
pub struct Run {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Run {
    /// Starts a program, under another one if `wrapper` names one and its arguments.
    pub fn start(wrapper: &[&str], program: &Path, arguments: &[&str]) -> Outcome<Self> {
        let mut command = match wrapper {
            [] => Command::new(program),
            [outer, arguments @ ..] => {
                let mut command = Command::new(outer);
                command.args(arguments).arg(program);
                command
            }
        };
        // The same for all programs: cargo adds folders in which every start searches for
        // libraries.
        command.args(arguments).env_clear().envs(env::var_os("PATH").map(|path| ("PATH", path)));
        let mut child = spawn(&mut command)?;
        let (input, output) = pipes(&mut child)?;
        Ok(Self { child, input, output })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn tell(&mut self, what: impl Display) -> Outcome<()> {
        Ok(writeln!(self.input, "{what}")?)
    }

    pub fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }

    /// Ends its input and waits for its end.
    pub fn finish(mut self) -> Outcome<()> {
        drop(self.input);
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(status.to_string().into()) }
    }
}

fn spawn(command: &mut Command) -> Outcome<Child> {
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    spawned.map_err(|error| format!("{}: {error}", command.get_program().display()).into())
}

fn pipes(child: &mut Child) -> Outcome<(ChildStdin, BufReader<ChildStdout>)> {
    let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or("no pipes")?;
    Ok((input, BufReader::new(output)))
}
