//! Before the build: how the command is linked.
//!
//! Most of what is relocated when it starts are pointers in tables, twelve thousand of them. Packed into
//! bitmaps (`DT_RELR` of the ELF gABI) they take a fiftieth of the room: the file is 7 % smaller, and so is
//! what is read of it at each start. The C library must know of it, which glibc does from 2.36 on; a linker
//! that does not says so and goes on.
//!
//! Functions that come out the same, as many do that were made from one for several types, are kept once:
//! another 1 %. Rust's own linker can do that, which is not everybody's, so a program that does nothing is
//! linked with the option first.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
    // Who looks for a fault would find one function under the name of another.
    if is_for_itself && is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") && can_fold() == Some(true) {
        println!("cargo:rustc-link-arg-bins={FOLD}");
    }
}

/// What tells a linker to keep the same functions once.
const FOLD: &str = "-Wl,--icf=all";

/// True if a program can be linked with the same functions kept once.
fn can_fold() -> Option<bool> {
    let program = PathBuf::from(env::var_os("OUT_DIR")?).join("nothing");
    let source = program.with_extension("rs");
    fs::write(&source, "fn main() {}").ok()?;
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut rustc = Command::new(env::var_os("RUSTC")?);
    rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut option = OsString::from("-Clinker=");
        option.push(linker);
        rustc.arg(option);
    }
    rustc.arg(format!("-Clink-arg={FOLD}")).arg(source).arg("-o").arg(program);
    rustc.stdout(Stdio::null()).stderr(Stdio::null()).status().ok().map(|status| status.success())
}

/// The version of the C library here, as `getconf` says it: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let said = String::from_utf8(said).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
