//! Passwords in URLs and in data source names.

use std::ops::Range;

use super::spans::Spans;

/// Longest authority of a URL looked at, in bytes.
const AUTHORITY: usize = 2048;
/// Longest `user:password` looked at where it is read backwards, in bytes.
const USER_AND_PASSWORD: usize = 512;
/// Length from which a user without a password is taken for a token (`https://<token>@github.com`).
const TOKEN_AS_USER: usize = 20;

/// `scheme://user:password@host`: the password goes, user and host stay.
pub(super) fn look(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let start = literal.end;
    let reach = &text[start..text.len().min(start + AUTHORITY)];
    // A second URL inside this one is looked at on its own.
    let ends = |at: usize| ends_url(reach[at]) || reach[at..].starts_with(b"://");
    let run = &reach[..(0..reach.len()).find(|at| ends(*at)).unwrap_or(reach.len())];
    let Some(at) = userinfo_end(run, is_web(&text[..literal.start])) else { return };
    let userinfo = &run[..at];
    match memchr::memchr(b':', userinfo) {
        Some(colon) => spans.add(start + colon + 1..start + at),
        None if looks_like_token(userinfo) => spans.add(start..start + at),
        None => {}
    }
}

fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\')
}

/// Whether the scheme is one whose paths may hold an `@`: `https://unpkg.example/@acme/x`.
fn is_web(before: &[u8]) -> bool {
    [&b"http"[..], b"https", b"ws", b"wss", b"file", b"git", b"ssh"].iter().any(|scheme| {
        let start = before.len().saturating_sub(scheme.len());
        before[start..].eq_ignore_ascii_case(scheme)
    })
}

/// Where the `@` stands that ends user and password. Passwords are often printed as they are, with `/`, `#` or `@` in
/// them: then the last `@` before the query counts, unless the URL may have one in its path.
fn userinfo_end(run: &[u8], is_web: bool) -> Option<usize> {
    let authority = run.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(run.len());
    if !is_web && memchr::memchr(b':', &run[..authority]).is_some_and(|colon| !is_port(&run[colon + 1..authority])) {
        let query = memchr::memrchr(b'?', run).unwrap_or(run.len());
        return memchr::memrchr(b'@', &run[..query]).or_else(|| memchr::memrchr(b'@', run));
    }
    if let Some(at) = memchr::memrchr(b'@', &run[..authority]) {
        return Some(at);
    }
    // `host:8080/a@b` has a port, `user:pa/ss@host` has none.
    let colon = memchr::memchr(b':', &run[..authority])?;
    if is_port(&run[colon + 1..authority]) || authority == run.len() {
        return None;
    }
    memchr::memchr(b'@', &run[authority..]).map(|at| authority + at)
}

fn is_port(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

fn looks_like_token(user: &[u8]) -> bool {
    user.len() >= TOKEN_AS_USER && user.iter().any(u8::is_ascii_digit) && !user.contains(&b'.')
}

/// `user:password@tcp(host:3306)/db`, as Go's MySQL driver has it.
pub(super) fn look_go_dsn(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let before = &text[literal.start.saturating_sub(USER_AND_PASSWORD)..literal.start];
    let start = before.iter().rposition(|b| ends_url(*b)).map_or(0, |last| last + 1);
    let run = &before[start..];
    if let Some(colon) = memchr::memchr(b':', run) {
        spans.add(literal.start - run.len() + colon + 1..literal.start);
    }
}

/// Words before a colon after which an address follows and no password.
const ADDRESSED: [&[u8]; 12] =
    [b"mailto", b"sip", b"sips", b"xmpp", b"jid", b"ssh", b"scp", b"user", b"email", b"from", b"to", b"acct"];
/// Shortest password that is recognised by its place alone, in bytes.
const LEAST_PASSWORD: usize = 4;

/// `user:password@db.internal:5432/app`, an address without a scheme: only where a port or a path follows the host, since
/// prose has `to:bob@example.org`, images have `app:1.2@sha256:…`, and traces have `file.js:12@host`.
pub(super) fn look_userinfo(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let ends = |byte: &u8| ends_url(*byte) || b"@=(,;|[{/".contains(byte);
    let before = &text[literal.start.saturating_sub(USER_AND_PASSWORD)..literal.start];
    let run = &before[before.iter().rposition(ends).map_or(0, |last| last + 1)..];
    let Some(colon) = memchr::memchr(b':', run) else { return };
    let (user, password) = (&run[..colon], &run[colon + 1..]);
    let named = user.first().is_some_and(u8::is_ascii_alphabetic)
        && user.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
        && !ADDRESSED.iter().any(|word| user.eq_ignore_ascii_case(word));
    let secret = password.len() >= LEAST_PASSWORD
        && !password.contains(&b':')
        && !password.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if named && secret && is_host_with_more(&text[literal.end..]) {
        spans.add(literal.start - password.len()..literal.start);
    }
}

/// `db.internal:5432`, `db/app`.
fn is_host_with_more(text: &[u8]) -> bool {
    let length = text.iter().take(AUTHORITY).take_while(|b| b.is_ascii_alphanumeric() || b".-_".contains(b)).count();
    let (host, rest) = text.split_at(length);
    let digest = host.starts_with(b"sha256") || host.starts_with(b"sha512");
    let port = rest.first() == Some(&b':') && rest.get(1).is_some_and(u8::is_ascii_digit);
    !host.is_empty() && !digest && (port || rest.first() == Some(&b'/'))
}

/// `curl -u user:password`.
pub(super) fn look_curl_user(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let argument = argument(text, literal.end);
    if let Some(colon) = memchr::memchr(b':', &text[argument.clone()]).filter(|_| is_command(text, &literal, b"curl")) {
        spans.add(argument.start + colon + 1..argument.end);
    }
}

/// `mysql -ppassword`: this program's flag takes its value without a blank.
pub(super) fn look_mysql_password(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    // `-P` is the port.
    if text[literal.clone()] == *b" -p" && is_command(text, &literal, b"mysql") {
        spans.add(argument(text, literal.end));
    }
}

fn argument(text: &[u8], start: usize) -> Range<usize> {
    start..start + text[start..].iter().take(USER_AND_PASSWORD).take_while(|b| !ends_url(**b)).count()
}

/// Whether a program stands before a flag, on the same line.
fn is_command(text: &[u8], flag: &Range<usize>, program: &[u8]) -> bool {
    let before = &text[flag.start.saturating_sub(USER_AND_PASSWORD)..flag.start];
    let line = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    memchr::memmem::find(line, program).is_some()
}

/// `jdbc:oracle:thin:user/password@host`.
pub(super) fn look_oracle(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let length = text[literal.end..].iter().take(USER_AND_PASSWORD).take_while(|b| !ends_url(**b)).count();
    let run = &text[literal.end..literal.end + length];
    let Some(at) = memchr::memrchr(b'@', run) else { return };
    if let Some(slash) = memchr::memchr(b'/', &run[..at]) {
        spans.add(literal.end + slash + 1..literal.end + at);
    }
}
