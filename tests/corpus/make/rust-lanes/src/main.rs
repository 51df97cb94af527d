mod lanes;
mod net;

use std::env;

fn log() {
    for n in 0..6 {
        println!("2026-11-25T02:11:0{n}.113Z  INFO lanes::scan: scan parcel=PX{n} depot=GVA");
    }
}

fn tick(n: u32) {
    for i in 0..n {
        println!("2026-11-25T02:12:{:02}.113Z  INFO lanes::scan: scan parcel=PX{i} depot=BSL", i % 60);
    }
}

fn run(what: &str) -> anyhow::Result<()> {
    match what {
        "gate" => println!("{}", lanes::gate(&[1, 2, 3], env::args().count() + 5)),
        "slice" => println!("{:?}", lanes::slice("lane", env::args().count() + 5)),
        "unwrap" => println!("{}", lanes::first(&[])),
        "expect" => println!("{}", lanes::named("LUG")),
        "parse" => println!("{}", lanes::parsed("four")),
        "parse_expect" => println!("{}", lanes::parsed_expect("four")),
        "key" => println!("{}", lanes::keyed("LUG")),
        "borrow" => lanes::Table::default().rename_all(),
        "overflow" => println!("{}", lanes::grams(250, env::args().count() as u8 + 10)),
        "divide" => println!("{}", lanes::share(100, env::args().count() as u32 - 2)),
        "assert" => lanes::check(3, 4),
        "todo" => todo!("lane printing"),  // «todo»
        "unreachable" => unreachable!("lane {} has no gate", 9),
        "closed" => panic!("lane 9 is closed until 06:30"),  // «closed»
        "multiline" => panic!("manifest rejected:\n  line 3: no depot\n\n  line 9: no weight"),  // «multiline»
        "deep" => println!("{}", lanes::deep(1)),
        "alloc" => println!("{}", vec![0u8; isize::MAX as usize / 2].len()),
        "double" => lanes::double(),
        "thread" => {
            let worker = std::thread::Builder::new().name("sorter".into()).spawn(|| lanes::first(&[]));
            let _ = worker.unwrap().join();
            tick(20);
        }
        "thread_join" => println!("{}", std::thread::spawn(|| lanes::first(&[])).join().unwrap()),
        "poison" => lanes::poison(),
        "process_exit" => {
            eprintln!("lanes: no lane is open, giving up");
            std::process::exit(3);
        }
        "env" => println!("{}", lanes::setting("LANES_URL")),
        "env_unwrap" => println!("{}", env::var("LANES_URL").unwrap()),  // «env-unwrap»
        "anyhow" => lanes::start()?,
        "refused" => net::connect()?,
        "refused_unwrap" => println!("{:?}", net::client()),
        "listen" => net::listen()?,
        "json" => drop(serde_json::from_str::<serde_json::Value>("{\"lanes\": 4,}")?),
        "caught" => {
            let _ = std::panic::catch_unwind(|| lanes::first(&[]));
            tick(30);
            lanes::gate(&[1], 7);
        }
        other => anyhow::bail!("unknown job {other}"),
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn tasks(what: &str) {
    match what {
        "task" => {
            let _ = tokio::spawn(async { lanes::first(&[]) }).await;
            tick(20);
        }
        "task_unwrap" => {
            tokio::spawn(async { lanes::first(&[]) }).await.unwrap();
        }
        "timeout" => {
            tokio::time::timeout(std::time::Duration::from_millis(5), std::future::pending::<()>()).await.unwrap();
        }
        "tracing" => {
            tracing_subscriber::fmt().json().init();
            std::panic::set_hook(Box::new(|info| {
                let place = info.location().map(|l| l.to_string());
                tracing::error!(location = place, "{info}");
            }));
            for n in 0..5 { tracing::info!(n, "scan parcel"); }
            lanes::first(&[]);
        }
        "tracing_error" => {
            tracing_subscriber::fmt().json().init();
            for n in 0..5 { tracing::info!(n, "scan parcel"); }
            let error = std::net::TcpStream::connect("127.0.0.1:9").unwrap_err();
            tracing::error!(error = %error, "cannot reach the carrier");
            std::process::exit(1);
        }
        _ => {}
    }
}

fn main() -> anyhow::Result<()> {
    let what = env::args().nth(1).unwrap_or_default();
    if !what.starts_with("trac") { log(); }
    if what == "eyre" { ended(eyre_main()); }
    if what == "io" { ended(io_main()); }
    tasks(&what);
    run(&what)
}

fn eyre_main() -> eyre::Result<()> {
    use eyre::WrapErr;
    std::fs::read_to_string("/etc/lanes/lanes.toml").wrap_err("cannot read the lanes")?;  // «eyre»
    Ok(())
}

fn io_main() -> std::io::Result<()> {
    std::fs::read_to_string("/etc/lanes/lanes.toml")?;
    Ok(())
}

/// What the standard library does with an error that `main` returns.
fn ended<E: std::fmt::Debug>(result: Result<(), E>) {
    if let Err(error) = result {
        eprintln!("Error: {error:?}");
        std::process::exit(1);
    }
}
