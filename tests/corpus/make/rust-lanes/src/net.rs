use std::net::{TcpListener, TcpStream};

use anyhow::Context;

pub fn connect() -> anyhow::Result<()> {
    TcpStream::connect("127.0.0.1:9").context("cannot reach the carrier")?;  // «connect»
    Ok(())
}

#[inline(never)]
pub fn client() -> TcpStream {
    TcpStream::connect("127.0.0.1:9").unwrap()  // «client»
}

pub fn listen() -> anyhow::Result<()> {
    let first = TcpListener::bind("127.0.0.1:0")?;
    TcpListener::bind(first.local_addr()?).context("cannot listen")?;
    Ok(())
}
