//! The command `ownhands`: it serves a directory, or the demo.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
