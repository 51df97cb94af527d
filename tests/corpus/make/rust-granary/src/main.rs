mod silo;
use anyhow::Context;
use silo::{mix, Jute, Sack, Silo};
use std::time::Duration;

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct Settings {
    granary_url: String,
    granary_port: u16,
}

#[inline(never)]
fn connect() -> anyhow::Result<()> {
    std::net::TcpStream::connect("127.0.0.1:1")
        .context("connect to the scale at 127.0.0.1:1")?; // «connect»
    Ok(())
}

fn logged() {
    env_logger::Builder::new().filter_level(log::LevelFilter::Info).init();
    log_panics::init();
}

/// A hook that logs a panic as fields.
fn fields() {
    tracing_subscriber::fmt().init();
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let payload = panic.payload().downcast_ref::<String>();
        tracing::error!(panic.location = ?location, panic.payload = ?payload, "A panic occurred");
    }));
}

/// A hook that takes the backtrace itself.
fn traced() {
    tracing_subscriber::fmt().json().init();
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::force_capture();
        tracing::error!(%backtrace, "{panic}");
    }));
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("granary 0.4.2 starting");
    for load in 0..6 {
        println!("granary: weighed load {load} of {} t", load * 3 % 17);
    }
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "level" => drop(Silo::new().level(7)),
        "fill" => println!("{}", (&Jute(4u8) as &dyn Sack).fill(1)),
        "refused" => connect().unwrap(), // «refused»
        "settings" => println!("{:?}", envy::from_env::<Settings>().expect("read settings")), // «settings»
        "refused-setting" => {
            if let Err(error) = envy::from_env::<Settings>() {
                eprintln!("granary: {error}");
                std::process::exit(78);
            }
        }
        "elapsed" => tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>())
            .await
            .expect("the scale did not answer"), // «elapsed»
        "null" => unsafe { println!("{}", *(std::hint::black_box(0usize) as *const u32)) }, // «null»
        "logged" => {
            logged();
            Silo::new().level(7);
        }
        "better" => {
            better_panic::install();
            Silo::new().level(7);
        }
        "fields" => {
            fields();
            Silo::new().level(7);
        }
        "traced" => {
            traced();
            Silo::new().level(7);
        }
        "task" => drop(tokio::spawn(mix(7)).await.context("mixer task")?),
        "variable" => drop(std::env::var("GRANARY_URL").map_err(|error| {
            eprintln!("Error: {error:?}");
            std::process::exit(1)
        })),
        "hatch" => {
            thread_local!(static HATCH: silo::Hatch = const { silo::Hatch });
            let _ = std::thread::spawn(|| HATCH.with(|_| ())).join();
        }
        "callback" => {
            extern "C" fn called(day: usize) {
                Silo::new().level(day);
            }
            called(7);
        }
        "long" => panic!("rejected manifest: {}", "0123456789abcdef".repeat(4096)), // «long»
        job => anyhow::bail!("no job {job}"),
    }
    Ok(())
}
