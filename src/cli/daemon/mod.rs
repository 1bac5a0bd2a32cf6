//! A server that one leaves running: the verbs that start, ask and end it, and what it does about them.
//!
//! There is no master and there are no workers. One process serves; the next one starts beside it, gets its
//! sockets, and the first one finishes what it has begun. What they say to each other, and to the verbs,
//! goes over one kind of wire.
//!
//! - *Who is there*: the [seat](Seat) (`pid_file`, `control`, each with its `entry` in a directory).
//! - *Who speaks*: the `wire`; the `verbs` at one end, the [steward](Steward) at the other.
//! - *Who comes*: [detach](Detachment) for the first, `succession` for the next, the `herald` where walls are between.
//! - *What it is made of*: the `program` that can be started again; `changes`, what a reload cannot change.
//! - *Who starts programs*, outside of the walls: the [launcher](Launching).
//! - *Who else is told*: the service manager, by `notify`, `activation` and `unit`.

mod activation;
mod changes;
mod control;
mod detach;
mod entry;
mod herald;
mod launcher;
mod notify;
mod pid_file;
mod program;
mod seat;
mod steward;
mod succession;
mod unit;
mod verbs;
mod wire;

pub(super) use activation::sockets as activated_sockets;
pub(super) use changes::Fixed;
pub(super) use detach::{Detachment, close_stdin};
pub(super) use entry::is_left_over;
pub(super) use herald::run as be_herald;
pub(super) use launcher::{Launching, run as be_launcher};
pub(super) use notify::Notifier;
pub(super) use pid_file::default_path as default_pid_file;
pub(super) use program::{Program, ROLE, Role};
pub(super) use seat::{Seat, survive_signals};
pub(super) use steward::{Household, Steward};
pub(super) use succession::{Inherited, Predecessor, Upgrades};
pub(super) use verbs::run as run_errand;
