//! Keys that can be told by their own shape.

use std::ops::Range;

use super::spans::Spans;

/// Which characters a vendor's key consists of.
#[derive(Clone, Copy)]
enum Set {
    /// Capitals and digits.
    Upper,
    /// Hexadecimal digits.
    Hex,
    /// Letters, digits, `_`, `-`.
    Word,
    /// Letters, digits, `_`, `-`, `.`.
    Dotted,
    /// Base64 of either alphabet, with padding.
    Base64,
    /// Whatever a URL's path has.
    Path,
}

impl Set {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'='),
            Self::Path => {
                byte > b' '
                    && byte < 0x7f
                    && !matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b')' | b']' | b',')
            }
        }
    }
}

/// A vendor's prefix, what follows it, and how many of that at least. The prefix stays: it says whose key it is.
#[derive(Clone, Copy)]
struct Shape(&'static str, Set, usize);

/// Longest key looked at, in bytes: JWTs with certificates in their header reach a few thousand.
const LONGEST: usize = 8192;

use Set::{Base64, Dotted, Hex, Path, Upper, Word};

const SHAPES: &[Shape] = &[
    // Amazon, Google, Alibaba, Tencent, Yandex, IBM, DigitalOcean, Scaleway.
    Shape("AKIA", Upper, 16),
    Shape("ASIA", Upper, 16),
    Shape("ABIA", Upper, 16),
    Shape("ACCA", Upper, 16),
    Shape("FwoGZXIvYXdz", Base64, 40),
    Shape("IQoJb3JpZ2lu", Base64, 40),
    Shape("AIza", Word, 35),
    Shape("ya29.", Dotted, 20),
    Shape("GOCSPX-", Word, 20),
    Shape("1//0", Word, 40),
    Shape("LTAI", Word, 16),
    Shape("AKID", Word, 32),
    Shape("AQVN", Word, 35),
    Shape("dop_v1_", Hex, 32),
    Shape("doo_v1_", Hex, 32),
    Shape("dor_v1_", Hex, 32),
    // Private keys in base64, as Secrets hold them: the prefix is `-----BEGIN … PRIVATE KEY`.
    Shape("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVk", Base64, 8),
    Shape("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS", Base64, 8),
    Shape("LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS", Base64, 8),
    Shape("LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUg", Base64, 8),
    // Code hosts and registries.
    Shape("ghp_", Word, 20),
    Shape("gho_", Word, 20),
    Shape("ghu_", Word, 20),
    Shape("ghs_", Word, 20),
    Shape("ghr_", Word, 20),
    Shape("github_pat_", Word, 20),
    Shape("glpat-", Dotted, 16),
    Shape("gldt-", Word, 16),
    Shape("glrt-", Dotted, 16),
    Shape("glcbt-", Word, 16),
    Shape("glptt-", Word, 16),
    Shape("glft-", Word, 16),
    Shape("glimt-", Word, 16),
    Shape("glagent-", Word, 16),
    Shape("gloas-", Word, 16),
    Shape("npm_", Word, 30),
    Shape("pypi-", Word, 32),
    Shape("rubygems_", Hex, 32),
    Shape("cio", Word, 32),
    Shape("dckr_pat_", Word, 20),
    Shape("dckr_oat_", Word, 20),
    Shape("AKCp", Word, 40),
    Shape("cmVmd", Base64, 40),
    Shape("ATATT3", Base64, 40),
    Shape("ATCTT3", Base64, 40),
    Shape("ATBB", Word, 28),
    Shape("bkua_", Hex, 32),
    Shape("CCIPAT_", Word, 20),
    Shape("oy2", Word, 43),
    // Chat.
    Shape("xoxb-", Word, 10),
    Shape("xoxp-", Word, 10),
    Shape("xoxa-", Word, 10),
    Shape("xoxr-", Word, 10),
    Shape("xoxs-", Word, 10),
    Shape("xoxo-", Word, 10),
    Shape("xoxc-", Word, 10),
    Shape("xoxd-", Base64, 10),
    Shape("xoxe-", Word, 10),
    Shape("xoxe.", Dotted, 10),
    Shape("xapp-", Word, 10),
    Shape("hooks.slack.com/services/", Path, 8),
    Shape("hooks.slack.com/workflows/", Path, 8),
    Shape("hooks.slack.com/triggers/", Path, 8),
    Shape("discord.com/api/webhooks/", Path, 8),
    Shape("discordapp.com/api/webhooks/", Path, 8),
    Shape("webhook.office.com/webhookb2/", Path, 8),
    Shape("hooks.zapier.com/hooks/catch/", Path, 8),
    Shape("api.telegram.org/bot", Path, 20),
    // Payment, mail, telephony.
    Shape("sk_live_", Word, 10),
    Shape("sk_test_", Word, 10),
    Shape("rk_live_", Word, 10),
    Shape("rk_test_", Word, 10),
    Shape("rzp_live_", Word, 10),
    Shape("whsec_", Base64, 16),
    Shape("sq0atp-", Word, 20),
    Shape("sq0csp-", Word, 20),
    Shape("shpat_", Hex, 32),
    Shape("shpca_", Hex, 32),
    Shape("shppa_", Hex, 32),
    Shape("shpss_", Hex, 32),
    Shape("SG.", Dotted, 40),
    Shape("key-", Hex, 32),
    Shape("SK", Hex, 32),
    Shape("xkeysib-", Word, 40),
    // Models.
    Shape("sk-ant-", Word, 16),
    Shape("sk-proj-", Word, 20),
    Shape("sk-svcacct-", Word, 20),
    Shape("sk-or-v1-", Word, 20),
    Shape("sk-", Word, 32),
    Shape("hf_", Word, 30),
    Shape("r8_", Word, 32),
    Shape("gsk_", Word, 40),
    Shape("pplx-", Word, 40),
    Shape("xai-", Word, 40),
    // Infrastructure.
    Shape("hvs.", Dotted, 20),
    Shape("hvb.", Dotted, 20),
    Shape("hvr.", Dotted, 20),
    Shape("dp.pt.", Word, 20),
    Shape("dp.st.", Dotted, 20),
    Shape("dp.ct.", Word, 20),
    Shape("dp.sa.", Word, 20),
    Shape("dp.scim.", Word, 20),
    Shape("dp.audit.", Word, 20),
    Shape("dapi", Hex, 32),
    Shape("NRAK-", Word, 20),
    Shape("NRJS-", Word, 16),
    Shape("NRII-", Word, 20),
    Shape("glsa_", Word, 32),
    Shape("glc_", Base64, 32),
    Shape("sntrys_", Base64, 40),
    Shape("sntryu_", Hex, 40),
    Shape("lin_api_", Word, 20),
    Shape("ntn_", Word, 30),
    Shape("figd_", Word, 20),
    Shape("PMAK-", Word, 40),
    Shape("pul-", Hex, 40),
    Shape("sbp_", Hex, 40),
    Shape("pscale_tkn_", Dotted, 20),
    Shape("pscale_pw_", Dotted, 20),
    Shape("pscale_oauth_", Dotted, 20),
    Shape("FlyV1 fm", Base64, 40),
    Shape("HRKU-", Word, 30),
    Shape("dt0c01.", Dotted, 30),
    Shape("tskey-", Word, 20),
    Shape("pnu_", Word, 30),
    Shape("CFPAT-", Word, 30),
    Shape("ops_eyJ", Base64, 40),
    Shape("AGE-SECRET-KEY-1", Upper, 40),
];

/// Prefixes whose rest must hold a digit and a capital: they also begin ordinary names (`sk-learn-…`, `cio`).
const NEED_VARIETY: &[&str] =
    &["sk-", "cio", "1//0", "oy2", "glc_", "ATBB", "pypi-", "npm_", "xai-", "pplx-", "LTAI", "AKID"];

/// All prefixes, in the order that [`look`] expects.
pub(super) fn prefixes() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|shape| shape.0)
}

/// Looks at a vendor's prefix, given by its number in [`prefixes`].
pub(super) fn look(text: &[u8], prefix: usize, literal: Range<usize>, spans: &mut Spans<'_>) {
    let Shape(name, set, fewest) = SHAPES[prefix];
    // The literals were found in any case, but vendors' prefixes have one. Hosts of web hooks have any.
    let is_host = matches!(set, Path);
    if !is_host && (text[literal.clone()] != *name.as_bytes() || !starts_token(text, literal.start)) {
        return;
    }
    if NEED_VARIETY.contains(&name) && !is_varied(text, literal.end, set) {
        return;
    }
    let end = literal.end + run(text, literal.end, set);
    let key = &text[literal.end..end];
    let ends = is_host || text.get(end).is_none_or(|b| !b.is_ascii_alphanumeric());
    // `sk-ant-` says more than `sk-`, and is looked at on its own.
    let longer = |shape: &&Shape| shape.0.len() > name.len() && text[literal.start..].starts_with(shape.0.as_bytes());
    if SHAPES.iter().any(|shape| longer(&shape)) {
        return;
    }
    if key.len() >= fewest && ends {
        spans.add(literal.end..end);
    }
}

/// Whether nothing of a longer name stands before it. An escaped line end (`\nghp_…`) is no name.
fn starts_token(text: &[u8], at: usize) -> bool {
    match text[..at] {
        [.., b'\\', b'n' | b't' | b'r'] => true,
        [.., before] => !before.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// A digit and a capital near the beginning. Looked at first, and not far, because nothing is taken where it fails.
fn is_varied(text: &[u8], at: usize, set: Set) -> bool {
    /// Bytes looked at.
    const NEAR: usize = 64;
    let near = || text[at..].iter().take(NEAR).take_while(|b| set.has(**b));
    near().any(u8::is_ascii_digit) && near().any(u8::is_ascii_uppercase)
}

fn run(text: &[u8], at: usize, set: Set) -> usize {
    text[at..].iter().take(LONGEST).take_while(|b| set.has(**b)).count()
}

fn run_back(text: &[u8], at: usize, most: usize, set: Set) -> usize {
    text[..at].iter().rev().take(most).take_while(|b| set.has(**b)).count()
}

/// JSON in base64, which is what begins with `eyJ`: a JWT where dots follow, and the file of registry credentials.
pub(super) fn look_jwt(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    /// Fewest characters of header and payload.
    const PART: usize = 8;
    /// `{"auths":`.
    const REGISTRIES: &[u8] = b"eyJhdXRocyI6";
    let start = literal.start;
    if &text[literal] != b"eyJ" || !starts_token(text, start) {
        return;
    }
    let header = run(text, start, Base64);
    let dot = start + header;
    if text[start..].starts_with(REGISTRIES) {
        spans.add(start..dot);
    } else if header >= PART && text.get(dot) == Some(&b'.') && run(text, dot + 1, Base64) >= PART {
        spans.add(start..dot + run(text, dot, Dotted));
    }
}

/// `123456789:AA…`: a Telegram bot's number and key.
pub(super) fn look_telegram(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let (colon, key) = (literal.start, literal.start + 1);
    let digits = text[..colon].iter().rev().take(12).take_while(|b| b.is_ascii_digit()).count();
    let length = run(text, key, Word);
    if (8..=10).contains(&digits) && text[literal] == *b":AA" && (33..=40).contains(&length) {
        spans.add(key..key + length);
    }
}

/// A client secret of Microsoft Entra: three characters, a digit, `Q~`, 31 to 34 more.
pub(super) fn look_entra(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'~' | b'.' | b'-');
    let before = text[..literal.start].iter().rev().take(5).take_while(|b| is_part(b)).count();
    let after = text[literal.end..].iter().take(40).take_while(|b| is_part(b)).count();
    let digit = literal.start.checked_sub(1).is_some_and(|at| text[at].is_ascii_digit());
    if before == 4 && digit && (31..=36).contains(&after) {
        spans.add(literal.start - before..literal.end + after);
    }
}

/// A key of Mailchimp: 32 hexadecimal digits, `-us` and the number of the data centre.
pub(super) fn look_mailchimp(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    const DIGITS: usize = 32;
    let before = run_back(text, literal.start, DIGITS + 1, Hex);
    let number = text.get(literal.end).is_some_and(u8::is_ascii_digit);
    let ends = text.get(literal.end + 2).is_none_or(|b| !b.is_ascii_alphanumeric());
    if before == DIGITS && number && ends {
        spans.add(literal.start - DIGITS..literal.start);
    }
}
