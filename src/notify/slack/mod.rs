//! Slack by incoming webhook: [`blocks`] renders, [`webhook`] posts.

pub mod blocks;
pub mod webhook;

mod text;

pub use webhook::{SlackOptions, SlackSetupError, SlackWebhook};
