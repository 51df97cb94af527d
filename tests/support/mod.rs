//! What several tests share. Each test binary compiles it whole and uses a part.
#![allow(dead_code)]

pub mod fake_apiserver;
pub mod replay;
pub mod samples;
