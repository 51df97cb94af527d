//! Names as the C++ compilers mangle them, as far as they are needed to say which function it is: its own name and those of
//! the classes and namespaces around it, without arguments.

/// `Lane::weigh` of `_ZNK4Lane5weighEv`; `None` where it is no mangled name, or one of an operator.
pub fn demangled(symbol: &str) -> Option<String> {
    let rest = symbol.strip_prefix("_Z")?;
    let Some(nested) = rest.strip_prefix('N') else {
        let (scope, rest) = rest.strip_prefix("St").map_or(("", rest), |rest| ("std::", rest));
        let (name, _) = source_name(rest.trim_start_matches('L'))?;
        return Some(format!("{scope}{name}"));
    };
    let mut rest = nested.trim_start_matches(['r', 'V', 'K', 'R', 'O']);
    let mut names: Vec<String> = Vec::new();
    while !rest.is_empty() && !rest.starts_with('E') {
        rest = part(rest, &mut names)?;
    }
    (!names.is_empty()).then(|| names.join("::"))
}

/// Reads one part of a nested name and returns what follows it.
fn part<'a>(text: &'a str, names: &mut Vec<String>) -> Option<&'a str> {
    if let Some((name, rest)) = source_name(text) {
        names.push(name);
        return Some(rest);
    }
    let last = || names.last().cloned();
    match text.as_bytes() {
        [b'S', b't', ..] => names.push("std".to_owned()),
        [b'S', b's', ..] => names.push("std::string".to_owned()),
        [b'C', b'1'..=b'5', ..] => names.push(last()?),
        [b'D', b'0'..=b'5', ..] => names.push(format!("~{}", last()?)),
        [b'I', ..] => return after_arguments(text),
        [b'L', b'0'..=b'9', ..] => return Some(&text[1..]),
        _ => return None,
    }
    text.get(2..)
}

/// `4Lane`: the name and what follows it.
fn source_name(text: &str) -> Option<(String, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let length: usize = text[..digits].parse().ok()?;
    let name = text.get(digits..digits + length)?;
    let shown = if name.starts_with("_GLOBAL__N_") { "(anonymous namespace)" } else { name };
    Some((shown.to_owned(), &text[digits + length..]))
}

/// What follows the template arguments that begin here.
fn after_arguments(text: &str) -> Option<&str> {
    let (mut rest, mut depth) = (text, 0u32);
    loop {
        if let Some((_, after)) = source_name(rest) {
            rest = after;
            continue;
        }
        // A value such as `Li4E` ends where its own letter does.
        if rest.starts_with('L') {
            rest = rest.split_once('E')?.1;
            continue;
        }
        match rest.bytes().next()? {
            b'I' | b'N' | b'X' | b'J' | b'F' => depth += 1,
            b'E' => depth -= 1,
            _ => {}
        }
        rest = rest.get(1..)?;
        if depth == 0 {
            return Some(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_operators_are_not() {
        let cases = [
            ("_ZNK4Lane5weighEv", Some("Lane::weigh")),
            ("_Z7handleri", Some("handler")),
            ("_ZN6sorter4LaneC2Ei", Some("sorter::Lane::Lane")),
            ("_ZN6sorter4LaneD1Ev", Some("sorter::Lane::~Lane")),
            ("_ZN12_GLOBAL__N_15closeEi", Some("(anonymous namespace)::close")),
            ("_ZSt9terminatev", Some("std::terminate")),
            ("_ZNSt6vectorIiSaIiEE2atEm", Some("std::vector::at")),
            ("_ZN4BeltI4LaneLi4EE3runEv", Some("Belt::run")),
            ("_ZL5closei", Some("close")),
            ("_ZN4LaneplERKS_", None),
            ("_ZN4Lane9999closeEv", None),
            ("_ZN4BeltI", None),
            ("main", None),
        ];
        for (symbol, expected) in cases {
            assert_eq!(demangled(symbol).as_deref(), expected, "{symbol}");
        }
    }
}
