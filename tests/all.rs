//! One binary for all tests but tests/allocations.rs, a file a subject. They need no network beyond
//! loopback, no root and no tool.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

mod accept;
mod access;
mod app;
mod archive;
mod bodies;
mod calls;
mod cgi;
mod chunked;
#[cfg(feature = "command")]
mod command;
#[cfg(feature = "command")]
mod configuration;
mod cookies;
#[cfg(feature = "command")]
mod daemon;
mod decode;
mod deferred;
#[cfg(feature = "command")]
mod demo;
mod elsewhere;
mod environ;
mod errors;
mod fairness;
#[cfg(feature = "command")]
mod faults;
mod files;
mod forms;
mod grammar;
mod hooks;
mod layers;
mod limits;
mod listeners;
mod listing;
#[cfg(feature = "command")]
mod logs;
mod machine;
mod manners;
mod observed;
mod patience;
mod proxies;
mod ranges;
mod readers;
mod readme;
mod redirects;
mod regressions;
mod response;
mod running;
mod samples;
#[cfg(feature = "sandbox")]
mod sandbox;
mod scgi;
mod segmentation;
mod sharing;
mod simulation;
mod sockets;
mod spool;
mod target;
mod try_files;
mod turns;
mod upstreams;
mod why;
mod wsgi;
