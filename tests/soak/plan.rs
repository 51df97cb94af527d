//! What a run consists of: its size, and what each container lives through. Pure, and the same for the same seed.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::dice::Dice;

/// Fake nodes that `testbed/soak` starts.
pub const NODES: usize = 4;
/// Workloads in one namespace: with three bugs in each far below the limit of reports of a namespace.
const WORKLOADS_A_NAMESPACE: usize = 20;

/// Starts of an operator that fit between two crashes of a container.
const STARTS_A_CRASH: f64 = 10.0;

/// How much is done.
#[derive(Clone, Debug)]
pub struct Size {
    pub seed: u64,
    pub pods: usize,
    pub crashes: usize,
    /// Seconds between two crashes of a container, on average.
    pub pace: usize,
}

impl Size {
    /// The size that the environment asks for, or the short one.
    pub fn from_env() -> Self {
        let number = |name: &str, otherwise: usize| {
            let text = std::env::var(name).ok();
            text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
        };
        Self {
            seed: number("SOAK_SEED", 1) as u64,
            pods: number("SOAK_PODS", 330),
            crashes: number("SOAK_CRASHES", 990),
            pace: number("SOAK_PACE", 20),
        }
    }

    /// Slower crashes on a slow machine: what is replaced by two newer ones while every operator is only starting is seen by
    /// nobody, and says nothing about how it is counted.
    pub fn paced_for(self, start: Duration) -> Self {
        let pace = self.pace.max((STARTS_A_CRASH * start.as_secs_f64()).ceil() as usize);
        Self { pace, ..self }
    }

    fn workloads(&self) -> usize {
        self.pods.div_ceil(10)
    }
}

/// One way to die, of those that `fakenode templates` lists. Bugs of one container have exit facts of their own, so that a
/// termination without a log is counted where it belongs or as unexplained; but for those of a `twin`.
const GO: [&str; 9] = [
    "go-map-writes",
    "go-map-writes-all",
    "go-nil",
    "go-index",
    "go-divide",
    "go-cast",
    "go-closed-channel",
    "go-deadlock",
    "go-panic",
];
const EXIT_1: [&str; 6] = ["java-npe", "python-keyerror", "node-typeerror", "missing-env", "refused", "error-exit"];
/// Those that no log explains.
const FACTS: [&str; 5] = ["oom", "segv", "killed", "start-error", "clean"];

/// A kind of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Plain,
    /// Two bugs with the same exit facts.
    Twin,
    /// Two main containers.
    Two,
    /// An init container that fails before it succeeds.
    Init,
    /// A sidecar that crashes beside a main container that does too.
    Sidecar,
    /// After a slow first crash, faster than an operator that is killed can follow.
    Quick,
}

const SHAPES: [Shape; 8] =
    [Shape::Plain, Shape::Twin, Shape::Plain, Shape::Two, Shape::Plain, Shape::Init, Shape::Sidecar, Shape::Quick];

/// What is made: a Deployment, or pods of their own.
#[derive(Clone, Debug)]
pub struct Workload {
    pub namespace: String,
    pub name: String,
    pub deployment: bool,
    pub replicas: usize,
    /// Crashes of one pod.
    pub crashes: usize,
    shape: Shape,
    /// By container its script.
    scripts: Vec<(&'static str, String)>,
    node: usize,
}

/// All workloads of a run.
pub fn workloads(size: &Size) -> Vec<Workload> {
    let mut dice = Dice::new(size.seed, 1);
    let count = size.workloads();
    (0..count)
        .map(|n| {
            let replicas = size.pods / count + usize::from(n < size.pods % count);
            // What does not divide evenly is left to the first workloads.
            let crashes = size.crashes / size.pods;
            workload(&mut dice, size, n, replicas, crashes)
        })
        .collect()
}

fn workload(dice: &mut Dice, size: &Size, n: usize, replicas: usize, crashes: usize) -> Workload {
    let shape = SHAPES[n % SHAPES.len()];
    let scripts = match shape {
        Shape::Two | Shape::Sidecar => {
            let of_second = crashes / 2;
            vec![
                script_of(dice, size, "app", shape, crashes - of_second),
                script_of(dice, size, "helper", shape, of_second),
            ]
        }
        Shape::Init => {
            vec![script_of(dice, size, "app", shape, crashes - 1), init_script(size)]
        }
        _ => vec![script_of(dice, size, "app", shape, crashes)],
    };
    Workload {
        namespace: format!("soak-{}", n / WORKLOADS_A_NAMESPACE),
        name: format!("w{n}"),
        deployment: n.is_multiple_of(2),
        replicas,
        crashes,
        shape,
        scripts,
        node: n % NODES + 1,
    }
}

fn bugs(dice: &mut Dice, shape: Shape) -> Vec<&'static str> {
    match shape {
        Shape::Twin => {
            let first = dice.below(GO.len() - 1);
            // Both map races are one bug to whoever reads the log.
            let second = (first + 2 + dice.below(GO.len() - 3)) % GO.len();
            vec![GO[first], GO[second], "rust-unwrap"]
        }
        _ => vec![*dice.one(&GO), *dice.one(&EXIT_1), *dice.one(&FACTS)],
    }
}

fn script_of(
    dice: &mut Dice,
    size: &Size,
    container: &'static str,
    shape: Shape,
    crashes: usize,
) -> (&'static str, String) {
    let (bugs, pace) = (bugs(dice, shape), size.pace);
    let mut script = "start=0s..2s".to_owned();
    for nth in 0..crashes {
        let log = match *dice.one(&bugs) {
            // It would follow the first one at once.
            "start-error" if nth == 1 => bugs[0],
            log => log,
        };
        let (run, pause) = match (nth, shape) {
            (0, _) => (format!("{}s..{}s", pace / 4, pace), "300ms..2s".to_owned()),
            // A first crash that nobody has claimed before a second one has replaced it is unknown to everybody; from the
            // first claim on, what is missed is known by the restart count.
            (1, _) => (format!("{}s..{}s", 2 * pace, 3 * pace), "300ms..2s".to_owned()),
            (_, Shape::Quick) => ("1s..3s".to_owned(), "200ms..1s".to_owned()),
            _ => (format!("{}s..{}s", pace / 4, pace), "300ms..2s".to_owned()),
        };
        // What never starts has no run to wait for.
        let pause = if log == "start-error" { run.clone() } else { pause };
        let hidden = if dice.below(10) == 0 { " seen=last" } else { "" };
        write!(script, "; run={run} log={log} restart={pause} lines=4{hidden}").expect("a String takes everything");
    }
    (container, script)
}

/// One failure, then the work is done.
fn init_script(size: &Size) -> (&'static str, String) {
    ("migrate", format!("run=1s..{}s log=missing-env restart=1s..2s lines=2", size.pace / 2))
}

impl Workload {
    /// Terminations that this workload is going to have.
    pub fn total(&self) -> usize {
        // The init container's last run succeeds, which is a termination too.
        self.replicas * (self.crashes + usize::from(self.shape == Shape::Init))
    }

    /// The objects to create, and under which path.
    pub fn objects(&self) -> Vec<Value> {
        if !self.deployment {
            return (0..self.replicas)
                .map(|_| self.pod(json!({ "generateName": format!("{}-", self.name) })))
                .collect();
        }
        vec![json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": self.name },
            "spec": {
                "replicas": self.replicas,
                "selector": { "matchLabels": { "app.kubernetes.io/name": self.name } },
                "template": self.pod(json!({})),
            },
        })]
    }

    fn pod(&self, metadata: Value) -> Value {
        let mut metadata = metadata;
        metadata["labels"] = json!({ "app.kubernetes.io/name": self.name });
        let scripts =
            self.scripts.iter().map(|(container, script)| (format!("testbed/script.{container}"), json!(script)));
        metadata["annotations"] = Value::Object(scripts.collect());
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": self.spec() })
    }

    fn spec(&self) -> Value {
        let container = |name: &str| json!({ "name": name, "image": "testbed.local/fake:1" });
        let mut spec = json!({
            "nodeName": format!("fake-{}", self.node), "restartPolicy": "Always",
            "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1,
            "tolerations": [{ "operator": "Exists" }], "containers": [container("app")],
        });
        match self.shape {
            Shape::Two => spec["containers"] = json!([container("app"), container("helper")]),
            Shape::Init => spec["initContainers"] = json!([container("migrate")]),
            Shape::Sidecar => {
                let mut sidecar = container("helper");
                sidecar["restartPolicy"] = json!("Always");
                spec["initContainers"] = json!([sidecar]);
            }
            Shape::Plain | Shape::Twin | Shape::Quick => {}
        }
        spec
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(seed: u64) -> Size {
        Size { seed, pods: 200, crashes: 1000, pace: 8 }
    }

    #[test]
    fn a_seed_repeats_its_run_and_another_one_does_not() {
        let scripts = |seed| workloads(&size(seed)).into_iter().map(|workload| workload.scripts).collect::<Vec<_>>();
        assert_eq!(scripts(7), scripts(7));
        assert_ne!(scripts(7), scripts(8));
    }

    #[test]
    fn as_many_pods_and_crashes_are_planned_as_asked_for() {
        let workloads = workloads(&size(1));
        assert_eq!(workloads.iter().map(|workload| workload.replicas).sum::<usize>(), 200);
        let steps = |workload: &Workload| -> usize {
            workload.scripts.iter().map(|(_, script)| script.matches("run=").count()).sum()
        };
        assert!(workloads.iter().all(|workload| steps(workload) == workload.crashes));
        assert_eq!(workloads.iter().map(|workload| workload.replicas * workload.crashes).sum::<usize>(), 1000);
    }
}
