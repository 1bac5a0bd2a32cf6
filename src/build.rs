//! Before the build: how the command is linked.
//!
//! Most of what is relocated when it starts are pointers in tables, twelve thousand of them. Packed into bitmaps
//! (`DT_RELR` of the ELF gABI) they take a fiftieth of the room: the file is 7 % smaller, and so is what is read of it
//! at each start. The C library must know of it, which glibc does from 2.36 on; a linker that does not says so and goes
//! on.

use std::env;
use std::process::Command;

/// The first glibc that knows packed relocations.
const KNOWS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    // What is built for another machine may meet any library there.
    let is_for_itself = env::var("HOST").ok() == env::var("TARGET").ok();
    let is_glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_for_itself && is_glibc && glibc().is_some_and(|version| version >= KNOWS) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of the C library here, as `getconf` says it: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let said = String::from_utf8(said).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
