//! Frames of Go stacks: how they are written, and which of them are the user's own code.

use memchr::{memmem, memrchr};

use crate::classify::finding::{Frame, base_name};
use crate::classify::text;

/// A frame as the dump has it, before it is known whose code it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawFrame {
    /// The symbol with its import path, without arguments.
    pub function: String,
    /// The file as the dump has it.
    pub file: String,
    /// The line, from 1; 0 where there is none.
    pub line: u32,
}

/// First elements of the import paths of the standard library, as of Go 1.27; `vendor` is what it vendors itself.
const STANDARD: &[&str] = &[
    "archive",
    "bufio",
    "builtin",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
    "vendor",
    "weak",
    "simd",
    "cmd",
];

/// Longest symbol that is looked at.
const SYMBOL_BYTES: usize = 2048;

/// `pkg/path.(*T).Method(0x1, …)`: the symbol without its arguments. `None` where the line is no such thing.
pub fn call(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let inside = line.strip_suffix(b")")?;
    let open = memrchr(b'(', inside)?;
    symbol(&line[..open])
}

/// A symbol: letters first, a dot in it (or `panic`), no blank outside of brackets.
pub fn symbol(text: &[u8]) -> Option<&[u8]> {
    let starts = text.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let named = text == b"panic" || text.contains(&b'.');
    let plain =
        text.iter().scan(0u32, outside_brackets).flatten().all(|b| !b.is_ascii_whitespace() && b != b'=' && b != b'"');
    (starts && named && plain && text.len() <= SYMBOL_BYTES).then_some(text)
}

fn outside_brackets(depth: &mut u32, byte: &u8) -> Option<Option<u8>> {
    match byte {
        b'[' => *depth += 1,
        b']' => *depth = depth.saturating_sub(1),
        _ => {}
    }
    Some((*depth == 0).then_some(*byte))
}

/// `\t/path/file.go:12 +0x1d`: file and line. `None` where the line is no such thing.
pub fn place(line: &[u8]) -> Option<(&[u8], u32)> {
    if !line.first()?.is_ascii_whitespace() {
        return None;
    }
    let line = line.trim_ascii();
    let end = memmem::find(line, b" +0x").or_else(|| memmem::find(line, b" fp=0x")).unwrap_or(line.len());
    let colon = memrchr(b':', &line[..end])?;
    let (file, digits) = (&line[..colon], &line[colon + 1..end]);
    let source = [&b".go"[..], b".s", b">", b".c", b".cc", b".cpp", b".h"].iter().any(|end| file.ends_with(end));
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    source.then_some((file, number))
}

/// `created by main.main in goroutine 1`: the symbol.
pub fn creator(line: &[u8]) -> Option<&[u8]> {
    let symbol = line.strip_prefix(b"created by ")?.trim_ascii();
    Some(&symbol[..memmem::find(symbol, b" in goroutine ").unwrap_or(symbol.len())])
}

/// Where the program lies, as far as its frames tell.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    goroot: Option<String>,
    module: Option<String>,
}

impl Layout {
    /// Learns from a frame: where the runtime lies, and the repository of `main.main` in a GOPATH.
    pub fn learn(&mut self, frame: &RawFrame) {
        if self.goroot.is_none() && frame.function.starts_with("runtime.") {
            self.goroot = frame.file.find("/src/runtime/").map(|end| frame.file[..end + "/src/".len()].to_owned());
        }
        if self.module.is_none() && (frame.function == "main.main" || frame.function.starts_with("main.main.")) {
            self.module = gopath_repository(&frame.file).map(str::to_owned);
        }
    }

    /// Whether a frame is the user's own code.
    pub fn in_app(&self, frame: &RawFrame) -> bool {
        !is_generated(frame) && !is_dependency(&frame.file) && !self.is_standard(frame) && !self.is_foreign(frame)
    }

    fn is_standard(&self, frame: &RawFrame) -> bool {
        // Loggers that shorten paths leave the runtime's own files without a directory.
        let runtime = frame.file == "proc.go" || (frame.file.starts_with("asm_") && frame.file.ends_with(".s"));
        if runtime || self.goroot.as_deref().is_some_and(|goroot| frame.file.starts_with(goroot)) {
            return true;
        }
        let package = package(&frame.function);
        let first = package.split('/').next().unwrap_or_default();
        if !STANDARD.contains(&first) && frame.function != "panic" {
            return false;
        }
        // A module of the user's may be called `text` or `log`: its files lie elsewhere.
        let absolute = frame.file.starts_with('/') || frame.file.get(1..2) == Some(":");
        !absolute || frame.file.replace('\\', "/").contains("/src/")
    }

    /// In a GOPATH there are no versions in the paths: another repository than that of `main` is a library.
    fn is_foreign(&self, frame: &RawFrame) -> bool {
        match (&self.module, gopath_repository(&frame.file)) {
            (Some(own), Some(repository)) => own != repository,
            _ => false,
        }
    }
}

/// `…/src/github.com/acme/shop/…` without a version: `github.com/acme/shop`.
fn gopath_repository(file: &str) -> Option<&str> {
    let path = &file[file.find("/src/")? + "/src/".len()..];
    let end = path.match_indices('/').nth(2).map(|(at, _)| at)?;
    path.split('/').next()?.contains('.').then_some(&path[..end])
}

/// Modules, vendored code, and what Bazel fetches.
fn is_dependency(file: &str) -> bool {
    let versioned = file
        .find('@')
        .is_some_and(|at| file[at..].starts_with("@v") && file.as_bytes().get(at + 2).is_some_and(u8::is_ascii_digit));
    versioned
        || ["/pkg/mod/", "/vendor/", "\\pkg\\mod\\", "\\vendor\\"].iter().any(|part| file.contains(part))
        || file.starts_with("vendor/")
        || file.starts_with("external/")
        || file.contains("/external/com_")
        || file.starts_with("golang.org/x/")
}

/// Wrappers that the compiler or cgo writes: they point nowhere that a user can look.
fn is_generated(frame: &RawFrame) -> bool {
    let name = frame.function.rsplit(['.', '/']).next().unwrap_or_default();
    frame.file == "<autogenerated>"
        || matches!(base_name(&frame.file), "_cgo_gotypes.go" | "_testmain.go" | "_cgo_export.c")
        || name.starts_with("gowrap")
        || name.starts_with("deferwrap")
        || frame.function.ends_with("-fm")
        || frame.function.starts_with("_cgo")
        || frame.function.contains("._Cfunc_")
}

/// The import path of a symbol: `github.com/acme/shop/orders` of `github.com/acme/shop/orders.(*Q).Push`.
fn package(function: &str) -> &str {
    let path = &function[..function.find('[').unwrap_or(function.len())];
    let slash = path.rfind('/').map_or(0, |at| at + 1);
    let dot = path[slash..].find('.').map_or(path.len(), |at| slash + at);
    &path[..dot]
}

/// The symbol with the last element of its import path alone: `orders.(*Q).Push`.
pub fn short(function: &str) -> String {
    let package = package(function);
    let mut start = package.rfind('/').map_or(0, |at| at + 1);
    // `shop/v2.Run`: the last element alone would be a version.
    let last = &package[start..];
    let version = last.starts_with('v') && last.len() > 1 && last[1..].bytes().all(|b| b.is_ascii_digit());
    if version && start > 0 {
        start = package[..start - 1].rfind('/').map_or(0, |at| at + 1);
    }
    function[start..].replace("%2e", ".")
}

/// The symbol without what the compiler generates: numbers of closures, type arguments, method values.
pub fn stable(function: &str) -> String {
    let short = short(function);
    let mut bare = String::with_capacity(short.len());
    let mut depth = 0u32;
    for c in short.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    // Closures of package variables: up to Go 1.20 or so `glob.`, then `init`.
    let bare = bare.trim_end_matches("-fm").replace(".glob..func", ".init.func");
    let parts: Vec<_> = bare.split('.').filter_map(stable_part).collect();
    parts[own_parts(&parts)..].join(".")
}

/// Where the name of a closure begins: a closure of a function that was inlined has the name of each function around it,
/// `main.main.Seq.func21` for `press.Seq.func1`, which differs from one optimisation to the next.
fn own_parts(parts: &[&str]) -> usize {
    let is_mark = |part: &&str| matches!(*part, "func" | "gowrap" | "deferwrap");
    let marks = parts.iter().rev().take_while(|part| is_mark(part)).count();
    let named = parts.len() - marks;
    if marks == 0 || parts[..named].last() == Some(&"init") { 0 } else { named.saturating_sub(1) }
}

fn stable_part(part: &str) -> Option<&str> {
    let part = part.split("-range").next().unwrap_or(part);
    let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
    match stem {
        "" if !part.is_empty() => None,
        "func" | "gowrap" | "deferwrap" | "init" => Some(stem),
        _ => Some(part),
    }
}

/// The frame as a finding shows it.
pub fn shown(frame: &RawFrame, in_app: bool) -> Frame {
    Frame {
        function: short(&frame.function),
        file: (!frame.file.is_empty()).then(|| frame.file.clone()),
        line: (frame.line > 0).then_some(frame.line),
        in_app,
    }
}

/// A frame from the two lines that a dump has for it.
pub fn frame(function: &[u8], file: &[u8], line: u32) -> RawFrame {
    RawFrame { function: text::string(function), file: text::string(file), line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(function: &str, file: &str) -> RawFrame {
        RawFrame { function: function.into(), file: file.into(), line: 1 }
    }

    #[test]
    fn calls_and_places_are_read_as_the_runtime_writes_them() {
        let calls: [(&str, Option<&str>); 10] = [
            ("main.main()", Some("main.main")),
            ("github.com/a/b.(*T).M(0xc000, {0x1, 0x2})", Some("github.com/a/b.(*T).M")),
            ("main.Map[...](...)", Some("main.Map[...]")),
            ("main.Map[go.shape.struct { X int }](...)", Some("main.Map[go.shape.struct { X int }]")),
            ("panic({0x1?, 0x2?})", Some("panic")),
            ("done (ok)", None),
            ("GET /api/cart 200 (5ms)", None),
            ("goroutine 1 [running]:", None),
            ("", None),
            ("\x01", None),
        ];
        for (line, symbol) in calls {
            assert_eq!(call(line.as_bytes()), symbol.map(str::as_bytes), "{line}");
        }
        let places: [(&str, Option<(&str, u32)>); 8] = [
            ("\t/app/main.go:12 +0x1d", Some(("/app/main.go", 12))),
            ("\t/app/main.go:12", Some(("/app/main.go", 12))),
            ("      C:/app/my main.go:12 +0x44", Some(("C:/app/my main.go", 12))),
            ("\t/go/asm_amd64.s:1700 +0x1 fp=0xc000 sp=0xc000 pc=0x45", Some(("/go/asm_amd64.s", 1700))),
            ("\t<autogenerated>:1 +0x2f", Some(("<autogenerated>", 1))),
            ("/app/main.go:12", None),
            ("\tlistening on 10.0.0.1:80", None),
            ("\t/app/main.go:", None),
        ];
        for (line, expected) in places {
            assert_eq!(place(line.as_bytes()), expected.map(|(file, n)| (file.as_bytes(), n)), "{line}");
        }
    }

    #[test]
    fn the_users_own_code_is_told_from_libraries_and_the_runtime() {
        let mut layout = Layout::default();
        layout.learn(&raw("runtime.goexit", "/opt/go1.27/src/runtime/asm_amd64.s"));
        let cases = [
            ("main.main", "/app/main.go", true),
            ("github.com/acme/shop/internal/orders.(*Q).Push", "/app/internal/orders/orders.go", true),
            ("github.com/acme/shop/orders.Push", "github.com/acme/shop/orders/orders.go", true),
            ("shop/text.Push", "/app/text/text.go", true),
            ("text/local.Push", "/home/me/text/local/x.go", true),
            ("net/http.(*conn).serve", "/opt/go1.27/src/net/http/server.go", false),
            ("net/http.(*conn).serve", "net/http/server.go", false),
            ("panic", "/opt/go1.27/src/runtime/panic.go", false),
            ("internal/runtime/maps.fatal", "internal/runtime/maps/x.go", false),
            (
                "github.com/gin-gonic/gin.(*Context).Next",
                "/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go",
                false,
            ),
            ("github.com/gin-gonic/gin.(*Context).Next", "github.com/gin-gonic/gin@v1.9.1/context.go", false),
            ("github.com/lib/pq.Open", "/app/vendor/github.com/lib/pq/conn.go", false),
            ("main.(*T).M-fm", "<autogenerated>", false),
            ("main._Cfunc_crash", "_cgo_gotypes.go", false),
            ("main.main.gowrap1", "/app/main.go", false),
        ];
        for (function, file, expected) in cases {
            assert_eq!(layout.in_app(&raw(function, file)), expected, "{function} {file}");
        }
    }

    #[test]
    fn in_a_gopath_another_repository_is_a_library() {
        let mut layout = Layout::default();
        layout.learn(&raw("main.main", "/go/src/github.com/acme/shop/cmd/main.go"));
        assert!(layout.in_app(&raw("github.com/acme/shop/x.F", "/go/src/github.com/acme/shop/x/x.go")));
        assert!(!layout.in_app(&raw("github.com/lib/pq.F", "/go/src/github.com/lib/pq/x.go")));
    }

    #[test]
    fn names_are_shortened_and_made_stable() {
        let cases = [
            ("github.com/a/b/inventory.(*Cache).Add", "inventory.(*Cache).Add", "inventory.(*Cache).Add"),
            ("github.com/a/b/v2.Run.func1.2", "b/v2.Run.func1.2", "Run.func"),
            ("gopkg.in/yaml%2ev3.Unmarshal", "yaml.v3.Unmarshal", "yaml.v3.Unmarshal"),
            ("main.Map[...].func1", "main.Map[...].func1", "Map.func"),
            ("main.main.func3-range1", "main.main.func3-range1", "main.func"),
            ("example.com/orchard/press.Seq.func1", "press.Seq.func1", "Seq.func"),
            ("main.main.Seq.func21", "main.main.Seq.func21", "Seq.func"),
            ("main.init.0", "main.init.0", "main.init"),
            ("main.glob..func7", "main.glob..func7", "main.init.func"),
            ("main.Sha256", "main.Sha256", "main.Sha256"),
        ];
        for (function, short_name, stable_name) in cases {
            assert_eq!((short(function).as_str(), stable(function).as_str()), (short_name, stable_name));
        }
    }
}
