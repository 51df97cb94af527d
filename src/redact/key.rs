//! Which names are names of secrets.

use std::ops::Range;

/// Longest name that is believed to be one, in bytes, on each side of the literal found in it.
const NAME_REACH: usize = 96;

/// How much a name alone says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A password, or a name of several words such as `client_secret`: nothing but a credential is called that.
    Certain,
    /// `token`, `secret` and the like, which parsers and Kubernetes use for other things too.
    Likely,
    /// `pass`: more often than not something else.
    Weak,
    /// `auth`: secret where its value looks like a credential.
    Encoded,
    /// `Authorization` and its relatives: a scheme, then a credential.
    Authorization,
    /// `Cookie`, `Set-Cookie`.
    Cookie,
    /// Secret only as a parameter of a URL's query: `sig=`, `key=`.
    Query,
}

/// Single words that stand for a password wherever they end a name.
const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "passcode", "passwort", "pwd"];
/// Endings of names written without any border between words: `PGPASSWORD`, `jsessionid`.
const RUN_TOGETHER: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "accountkey",
    "authkey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "sharedkey",
    "clientsecret",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "apitoken",
    "bottoken",
    "sessiontoken",
    "csrftoken",
    "xsrftoken",
    "secrettoken",
    "accesskeyid",
    "sessionid",
    "sessid",
    "bindpw",
    "rootpw",
    "userpw",
    "dbpw",
    "apisecret",
    "appsecret",
    "keysecret",
];
/// What makes a `key` secret when it stands before it. Not `primary`, `foreign`, `sort`, `public`, `partition`.
const SECRET_KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "signing",
    "encryption",
    "encrypt",
    "auth",
    "account",
    "shared",
    "master",
    "session",
    "service",
    "license",
    "storage",
    "subscription",
    "hmac",
    "ssh",
    "cipher",
    "crypto",
    "webhook",
    "sas",
    "deploy",
    "admin",
    "app",
    "client",
    "consumer",
    "write",
    "ingest",
    "jwt",
    "token",
    "recovery",
    "unseal",
    "deployment",
];
/// Last words that say in what form a secret is, not that it is something else.
const FORMS: &[&str] = &[
    "hash",
    "value",
    "val",
    "plain",
    "plaintext",
    "text",
    "string",
    "str",
    "data",
    "enc",
    "encrypted",
    "base64",
    "b64",
    "raw",
    "old",
    "new",
    "current",
    "confirm",
    "confirmation",
    "prod",
    "production",
    "dev",
    "staging",
    "live",
    "test",
    "base",
    "primary",
    "secondary",
    "env",
];
/// Words that make a name one of a fault: `InvalidToken: …`, `auth/wrong-password: …`.
const FAULTS: &[&str] = &[
    "invalid",
    "bad",
    "wrong",
    "expired",
    "missing",
    "unexpected",
    "expected",
    "incorrect",
    "weak",
    "unknown",
    "empty",
    "revoked",
    "no",
    "illegal",
    "malformed",
    "undefined",
];

/// The whole name around a literal; `None` if it is too long to be one.
pub(super) fn name_around(text: &[u8], literal: &Range<usize>) -> Option<Range<usize>> {
    let before = text[..literal.start].iter().rev().take(NAME_REACH + 1).take_while(|b| is_name_byte(**b)).count();
    let after = text[literal.end..].iter().take(NAME_REACH + 1).take_while(|b| is_name_byte(**b)).count();
    if before > NAME_REACH || after > NAME_REACH {
        return None;
    }
    let (mut start, mut end) = (literal.start - before, literal.end + after);
    while start < end && matches!(text[start], b'-' | b'.') {
        start += 1;
    }
    while start < end && matches!(text[end - 1], b'-' | b'.') {
        end -= 1;
    }
    Some(start..end)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// What a name says; `None` for a name that is no secret's, such as `TokenFilter`, `secretName`, `max_tokens`.
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|word| is_form(word)) {
        words.pop();
    }
    let last = words.pop()?;
    if words.iter().any(|word| FAULTS.contains(&word.as_str())) {
        return None;
    }
    // .NET names an assembly by it: `PublicKeyToken=b77a5c561934e089`.
    if last == "token" && words.ends_with(&["public".to_owned(), "key".to_owned()]) {
        return None;
    }
    let before = words.last().map(String::as_str);
    kind_of_words(&last, before)
}

fn kind_of_words(last: &str, before: Option<&str>) -> Option<Kind> {
    let likely = if before.is_some() { Kind::Certain } else { Kind::Likely };
    match last {
        "authorization" => Some(Kind::Authorization),
        "cookie" | "cookies" => Some(Kind::Cookie),
        "secret" | "token" | "credential" | "credentials" | "jwt" => Some(likely),
        "key" if before.is_some_and(|word| SECRET_KEYS.contains(&word)) => Some(Kind::Certain),
        "id" if matches!(before, Some("session" | "sess")) => Some(Kind::Certain),
        "sid" if before == Some("connect") => Some(Kind::Certain),
        "pass" | "pw" => Some(Kind::Weak),
        "auth" => Some(Kind::Encoded),
        "sig" | "signature" | "key" | "code" => Some(Kind::Query),
        _ if PASSWORDS.contains(&last) => Some(Kind::Certain),
        _ if RUN_TOGETHER.iter().any(|ending| last.ends_with(ending)) => Some(Kind::Certain),
        _ => None,
    }
}

fn is_form(word: &str) -> bool {
    FORMS.contains(&word) || word.bytes().all(|b| b.is_ascii_digit())
}

/// A name's words in lower case: `dbPassword`, `DB_PASSWORD` and `db-password2` are all `db`, `password`.
fn words(name: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, &byte) in name.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() || starts_word(name, at) {
            words.extend(finish(&mut word));
        }
        if byte.is_ascii_alphanumeric() {
            word.push(byte.to_ascii_lowercase() as char);
        }
    }
    words.extend(finish(&mut word));
    words
}

fn finish(word: &mut String) -> Option<String> {
    let whole = std::mem::take(word);
    let trimmed = whole.trim_end_matches(|c: char| c.is_ascii_digit());
    match trimmed {
        "" if whole.is_empty() => None,
        "" | "base" | "b" => Some(whole),
        _ => Some(trimmed.to_owned()),
    }
}

/// Whether a capital letter begins a word: `dbPassword`, `APIKey`.
fn starts_word(name: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|at| name[at]) else { return false };
    let after_lower = before.is_ascii_lowercase() || before.is_ascii_digit();
    let before_lower = before.is_ascii_uppercase() && name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    name[at].is_ascii_uppercase() && (after_lower || before_lower)
}
