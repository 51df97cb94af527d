//! The fixed literals near which a secret may stand, found in one pass. Ordinary text without any costs only that pass.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::spans::Spans;
use super::{assignment, directive, pem, scheme, tokens, url};

/// What looks at the place where a literal was found: the text and the literal's range in it, and where secrets go.
type Look = fn(&[u8], Range<usize>, &mut Spans<'_>);

/// Literals without a table of their own.
const LOOKS: &[(&str, Look)] = &[
    // Parts of names of things that are secret; `key` decides by the whole name.
    ("pass", assignment::look),
    ("pw", assignment::look),
    ("secret", assignment::look),
    ("token", assignment::look),
    ("key", assignment::look),
    ("auth", assignment::look),
    ("cookie", assignment::look),
    ("credential", assignment::look),
    ("sess", assignment::look),
    ("jwt", assignment::look),
    ("sid", assignment::look),
    ("sig", assignment::look),
    ("code", assignment::look),
    ("password is ", assignment::look_told),
    ("password was ", assignment::look_told),
    ("passphrase is ", assignment::look_told),
    ("identified by", assignment::look_identified_by),
    ("pdo->__construct(", assignment::look_php_connect),
    ("mysqli->__construct(", assignment::look_php_connect),
    ("mysqli_connect(", assignment::look_php_connect),
    ("imap_open(", assignment::look_php_connect),
    ("ftp_login(", assignment::look_php_connect),
    ("ldap_bind(", assignment::look_php_connect),
    ("amqpstreamconnection->__construct(", assignment::look_php_broker),
    ("mysqli_real_connect(", assignment::look_php_broker),
    ("redis->auth(", assignment::look_php_auth),
    ("requirepass ", directive::look),
    ("masterauth ", directive::look),
    ("-setcookie ", directive::look_option),
    ("release_cookie", directive::look_assigned),
    ("erlang_cookie", directive::look_assigned),
    ("insecure-password ", directive::look),
    ("auth-pass ", directive::look_second),
    ("stats auth ", directive::look_user_and_password),
    (">>> '", directive::look_quoted_line),
    (" on >", directive::look),
    ("bearer ", scheme::look_bearer),
    ("basic ", scheme::look_basic),
    ("auth plain ", scheme::look_auth_plain),
    ("://", url::look),
    (" -u ", url::look_curl_user),
    (" -p", url::look_mysql_password),
    (" --user ", url::look_curl_user),
    ("@", url::look_userinfo),
    ("@tcp(", url::look_go_dsn),
    ("@udp(", url::look_go_dsn),
    ("@unix(", url::look_go_dsn),
    ("jdbc:oracle:", url::look_oracle),
    ("-----begin ", pem::look_begin),
    ("-----end ", pem::look_end),
    ("eyj", tokens::look_jwt),
    (":aa", tokens::look_telegram),
    ("q~", tokens::look_entra),
    ("-us", tokens::look_mailchimp),
];

/// The literals of [`LOOKS`], then the vendors' prefixes. `None` when the automaton cannot be built, which a test rules
/// out for these constants.
static LITERALS: LazyLock<Option<AhoCorasick>> = LazyLock::new(build);

fn build() -> Option<AhoCorasick> {
    let literals = LOOKS.iter().map(|(literal, _)| *literal).chain(tokens::prefixes());
    AhoCorasickBuilder::new().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(literals).ok()
}

/// Finds every secret that the built-in scanners know.
pub(super) fn scan(text: &str, spans: &mut Spans<'_>) {
    let Some(literals) = &*LITERALS else {
        // Without its literals nothing can be promised about a text, so nothing of it is handed out.
        spans.add(0..text.len());
        return;
    };
    let bytes = text.as_bytes();
    for found in literals.find_overlapping_iter(bytes) {
        // What lies in a secret already is gone; skipping it is also what keeps hostile text linear.
        if found.start() < spans.covered() {
            continue;
        }
        let literal = found.pattern().as_usize();
        match LOOKS.get(literal) {
            Some((_, look)) => look(bytes, found.range(), spans),
            None => tokens::look(bytes, literal - LOOKS.len(), found.range(), spans),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_automaton_can_be_built() {
        assert!(super::LITERALS.is_some());
    }
}
