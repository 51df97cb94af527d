//! The programs that a run starts: the proxy with its two ways to the API server, and the operators behind it. Each ends with
//! the test, by its own handle.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// How often what cannot be waited for is looked at.
pub const GLANCE: Duration = Duration::from_millis(200);
/// How long a program may take to be there, or to end.
const PATIENCE: Duration = Duration::from_secs(120);
/// The first port of this test in the testbed's network: two for each way, one for each operator.
const PORTS: u16 = 10_400;

/// One of the two ways, and the operator that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The operator that runs all the time.
    A,
    /// The one that runs beside it for a while.
    B,
}

impl Side {
    fn port(self, offset: u16) -> u16 {
        PORTS + 10 * u16::from(self == Self::B) + offset
    }

    /// The name of its operator, the same through all its lives, as a pod's is through those of its container.
    pub fn name(self) -> &'static str {
        if self == Self::A { "operator-a" } else { "operator-b" }
    }

    fn address(self, offset: u16) -> String {
        format!("127.0.0.1:{}", self.port(offset))
    }
}

/// What went over one way.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Traffic {
    /// Requests that got through, by "METHOD resource".
    #[serde(default)]
    pub passed: BTreeMap<String, u64>,
    /// Faults by kind.
    #[serde(default)]
    pub struck: BTreeMap<String, u64>,
}

impl Traffic {
    /// Writes but for those of leases, which depend on time and not on crashes.
    pub fn writes(&self) -> u64 {
        let is_write = |what: &str| {
            ["POST ", "PUT ", "PATCH ", "DELETE "].iter().any(|method| what.starts_with(method))
                && !what.ends_with(" leases")
        };
        self.passed.iter().filter(|(what, _)| is_write(what)).map(|(_, count)| count).sum()
    }
}

/// A process that is killed with its owner.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The proxy.
pub struct Ways {
    _process: Owned,
    web: reqwest::Client,
}

impl Ways {
    /// Starts it and waits until it answers.
    pub async fn start(seed: u64) -> Self {
        let mut command = Command::new("fakenode");
        command.args(["proxy", "--seed", &seed.to_string()]);
        for side in [Side::A, Side::B] {
            command.args(["--way", &format!("{},{}", side.address(0), side.address(1))]);
        }
        let process = command.spawn().expect("fakenode is on PATH: run testbed/soak");
        let ways = Self { _process: Owned(process), web: reqwest::Client::new() };
        until("the proxy", || async { ways.get(Side::B).await.is_some() }).await;
        ways
    }

    /// Replaces the plan of one way.
    pub async fn plan(&self, side: Side, plan: &Value) {
        let answer = self.web.post(format!("http://{}/", side.address(1))).json(plan).send().await;
        let answer = answer.expect("the proxy answers");
        assert!(answer.status().is_success(), "plan {plan}: {:?}", answer.text().await);
    }

    /// What went over one way so far.
    pub async fn traffic(&self, side: Side) -> Traffic {
        self.get(side).await.expect("the proxy answers")
    }

    async fn get(&self, side: Side) -> Option<Traffic> {
        self.web.get(format!("http://{}/", side.address(1))).send().await.ok()?.json().await.ok()
    }
}

/// One life of an operator.
pub struct Operator {
    process: Owned,
    side: Side,
    log: PathBuf,
    web: reqwest::Client,
}

impl Operator {
    /// Starts one. `life` numbers its log.
    pub fn start(side: Side, folder: &Path, life: usize) -> Self {
        let log = folder.join(format!("{}-{life}.log", side.name()));
        let out = File::create(&log).expect("the log folder can be written");
        let process = Command::new(binary())
            .args(["operator", "--instance", side.name(), "--admin-listen", &side.address(2), "--log-format", "json"])
            .env("CORONER_CONFIG", config(folder))
            .env("KUBECONFIG", kubeconfig(side, folder))
            .env("CORONER_LOG", std::env::var("SOAK_LOG").unwrap_or_else(|_| "info".into()))
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file can be shared"))
            .stderr(out)
            .spawn()
            .expect("the operator can be started");
        Self { process: Owned(process), side, log, web: reqwest::Client::new() }
    }

    /// Ends it as a node that fails would: at once.
    pub fn kill(self) {
        drop(self);
    }

    /// Whether it ended by itself, which it never should.
    pub fn ended(&mut self) -> bool {
        self.process.0.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) {
        let pid = self.process.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.is_ok_and(|status| status.success()), "{} could not be asked to end", self.side.name());
        let mut status = None;
        let process = &mut self.process.0;
        until("the operator to end as asked", || {
            status = process.try_wait().expect("its end can be seen");
            std::future::ready(status.is_some())
        })
        .await;
        let status = status.expect("waited for");
        assert!(status.success(), "{} ended with {status}; its log: {}", self.side.name(), self.log.display());
    }

    /// Waits until it is ready, or for good where it never is.
    pub async fn until_ready(&self) {
        while self.get("readyz").await.is_none() {
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits until it is ready and has nothing left to do.
    pub async fn until_idle(&self) {
        until("an idle operator", || async {
            self.get("readyz").await.is_some() && self.get("metrics").await.is_some_and(|text| queue(&text) == Some(0))
        })
        .await;
    }

    async fn get(&self, path: &str) -> Option<String> {
        let answer = self.web.get(format!("http://{}/{path}", self.side.address(2))).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }
}

/// Terminations that are under way, as the metrics tell.
fn queue(metrics: &str) -> Option<i64> {
    let line = metrics.lines().find(|line| line.starts_with("coroner_queue_depth "))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn binary() -> String {
    std::env::var("CORONER_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_coroner").to_owned())
}

/// More reads of logs than by default: that a limited operator counts what it cannot read is another test's, and here it would
/// only slow down what is meant to be fast.
fn config(folder: &Path) -> PathBuf {
    let path = folder.join("config.yaml");
    std::fs::write(&path, "log: {inFlight: 32, perNode: 16, perSecond: 200}\n").expect("the log folder can be written");
    path
}

/// The way of a side as a kubeconfig.
fn kubeconfig(side: Side, folder: &Path) -> PathBuf {
    let path = folder.join(format!("{}.kubeconfig", side.name()));
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: proxy\n\
         clusters: [{{name: proxy, cluster: {{server: \"http://{}\"}}}}]\n\
         contexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\nusers: [{{name: proxy, user: {{}}}}]\n",
        side.address(0)
    );
    std::fs::write(&path, text).expect("the log folder can be written");
    path
}

/// Waits until something is true.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "gave up waiting for {what}");
        tokio::time::sleep(GLANCE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_counted_without_leases() {
        let passed =
            [("PUT configmaps", 3), ("GET pods/log", 9), ("PUT leases", 50), ("WATCH pods", 1), ("POST events", 4)];
        let passed = passed.map(|(what, count)| (what.to_owned(), count)).into();
        assert_eq!(Traffic { passed, ..Traffic::default() }.writes(), 7);
    }

    #[test]
    fn the_depth_of_the_queue_is_read_from_the_metrics() {
        assert_eq!(queue("# TYPE coroner_queue_depth gauge\ncoroner_queue_depth 12\n# EOF\n"), Some(12));
        assert_eq!(queue("# EOF\n"), None);
    }
}
