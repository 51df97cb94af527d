//! The binary: install the crypto provider, parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // Before anything can make a TLS configuration: kube and reqwest would each pick their own. It fails only if one is
    // installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    coroner::cli::Cli::parse().run()
}
