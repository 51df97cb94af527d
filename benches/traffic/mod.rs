//! Logs of any size, the same on every run.

use std::io::Write;

/// A small generator: figures of two runs are comparable only on the same bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

const PATHS: [&str; 8] = [
    "/api/cart",
    "/api/orders",
    "/api/products/search",
    "/healthz",
    "/api/users/me",
    "/static/app.js",
    "/api/checkout",
    "/metrics",
];
const LEVELS: [&str; 20] = [
    "info", "info", "info", "info", "info", "info", "info", "info", "info", "info", "info", "info", "info", "info",
    "debug", "debug", "debug", "warn", "warn", "error",
];
const ERRORS: [&str; 4] =
    ["context deadline exceeded", "upstream returned 503", "cart is empty", "no row for this session"];

/// What services write while nothing is wrong: one JSON record for each request, a few of them warnings and errors.
pub fn json(bytes: usize) -> Vec<u8> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut out = Vec::with_capacity(bytes + 1024);
    while out.len() < bytes {
        record(&mut out, &mut random);
    }
    out.truncate(bytes);
    out
}

fn record(out: &mut Vec<u8>, random: &mut Random) {
    let level = random.of(&LEVELS);
    let (second, millisecond) = (random.below(60), random.below(1000));
    let _ = write!(
        out,
        r#"{{"level":"{level}","ts":"2026-11-24T04:15:{second:02}.{millisecond:03}Z","caller":"http/middleware.go:{}","msg":"request served","method":"{}","path":"{}","status":{},"bytes":{},"took_ms":{},"trace_id":"{:016x}{:016x}","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","peer":"10.{}.{}.{}""#,
        random.below(300),
        random.of(&["GET", "GET", "GET", "POST", "PUT"]),
        random.of(&PATHS),
        random.of(&["200", "200", "200", "200", "201", "304", "404", "503"]),
        random.below(90_000),
        random.below(400),
        random.next(),
        random.next(),
        random.below(256),
        random.below(256),
        random.below(256),
    );
    if level == "error" {
        let _ = write!(out, r#","error":"{}""#, random.of(&ERRORS));
    }
    out.extend_from_slice(b"}\n");
}

/// A map race of Go's, and so many bytes of goroutines.
pub fn dump(bytes: usize) -> Vec<u8> {
    let mut out = b"fatal error: concurrent map writes\n\n".to_vec();
    for number in 1.. {
        if out.len() >= bytes {
            break;
        }
        let state = if number == 1 { "running" } else { "select, 4 minutes" };
        let _ = write!(
            out,
            "goroutine {number} [{state}]:\ninternal/runtime/maps.fatal({{0x4eebe6?, 0x0?}})\n\
             \t/usr/local/go/src/runtime/panic.go:1181 +0x18\nexample.com/shop/inventory.(*Cache).Add(0xc000{number:06x}, \
             {{0xc00001c0a8, 0x6}}, 0x1)\n\t/src/inventory/cache.go:28 +0x9b\nexample.com/shop/api.(*Server).reserve(0xc0000b2000)\n\
             \t/src/api/server.go:52 +0xd0\ncreated by net/http.(*Server).Serve in goroutine 1\n\
             \t/usr/local/go/src/net/http/server.go:3454 +0x485\n\n"
        );
    }
    out
}

/// A plain log with a survived panic now and then, and a fatal one at its end.
pub fn log(bytes: usize) -> Vec<u8> {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut out = Vec::with_capacity(bytes + 4096);
    while out.len() < bytes {
        let (second, path) = (random.below(60), random.of(&PATHS));
        if random.below(500) == 0 {
            let _ = write!(
                out,
                "2026/11/24 04:15:{second:02} http: panic serving 10.0.0.{}:5021: runtime error: integer divide by zero\n\
                 goroutine {} [running]:\nnet/http.(*conn).serve.func1()\n\t/usr/local/go/src/net/http/server.go:1947 +0xbe\n\
                 panic({{0x6b3e40?, 0x8f2c10?}})\n\t/usr/local/go/src/runtime/panic.go:787 +0x132\nmain.average(0x0)\n\
                 \t/src/main.go:31 +0x1d\n",
                random.below(256),
                random.below(100_000),
            );
        }
        let _ = writeln!(out, "2026/11/24 04:15:{second:02} INFO {path} 200 {}ms", random.below(400));
    }
    out.extend_from_slice(b"panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:7 +0x1\nexit status 2\n");
    out
}
