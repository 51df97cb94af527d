//! Text for Slack's `mrkdwn`: escaped, so that nothing of a log becomes a mention, a link or formatting, and cut to the
//! limits, which Slack counts in characters.

/// What cut text ends with.
const ELLIPSIS: &str = "…";

/// Escapes what Slack reads as markup.
fn escape(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

/// Escaped text of at most `limit` UTF-16 units (Slack's clients count those; it is never less than characters), which
/// never ends inside an escape.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    let mut length = 0;
    // How much of `out` would leave room for the ellipsis.
    let mut fitting = 0;
    for c in text.chars() {
        let size = escape(c).map_or(c.len_utf16(), str::len);
        if length + size > limit {
            out.truncate(fitting);
            out.push_str(if limit > 0 { ELLIPSIS } else { "" });
            return out;
        }
        length += size;
        match escape(c) {
            Some(escape) => out.push_str(escape),
            None => out.push(c),
        }
        if length < limit {
            fitting = out.len();
        }
    }
    out
}

/// Sentences of rules and of our own, on one line: code in backticks stays code, as long as every backtick has its other.
pub(super) fn prose(text: &str, limit: usize) -> String {
    let prose = escaped(&one_line(text), limit);
    let is_paired = prose.matches('`').count().is_multiple_of(2) && !prose.contains("``");
    if is_paired { prose } else { prose.replace('`', "'") }
}

/// One line without any markup at all, for where Slack reads none: nothing is escaped, what would be is dropped.
pub(super) fn plain(text: &str, limit: usize) -> String {
    escaped(&one_line(text).replace(['<', '>', '&', '`'], ""), limit)
}

/// One line as code. A backtick would end the code, so it becomes an apostrophe.
pub(super) fn code(text: &str, limit: usize) -> String {
    let text = one_line(text).replace('`', "'");
    match text.trim() {
        "" => String::new(),
        text => format!("`{}`", escaped(text, limit.saturating_sub(2))),
    }
}

/// Several lines as a code block, cut at a line end where one is near. Three backticks would end the block.
pub(super) fn code_block(text: &str, limit: usize) -> Option<String> {
    const FENCE: &str = "```";
    let text = text.replace('`', "'");
    let text = text.trim_matches('\n');
    if text.trim().is_empty() {
        return None;
    }
    let room = limit.saturating_sub(2 * FENCE.len() + 2);
    let mut body = escaped(text, room);
    let is_cut = body.ends_with(ELLIPSIS) && !text.ends_with(ELLIPSIS);
    if let Some(line_end) = body.rfind('\n').filter(|_| is_cut) {
        body.truncate(line_end + 1);
        body.push_str(ELLIPSIS);
    }
    Some(format!("{FENCE}\n{body}\n{FENCE}"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_never_cut_in_two() {
        assert_eq!(escaped("a<b>&", 99), "a&lt;b&gt;&amp;");
        assert_eq!(escaped("<!channel>", 99), "&lt;!channel&gt;");
        assert_eq!(escaped("ab<c", 6), "ab…");
        assert_eq!(escaped("ab<c", 7), "ab&lt;c");
        assert_eq!(escaped("abcdef", 6), "abcdef");
        assert_eq!(escaped("abcdefg", 6), "abcde…");
        assert_eq!(escaped("🦀🦀🦀", 5), "🦀🦀…");
        assert_eq!(escaped("abc", 0), "");
    }

    #[test]
    fn backticks_never_end_code() {
        assert_eq!(code("a `b` <c>", 99), "`a 'b' &lt;c&gt;`");
        assert_eq!(code("  ", 99), "");
        assert_eq!(code_block("x ``` y", 99).unwrap(), "```\nx ''' y\n```");
        assert_eq!(code_block("\n \n", 99), None);
    }

    #[test]
    fn prose_keeps_its_code_only_where_every_backtick_has_its_other() {
        assert_eq!(prose("run `go test`\nnow", 99), "run `go test` now");
        assert_eq!(prose("run `go test", 99), "run 'go test");
        assert_eq!(prose("run `go test` now", 10), "run 'go t…");
        assert_eq!(prose("x ``` y ``` z", 99), "x ''' y ''' z");
        assert_eq!(plain("a <b>\n`c` d", 99), "a b c d");
    }

    #[test]
    fn a_code_block_is_cut_at_a_line_end() {
        assert_eq!(code_block("first line\nsecond line\nthird", 30).unwrap(), "```\nfirst line\n…\n```");
        assert_eq!(code_block("firstlinethatislong", 18).unwrap(), "```\nfirstline…\n```");
    }
}
