//! The frames of a traceback: `  File "/app/x.py", line 3, in main`, and which of them are the user's own.

use crate::classify::finding::base_name;
use crate::classify::stack::RawFrame;
use crate::classify::text;

/// Longest name of a file or a function that is kept, in bytes.
const NAME_BYTES: usize = 512;

/// Where a frame begins in a line, perhaps behind a prefix: at its indentation.
pub fn find(line: &[u8]) -> Option<usize> {
    let file = text::find(line, "File \"")?;
    let before = &line[..file];
    // `> ` marks the frame that caught it, in loguru's form.
    let at = before.strip_suffix(b"> ").or_else(|| before.strip_suffix(b"  "))?.len();
    read(&line[at..]).map(|_| at)
}

/// Reads a frame. The function is empty where the line names none, as above a `SyntaxError`.
pub fn read(line: &[u8]) -> Option<RawFrame> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"> ").unwrap_or(line).strip_prefix(b"File \"")?;
    let end = text::find(line, "\", line ")?;
    let (file, rest) = (&line[..end], &line[end + b"\", line ".len()..]);
    let (digits, rest) = text::split_digits(rest);
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // faulthandler writes no comma.
    let function = match rest.strip_prefix(b", in ").or_else(|| rest.strip_prefix(b" in ")) {
        Some(function) => function,
        None if rest.is_empty() => b"",
        None => return None,
    };
    let name = |bytes: &[u8]| text::string(&bytes[..bytes.len().min(NAME_BYTES)]);
    let file = name(file);
    let function = name(function);
    let own = is_own(&file) && !is_compiled(&file, &function);
    Some(RawFrame { function, file, line: number, own })
}

/// Cython names its sources with a path relative to where it was built, and functions with their module:
/// `pydantic.main.BaseModel.__init__` in `pydantic/main.py`.
fn is_compiled(file: &str, function: &str) -> bool {
    let module = file.strip_suffix(".py").unwrap_or(file).replace('/', ".");
    module.contains('.') && function.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with('.'))
}

/// Parts of paths below which lies what was installed, not written.
const INSTALLED: [&str; 9] = [
    "/site-packages/",
    "/dist-packages/",
    "/lib/python",
    "/lib64/python",
    "/lib/pypy",
    ".zip/",
    "/_bootstrap/",
    "/Lib/",
    "/pyshared/",
];

/// Whether a file is the user's own code.
pub fn is_own(file: &str) -> bool {
    let slashed = file.replace('\\', "/");
    let installed = INSTALLED.iter().any(|part| slashed.contains(part));
    // `<frozen importlib._bootstrap>`, `<string>`; extension modules name their sources with a relative path.
    let generated = slashed.starts_with('<') || slashed.ends_with(".pyx") || slashed.ends_with(".pxi");
    !installed && !generated && !is_console_script(&slashed)
}

/// The script that an installed package puts into `bin`: `/opt/venv/bin/uvicorn`.
fn is_console_script(file: &str) -> bool {
    let Some((folder, name)) = file.rsplit_once('/') else { return false };
    let bare = !name.contains('.');
    if folder.ends_with("/bin") && (LAUNCHERS.contains(&name) || SCRIPTS.contains(&name)) {
        return true;
    }
    let folder = folder.strip_suffix("/bin").unwrap_or_default();
    let system = matches!(folder, "/usr" | "/usr/local" | "" | "/opt/conda") && file.contains("/bin/");
    bare && (system || base_name(folder).contains("env") || folder.contains("/.pyenv/") || folder.ends_with("/.local"))
}

/// Scripts of packages that are called otherwise.
const SCRIPTS: [&str; 10] = [
    "django-admin",
    "alembic",
    "airflow",
    "granian",
    "dramatiq",
    "rq",
    "huey_consumer",
    "streamlit",
    "ddtrace-run",
    "opentelemetry-instrument",
];

/// Packages that start programs of others: their frames are around the user's.
const LAUNCHERS: [&str; 20] = [
    "gunicorn",
    "uvicorn",
    "hypercorn",
    "daphne",
    "waitress",
    "celery",
    "kombu",
    "billiard",
    "click",
    "typer",
    "flask",
    "django",
    "starlette",
    "fastapi",
    "anyio",
    "aiohttp",
    "werkzeug",
    "twisted",
    "sentry_sdk",
    "ddtrace",
];

/// The package of an installed file: `shop` of `/opt/venv/lib/python3.11/site-packages/shop/cli.py`.
fn package(file: &str) -> Option<&str> {
    let at = ["/site-packages/", "/dist-packages/"].iter().find_map(|part| Some(file.find(part)? + part.len()))?;
    let name = file[at..].split('/').next()?;
    Some(name.strip_suffix(".py").unwrap_or(name))
}

/// Marks the user's frames where none looks like it. A program that was installed as a package lies beside its libraries:
/// it is the package that was started, so the outermost one that is no launcher.
pub fn adopt(frames: &mut [RawFrame]) {
    if frames.iter().any(|frame| frame.own) {
        return;
    }
    let started = frames.iter().rev().filter_map(|frame| package(&frame.file));
    let Some(started) = started.into_iter().find(|name| !LAUNCHERS.contains(name)).map(str::to_owned) else { return };
    for frame in frames.iter_mut() {
        frame.own = package(&frame.file) == Some(&started);
    }
}

/// The name for a fingerprint; `None` for the comprehensions that are frames of their own only before Python 3.12.
pub fn stable(frame: &RawFrame) -> Option<String> {
    let inlined = matches!(frame.function.as_str(), "<listcomp>" | "<dictcomp>" | "<setcomp>");
    (!inlined).then(|| frame.function.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_versions_are_read() {
        let cases: [(&str, Option<(&str, u32, &str)>); 8] = [
            ("  File \"/app/x.py\", line 3, in main", Some(("/app/x.py", 3, "main"))),
            ("  File \"/app/x.py\", line 3 in main", Some(("/app/x.py", 3, "main"))),
            ("  File \"/app/x.py\", line 3", Some(("/app/x.py", 3, ""))),
            ("> File \"/app/x.py\", line 3, in <module>", Some(("/app/x.py", 3, "<module>"))),
            ("  File \"C:\\app\\x.py\", line 3, in main", Some(("C:\\app\\x.py", 3, "main"))),
            ("  File \"/app/x.py\", line x, in main", None),
            ("  File \"/app/x.py\" is missing", None),
            ("File sizes", None),
        ];
        for (line, expected) in cases {
            let frame = read(line.as_bytes());
            let got = frame.as_ref().map(|f| (f.file.as_str(), f.line, f.function.as_str()));
            assert_eq!(got, expected, "{line}");
        }
        let compiled = read(b"  File \"pydantic/main.py\", line 341, in pydantic.main.BaseModel.__init__").unwrap();
        assert!(!compiled.own && read(b"  File \"fares/main.py\", line 3, in main").unwrap().own);
        assert_eq!(find(b"web.1 |   File \"/app/x.py\", line 3, in main"), Some(8));
    }

    #[test]
    fn the_users_own_code_is_told_from_libraries_and_the_interpreter() {
        let cases = [
            ("/app/orders/pricing.py", true),
            ("worker.py", true),
            ("/srv/library/x.py", true),
            ("/home/me/bin/run", true),
            ("/app/bin/serve", true),
            ("C:\\app\\x.py", true),
            ("/opt/venv/lib/python3.11/site-packages/flask/app.py", false),
            ("/usr/lib/python3/dist-packages/apt/x.py", false),
            ("/usr/local/lib/python3.11/asyncio/runners.py", false),
            ("C:\\Python311\\Lib\\asyncio\\runners.py", false),
            ("<frozen importlib._bootstrap>", false),
            ("<string>", false),
            ("asyncpg/protocol/protocol.pyx", false),
            ("/opt/venv/bin/uvicorn", false),
            ("/usr/local/bin/gunicorn", false),
            ("/opt/shop/bin/gunicorn", false),
            ("/srv/v312/bin/alembic", false),
        ];
        for (file, own) in cases {
            assert_eq!(is_own(file), own, "{file}");
        }
    }

    #[test]
    fn a_program_installed_as_a_package_is_the_users_own() {
        let frame = |file: &str| read(format!("  File \"{file}\", line 3, in f").as_bytes()).unwrap();
        let site = "/opt/venv/lib/python3.11/site-packages";
        let mut frames = [
            frame(&format!("{site}/redis/client.py")),
            frame(&format!("{site}/shop/store.py")),
            frame(&format!("{site}/shop/cli.py")),
            frame(&format!("{site}/click/core.py")),
            frame("/opt/venv/bin/shop"),
        ];
        adopt(&mut frames);
        assert_eq!(frames.map(|frame| frame.own), [false, true, true, false, false]);
    }
}
