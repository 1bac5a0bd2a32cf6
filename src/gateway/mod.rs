//! Layer 4: applications beside the loop: programs that answer requests, each in a process of its own.

#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "what uses it is being built"))]
mod launcher;

pub use launcher::{Heard, Launcher, Wire, attend};
