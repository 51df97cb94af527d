//! A message as Slack's blocks. Pure.
//!
//! Everything that comes from a log or a cluster is escaped and stands in code, with `verbatim` set, so that Slack makes
//! no mention, link, emoji or formatting of it. Slack's documented limits: 50 blocks, 150 characters in a header, 3000 in
//! a section's text, 10 fields of 2000 each. Beside them there is a limit on all blocks together that is not documented
//! (`msg_blocks_too_long`; users measured about 12,000 characters), which the budgets here stay below in sum.

use serde_json::{Value, json};

use super::text::{code, code_block, plain, prose};
use crate::notify::Message;

/// Characters of a header.
const HEADER: usize = 150;
/// Characters of one field.
const FIELD: usize = 300;
/// Characters of the cause and of the quoted message.
const CAUSE: usize = 1300;
/// Characters of the decisive lines.
const LINES: usize = 2800;
/// Characters of how to prove it, and of how to fix it.
const STEPS: usize = 1400;
/// Characters of what stands below.
const CONTEXT: usize = 500;
/// Characters of the text that a phone shows in place of blocks.
const FALLBACK: usize = 600;

/// The body of the request that posts a message.
pub fn render(message: &Message) -> Value {
    let blocks = [
        Some(header(message)),
        Some(fields(message)),
        cause(message).map(|cause| section(&cause)),
        code_block(&message.lines, LINES).map(|lines| section(&lines)),
        steps("How to prove it", &message.prove),
        steps("How to fix it", &message.fix),
        Some(context(message)),
    ];
    json!({
        "text": fallback(message),
        // What the text says is not to be formatted, and a URL in it not to be fetched and shown.
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks.into_iter().flatten().collect::<Vec<Value>>(),
    })
}

fn title(message: &Message) -> String {
    format!("{} in {}/{}", message.reason, message.namespace, message.workload)
}

fn header(message: &Message) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "emoji": false, "text": plain(&title(message), HEADER)}})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "verbatim": true, "text": text})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn fields(message: &Message) -> Value {
    let seen = match (message.count, message.pods) {
        (count, pods) if pods > 1 => format!("{count} times in {pods} pods"),
        (1, _) => "for the first time".to_owned(),
        (count, _) => format!("{count} times"),
    };
    let fields = [
        ("Culprit", message.culprit.as_deref()),
        ("Container", Some(message.container.as_str())),
        ("Exit", message.exit.as_deref()),
        ("Seen", Some(seen.as_str())),
        ("Pod", message.pod.as_deref()),
        ("Running", message.running.as_deref()),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some(field(name, value?)));
    json!({"type": "section", "fields": fields.collect::<Vec<Value>>()})
}

fn field(name: &str, value: &str) -> Value {
    let title = format!("*{name}*\n");
    let room = FIELD - title.len();
    mrkdwn(&format!("{title}{}", code(value, room)))
}

fn cause(message: &Message) -> Option<String> {
    let parts = [prose(&message.cause, CAUSE / 2), code(&message.quote, CAUSE / 2 - 1)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn steps(title: &str, steps: &[String]) -> Option<Value> {
    let mut text = format!("*{title}*");
    let each = (STEPS - text.len()) / steps.len().max(1);
    for (number, step) in (1..).zip(steps) {
        let start = format!("\n{number}. ");
        let room = each.saturating_sub(start.len());
        text.push_str(&start);
        text.push_str(&prose(step, room));
    }
    (!steps.is_empty()).then(|| section(&text))
}

fn context(message: &Message) -> Value {
    let mut elements = vec![mrkdwn(&format!("More: {}", code(&message.command, CONTEXT)))];
    if let Some(cluster) = &message.cluster {
        elements.push(mrkdwn(&format!("Cluster {}", code(cluster, CONTEXT / 4))));
    }
    if let Some(caveat) = message.caveat {
        elements.push(mrkdwn(&format!("Note: {}", prose(caveat, CONTEXT / 2))));
    }
    json!({"type": "context", "elements": elements})
}

fn fallback(message: &Message) -> String {
    let place = message.culprit.as_ref().map(|culprit| format!(" at {culprit}")).unwrap_or_default();
    let what = if message.quote.is_empty() { &message.cause } else { &message.quote };
    plain(&format!("{}{place}: {what}", title(message)), FALLBACK)
}

#[cfg(test)]
pub(crate) mod tests;
