//! An error as snafu lists its causes.
use snafu::prelude::*;

#[derive(Debug, Snafu)]
enum Failed {
    #[snafu(display("cannot open the store"))]
    Open { source: Inner },
}

#[derive(Debug, Snafu)]
#[snafu(display("cannot connect to 127.0.0.1:1"))]
struct Inner {
    source: std::io::Error,
}

#[snafu::report]
fn main() -> Result<(), Failed> {
    println!("2026-11-24T08:00:01Z  INFO chains: starting");
    std::net::TcpStream::connect("127.0.0.1:1").map(|_| ()).context(InnerSnafu).context(OpenSnafu)
}
