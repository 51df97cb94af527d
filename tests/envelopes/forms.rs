//! The forms: what stands around a line, and records that hold a trace.

use std::fmt::Write;

use coroner::classify::{Classification, Runtime};
use serde_json::{Value, json};

/// A log and what it came to.
pub struct Log<'a> {
    /// All of it.
    pub text: &'a str,
    /// The lines that decide, as far as an excerpt holds them.
    pub decisive: &'a str,
    /// How the process ended.
    pub code: Option<i32>,
    /// What it came to.
    pub answer: &'a Classification,
}

/// One way to write a log.
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// The log in this form; `None` where it cannot have it.
    pub wrap: fn(&Log<'_>) -> Option<Vec<u8>>,
}

const fn form(name: &'static str, wrap: fn(&Log<'_>) -> Option<Vec<u8>>) -> Form {
    Form { name, wrap }
}

fn lines(log: &Log<'_>, line: impl Fn(usize, &str) -> String) -> Option<Vec<u8>> {
    let mut out = String::new();
    for (number, text) in log.text.lines().enumerate() {
        out.push_str(&line(number, text));
        out.push('\n');
    }
    Some(out.into_bytes())
}

/// The same for some logs only.
fn lines_if(fits: bool, log: &Log<'_>, line: impl Fn(usize, &str) -> String) -> Option<Vec<u8>> {
    fits.then(|| lines(log, line)).flatten()
}

/// A trace was found. Without one it is the last words, and a level before each line makes others of them.
fn is_traced(log: &Log<'_>) -> bool {
    !log.answer.finding.stack.is_empty()
}

/// A tag is told from text by the lines that share it.
fn is_tagged(log: &Log<'_>) -> bool {
    is_traced(log) || log.text.lines().filter(|line| !line.trim().is_empty()).count() > 2
}

fn records(log: &Log<'_>, record: impl Fn(usize, &str) -> Value) -> Option<Vec<u8>> {
    lines(log, |number, line| record(number, line).to_string())
}

fn stamp(number: usize) -> String {
    let (minute, second) = (number / 600 % 60, number / 10 % 60);
    format!("2026-11-24T04:{minute:02}:{second:02}.{:03}172192Z", number % 10 * 97)
}

fn level(number: usize) -> &'static str {
    ["INFO", "ERROR", "WARN"][number % 3]
}

/// Forms in which each line stays a line.
pub const LINES: &[Form] = &[
    form("kubectl stamps", |log| lines(log, |n, line| format!("{} {line}", stamp(n)))),
    form("kubectl stamps, trimmed", |log| lines(log, |n, line| format!("{} {line}", stamp(n)).trim_end().to_owned())),
    form("cri", |log| lines(log, |n, line| format!("{} stderr F {line}", stamp(n)))),
    form("pod prefix", |log| lines(log, |_, line| format!("[pod/shop-6d5f8c9b7-x2x4k/api] {line}"))),
    form("pod prefix and stamps", |log| {
        lines(log, |n, line| format!("[pod/shop-6d5f8c9b7-x2x4k/api] {} {line}", stamp(n)))
    }),
    form("stern", |log| lines_if(is_tagged(log), log, |_, line| format!("shop-6d5f8c9b7-x2x4k api {line}"))),
    form("stern of a set", |log| lines_if(is_tagged(log), log, |_, line| format!("shop-db api {line}"))),
    form("compose", |log| lines(log, |_, line| format!("api-1  | {line}"))),
    form("compose, coloured", |log| lines(log, |_, line| format!("\u{1b}[36mapi-1  |\u{1b}[0m {line}"))),
    form("foreman", |log| lines(log, |n, line| format!("04:15:{:02} web.1  | {line}", n / 10 % 60))),
    form("supervisor of a shell", |log| lines_if(is_tagged(log), log, |_, line| format!("[api] {line}"))),
    form("npm concurrently", |log| lines_if(is_tagged(log), log, |_, line| format!("[0] {line}"))),
    form("syslog", |log| lines(log, |n, line| format!("Nov 24 04:15:{:02} node-7 api[1234]: {line}", n / 10 % 60))),
    form("syslog, escaped tabs", |log| {
        lines_if(!log.text.contains("#0"), log, |n, line| {
            format!("Nov 24 04:15:{:02} node-7 api[1234]: {}", n / 10 % 60, line.replace('\t', "#011"))
        })
    }),
    form("rfc 5424", |log| lines(log, |n, line| format!("<11>1 {} node-7 api 1234 - - {line}", stamp(n)))),
    form("rfc 3164 with its priority", |log| {
        lines(log, |_, line| format!("<11>Nov 24 04:15:10 node-7 api[1234]: {line}"))
    }),
    form("rsyslog", |log| lines(log, |n, line| format!("{} node-7 api[1234]: {line}", stamp(n)))),
    form("heroku", |log| lines(log, |n, line| format!("{} app[web.1]: {line}", stamp(n)))),
    form("daemontools", |log| lines(log, |n, line| format!("@4000000067428a85{n:08x} {line}"))),
    form("overmind", |log| lines_if(is_tagged(log), log, |_, line| format!("web     | {line}"))),
    form("kail", |log| lines_if(is_tagged(log), log, |_, line| format!("shop/shop-6d5f8c9b7-x2x4k[api]: {line}"))),
    form("levels", |log| {
        lines_if(is_traced(log), log, |n, line| {
            format!("2026-11-24 04:15:{:02},{:03} {} [main] {line}", n / 10 % 60, n % 1000, level(n))
        })
    }),
    form("logger of a stream", |log| {
        lines_if(is_traced(log), log, |n, line| {
            format!("2026-11-24 04:15:{:02},{:03} - STDERR - ERROR - {line}", n / 10 % 60, n % 1000)
        })
    }),
    form("php-fpm", |log| {
        let php = log.answer.finding.runtime == Runtime::Php;
        lines_if(php, log, |n, line| {
            let second = n / 10 % 60;
            format!("[24-Nov-2026 04:15:{second:02}] WARNING: [pool www] child 7 said into stderr: \"{line}\"")
        })
    }),
    form("windows line ends", |log| lines(log, |_, line| format!("{line}\r"))),
    form("red lines", |log| lines(log, |_, line| format!("\u{1b}[31m{line}\u{1b}[0m"))),
    form("coloured words", |log| {
        lines(log, |_, line| {
            let word = |word: &str| {
                if word.contains([':', '(']) { format!("\u{1b}[36m{word}\u{1b}[39m") } else { word.to_owned() }
            };
            line.split(' ').map(word).collect::<Vec<_>>().join(" ")
        })
    }),
    form("no empty lines", |log| {
        Some(log.text.lines().filter(|line| !line.trim().is_empty()).fold(Vec::new(), |mut out, line| {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
            out
        }))
    }),
    form("trimmed ends", |log| lines(log, |_, line| line.trim_end().to_owned())),
    form("tabs as blanks", |log| lines(log, |_, line| line.replace('\t', "        "))),
    form("byte order mark", |log| Some(format!("\u{feff}{}", log.text).into_bytes())),
    form("no last line end", |log| Some(log.text.trim_end().as_bytes().to_vec())),
    form("invalid bytes before", |log| {
        Some([b"caf\xe9 \xff\xfe\x00\x80 opened\n\xf0\x28\x8c\x28\n".as_slice(), log.text.as_bytes()].concat())
    }),
    form("a long line before", |log| {
        Some([vec![b'x'; 300_000], b"\n".to_vec(), log.text.as_bytes().to_vec()].concat())
    }),
    form("traffic before", |log| {
        let mut out: Vec<u8> = (0..300).flat_map(|n| access(n).into_bytes()).collect();
        out.extend_from_slice(log.text.as_bytes());
        Some(out)
    }),
    form("interleaved with a logger", |log| woven(log, 4, text_access)),
    form("interleaved with records", |log| woven(log, 4, access)),
    form("stopped by a shell", |log| Some(format!("{}\nexit status 2\n", log.text.trim_end()).into_bytes())),
    form("docker", |log| {
        records(log, |n, line| json!({"log": format!("{line}\n"), "stream": "stderr", "time": stamp(n)}))
    }),
    form("docker with attributes", |log| {
        records(
            log,
            |n, line| json!({"log": format!("{line}\n"), "stream": "stderr", "attrs": {"tag": "api"}, "time": stamp(n)}),
        )
    }),
    form("fluent-bit", |log| {
        lines(log, |n, line| {
            format!(
                "{{\"time\":\"{}\",\"stream\":\"stderr\",\"_p\":\"F\",\"log\":{},\"kubernetes\":{{\"pod_name\":\"shop-6d5f8c9b7-x2x4k\",\
                 \"namespace_name\":\"shop\",\"labels\":{{\"app\":\"api\"}},\"container_name\":\"api\"}}}}",
                stamp(n),
                json!(line)
            )
        })
    }),
    form("fluentd", |log| {
        records(log, |_, line| json!({"message": line, "container_name": "api", "source": "stderr"}))
    }),
    form("pm2", |log| {
        records(
            log,
            |n, line| json!({"message": format!("{line}\n"), "timestamp": stamp(n), "type": "err", "process_id": 0, "app_name": "api"}),
        )
    }),
    form("journald", |log| {
        records(
            log,
            |n, line| json!({"MESSAGE": line, "PRIORITY": "3", "SYSLOG_IDENTIFIER": "api", "_PID": "7", "__REALTIME_TIMESTAMP": n.to_string()}),
        )
    }),
    form("cloud text payload", |log| {
        records(
            log,
            |n, line| json!({"textPayload": line, "severity": "ERROR", "insertId": format!("x{n}"), "timestamp": stamp(n)}),
        )
    }),
    form("records of a stream", |log| {
        records(log, |n, line| json!({"level": "error", "time": stamp(n), "logger": "stderr", "message": line}))
    }),
    form("slog of a stream", |log| {
        records(log, |n, line| json!({"level": "ERROR", "time": stamp(n), "msg": line, "source": "stderr"}))
    }),
    form("pairs of a stream", |log| {
        lines_if(is_traced(log) && !log.text.contains("{\""), log, |n, line| {
            format!("time={} level=error msg={} stream=stderr", stamp(n), quoted(line))
        })
    }),
];

fn quoted(text: &str) -> String {
    json!(text).to_string()
}

fn access(number: usize) -> String {
    format!(
        "{{\"@timestamp\":\"{}\",\"level\":\"info\",\"message\":\"request served\",\"path\":\"/healthz\",\"status\":200,\"took_ms\":{}}}\n",
        stamp(number),
        number % 40
    )
}

fn text_access(number: usize) -> String {
    format!(
        "2026-11-25 02:11:{:02},{:03} INFO [http-2] access: GET /healthz 200 {}ms\n",
        number % 60,
        number,
        number % 9
    )
}

/// Lines of another thread between those of the log.
fn woven(log: &Log<'_>, every: usize, other: fn(usize) -> String) -> Option<Vec<u8>> {
    let mut out = String::new();
    for (number, line) in log.text.lines().enumerate() {
        let _ = writeln!(out, "{line}");
        if number % every == every - 1 && !line.is_empty() {
            out.push_str(&other(number));
        }
    }
    Some(out.into_bytes())
}

/// A record that holds the trace, behind a few lines of traffic. What has no trace is a line, not a record's field.
fn record(log: &Log<'_>, record: impl Fn(&str) -> Value) -> Option<Vec<u8>> {
    one(log, |trace| record(trace).to_string())
}

/// The lines of the log from the first to the last that decides, and what belongs to them: what a logger would be handed.
fn trace(log: &Log<'_>) -> Option<String> {
    let lines: Vec<&str> = log.text.lines().collect();
    let decisive: Vec<&str> = log.decisive.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let end_from = |start: usize| {
        let mut at = start;
        for wanted in &decisive {
            at += lines[at..].iter().position(|line| line.trim() == *wanted)? + 1;
        }
        Some(at)
    };
    let starts = (0..lines.len()).rev().filter(|at| Some(&lines[*at].trim()) == decisive.first());
    let (start, end) = starts.into_iter().find_map(|start| Some((start, end_from(start)?)))?;
    let goes_on = |line: &&&str| line.starts_with([' ', '\t', '}', ']']) || line.starts_with("Caused by: ");
    let end = end + lines[end..].iter().take_while(goes_on).count();
    Some(lines[start..end].join("\n"))
}

fn one(log: &Log<'_>, record: impl Fn(&str) -> String) -> Option<Vec<u8>> {
    let finding = &log.answer.finding;
    let managed =
        finding.stack.len() > 1 && finding.runtime != Runtime::Native && log.code.is_none_or(|code| code < 128);
    let trace = trace(log).filter(|trace| managed && !trace.starts_with(['{', '[']))?;
    let mut out: String = (0..3).map(access).collect();
    let _ = writeln!(out, "{}", record(&trace));
    Some(out.into_bytes())
}

fn exception<'a>(log: &Log<'a>) -> &'a str {
    log.answer.finding.exception.as_deref().unwrap_or("Error")
}

/// Forms in which a record holds the whole trace.
pub const RECORDS: &[Form] = &[
    form("message", |log| record(log, |trace| json!({"level": "error", "time": stamp(1), "message": trace}))),
    form("zap", |log| {
        record(
            log,
            |trace| json!({"level": "fatal", "ts": 1764000000.5, "caller": "api/main.go:70", "msg": "api stops", "stacktrace": trace}),
        )
    }),
    form("zap error", |log| {
        record(log, |trace| json!({"level": "error", "ts": 1764000000.5, "msg": "api stops", "error": trace}))
    }),
    form("logrus", |log| record(log, |trace| json!({"level": "fatal", "msg": trace, "time": stamp(1)}))),
    form("pino", |log| {
        record(log, |trace| {
            let first = trace.lines().next().unwrap_or_default();
            json!({"level": 60, "time": 1764000000123u64, "pid": 7, "hostname": "api-1",
                   "err": {"type": exception(log), "message": first, "stack": trace}, "msg": first})
        })
    }),
    form("winston", |log| {
        record(log, |trace| json!({"level": "error", "message": "api stops", "stack": trace, "timestamp": stamp(1)}))
    }),
    form("logstash", |log| {
        record(log, |trace| {
            json!({"@timestamp": stamp(1), "@version": "1", "message": "api stops", "logger_name": "shop.Api",
                   "thread_name": "main", "level": "ERROR", "level_value": 40000, "stack_trace": trace})
        })
    }),
    form("ecs", |log| {
        record(log, |trace| {
            json!({"@timestamp": stamp(1), "log.level": "ERROR", "message": "api stops", "ecs.version": "1.2.0",
                   "error.type": exception(log), "error.message": log.answer.finding.message, "error.stack_trace": trace})
        })
    }),
    form("ecs, nested", |log| {
        record(log, |trace| {
            json!({"@timestamp": stamp(1), "log": {"level": "ERROR", "logger": "shop"}, "message": "api stops",
                   "error": {"type": exception(log), "message": log.answer.finding.message, "stack_trace": trace}})
        })
    }),
    form("gelf", |log| {
        record(log, |trace| {
            json!({"version": "1.1", "host": "api-1", "short_message": trace.lines().next(), "full_message": trace,
                   "timestamp": 1764000000.5, "level": 3})
        })
    }),
    form("cloud", |log| {
        record(
            log,
            |trace| json!({"severity": "ERROR", "message": trace, "serviceContext": {"service": "api"}, "timestamp": stamp(1)}),
        )
    }),
    form("structlog", |log| {
        record(log, |trace| json!({"event": "api stops", "level": "error", "timestamp": stamp(1), "exception": trace}))
    }),
    form("python-json-logger", |log| {
        record(
            log,
            |trace| json!({"asctime": "2026-11-25 03:57:21,773", "levelname": "CRITICAL", "name": "root", "message": "api stops", "exc_info": trace}),
        )
    }),
    form("serilog", |log| record(log, |trace| json!({"@t": stamp(1), "@mt": "api stops", "@l": "Fatal", "@x": trace}))),
    form("json console", |log| {
        record(
            log,
            |trace| json!({"Timestamp": stamp(1), "EventId": 7, "LogLevel": "Critical", "Category": "Shop", "Message": "api stops", "Exception": trace}),
        )
    }),
    form("nlog", |log| {
        record(
            log,
            |trace| json!({"time": stamp(1), "level": "FATAL", "logger": "Shop", "message": "api stops", "exception": trace}),
        )
    }),
    form("tracing-subscriber", |log| {
        record(
            log,
            |trace| json!({"timestamp": stamp(1), "level": "ERROR", "fields": {"message": trace}, "target": "shop::api"}),
        )
    }),
    form("tracing-subscriber error", |log| {
        record(
            log,
            |trace| json!({"timestamp": stamp(1), "level": "ERROR", "fields": {"message": "api stops", "error": trace}, "target": "shop::api"}),
        )
    }),
    form("datadog", |log| {
        record(log, |trace| {
            json!({"timestamp": stamp(1), "status": "error", "message": "api stops",
                   "error": {"kind": exception(log), "message": log.answer.finding.message, "stack": trace}})
        })
    }),
    form("opentelemetry", |log| {
        record(log, |trace| {
            json!({"Timestamp": stamp(1), "SeverityText": "ERROR", "Body": "api stops",
                   "Attributes": {"exception.type": exception(log), "exception.stacktrace": trace}})
        })
    }),
    form("semantic logger", |log| {
        record(log, |trace| {
            let lines: Vec<&str> = trace.lines().collect();
            json!({"host": "api-1", "level": "fatal", "message": "api stops", "exception": {"stack_trace": lines}})
        })
    }),
    form("pairs", |log| {
        one(log, |trace| format!("time={} level=error msg=\"api stops\" stack={}", stamp(1), quoted(trace)))
    }),
    form("docker around zap", |log| {
        record(log, |trace| {
            let inner = json!({"level": "fatal", "ts": 1764000000.5, "msg": "api stops", "stacktrace": trace});
            json!({"log": format!("{inner}\n"), "stream": "stderr", "time": stamp(1)})
        })
    }),
    form("pod prefix before logstash", |log| {
        one(log, |trace| {
            let inner = json!({"@timestamp": stamp(1), "message": "api stops", "level": "ERROR", "stack_trace": trace});
            format!("[pod/shop-6d5f8c9b7-x2x4k/api] {} {inner}", stamp(2))
        })
    }),
];
