//! The other processes: the server and the workers, started from this very program.

use std::env;
use std::io::{BufRead, BufReader, Write};
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

/// A client at work on a row.
pub struct Worker {
    name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a worker, under another program if `wrapper` names one and its arguments.
    pub fn start(wrapper: &[&str], entry: &Entry, row: &Row, target: &Target) -> Outcome<Self> {
        let program = env::current_exe()?;
        let mut command = match wrapper {
            [] => Command::new(program),
            [outer, arguments @ ..] => {
                let mut command = Command::new(outer);
                command.args(arguments).arg(program);
                command
            }
        };
        command.args(["worker", entry.name, row.name]).arg(target.to_string());
        let name = format!("{}, row {}", entry.name, row.name);
        let mut child = spawn(&mut command).map_err(|error| format!("{name}: {error}"))?;
        let (input, output) = pipes(&mut child)?;
        Ok(Self { name, child, input, output })
    }

    pub fn order(&mut self, order: Order) -> Outcome<Sample> {
        let failed = |error| format!("{}: {error}", self.name);
        let mut line = String::new();
        writeln!(self.input, "{order}").map_err(failed)?;
        self.output.read_line(&mut line).map_err(failed)?;
        line.parse().map_err(|error| format!("{}: {error}", self.name).into())
    }

    /// Lets the worker end and waits for it.
    pub fn finish(mut self) -> Outcome<()> {
        drop(self.input);
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("{}: {status}", self.name).into()) }
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
