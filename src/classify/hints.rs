//! What shows which runtime wrote a log, where no trace does.

use super::envelope::{without_collector, without_stamps};
use super::finding::Runtime;
use super::scan::readable;
use super::text;

/// Texts that only one runtime's programs write.
const MARKS: &[(Runtime, &str)] = &[
    (Runtime::Go, "dial tcp "),
    (Runtime::Go, "listen tcp "),
    (Runtime::Go, ".go:"),
    (Runtime::Go, "x509: "),
    (Runtime::Go, "goroutine "),
    (Runtime::Jvm, "\tat java."),
    (Runtime::Jvm, "JDWP exit error "),
    (Runtime::Jvm, ".java:"),
    // With the colon, or in rich's box: Nim writes the words alone.
    (Runtime::Python, "Traceback (most recent call last):"),
    (Runtime::Python, "Traceback (most recent call last) ─"),
    (Runtime::Python, "[MainThread]"),
    (Runtime::Python, ".py\", line "),
    (Runtime::Python, "Booting worker with pid"),
    (Runtime::Python, "Starting gunicorn "),
    (Runtime::Python, "Connection in use: ("),
    (Runtime::Python, "Uvicorn running on "),
    (Runtime::Python, "Started server process ["),
    (Runtime::Python, "can't open file '"),
    (Runtime::Python, " [option] ... [-c cmd | -m mod | file | -] [arg] ..."),
    (Runtime::Python, "] celery@"),
    (Runtime::Python, "/MainProcess] "),
    (Runtime::Python, "* Serving Flask app '"),
    (Runtime::Python, "/site-packages/"),
    (Runtime::Python, "Listen failure: Couldn't listen on "),
    (Runtime::Nodejs, "npm ERR! "),
    (Runtime::Nodejs, "npm error "),
    (Runtime::Nodejs, "/node_modules/"),
    (Runtime::Nodejs, "PM2 log: "),
    (Runtime::Nodejs, "Bun v1."),
    (Runtime::Nodejs, "unsettled top-level await"),
    (Runtime::Rust, "(os error "),
    (Runtime::Rust, "RUST_BACKTRACE="),
    (Runtime::Rust, "Os { code: "),
    (Runtime::Nodejs, "node:internal/"),
    (Runtime::Rust, "' panicked at "),
    (Runtime::Dotnet, "   at System."),
    (Runtime::Dotnet, ".runtimeconfig.json"),
    (Runtime::Dotnet, ".deps.json"),
    (Runtime::Ruby, ".rb:"),
    (Runtime::Ruby, "=> Booting Puma"),
    (Runtime::Ruby, "(See full trace by running task with --trace)"),
    (Runtime::Ruby, "Puma starting in "),
    (Runtime::Php, "NOTICE: fpm is running, pid "),
    (Runtime::Php, "NOTICE: PHP message: "),
    (Runtime::Php, "WARNING: [pool "),
    (Runtime::Php, "PHP Warning:  "),
    (Runtime::Php, "PHP Notice:  "),
    (Runtime::Php, "PHP Deprecated:  "),
    (Runtime::Beam, "[error] GenServer "),
    (Runtime::Beam, "erl_crash.dump"),
    (Runtime::Beam, "** (Mix) "),
    (Runtime::Beam, " REPORT==== "),
    (Runtime::Beam, "by another Erlang node"),
    (Runtime::Beam, "] <0."),
    (Runtime::Beam, "Error during startup: {error,"),
    (Runtime::Haskell, "+RTS "),
    (Runtime::Haskell, ": hGetLine: "),
    (Runtime::Haskell, ": hClose: "),
    (Runtime::Haskell, "(from HasCallStack)"),
    (Runtime::Swift, "SWIFT TASK CONTINUATION MISUSE"),
    (Runtime::Swift, "NSCocoaErrorDomain Code="),
    (Runtime::Swift, ".swift:"),
    (Runtime::Dart, ".dart:"),
    (Runtime::Dart, ".dart "),
    (Runtime::Ocaml, "Fatal error: cannot load shared library dll"),
    (Runtime::Ocaml, "Called from unknown location"),
    (Runtime::Ocaml, "Fatal error: out of memory"),
    (Runtime::Perl, "(type Net::Server"),
    (Runtime::Perl, "/usr/share/perl5/"),
    (Runtime::Native, "*** FATAL CONFIG FILE ERROR ("),
    // MongoDB.
    (Runtime::Native, "\"ctx\":\"initandlisten\""),
    (Runtime::Jvm, "[org.keycloak."),
    (Runtime::Jvm, "jdbc:"),
    (Runtime::Jvm, "LogStash::"),
    (Runtime::Haskell, "YamlParseException {"),
    // PostgreSQL, ClickHouse, Envoy.
    (Runtime::Native, "] LOG:  "),
    (Runtime::Native, "> Application: "),
    (Runtime::Native, "DB::Exception: "),
    (Runtime::Native, "Poco::Exception. Code: "),
    (Runtime::Native, "[source/server/server.cc:"),
    // MySQL and Apache.
    (Runtime::Native, "] [MY-0"),
    (Runtime::Native, "] AH0"),
    // Redis and Valkey.
    (Runtime::Native, "Redis version="),
    (Runtime::Native, "REDIS BUG REPORT START"),
    (Runtime::Native, "Valkey version="),
    (Runtime::Native, "Redis is now ready to exit"),
    (Runtime::Native, "Valkey is now ready to exit"),
];

/// Lines that are looked at.
const LINES: usize = 200;

/// The runtime that the lines show, the nearest to the end first.
pub fn runtime_of<'a>(newest_first: impl Iterator<Item = &'a [u8]>) -> Option<Runtime> {
    newest_first.take(LINES).find_map(|line| {
        let text = text::string(&readable(line));
        let line = without_collector(&text);
        // A stamp that a collector may have put there may also be the program's own, which tells its runtime.
        of_line(line.as_bytes()).or_else(|| of_line(without_stamps(line).as_bytes()))
    })
}

fn of_line(line: &[u8]) -> Option<Runtime> {
    let marked = MARKS.iter().find(|(_, mark)| text::has(line, mark)).map(|(runtime, _)| *runtime);
    marked
        .or_else(|| is_nginx_log(line).then_some(Runtime::Native))
        .or_else(|| line.starts_with(b"> node ").then_some(Runtime::Nodejs))
        .or_else(|| is_go_log(line).then_some(Runtime::Go))
        .or_else(|| is_tracing(line).then_some(Runtime::Rust))
        .or_else(|| is_python_log(line).then_some(Runtime::Python))
        .or_else(|| is_ruby_log(line).then_some(Runtime::Ruby))
        .or_else(|| is_elixir_log(line).then_some(Runtime::Beam))
        .or_else(|| is_node_log(line).then_some(Runtime::Nodejs))
        .or_else(|| is_monolog(line).then_some(Runtime::Php))
        .or_else(|| is_swift_log(line).then_some(Runtime::Swift))
        .or_else(|| is_redis_log(line).then_some(Runtime::Native))
        .or_else(|| line.starts_with(b"CommandError: ").then_some(Runtime::Python))
}

/// The forms of pino and bunyan, which number their levels and put the same fields first.
fn is_node_log(line: &[u8]) -> bool {
    let pino = line.strip_prefix(b"{\"level\":").is_some_and(|rest| {
        let (digits, rest) = text::split_digits(rest);
        digits.len() == 2 && rest.starts_with(b",\"time\":")
    });
    pino || line.starts_with(b"{\"name\":\"") && text::has(line, ",\"hostname\":\"") && text::has(line, ",\"v\":0}")
}

/// The form of Monolog, and of Laravel with it: `[2026-11-25T01:47:11+00:00] shop.INFO: …`, often with `[]` at the end.
fn is_monolog(line: &[u8]) -> bool {
    const LEVELS: [&str; 8] =
        [".DEBUG: ", ".INFO: ", ".NOTICE: ", ".WARNING: ", ".ERROR: ", ".CRITICAL: ", ".ALERT: ", ".EMERGENCY: "];
    let Some(rest) = line.strip_prefix(b"[").filter(|_| is_shaped(line, b"[0000-00-00")) else { return false };
    let Some(end) = text::find(rest, "] ") else { return false };
    let said = &rest[end + 2..];
    let channel = said.iter().position(|b| *b == b'.').unwrap_or(0);
    let plain = said[..channel].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    channel > 0 && plain && LEVELS.iter().any(|level| said[channel..].starts_with(level.as_bytes()))
}

/// The forms of swift-log, `2026-11-25T04:10:02+0000 info shop : [App] ready`, and of Vapor's console, `[ NOTICE ] ready`.
fn is_swift_log(line: &[u8]) -> bool {
    const LEVELS: [&str; 7] = ["trace", "debug", "info", "notice", "warning", "error", "critical"];
    if let Some(rest) = line.strip_prefix(b"[ ") {
        let level = |word: &str| rest.starts_with(format!("{} ] ", word.to_ascii_uppercase()).as_bytes());
        return LEVELS.iter().any(|word| level(word));
    }
    let stamp = is_shaped(line, b"0000-00-00T00:00:00+0000 ");
    let rest = line.get(25..).filter(|_| stamp).unwrap_or_default();
    LEVELS.iter().any(|word| rest.strip_prefix(word.as_bytes()).is_some_and(|rest| rest.starts_with(b" ")))
        && text::has(rest, " : ")
}

/// The form of Redis and Valkey: `1:M 24 Nov 2026 05:17:25.123 # …`.
fn is_redis_log(line: &[u8]) -> bool {
    let (digits, rest) = text::split_digits(line);
    let role = |b: &u8| matches!(b, b'M' | b'S' | b'C' | b'X');
    !digits.is_empty() && rest.first() == Some(&b':') && rest.get(1).is_some_and(role) && is_shaped(&rest[2..], b" 00 ")
}

/// The form of Elixir's logger: `05:15:24.882 [info] …`. Logback has a thread's name in the brackets.
fn is_elixir_log(line: &[u8]) -> bool {
    const LEVELS: [&str; 8] =
        ["debug] ", "info] ", "notice] ", "warning] ", "warn] ", "error] ", "critical] ", "alert] "];
    is_shaped(line, b"00:00:00.000 [") && LEVELS.iter().any(|level| line[14..].starts_with(level.as_bytes()))
}

/// `2026/11/24 05:17:25 [emerg] 1#1: …`
fn is_nginx_log(line: &[u8]) -> bool {
    let stamp = is_shaped(line, b"0000/00/00 00:00:00 [");
    stamp && text::find(line, "] ").is_some_and(|end| line[end..].contains(&b'#'))
}

/// The forms of Rust's tracing-subscriber: its JSON, and as text a level with a module's path behind it.
fn is_tracing(line: &[u8]) -> bool {
    if line.starts_with(b"{\"timestamp\":\"") {
        return text::has(line, "\"fields\":{") && text::has(line, "\"target\":\"");
    }
    let mut words = line.split(|b| *b == b' ').filter(|word| !word.is_empty()).skip(1);
    let level = words.next().is_some_and(|word| matches!(word, b"INFO" | b"WARN" | b"ERROR" | b"DEBUG" | b"TRACE"));
    level && words.next().is_some_and(|target| target.ends_with(b":") && text::has(target, "::"))
}

/// What Python's logging writes without a format of the program's own: `ERROR:depot.scan:no lane`.
fn is_python_log(line: &[u8]) -> bool {
    const LEVELS: [&str; 5] = ["DEBUG:", "INFO:", "WARNING:", "ERROR:", "CRITICAL:"];
    let rest = LEVELS.iter().find_map(|level| line.strip_prefix(level.as_bytes())).unwrap_or_default();
    let end = rest.iter().position(|b| *b == b':').unwrap_or(0);
    end > 0 && rest[..end].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'))
}

/// The form of Ruby's own `Logger`: `I, [2026-11-24T05:15:16.516751 #1]  INFO -- : …`.
fn is_ruby_log(line: &[u8]) -> bool {
    line.first().is_some_and(|level| b"DIWEFA".contains(level))
        && line.get(1..4) == Some(b", [")
        && text::has(&line[..line.len().min(96)], " -- ")
}

/// The forms of Go's own loggers: `log` (`2026/11/24 04:15:10 …`, but not nginx, which goes on with `[level]`), `slog`
/// and logrus as text, `slog` as JSON.
pub fn is_go_log(line: &[u8]) -> bool {
    let stamp = is_shaped(line, b"0000/00/00 00:00:00");
    let other = is_nginx_log(line) || text::has(line, " socat[");
    let slog_text = line.starts_with(b"time=") && text::has(line, " level=") && text::has(line, " msg=");
    let slog_json =
        line.starts_with(b"{\"time\":\"") && text::has(line, "\",\"level\":\"") && text::has(line, "\",\"msg\":\"");
    let zap_json = line.starts_with(b"{\"level\":\"") && text::has(line, "\",\"ts\":");
    stamp && !other || slog_text || slog_json || zap_json || is_zap_console(line)
}

/// `2026-11-24T04:15:10.1Z\tinfo\tlistening\t{"port": 80}`: other runtimes set fields apart by tabs too, but not with JSON
/// behind them.
fn is_zap_console(line: &[u8]) -> bool {
    const LEVELS: [&str; 8] = ["info", "warn", "error", "fatal", "INFO", "WARN", "ERROR", "FATAL"];
    let mut fields = line.splitn(3, |b| *b == b'\t');
    is_shaped(fields.next().unwrap_or_default(), b"0000-00-00T00:00:00")
        && fields.next().is_some_and(|level| LEVELS.iter().any(|word| level == word.as_bytes()))
        && fields.next().is_some_and(|rest| text::has(rest, "\t{\""))
}

/// Whether the text begins with digits where the shape has zeros, and with its other bytes as they are.
fn is_shaped(text: &[u8], shape: &[u8]) -> bool {
    text.len() >= shape.len()
        && text.iter().zip(shape).all(|(b, s)| if *s == b'0' { b.is_ascii_digit() } else { b == s })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loggers_of_rust_python_and_elixir_are_recognised() {
        let cases = [
            ("2026-11-25T02:11:00.113Z  INFO lanes::scan: scan parcel=PX1", Some(Runtime::Rust)),
            (
                "{\"timestamp\":\"2026\",\"level\":\"INFO\",\"fields\":{\"message\":\"x\"},\"target\":\"a\"}",
                Some(Runtime::Rust),
            ),
            ("ERROR:depot.scan:no lane", Some(Runtime::Python)),
            ("2026/11/24 05:17:25 [emerg] 1#1: unknown directive", Some(Runtime::Native)),
            ("05:15:24.882 [error] no lane", Some(Runtime::Beam)),
            ("05:15:24.882 [main] ERROR a.b.Lane - no lane", None),
            ("ERROR: no lane", None),
            ("{\"level\":30,\"time\":1795593397318,\"pid\":1,\"msg\":\"x\"}", Some(Runtime::Nodejs)),
            ("{\"name\":\"a\",\"hostname\":\"b\",\"pid\":1,\"level\":60,\"msg\":\"x\",\"v\":0}", Some(Runtime::Nodejs)),
            ("{\"level\":\"info\",\"time\":1}", None),
            ("[2026-11-25T01:47:11+00:00] mill.INFO: sack weighed [] []", Some(Runtime::Php)),
            ("[2026-11-25 01:47:11] production.ERROR: no scale", Some(Runtime::Php)),
            ("[2026-11-25 01:47:11] shop.example.INFO: x", None),
            ("[2026-11-25 01:47:11] INFO: x", None),
            ("2026-11-25 INFO scan: parcel", None),
            ("2026-11-25T04:10:02+0000 info shop : [App] ready", Some(Runtime::Swift)),
            ("2026-11-25T04:10:02+0000 info ready", None),
            ("[ NOTICE ] Server started on http://0.0.0.0:8080", Some(Runtime::Swift)),
            ("[ info ] ready", None),
            ("1:M 24 Nov 2026 05:17:25.123 * Ready to accept connections tcp", Some(Runtime::Native)),
            ("1:M", None),
        ];
        for (line, expected) in cases {
            assert_eq!(of_line(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn loggers_of_go_are_recognised_and_others_are_not() {
        let cases = [
            ("2026/11/24 04:15:10 shopd 3.4.1 starting", true),
            ("2026/11/24 05:17:25 [emerg] 1#1: unknown directive", false),
            ("2026/11/25 14:27:06 socat[7] E connect(5, AF=2 127.0.0.1:1, 16): Connection refused", false),
            ("time=2026-11-24T04:15:10.797Z level=ERROR msg=\"no store\"", true),
            ("{\"time\":\"2026-11-24T04:15:10Z\",\"level\":\"ERROR\",\"msg\":\"startup failed\"}", true),
            ("{\"level\":\"info\",\"ts\":1764.1,\"caller\":\"a/b.go:3\",\"msg\":\"x\"}", true),
            ("level=info msg=\"routed\" path=/a", false),
            ("2026-11-24T04:15:10.1Z\tinfo\tWelcome\t{\"version\": \"v2\"}", true),
            ("2026-11-24T04:15:10.1Z\tERROR\tmain\tio.acme.Server\tno", false),
            ("2026-11-24 04:15:10 INFO started", false),
        ];
        assert_eq!(of_line(b"I, [2026-11-24T05:15:16.516751 #1]  INFO -- : booted"), Some(Runtime::Ruby));
        assert_eq!(of_line(b"I, for one, am here"), None);
        for (line, expected) in cases {
            assert_eq!(is_go_log(line.as_bytes()), expected, "{line}");
        }
    }
}
