//! Cutting text to a number of bytes without cutting a character.

/// The longest start of a text that has at most `bytes` bytes and ends on a character border.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The longest end of a text that has at most `bytes` bytes and starts on a character border.
pub(crate) fn cut_front(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// The start of a text that may be absent, as an owned one.
pub(crate) fn cut_opt(text: Option<&str>, bytes: usize) -> Option<String> {
    text.map(|text| cut(text, bytes).to_owned())
}

/// Cuts a text in place.
pub(crate) fn cut_in_place(text: &mut String, bytes: usize) {
    text.truncate(cut(text, bytes).len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_never_cut() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut_front("éa", 2), "a");
        assert_eq!(cut_front("éa", 9), "éa");
        let mut text = "日本".to_owned();
        cut_in_place(&mut text, 5);
        assert_eq!(text, "日");
    }
}
