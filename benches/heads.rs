//! What clients send behind the request line, for all that is measured here.

/// What wrk sends.
pub(crate) const SMALL: &str = "Host: 127.0.0.1:8000\r\n\r\n";

/// What a browser sends: 14 fields, 650 bytes.
pub(crate) const BROWSER: &str = "Host: www.example.org\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.org/articles/?page=2\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=3f1c9a6e0d2b48f7a51e; theme=dark; seen=front,about,articles; width=1280; visitor=b7d0c44e19f2a35588e6d1037ac9b2f4b7d0c4\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Priority: u=0, i\r\n\
    If-None-Match: \"3e8-6560a1b2c3d40\"\r\n\r\n";
