//! Frames of GHC's call stacks: `  votes, called at src/Tally.hs:28:22 in main:Tally`.
//!
//! GHC names what was called and where; who called it is the function that the next frame names. So a frame takes its
//! name from the one below it, and the last one has none.

use crate::classify::finding::Frame;

/// Longest line that is read as a frame.
const BYTES: usize = 2048;

/// Packages that come with GHC and that most programs have.
const PACKAGES: &str = " base ghc ghc-prim ghc-internal ghc-bignum ghc-boot integer-gmp containers bytestring text array \
    deepseq directory filepath process unix time transformers mtl stm exceptions random async aeson attoparsec \
    attoparsec-aeson vector vector-stream primitive unordered-containers hashable scientific network network-uri \
    http-client http-client-tls http-conduit http-types wai wai-extra wai-app-static warp warp-tls servant \
    servant-server servant-client servant-client-core yesod yesod-core persistent persistent-postgresql esqueleto \
    postgresql-simple postgresql-libpq hasql hasql-pool mysql-simple sqlite-simple resource-pool conduit \
    conduit-extra resourcet unliftio unliftio-core rio monad-logger fast-logger katip co-log lens microlens \
    optparse-applicative yaml parsec megaparsec tls connection crypton crypton-connection x509 x509-validation \
    cryptonite memory safe-exceptions split safe extra hedis amqp hspec hspec-core tasty QuickCheck hedgehog \
    criterion Cabal polysemy effectful freer-simple scotty Spock snap-core snap-server envy envparse dhall ";

/// One line of a call stack: what was called, and the place.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function that was called.
    pub called: String,
    /// The place of the call; its function is not known yet.
    pub frame: Frame,
}

/// A line of a call stack.
pub fn call(line: &[u8]) -> Option<Call> {
    let line = std::str::from_utf8(&line[..line.len().min(BYTES)]).ok()?.trim();
    let (called, rest) = line.split_once(", called at ")?;
    let (place, package) = rest.rsplit_once(" in ")?;
    let (file, number) = place_of(place)?;
    let plain = !called.is_empty() && !called.contains([' ', ':', '"']);
    let frame = Frame {
        function: String::new(),
        file: Some(file),
        line: Some(number),
        in_app: !is_library(package.split(':').next().unwrap_or_default()),
    };
    plain.then(|| Call { called: called.to_owned(), frame })
}

/// A line of a stack of cost centres, which a program built with `-prof` prints: `  Tally.votes (src/Tally.hs:22:1-40)`.
pub fn cost_centre(line: &[u8]) -> Option<Frame> {
    let line = std::str::from_utf8(&line[..line.len().min(BYTES)]).ok()?;
    let (function, place) = line.strip_prefix("  ")?.trim().strip_suffix(')')?.split_once(" (")?;
    let plain = function.contains('.') && !function.contains(' ');
    let (file, number) = place_of(place).filter(|_| plain)?;
    let in_app = !function.starts_with("GHC.") && !file.starts_with("libraries/");
    Some(Frame { function: function.to_owned(), file: Some(file), line: Some(number), in_app })
}

/// `src/Tally.hs:28:22`, `src/Tally.hs:28:22-30`, `src/Tally.hs:(28,1)-(30,4)`: file and line.
pub fn place_of(place: &str) -> Option<(String, u32)> {
    let end = [".hs:", ".lhs:", ".hsc:"].iter().find_map(|end| place.find(end).map(|at| at + end.len()))?;
    let digits = place[end..].trim_start_matches('(');
    let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let file = place[..end - 1].trim_start_matches("./");
    Some((file.to_owned(), digits[..length].parse().ok()?)).filter(|_| !file.contains([' ', '"']))
}

/// `containers-0.6.4.1`, `base`, `ghc-internal`
fn is_library(package: &str) -> bool {
    let numbered = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let name = package.split('-').take_while(|part| !numbered(part)).collect::<Vec<_>>().join("-");
    PACKAGES.split_ascii_whitespace().any(|known| known == name)
}

/// The frames of a call stack, each with the name of the function that it lies in.
pub fn named(calls: &[Call]) -> Vec<Frame> {
    let enclosing = |at: usize| calls.get(at + 1).map(|call| call.called.clone()).unwrap_or_default();
    calls.iter().enumerate().map(|(at, call)| Frame { function: enclosing(at), ..call.frame.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_lies_in_the_function_that_the_next_one_calls() {
        let lines = [
            "  error, called at libraries/base/Data/Maybe.hs:148:21 in base:Data.Maybe",
            "  fromJust, called at ./src/Tally.hs:31:25 in tally-0.1.0.0-inplace:Tally",
            "  votes, called at app/Main.hs:7:3 in main:Main",
        ];
        let calls: Vec<Call> = lines.iter().map(|line| call(line.as_bytes()).unwrap()).collect();
        let shown: Vec<String> = named(&calls)
            .iter()
            .map(|frame| {
                format!(
                    "{} {}:{} {}",
                    frame.function,
                    frame.file.as_deref().unwrap(),
                    frame.line.unwrap(),
                    frame.in_app
                )
            })
            .collect();
        assert_eq!(
            shown,
            ["fromJust libraries/base/Data/Maybe.hs:148 false", "votes src/Tally.hs:31 true", " app/Main.hs:7 true",]
        );
        for line in ["  error, called at noon", "  he said, called at A.hs in x", ""] {
            assert_eq!(call(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn places_and_cost_centres_are_read() {
        assert_eq!(place_of("./A.hs:(3,1)-(5,9)"), Some(("A.hs".to_owned(), 3)));
        assert_eq!(place_of("no place"), None);
        let frame = cost_centre(b"  Tally.votes (src/Tally.hs:22:1-40)").unwrap();
        assert_eq!((frame.function.as_str(), frame.line, frame.in_app), ("Tally.votes", Some(22), true));
        assert!(is_library("containers-0.6.4.1") && is_library("ghc-internal") && !is_library("tally-core-0.1"));
    }
}
