//! `proxied`: the header of the PROXY protocol means the same however it was cut, and takes no byte too many.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownhands::http::Proxied;

/// 16 bytes and 4096; a line is shorter.
const LONGEST: usize = 4112;

fuzz_target!(|input: &[u8]| {
    let read = |bytes: &[u8]| Proxied::decode(bytes).map_err(|error| error.to_string());
    let whole = read(input);
    let first = (0..=input.len()).map(|length| read(&input[..length])).find(|read| *read != Ok(None));
    assert_eq!(whole, first.unwrap_or(Ok(None)), "byte by byte");
    match whole {
        Ok(Some((_, length))) => {
            assert!(length <= input.len() && length <= LONGEST);
            assert!(input.starts_with(b"PROXY ") || input.starts_with(b"\r\n\r\n\0\r\nQUIT\n"));
            assert_eq!(whole, read(&input[..length]), "without what follows");
        }
        Ok(None) => assert!(input.len() < LONGEST),
        Err(_) => {}
    }
});
