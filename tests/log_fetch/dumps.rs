//! Dumps that begin above the tail.

use super::*;

/// A Go dump of that many goroutines: the line that matters stands at its head.
fn dump(goroutines: usize) -> String {
    let head = "listening on :8080\nfatal error: concurrent map writes\n\ngoroutine 1 [running]:\n\
                main.(*Cache).Add(...)\n\t/src/shop/cache.go:28\nmain.main()\n\t/src/shop/main.go:12 +0x1d\n";
    let others = (2..=goroutines).map(|number| {
        format!(
            "\ngoroutine {number} [select]:\nmain.worker(0x{number:x})\n\t/src/shop/jobs.go:40 +0x9a\n\
             created by main.main in goroutine 1\n\t/src/shop/main.go:20 +0x7b\n"
        )
    });
    let text: String = std::iter::once(head.to_owned()).chain(others).collect();
    text.lines().map(|line| format!("2026-11-24T04:44:19.500000000Z {line}\n")).collect()
}

#[tokio::test]
async fn the_head_of_a_dump_above_the_tail_is_had_by_one_read_from_further_up() {
    let log = dump(3_000);
    let server = Server::default().current([Reply::Log(log.clone())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert_rests_on(&answer, &log);
    assert!(!answer.classification.head_missing);
    assert_eq!(answer.classification.finding.reason, reason::CONCURRENT_MAP_ACCESS);
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0]), (2, (false, 2000)));
    let line_bytes = log.len() / log.lines().count();
    let holds = FetchOptions::default().limit_bytes as usize / line_bytes;
    assert!(!asked[1].0 && asked[1].1.abs_diff(holds) < holds / 10, "{asked:?}, the limit holds {holds} lines");
}

#[tokio::test]
async fn the_head_of_a_dump_beyond_the_limit_is_said_to_be_missing() {
    let options = FetchOptions { limit_bytes: 600_000, ..FetchOptions::default() };
    let server = Server::default().current([Reply::Log(dump(30_000))]);
    let answer = server.fetch_with(&termination(SeenIn::State), options).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert!(answer.classification.head_missing);
    assert_eq!(answer.reads, 2, "two reads at most");
}

#[tokio::test]
async fn a_dump_without_a_head_in_a_log_that_was_read_whole_is_not_read_again() {
    let dump = dump(100);
    let lines: Vec<_> = dump.split_inclusive('\n').collect();
    let server = Server::default().current([Reply::Log(lines[20..].concat())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_eq!((answer.reads, answer.classification.head_missing), (1, true));
}
