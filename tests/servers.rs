//! The last words of servers that the corpus cannot have, since nobody here can run them: `servers.yaml`.

#![allow(clippy::unwrap_used)]

use coroner::classify::{Engine, ExitFacts};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Words {
    name: String,
    exit_code: i32,
    reason: String,
    runtime: String,
    message: String,
    log: String,
}

#[test]
fn the_last_words_of_servers_are_understood() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers.yaml");
    let all: Vec<Words> = coroner::yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let engine = Engine::default();
    for words in &all {
        let facts = ExitFacts { exit_code: Some(words.exit_code), ..ExitFacts::default() };
        let finding = engine.classify(words.log.as_bytes(), facts).finding;
        let said = (finding.reason.as_str(), finding.runtime.as_str());
        assert_eq!(said, (words.reason.as_str(), words.runtime.as_str()), "{}", words.name);
        assert!(finding.message.starts_with(&words.message), "{}: {}", words.name, finding.message);
    }
    assert!(all.len() > 30);
}
