//! Where log records go: to stderr, a line each, `2026-11-20 19:00:00,123 [INFO] message`.

use std::io::{self, Write};

use env_logger::{Builder, Target};
use jiff::Zoned;
use log::LevelFilter;

use super::patient::Patient;

/// Starts logging. The level comes from the command line alone, not from the environment.
pub(super) fn start(level: LevelFilter) {
    let mut builder = Builder::new();
    builder.filter_level(level).target(Target::Pipe(Box::new(Patient::new(io::stderr()))));
    builder.format(|line, record| {
        let now = Zoned::now();
        let millisecond = now.subsec_nanosecond() / 1_000_000;
        let time = now.strftime("%Y-%m-%d %H:%M:%S");
        writeln!(line, "{time},{millisecond:03} [{}] {}", record.level(), record.args())
    });
    // A panic in a handler is caught and answered; the place where it happened is known here alone.
    std::panic::set_hook(Box::new(|panic| {
        let said: Vec<String> = panic.to_string().lines().map(|line| line.escape_debug().to_string()).collect();
        log::error!("{}", said.join(" "));
    }));
    // It fails only if logging was started before, which a second call in one process would be.
    let _ = builder.try_init();
}
