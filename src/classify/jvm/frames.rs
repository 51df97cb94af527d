//! Frames of JVM stacks: how they are written, and which of them are the user's own code.

use memchr::memchr;

use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest symbol that is looked at.
pub const SYMBOL_BYTES: usize = 1024;

/// Packages of the platform, of languages, frameworks and drivers; each ends with a dot.
static LIBRARIES: &[&str] = &[
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "oracle.",
    "com.oracle.",
    "com.ibm.",
    "netscape.",
    "kotlin.",
    "kotlinx.",
    "_COROUTINE.",
    "scala.",
    "groovy.",
    "groovyjarjarasm.",
    "clojure.",
    "org.codehaus.",
    "org.jruby.",
    "org.jetbrains.",
    "org.springframework.",
    "org.apache.",
    "kafka.",
    "org.hibernate.",
    "org.eclipse.",
    "org.jboss.",
    "org.wildfly.",
    "org.glassfish.",
    "org.junit.",
    "junit.",
    "org.testng.",
    "org.mockito.",
    "org.gradle.",
    "org.slf4j.",
    "ch.qos.logback.",
    "net.logstash.",
    "co.elastic.",
    "org.elasticsearch.",
    "org.opensearch.",
    "io.netty.",
    "io.vertx.",
    "io.undertow.",
    "io.quarkus.",
    "io.smallrye.",
    "io.micronaut.",
    "io.ktor.",
    "io.helidon.",
    "io.dropwizard.",
    "io.grpc.",
    "io.projectreactor.",
    "io.reactivex.",
    "io.micrometer.",
    "io.opentelemetry.",
    "io.prometheus.",
    "io.lettuce.",
    "io.r2dbc.",
    "io.fabric8.",
    "io.kubernetes.",
    "io.sentry.",
    "io.jsonwebtoken.",
    "io.swagger.",
    "io.confluent.",
    "io.debezium.",
    "io.rsocket.",
    "io.javalin.",
    "io.jaegertracing.",
    "io.getunleash.",
    "io.minio.",
    "io.nats.",
    "io.temporal.",
    "io.camunda.",
    "io.axoniq.",
    "io.split.",
    "io.github.resilience4j.",
    "reactor.",
    "rx.",
    "akka.",
    "play.",
    "zio.",
    "cats.",
    "fs2.",
    "monix.",
    "slick.",
    "sbt.",
    "spray.",
    "com.typesafe.",
    "com.lightbend.",
    "com.fasterxml.",
    "com.google.common.",
    "com.google.gson.",
    "com.google.inject.",
    "com.google.protobuf.",
    "com.google.api.",
    "com.google.cloud.",
    "com.google.auth.",
    "com.google.firebase.",
    "com.amazonaws.",
    "software.amazon.",
    "com.azure.",
    "com.microsoft.",
    "com.netflix.",
    "com.zaxxer.",
    "com.mchange.",
    "com.mysql.",
    "com.mongodb.",
    "org.bson.",
    "org.postgresql.",
    "org.mariadb.",
    "org.h2.",
    "org.hsqldb.",
    "org.sqlite.",
    "oracle.jdbc.",
    "com.datastax.",
    "redis.",
    "com.rabbitmq.",
    "org.redisson.",
    "com.hazelcast.",
    "org.infinispan.",
    "net.spy.",
    "net.rubyeye.",
    "org.flywaydb.",
    "liquibase.",
    "org.liquibase.",
    "org.jooq.",
    "org.mybatis.",
    "com.baomidou.",
    "com.alibaba.",
    "feign.",
    "okhttp3.",
    "okio.",
    "retrofit2.",
    "com.squareup.",
    "org.asynchttpclient.",
    "org.thymeleaf.",
    "freemarker.",
    "org.freemarker.",
    "org.yaml.",
    "org.json.",
    "net.minidev.",
    "com.jayway.",
    "org.quartz.",
    "org.aspectj.",
    "net.bytebuddy.",
    "net.sf.cglib.",
    "javassist.",
    "org.objectweb.",
    "org.objenesis.",
    "org.jolokia.",
    "org.keycloak.",
    "org.bouncycastle.",
    "com.nimbusds.",
    "com.auth0.",
    "org.joda.",
    "org.threeten.",
    "org.reactivestreams.",
    "org.reflections.",
    "org.modelmapper.",
    "org.mapstruct.",
    "org.dom4j.",
    "org.jdom.",
    "org.w3c.",
    "org.xml.",
    "org.ietf.",
    "org.omg.",
    "org.osgi.",
    "org.picocli.",
    "picocli.",
    "com.beust.",
    "com.sksamuel.",
    "pureconfig.",
    "ciris.",
    "scopt.",
    "com.jcraft.",
    "doobie.",
    "joptsimple.",
    "org.kohsuke.",
    "org.rocksdb.",
    "org.lmdbjava.",
    "org.xerial.",
    "org.eclipse.jetty.",
    "winstone.",
    "hudson.",
    "jenkins.",
    "org.graalvm.",
    "com.intellij.rt.",
    "com.newrelic.",
    "datadog.",
    "com.dynatrace.",
    "com.vaadin.",
    "org.camunda.",
    "org.activiti.",
    "org.flowable.",
    "org.axonframework.",
    "com.github.benmanes.",
    "net.sf.ehcache.",
    "org.ehcache.",
    "org.neo4j.",
    "org.influxdb.",
    "com.influxdb.",
    "com.launchdarkly.",
    "com.stripe.",
    "com.twilio.",
    "com.sendgrid.",
    "com.slack.api.",
    "com.opencsv.",
    "net.sf.jasperreports.",
    "com.itextpdf.",
    "com.lowagie.",
    "org.jsoup.",
    "org.openqa.",
    "io.restassured.",
    "io.cucumber.",
    "org.assertj.",
    "org.hamcrest.",
    "org.opentest4j.",
];

/// Marks of code that was generated while the program ran, and the calls into it.
const GENERATED: [&str; 14] = [
    "$$Lambda",
    "$$EnhancerBy",
    "$$FastClassBy",
    "$$SpringCGLIB$$",
    "$$FastClass$$",
    "$Proxy",
    "GeneratedMethodAccessor",
    "GeneratedConstructorAccessor",
    "LambdaForm$",
    "$ByteBuddy$",
    "_$$_",
    "_Subclass.",
    "_ClientProxy.",
    // Of a library's inline function; the file is the library's.
    "$$inlined$",
];

/// Ends of the names of source files.
const SOURCES: [&str; 10] = [".java", ".kt", ".kts", ".scala", ".groovy", ".clj", ".cljc", ".gradle", ".aj", ".xtend"];

/// Finds a frame in a line, perhaps behind a prefix: where the blanks before its `at` begin, and the frame.
pub fn find(line: &[u8]) -> Option<(usize, Frame)> {
    let mut from = 0;
    while let Some(at) = text::find(&line[from..], "at ").map(|at| from + at) {
        let free = at == 0 || matches!(line[at - 1], b' ' | b'\t' | b'"');
        if free && let Some(frame) = frame(&line[at..]) {
            let blanks = line[..at].iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
            // A collector's prefix ends with a blank of its own; the trace's indentation is a tab or several blanks.
            let tab = line[at - blanks..at].iter().position(|b| *b == b'\t').unwrap_or(0);
            return Some((at - blanks + tab, frame));
        }
        from = at + 3;
        if from > SYMBOL_BYTES {
            break;
        }
    }
    None
}

/// `at [loader/][module@version/]pkg.Class.method(File.java:12) ~[jar:version]`
pub fn frame(text: &[u8]) -> Option<Frame> {
    let text = text.strip_prefix(b"at ")?;
    let open = memchr(b'(', &text[..text.len().min(SYMBOL_BYTES)])?;
    let close = open + memchr(b')', &text[open..])?;
    let behind = &text[close + 1..];
    let packaged = [&b" ~["[..], b" [", b" <", b" ~"].iter().any(|mark| behind.starts_with(mark));
    if !text::blank(behind) && !packaged {
        return None;
    }
    let function = std::str::from_utf8(&text[..open]).ok()?;
    let named = function.contains('.') && !function.contains([' ', ',', '"', '=']);
    let (file, line) = place(std::str::from_utf8(&text[open + 1..close]).ok()?)?;
    let function = bare(function).to_owned();
    let in_app = named && is_own(&function);
    named.then_some(Frame { function, file, line, in_app })
}

/// What stands in the parentheses: a file with a line, or why there is none.
fn place(text: &str) -> Option<(Option<String>, Option<u32>)> {
    if matches!(
        text,
        "Native Method" | "Unknown Source" | "<generated>" | "SourceFile" | "NO_SOURCE_FILE" | "<Unknown>" | ""
    ) {
        return (!text.is_empty()).then_some((None, None));
    }
    let (file, line) = match text.rsplit_once(':') {
        Some((file, line)) => (file, Some(line.parse::<u32>().ok()?)),
        None => (text, None),
    };
    if matches!(file, "Unknown Source" | "SourceFile") {
        return Some((None, line));
    }
    if file.contains([' ', ',', '/', '(']) {
        return None;
    }
    if SOURCES.iter().any(|end| file.ends_with(end)) {
        return Some((Some(file.to_owned()), line));
    }
    line.map(|line| (Some(file.to_owned()), Some(line)))
}

/// The symbol without class loader and module.
fn bare(function: &str) -> &str {
    let end = function.find("$$Lambda").unwrap_or(function.len());
    function[..end].rfind('/').map_or(function, |slash| &function[slash + 1..])
}

/// Whether a function is the program's, by its name.
pub fn is_own(function: &str) -> bool {
    !LIBRARIES.iter().any(|package| function.starts_with(package))
        && !GENERATED.iter().any(|mark| function.contains(mark))
        && !is_abbreviated_library(function)
}

/// `o.s.b.f.Bean.get`: a shortened name, of which the class tells nothing; what begins like a framework is one.
fn is_abbreviated_library(function: &str) -> bool {
    const SHORT: [&str; 16] = [
        "j.l.", "j.u.", "j.n.", "j.i.", "j.s.", "j.b.", "o.s.", "o.a.", "o.h.", "o.e.j.", "o.p.", "s.r.", "s.n.",
        "s.s.", "i.n.", "c.z.h.",
    ];
    SHORT.iter().any(|package| function.starts_with(package))
}

/// Where the program lies: the first two parts of the package of its `main`.
pub fn home(frames: &[Frame]) -> Option<String> {
    let main = frames.iter().rev().find(|frame| frame.in_app && frame.function.ends_with(".main"))?;
    package_of(&main.function).map(str::to_owned)
}

fn package_of(function: &str) -> Option<&str> {
    let mut dots = function.match_indices('.').map(|(at, _)| at);
    let (_, second) = (dots.next()?, dots.next()?);
    let package = &function[..second];
    // With a class as its second part the package has one part only, which tells nothing.
    let class = package.rsplit('.').next()?.starts_with(|c: char| c.is_ascii_uppercase());
    (!class).then_some(package)
}

/// Whether a frame lies at home: in the same package, or in that of the same organisation.
pub fn is_at_home(frame: &Frame, home: &str) -> bool {
    let alike = |(a, b): (&str, &str)| a == b || a.len() == 1 && b.starts_with(a) || b.len() == 1 && a.starts_with(b);
    let same = |package: &str| {
        // Loggers shorten packages, the deeper ones more: `c.acme.Main` and `c.a.stock.Shelf`.
        package.split('.').zip(home.split('.')).all(alike)
            || package.split('.').next_back().filter(|org| org.len() > 2) == home.split('.').next_back()
    };
    // A class without a package can only be the program's.
    package_of(&frame.function).is_none_or(same)
}

/// The name without what a compiler counts: lambdas, anonymous classes, proxies.
pub fn stable(function: &str) -> String {
    let cut = GENERATED.iter().filter_map(|mark| function.find(mark)).min().unwrap_or(function.len());
    let mut out = String::with_capacity(cut);
    let mut rest = &function[..cut];
    while let Some(dollar) = rest.find('$') {
        let digits = rest[dollar + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let end = dollar + 1 + digits;
        let counted = digits > 0 && rest[end..].chars().next().is_none_or(|c| matches!(c, '$' | '.'));
        out.push_str(&rest[..dollar]);
        if !counted {
            out.push_str(&rest[dollar..end]);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    without_numbers(&out)
}

/// Clojure numbers its functions: `orders$average$fn__1234.invoke`, `user$eval17.invoke`.
fn without_numbers(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, part) in name.split("__").enumerate() {
        let digits = if at > 0 { part.bytes().take_while(u8::is_ascii_digit).count() } else { 0 };
        out.push_str(if at > 0 && digits == 0 { "__" } else { "" });
        out.push_str(&part[digits..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_in_every_form() {
        let cases = [
            ("at com.acme.Invoice.total(Invoice.java:31)", "com.acme.Invoice.total Invoice.java:31 own"),
            ("at java.base/java.util.ArrayList.get(ArrayList.java:427)", "java.util.ArrayList.get ArrayList.java:427"),
            ("at app//com.acme.Main.main(Main.java:3)", "com.acme.Main.main Main.java:3 own"),
            ("at app/acme.mod@1.2/com.acme.Main.main(Main.java:3)", "com.acme.Main.main Main.java:3 own"),
            (
                "at com.acme.Main$$Lambda$14/0x0000000800c03000.run(Unknown Source)",
                "com.acme.Main$$Lambda$14/0x0000000800c03000.run -",
            ),
            ("at com.acme.A.b(A.kt:7) ~[classes!/:1.0]", "com.acme.A.b A.kt:7 own"),
            ("at com.acme.A.b(A.java:7) [app.jar:?]", "com.acme.A.b A.java:7 own"),
            ("at Main.main(Main.java:3)", "Main.main Main.java:3 own"),
            ("at com.acme.A.b(Native Method)", "com.acme.A.b - own"),
            ("at com.acme.A.b(Unknown Source)", "com.acme.A.b - own"),
            ("at com.acme.A$$SpringCGLIB$$0.b(<generated>)", "com.acme.A$$SpringCGLIB$$0.b -"),
            ("at deployment.shop.war//com.acme.A.b(A.java:9)", "com.acme.A.b A.java:9 own"),
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
            "at Acme.Stock.Shelf.Count(String sku)",
            "at Acme.Stock.Shelf.Count()",
            "at fetch (/app/a.js:3:4)",
            "at /app/a.js:3:4",
            "at position 3 (see a.java:3)",
            "at 10:30 we met (Main.java:3) again",
            "at Object.<anonymous> (/app/a.js:1:2)",
        ] {
            assert_eq!(frame(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_frame_is_found_behind_a_prefix() {
        let at = |line: &str| find(line.as_bytes()).map(|(at, _)| at);
        assert_eq!(at("\tat a.B.c(B.java:1)"), Some(0));
        assert_eq!(at("2026-11-24T04:15:10Z \tat a.B.c(B.java:1)"), Some(21));
        assert_eq!(at("web.1 | \tat a.B.c(B.java:1)"), Some(8));
        assert_eq!(at("look at this"), None);
    }

    #[test]
    fn counted_names_are_stable() {
        let cases = [
            ("com.acme.Main.lambda$main$0", "com.acme.Main.lambda$main"),
            ("com.acme.orders$average$fn__1234.invoke", "com.acme.orders$average$fn.invoke"),
            ("com.acme.A.with__two", "com.acme.A.with__two"),
            ("com.acme.Main$1.run", "com.acme.Main.run"),
            ("com.acme.Main$Inner.run", "com.acme.Main$Inner.run"),
            ("com.acme.Job$run$1.invokeSuspend", "com.acme.Job$run.invokeSuspend"),
            ("com.acme.Main$.$anonfun$total$1", "com.acme.Main$.$anonfun$total"),
            ("com.acme.Main$$Lambda$14/0x0800.run", "com.acme.Main"),
            ("com.acme.Svc$$SpringCGLIB$$0.total", "com.acme.Svc"),
        ];
        for (name, expected) in cases {
            assert_eq!(stable(name), expected);
        }
    }

    #[test]
    fn what_lies_beside_the_main_class_is_at_home() {
        let frame = |function: &str| Frame { function: function.into(), in_app: true, ..Frame::default() };
        let home = home(&[frame("com.vendor.Sdk.call"), frame("com.acme.shop.Main.main")]).unwrap();
        let cases = [
            ("com.acme.billing.Bill.pay", true),
            ("io.acme.util.Text.cut", true),
            ("com.vendor.Sdk.call", false),
            ("c.a.s.stock.Shelf.at", true),
            ("Helper.run", true),
        ];
        for (function, expected) in cases {
            assert_eq!(is_at_home(&frame(function), &home), expected, "{function}");
        }
    }
}
