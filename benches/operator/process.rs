//! The programs that are measured or measure: the operator and the proxy. Each ends with its owner, by its own handle.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const PROXY: &str = "127.0.0.1:10440";
const PROXY_CONTROL: &str = "127.0.0.1:10441";
const ADMIN: &str = "127.0.0.1:10442";

/// A process that is killed with its owner.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A way to the API server that counts what goes over it.
pub struct Proxy {
    _process: Owned,
    web: reqwest::Client,
}

/// Requests by "METHOD resource".
#[derive(Clone, Debug, Default)]
pub struct Requests(BTreeMap<String, u64>);

impl Requests {
    /// What came after an earlier count.
    pub fn since(mut self, before: &Self) -> Self {
        for (what, count) in &mut self.0 {
            *count -= before.0.get(what).copied().unwrap_or(0);
        }
        self
    }

    fn sum(&self, wanted: impl Fn(&str, &str) -> bool) -> u64 {
        let of = |what: &str| what.split_once(' ').is_some_and(|(method, resource)| wanted(method, resource));
        self.0.iter().filter(|(what, _)| of(what)).map(|(_, count)| count).sum()
    }

    /// All but watches and leases, which depend on time and not on crashes.
    pub fn all(&self) -> u64 {
        self.sum(|method, resource| method != "WATCH" && resource != "leases" && resource != "pods")
    }

    /// Writes of ledgers and reports.
    pub fn writes(&self) -> u64 {
        self.sum(|method, resource| {
            method != "GET" && (resource == "configmaps" || resource.starts_with("crashreports"))
        })
    }

    /// Writes of Events.
    pub fn events(&self) -> u64 {
        self.sum(|method, resource| method != "GET" && method != "WATCH" && resource == "events")
    }
}

impl Proxy {
    /// Starts it and waits until it answers.
    pub async fn start() -> Self {
        let mut command = Command::new("fakenode");
        command.args(["proxy", "--way", &format!("{PROXY},{PROXY_CONTROL}")]);
        let process = Owned(command.spawn().expect("fakenode is on PATH: run testbed/bench-operator"));
        let proxy = Self { _process: process, web: reqwest::Client::new() };
        while proxy.ask().await.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        proxy
    }

    async fn ask(&self) -> Option<Value> {
        self.web.get(format!("http://{PROXY_CONTROL}/")).send().await.ok()?.json().await.ok()
    }

    /// What went over it so far.
    pub async fn requests(&self) -> Requests {
        let told = self.ask().await.expect("the proxy answers");
        Requests(serde_json::from_value(told["passed"].clone()).expect("counts"))
    }
}

/// The operator, as it is by default.
pub struct Operator {
    process: Owned,
    web: reqwest::Client,
}

impl Operator {
    /// Starts it, directly or through the proxy, and waits until it has listed all pods.
    pub async fn start(through: Option<&Proxy>) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-operator");
        std::fs::create_dir_all(&folder).unwrap();
        let out = File::create(folder.join("operator.log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_coroner"));
        command.args(["operator", "--admin-listen", ADMIN]).stdin(Stdio::null());
        command.stdout(out.try_clone().unwrap()).stderr(out);
        // As in the image (Dockerfile).
        command
            .env("MALLOC_ARENA_MAX", "1")
            .env("MALLOC_TRIM_THRESHOLD_", "65536")
            .env("MALLOC_MMAP_THRESHOLD_", "65536");
        if through.is_some() {
            command.env("KUBECONFIG", kubeconfig(&folder));
        }
        let operator = Self { process: Owned(command.spawn().unwrap()), web: reqwest::Client::new() };
        while !operator.is_ready().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        operator
    }

    async fn is_ready(&self) -> bool {
        let answer = self.web.get(format!("http://{ADMIN}/readyz")).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// A line of its `/proc/PID/status`: `VmRSS`, or `VmHWM` for the most that it ever had.
    pub fn memory_mib(&self, line: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).unwrap();
        found.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        while self.process.0.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn kubeconfig(folder: &Path) -> PathBuf {
    let path = folder.join("proxy.kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: proxy\n\
         clusters: [{{name: proxy, cluster: {{server: \"http://{PROXY}\"}}}}]\n\
         contexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\nusers: [{{name: proxy, user: {{}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}
