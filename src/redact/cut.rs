//! Cutting text on character borders.

/// What a cut line ends with.
const ELLIPSIS: &str = "…";

/// The longest beginning of `text` that has at most `max_bytes` bytes and ends on a character border.
pub fn cut(text: &str, max_bytes: usize) -> &str {
    &text[..floor(text, max_bytes)]
}

/// Cuts every line longer than `line_bytes` (its end shown as `…`, which counts), and drops the lines that no longer fit
/// into `total_bytes`. Whole lines go, never half a line, except for a first line that alone is too long.
pub fn cut_lines(text: &str, line_bytes: usize, total_bytes: usize) -> String {
    let line_bytes = line_bytes.min(total_bytes);
    let mut kept = String::with_capacity(text.len().min(total_bytes));
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let body_cut = cut_line(body, line_bytes);
        if kept.len() + body_cut.len() > total_bytes {
            break;
        }
        kept.push_str(&body_cut);
        if kept.len() + end.len() <= total_bytes {
            kept.push_str(end);
        }
    }
    kept
}

fn cut_line(line: &str, max_bytes: usize) -> std::borrow::Cow<'_, str> {
    if line.len() <= max_bytes {
        return line.into();
    }
    match max_bytes.checked_sub(ELLIPSIS.len()) {
        Some(room) => format!("{}{ELLIPSIS}", cut(line, room)).into(),
        None => cut(line, max_bytes).into(),
    }
}

/// The last character border at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut border = at.min(text.len());
    while !text.is_char_boundary(border) {
        border -= 1;
    }
    border
}

/// The first character border at or after `at`.
pub(super) fn ceil(text: &str, at: usize) -> usize {
    let mut border = at.min(text.len());
    while !text.is_char_boundary(border) {
        border += 1;
    }
    border
}
