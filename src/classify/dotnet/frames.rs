//! Frames of .NET and Mono: how they are written, and which of them are the user's own code.

use memchr::{memchr, memmem, memrchr};

use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest symbol that is looked at.
const SYMBOL_BYTES: usize = 2048;

/// Namespaces of the platform, of frameworks and drivers; each ends with a dot.
static LIBRARIES: &[&str] = &[
    "System.",
    "Microsoft.",
    "Mono.",
    "Internal.",
    "Interop.",
    "Interop+",
    "MS.",
    "Windows.",
    "FSharp.",
    "Newtonsoft.",
    "Npgsql.",
    "Serilog.",
    "NLog.",
    "log4net.",
    "Dapper.",
    "AutoMapper.",
    "MediatR.",
    "FluentValidation.",
    "Polly.",
    "StackExchange.",
    "RabbitMQ.",
    "MassTransit.",
    "Confluent.",
    "Grpc.",
    "Google.",
    "Amazon.",
    "Azure.",
    "MySql.",
    "MySqlConnector.",
    "Oracle.",
    "MongoDB.",
    "Elasticsearch.",
    "Elastic.",
    "Nest.",
    "Autofac.",
    "Castle.",
    "Moq.",
    "Xunit.",
    "NUnit.",
    "Quartz.",
    "Hangfire.",
    "IdentityModel.",
    "IdentityServer4.",
    "Duende.",
    "Swashbuckle.",
    "OpenTelemetry.",
    "Prometheus.",
    "Sentry.",
    "Datadog.",
    "NewRelic.",
    "RestSharp.",
    "Refit.",
    "Flurl.",
    "HotChocolate.",
    "GraphQL.",
    "Orleans.",
    "Akka.",
    "NHibernate.",
    "ServiceStack.",
    "Topshelf.",
    "CommandLine.",
    "Spectre.",
    "YamlDotNet.",
    "CsvHelper.",
    "Humanizer.",
    "Mapster.",
    "SixLabors.",
    "SkiaSharp.",
    "Scrutor.",
    "Steeltoe.",
    "Dapr.",
    "EasyNetQ.",
    "NServiceBus.",
    "Rebus.",
    "Ocelot.",
    "Yarp.",
    "Nancy.",
    "LinqToDB.",
    "FluentMigrator.",
    "DbUp.",
    "NATS.",
    "Minio.",
    "Renci.",
    "MimeKit.",
    "MailKit.",
    "Stripe.",
    "Twilio.",
    "Ardalis.",
    "Marten.",
    "Wolverine.",
    "JasperFx.",
    "Lamar.",
];

/// `at Ns.Type.Method(String a) in /src/X.cs:line 3`, `at Ns.Type.Method (System.String a) [0x00001] in /src/X.cs:3 `.
pub fn frame(text: &[u8]) -> Option<Frame> {
    let text = text.trim_ascii().strip_prefix(b"at ")?;
    // `(wrapper managed-to-native) X.Y(…)`, made by Mono.
    if text.starts_with(b"(wrapper ") {
        return wrapper(text);
    }
    let open = memchr(b'(', &text[..text.len().min(SYMBOL_BYTES)])?;
    let close = open + closing(&text[open..])?;
    let (arguments, behind) = (&text[open + 1..close], &text[close + 1..]);
    let symbol = std::str::from_utf8(&text[..open]).ok()?;
    let mono = symbol.ends_with(' ');
    let symbol = without_type(symbol.trim_end());
    if !is_symbol(symbol) || arguments.contains(&b':') || matches!(arguments, b"Native Method" | b"Unknown Source") {
        return None;
    }
    let (file, line) = place(behind, mono)?;
    Some(Frame { function: symbol.to_owned(), file, line, in_app: is_own(symbol) })
}

/// A frame that only .NET can have written: its arguments have names, or its file is followed by `line`.
pub fn is_certain(text: &[u8]) -> bool {
    let Some(frame) = frame(text) else { return false };
    let placed = frame.file.is_some();
    let empty = text::has(text, "()");
    let named = memchr(b'(', text).is_some_and(|open| text[open..].contains(&b' '));
    placed || empty || named
}

/// Position of the bracket that closes the first one.
fn closing(text: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    text.iter().take(SYMBOL_BYTES).position(|byte| {
        depth = match byte {
            b'(' => depth + 1,
            b')' => depth.saturating_sub(1),
            _ => depth,
        };
        depth == 0
    })
}

/// `async Task<int> Acme.Shelf.Total`, as Ben.Demystifier and Spectre.Console write it: without what is returned.
fn without_type(symbol: &str) -> &str {
    let mut depth = 0usize;
    let blank = symbol.bytes().rposition(|byte| {
        depth = match byte {
            b'>' | b']' => depth + 1,
            b'<' | b'[' => depth.saturating_sub(1),
            _ => depth,
        };
        byte == b' ' && depth == 0
    });
    let Some(blank) = blank else { return symbol };
    let of_type = |c: char| c.is_alphanumeric() || " _.<>,[]?()".contains(c);
    if symbol[..blank].chars().all(of_type) { &symbol[blank + 1..] } else { symbol }
}

fn is_symbol(symbol: &str) -> bool {
    let inside_generics = symbol.find(['[', '<']).unwrap_or(symbol.len());
    let plain = !symbol[..inside_generics].contains([' ', '/', '"', '=', ':']);
    plain && symbol.contains('.') && symbol.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '<')
}

fn wrapper(text: &[u8]) -> Option<Frame> {
    let rest = &text[memchr(b')', text)? + 1..];
    let symbol = std::str::from_utf8(rest.trim_ascii()).ok()?;
    let function = symbol.split(['(', ' ']).next()?.to_owned();
    Some(Frame { function, file: None, line: None, in_app: false })
}

/// What follows the arguments.
fn place(behind: &[u8], mono: bool) -> Option<(Option<String>, Option<u32>)> {
    let behind = behind.trim_ascii();
    if behind.is_empty() {
        return (!mono).then_some((None, None));
    }
    if mono && !behind.starts_with(b"[0x") && !behind.starts_with(b"<0x") {
        return None;
    }
    // `+ 0x1f` is written by native AOT.
    if behind.starts_with(b"+ 0x") && !text::has(behind, " in ") {
        return Some((None, None));
    }
    let Some(at) = memmem::find(behind, b"in ") else { return mono.then_some((None, None)) };
    let place = behind[at + 3..].trim_ascii();
    let colon = memrchr(b':', place)?;
    let digits = place[colon + 1..].strip_prefix(b"line ").unwrap_or(&place[colon + 1..]);
    let line = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // `<b0e1ad7573a24fd5a9f2af9595e677e7>:0` is a module without symbols.
    let known = !place.starts_with(b"<") && line > 0;
    Some(if known { (Some(text::string(&place[..colon])), Some(line)) } else { (None, None) })
}

/// Whether a symbol is the program's, by its namespace.
pub fn is_own(symbol: &str) -> bool {
    !LIBRARIES.iter().any(|namespace| symbol.starts_with(namespace)) && !symbol.starts_with("lambda_method")
}

/// The name without what a compiler counts, and as both .NET and Mono would write it.
pub fn stable(function: &str) -> String {
    let mut out = String::with_capacity(function.len());
    let mut depth = 0u32;
    for c in function.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '+' | '/' => out.push('.'),
            _ => out.push(c),
        }
    }
    without_counters(&out.replace("..ctor", ".ctor").replace("..cctor", ".cctor"))
}

/// `<Load>d__3.MoveNext` is `Load`; `<>c__DisplayClass3_0.<Main>b__1` is `<Main>b`.
fn without_counters(name: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut machine = false;
    for part in name.split('.').filter(|part| !part.starts_with("<>c")) {
        let counted = part.starts_with('<').then(|| part.split_once('>')).flatten();
        match counted {
            Some((method, rest)) if rest.starts_with("d__") || rest.starts_with("c__async") => {
                machine = true;
                kept.push(&method[1..]);
            }
            // `<Main>g__Load|0_1` is the function Load inside of Main.
            Some(_) if part.contains(">g__") => kept.push(part.split('|').next().unwrap_or(part)),
            Some(_) => kept.push(&part[..part.find("__").unwrap_or(part.len())]),
            // F# names a closure by the line that it stands in: `load@17-2`.
            None if is_closure(part) => kept.push(part.split('@').next().unwrap_or(part)),
            None if machine && part == "MoveNext" => {}
            None => kept.push(part),
        }
    }
    kept.join(".")
}

fn is_closure(part: &str) -> bool {
    part.split_once('@').is_some_and(|(_, line)| line.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_in_every_form() {
        let cases = [
            ("   at Acme.Shelf.Count(String sku) in /src/Shelf.cs:line 11", "Acme.Shelf.Count /src/Shelf.cs:11 own"),
            (
                "   at Acme.Shelf.Count(String sku) in C:\\src\\Shelf.cs:line 11",
                "Acme.Shelf.Count C:\\src\\Shelf.cs:11 own",
            ),
            ("   at Acme.Shelf.Count()", "Acme.Shelf.Count - own"),
            (
                "   at System.Collections.Generic.Dictionary`2.get_Item(TKey key)",
                "System.Collections.Generic.Dictionary`2.get_Item -",
            ),
            ("  at Acme.Shelf.Total () [0x00001] in /src/Pub.cs:11 ", "Acme.Shelf.Total /src/Pub.cs:11 own"),
            (
                "  at Acme.Shelf.Total (System.Func`1[TResult] f) [0x00001] in <b0e1ad7573a24fd5a9f2af9595e677e7>:0 ",
                "Acme.Shelf.Total - own",
            ),
            ("  at (wrapper managed-to-native) System.Object.Gone(intptr)", "System.Object.Gone -"),
            ("   at Acme.Shelf.<Load>d__3.MoveNext()", "Acme.Shelf.<Load>d__3.MoveNext - own"),
            ("   at Program.<Main>$(String[] args) in /src/Program.cs:line 4", "Program.<Main>$ /src/Program.cs:4 own"),
            ("   at Acme.Shelf.Depth(Int32)", "Acme.Shelf.Depth - own"),
            ("   at async Task<int> Acme.Shelf.Load(string sku) in /s/A.cs:line 2", "Acme.Shelf.Load /s/A.cs:2 own"),
            ("  at int Acme.Shelf.Count(string sku) in /s/A.cs:11", "Acme.Shelf.Count /s/A.cs:11 own"),
            (
                "  at TValue System.Collections.Generic.Dictionary<TKey, TValue>.get_Item(TKey key)",
                "System.Collections.Generic.Dictionary<TKey, TValue>.get_Item -",
            ),
            (
                "   at async Task Acme.Day.Run(IList<string> a)+(string b) => { } in /s/A.cs:line 2",
                "Acme.Day.Run /s/A.cs:2 own",
            ),
            ("   at Acme.Shelf.Depth(Int32) + 0x1f", "Acme.Shelf.Depth - own"),
            (
                "   at Acme.Shelf.Map[T](Func`2 f, (Int32, String) pair) in /s/A.cs:line 2",
                "Acme.Shelf.Map[T] /s/A.cs:2 own",
            ),
        ];
        for (line, expected) in cases {
            let frame = frame(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let place = frame.file.map_or("-".to_owned(), |file| format!("{file}:{}", frame.line.unwrap_or(0)));
            let own = if frame.in_app { " own" } else { "" };
            assert_eq!(format!("{} {place}{own}", frame.function), expected);
        }
    }

    #[test]
    fn what_other_runtimes_and_sentences_say_is_no_frame() {
        for line in [
            "\tat com.acme.Invoice.total(Invoice.java:31)",
            "\tat com.acme.Invoice.total(Native Method)",
            "    at Object.<anonymous> (/app/a.js:1:2)",
            "    at async Server.listen (node:net:1:2)",
            "    at /app/a.js:1:2",
            "   at 10 o'clock (UTC)",
            "    at async Promise.all (index 0)",
            "    at new Shelf (/app/a.js:1:2)",
            "    at async Shelf.load (file:///app/a.mjs:1:2)",
        ] {
            assert_eq!(frame(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn names_are_stable_across_compilers_and_runtimes() {
        let cases = [
            ("Acme.Shelf.<Load>d__3.MoveNext", "Acme.Shelf.Load"),
            ("Acme.Shelf+<Load>d__3.MoveNext", "Acme.Shelf.Load"),
            ("Acme.Program.<>c__DisplayClass3_0.<Main>b__1", "Acme.Program.<Main>b"),
            ("Acme.Program.<>c.<Main>b__0_0", "Acme.Program.<Main>b"),
            ("Acme.Program+<>c.<Main>b__0_0", "Acme.Program.<Main>b"),
            ("Acme.Program.<Main>g__Load|0_0", "Acme.Program.<Main>g__Load"),
            ("Program.<<Main>$>g__Load|0_1", "Program.<<Main>$>g__Load"),
            ("Acme.Shelf.load@17-2.Invoke", "Acme.Shelf.load.Invoke"),
            ("Acme.Program.<Of>c__AnonStorey2.<>m__B", "Acme.Program.<Of>c.<>m"),
            ("Acme.Program+<Load>c__async0.MoveNext", "Acme.Program.Load"),
            ("Acme.Map`2[K,V].Get", "Acme.Map`2.Get"),
            ("Acme.Outer+Inner..ctor", "Acme.Outer.Inner.ctor"),
            ("Program.<Main>$", "Program.<Main>$"),
        ];
        for (name, expected) in cases {
            assert_eq!(stable(name), expected);
        }
    }
}
