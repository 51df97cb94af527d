//! Renderings against files that were checked by hand, and properties over any log.

use proptest::prelude::*;

use super::*;
use crate::notify::message::tests::message;

fn pretty(message: &Message) -> String {
    serde_json::to_string_pretty(&render(message)).unwrap() + "\n"
}

/// Compares with a file; `UPDATE_SNAPSHOTS=1` writes it anew, for a person to read the difference.
fn assert_snapshot(name: &str, actual: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/notify").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    assert_eq!(actual, std::fs::read_to_string(&path).unwrap(), "{}", path.display());
}

fn out_of_memory() -> Message {
    Message {
        namespace: "shop".to_owned(),
        report: "worker-main-aaaaaaaaaaaa".to_owned(),
        workload: "StatefulSet/worker".to_owned(),
        container: "main".to_owned(),
        reason: "OOMKilled".to_owned(),
        cause: "The kernel killed it at its memory limit.".to_owned(),
        exit: Some("exit code 137, OOMKilled".to_owned()),
        caveat: Some("the container wrote nothing"),
        command: "kubectl -n shop describe crashreport worker-main-aaaaaaaaaaaa".to_owned(),
        count: 12,
        pods: 3,
        ..Message::default()
    }
}

#[test]
fn a_map_race_is_rendered_as_checked_by_hand() {
    assert_snapshot("slack-concurrent-map-writes.json", &pretty(&message()));
}

#[test]
fn a_crash_without_a_log_is_rendered_as_checked_by_hand() {
    assert_snapshot("slack-out-of-memory.json", &pretty(&out_of_memory()));
}

/// Every string in the body, with the kind of object that holds it.
fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// Slack's own limits, as documented, not the budgets of the renderer.
pub(crate) fn check_limits(body: &Value) -> Result<(), String> {
    let length = |text: &Value| text.as_str().map_or(0, |text| text.encode_utf16().count());
    let within = |what: &str, length: usize, limit: usize| {
        if (1..=limit).contains(&length) { Ok(()) } else { Err(format!("{what}: {length} of {limit}")) }
    };
    let blocks = body["blocks"].as_array().ok_or("no blocks")?;
    within("text", length(&body["text"]), 40_000)?;
    within("blocks", blocks.len(), 50)?;
    for block in blocks {
        match block["type"].as_str() {
            Some("header") => within("header", length(&block["text"]["text"]), 150)?,
            Some("section") if block.get("text").is_some() => within("section", length(&block["text"]["text"]), 3000)?,
            Some("section") => {
                let fields = block["fields"].as_array().ok_or("no fields")?;
                within("fields", fields.len(), 10)?;
                fields.iter().try_for_each(|field| within("field", length(&field["text"]), 2000))?;
            }
            Some("context") => within("elements", block["elements"].as_array().map_or(0, Vec::len), 10)?,
            other => return Err(format!("block of type {other:?}")),
        }
    }
    let mut all = Vec::new();
    strings(&body["blocks"], &mut all);
    within("all blocks", all.iter().map(|text| text.encode_utf16().count()).sum(), 12_000)
}

fn is_escaped(text: &str) -> bool {
    let escapes = ["&amp;", "&lt;", "&gt;"];
    !text.contains(['<', '>'])
        && text.match_indices('&').all(|(at, _)| escapes.iter().any(|escape| text[at..].starts_with(escape)))
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<!channel>",
        "<!here>",
        "<@U123>",
        "<http://evil|ok>",
        "```",
        "`",
        "&",
        "&amp;",
        "<",
        ">",
        "*",
        "_",
        "~",
        "\n",
        "\n\n",
        "http://example.com",
        ":skull:",
        "@here",
        "\"",
        "\\",
        "é",
        "日本",
        "🦀",
        "panic: x",
        "                ",
        "\t",
        "a long piece of text that makes the whole longer than what fits ",
    ]);
    let long = prop_oneof![9 => 0usize..40, 1 => 200usize..900];
    long.prop_flat_map(move |most| prop::collection::vec(pieces.clone(), 0..=most)).prop_map(|pieces| pieces.concat())
}

prop_compose! {
    fn any_message()(
        texts in prop::collection::vec(hostile(), 8),
        prove in prop::collection::vec(hostile(), 0..9),
        fix in prop::collection::vec(hostile(), 0..9),
        count in any::<i64>(),
        pods in any::<i64>(),
    ) -> Message {
        let [cause, quote, culprit, lines, pod, running, cluster, name] = <[String; 8]>::try_from(texts).unwrap();
        Message {
            cluster: Some(cluster), workload: format!("Deployment/{name}"), report: name, cause, quote, lines, prove, fix, count, pods,
            culprit: Some(culprit), pod: Some(pod), running: Some(running), ..message()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_log_says_the_body_keeps_slacks_limits(message in any_message()) {
        check_limits(&render(&message)).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn whatever_a_log_says_it_mentions_nobody_and_links_nowhere(message in any_message()) {
        let body = render(&message);
        let mut all = Vec::new();
        strings(&body, &mut all);
        for text in all {
            prop_assert!(is_escaped(text), "{text:?}");
            prop_assert!(text.matches("```").count() % 2 == 0, "{text:?}");
        }
        let mrkdwn = body.to_string().matches(r#""type":"mrkdwn""#).count();
        prop_assert_eq!(body.to_string().matches(r#""verbatim":true"#).count(), mrkdwn);
        prop_assert_eq!(&body["unfurl_links"], &json!(false));
    }
}
