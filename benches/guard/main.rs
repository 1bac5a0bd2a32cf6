//! The program that benches/guard/run has counted.
//!
//! Given the name of a conversation it has it: a few rounds that are not counted, and then so many as one call of [`counted`],
//! the function by which callgrind knows when to count. Each conversation is for a process of its own, for what another has left
//! behind in the heap would show. Without a name it prints all of them, a line for each: the name, and the requests in that call.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs, reason = "a program for benches/guard/run")]

mod conversations;
#[path = "../heads.rs"]
mod heads;
mod peer;

use std::env;

use ownhands::App;

use conversations::{Conversation, Site};
use peer::Peer;

/// Rounds that are counted: what comes once in a while, as a buffer that grows, is a part of each.
const ROUNDS: usize = 200;

fn main() {
    let site = Site::new();
    let name = env::args().nth(1);
    for conversation in &site.conversations() {
        match &name {
            None => println!("{} {}", conversation.name, ROUNDS * conversation.requests),
            Some(name) if name == conversation.name => {
                let (mut peer, length) = conversation.begin(&site);
                counted(conversation, &mut peer, length);
            }
            Some(_) => {}
        }
    }
}

/// Found by its name, `guard::counted`, which stands in benches/guard/run too.
#[inline(never)]
fn counted<'a>(conversation: &'a Conversation, peer: &mut Peer<'a, App>, length: usize) {
    for _ in 0..ROUNDS {
        conversation.go_on(peer, length);
    }
}
