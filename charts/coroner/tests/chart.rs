//! The chart, as helm renders it: what is installed by which values, what it may do, and what is refused.
//!
//! helm is taken from `HELM`, else from `target/testbed/bin` (built by `testbed/build`), else from `PATH`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use coroner::classify::Category;
use coroner::classify::rules::RuleFile;
use coroner::cli::operator::OperatorArgs;
use coroner::config::{Config, ExcerptPolicy};
use coroner::ledger::census::Caps;
use serde::Deserialize;
use serde_json::{Value, json};

const NAMESPACE: &str = "observe";
const CRD_FILE: &str = "crashreports.coroner.dev.yaml";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn chart() -> PathBuf {
    root().join("charts/coroner")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).expect("helm prints YAML"))
        .filter(|document| !document.is_null())
        .collect()
}

fn helm(arguments: &[&str]) -> Result<String, String> {
    let built = root().join("target/testbed/bin/helm");
    let program = match std::env::var_os("HELM") {
        Some(given) => PathBuf::from(given),
        None if built.exists() => built,
        None => PathBuf::from("helm"),
    };
    let output = Command::new(&program).args(arguments).output().unwrap_or_else(|error| {
        panic!("cannot run {}: {error}; run testbed/build, or name a helm in HELM", program.display())
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn try_render(values: &Value) -> Result<Vec<Value>, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, values).unwrap();
    let (chart, values) = (chart(), file.path().to_str().unwrap());
    helm(&["template", "coroner", chart.to_str().unwrap(), "--namespace", NAMESPACE, "--values", values])
        .map(|text| documents(&text))
}

fn render(values: Value) -> Vec<Value> {
    try_render(&values).unwrap_or_else(|error| panic!("{values}: {error}"))
}

fn find<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

fn only<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    match find(objects, kind)[..] {
        [object] => object,
        ref found => panic!("{} objects of kind {kind}", found.len()),
    }
}

/// `Kind namespace/name`, or `Kind name` of what is in no namespace.
fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    match metadata["namespace"].as_str() {
        Some(namespace) => format!("{} {namespace}/{}", text(&object["kind"]), text(&metadata["name"])),
        None => format!("{} {}", text(&object["kind"]), text(&metadata["name"])),
    }
}

fn titles(objects: &[Value]) -> BTreeSet<String> {
    objects.iter().map(title).collect()
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// The rules of a role, one `group/resource: verbs` each.
fn permissions(role: &Value) -> BTreeSet<String> {
    let rules = role["rules"].as_array().unwrap();
    let line = |rule: &Value| {
        let [groups, resources, verbs] = ["apiGroups", "resources", "verbs"].map(|key| strings(&rule[key]).join(","));
        format!("{groups}/{resources}: {verbs}")
    };
    rules.iter().map(line).collect()
}

fn pod(objects: &[Value]) -> &Value {
    &only(objects, "Deployment")["spec"]["template"]
}

fn container(objects: &[Value]) -> &Value {
    match &pod(objects)["spec"]["containers"].as_array().unwrap()[..] {
        [container] => container,
        containers => panic!("{} containers", containers.len()),
    }
}

/// The operator's configuration, read as the operator reads it.
fn config(objects: &[Value]) -> Config {
    let text = only(objects, "ConfigMap")["data"]["config.yaml"].as_str().unwrap();
    Config::parse(text, Path::new("config.yaml")).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The same value with `0.0` written as `0`: YAML has one kind of number, and helm writes it shorter.
fn shortened(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => json!(float as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(fields) => fields.iter().map(|(key, field)| (key.clone(), shortened(field))).collect(),
        _ => value.clone(),
    }
}

const CLUSTER_RULES: &[&str] = &[
    "/pods: get,list,watch",
    "/pods/log: get",
    "apps/replicasets: get",
    "batch/jobs: get",
    "/events: create,patch,list",
    "coroner.dev/crashreports: get,list,watch,create,patch,delete",
    "coroner.dev/crashreports/status: get,update",
];

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn helm_finds_nothing_to_complain_about() {
    helm(&["lint", "--strict", chart().to_str().unwrap()]).unwrap();
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn an_installation_without_values_is_exactly_this() {
    let expected = [
        "CustomResourceDefinition crashreports.coroner.dev",
        "ClusterRole coroner",
        "ClusterRole coroner-edit",
        "ClusterRole coroner-view",
        "ClusterRoleBinding coroner",
        "ConfigMap observe/coroner-config",
        "Deployment observe/coroner",
        "Role observe/coroner-own",
        "RoleBinding observe/coroner-own",
        "ServiceAccount observe/coroner",
    ];
    assert_eq!(titles(&render(json!({}))), set(&expected));
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_operator_reads_its_own_defaults_from_the_default_values() {
    assert_eq!(config(&render(json!({}))), Config::default());
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn every_setting_reaches_the_operator() {
    let objects = render(json!({
        "clusterName": "blue: \"1\"",
        "namespaces": ["shop", "pay"], "ephemeralContainers": true, "startupGrace": "1h30m",
        "retention": "90s", "excerpt": "decisive", "deleteWithWorkload": true,
        "logLevel": "debug", "reports": {"perWorkload": 5, "perNamespace": 50, "perCluster": 500},
        "log": {"tailLines": 100_000, "limit": "1Mi", "inFlight": 3, "perSecond": 5, "perNode": 1},
        "redact": {"patterns": [r"order-\d+: #"]}, "notify": {"categories": ["Unknown"]},
    }));
    let config = config(&objects);
    assert_eq!(config.cluster_name, "blue: \"1\"");
    assert_eq!(config.namespaces, ["shop", "pay"]);
    assert!(config.ephemeral_containers && config.delete_with_workload);
    assert_eq!((config.startup_grace, config.retention), (Duration::from_secs(5400), Duration::from_secs(90)));
    assert_eq!(config.excerpt, ExcerptPolicy::Decisive);
    assert_eq!(config.reports, Caps { per_workload: 5, per_namespace: 50, per_cluster: 500 });
    let log = config.log;
    assert_eq!(
        (log.tail_lines, log.limit_bytes, log.in_flight, log.per_second, log.per_node),
        (100_000, 1 << 20, 3, 5, 1)
    );
    assert_eq!(config.redact_patterns, [r"order-\d+: #"]);
    assert_eq!(config.notify.categories, [Category::Unknown]);
    assert_eq!(config.notify.slack_webhook_file, None);
    let env = container(&objects)["env"].as_array().unwrap();
    assert!(env.contains(&json!({"name": "CORONER_LOG", "value": "debug"})), "{env:?}");
}

/// The arguments of `coroner operator`, by the operator's own parser.
#[derive(Parser)]
struct Operator {
    #[command(flatten)]
    _arguments: OperatorArgs,
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_operator_understands_its_arguments() {
    let objects = render(json!({}));
    let arguments = strings(&container(&objects)["args"]);
    assert_eq!(arguments[0], "operator");
    if let Err(error) = Operator::try_parse_from(arguments) {
        panic!("{error}");
    }
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn a_changed_configuration_rolls_the_pod_and_nothing_else_does() {
    let sum = |values| pod(&render(values))["metadata"]["annotations"]["checksum/config"].as_str().unwrap().to_owned();
    let before = sum(json!({}));
    assert_ne!(before, sum(json!({"clusterName": "blue"})));
    assert_ne!(before, sum(json!({"notify": {"slack": {"existingSecret": "slack"}}})));
    assert_eq!(before, sum(json!({"metrics": {"service": {"enabled": true}}})));
}

const RULE: &str = "- name: licence-expired\n  match: {line: 'licence (?P<id>\\S+) expired'}  # said by licd\n  \
                    category: Startup\n  reason: LicenceExpired\n  message: licence $id has expired\n";

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_users_rules_are_files_where_the_operator_looks_for_them() {
    let objects = render(json!({"rules": {"shop.yaml": RULE, "a.yml": "rules: []\n"}}));
    let files = objects.iter().find(|object| title(object) == "ConfigMap observe/coroner-rules").unwrap();
    // Not one byte is another, so that the lines of a mistake are those that its writer sees.
    assert_eq!(files["data"], json!({"shop.yaml": RULE, "a.yml": "rules: []\n"}));
    let sources = pod(&objects)["spec"]["volumes"][0]["projected"]["sources"].as_array().unwrap();
    let mounted = sources.iter().find(|source| source["configMap"]["name"] == "coroner-rules").unwrap();
    let items = json!([{"key": "a.yml", "path": "rules/a.yml"}, {"key": "shop.yaml", "path": "rules/shop.yaml"}]);
    assert_eq!(mounted["configMap"]["items"], items);
    let mount = container(&objects)["volumeMounts"][0]["mountPath"].as_str().unwrap();
    let text = objects.iter().find(|object| title(object) == "ConfigMap observe/coroner-config").unwrap();
    let text = text["data"]["config.yaml"].as_str().unwrap();
    let config = Config::parse(text, Path::new("config.yaml")).unwrap();
    assert_eq!(config.rules_directory, Some(Path::new(mount).join("rules")));
    assert!(RuleFile::parse(files["data"]["shop.yaml"].as_str().unwrap()).is_ok());
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn a_changed_rule_rolls_the_pod() {
    let annotations = |values| pod(&render(values))["metadata"]["annotations"].clone();
    let sum = |rule: &str| annotations(json!({"rules": {"shop.yaml": rule}}))["checksum/rules"].clone();
    assert!(sum(RULE).is_string());
    assert_ne!(sum(RULE), sum(&RULE.replace("expired'", "invalid'")));
    assert!(annotations(json!({})).get("checksum/rules").is_none());
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn a_rule_as_the_values_show_it_is_sound() {
    let shown = read("charts/coroner/values.yaml");
    let commented: String = shown
        .lines()
        .skip_while(|line| *line != "#   shop.yaml: |")
        .skip(1)
        .map_while(|line| line.strip_prefix("#     "))
        .map(|line| format!("{line}\n"))
        .collect();
    let rules = RuleFile::parse(&commented).unwrap_or_else(|faults| panic!("{faults:?}\n{commented}")).rules;
    assert_eq!(rules.len(), 1);
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_pod_meets_the_restricted_standard_and_asks_for_little() {
    let objects = render(json!({"notify": {"slack": {"existingSecret": "slack"}}}));
    let (spec, container) = (&pod(&objects)["spec"], container(&objects));
    assert_eq!(spec["securityContext"], json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}));
    let expected =
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
    assert_eq!(container["securityContext"], expected);
    for key in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
        assert!(spec.get(key).is_none(), "{key}");
    }
    let volumes = spec["volumes"].as_array().unwrap();
    assert!(volumes.iter().all(|volume| volume.get("projected").is_some()), "{volumes:?}");
    let expected = json!({"requests": {"cpu": "25m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}});
    assert_eq!(container["resources"], expected);
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_old_pod_goes_on_until_the_new_one_is_ready() {
    let objects = render(json!({}));
    let spec = &only(&objects, "Deployment")["spec"];
    assert_eq!(spec["replicas"], 1);
    let expected = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    assert_eq!(spec["strategy"], expected);
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container(&objects)[probe]["httpGet"], json!({"path": path, "port": "admin"}));
    }
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn more_replicas_are_spread_and_never_all_drained_at_once() {
    let alone = render(json!({}));
    assert!(find(&alone, "PodDisruptionBudget").is_empty());
    assert!(pod(&alone)["spec"].get("topologySpreadConstraints").is_none());
    let objects = render(json!({"replicas": 2}));
    assert_eq!(only(&objects, "Deployment")["spec"]["replicas"], 2);
    let budget = &only(&objects, "PodDisruptionBudget")["spec"];
    assert_eq!(budget["maxUnavailable"], 1);
    let spread = &pod(&objects)["spec"]["topologySpreadConstraints"][0];
    assert_eq!(spread["whenUnsatisfiable"], "ScheduleAnyway");
    let selector = &only(&objects, "Deployment")["spec"]["selector"];
    assert_eq!((&budget["selector"], &spread["labelSelector"]), (selector, selector));
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn what_the_schema_lets_through_the_operator_can_read() {
    for values in [
        json!({"retention": "1ms"}),
        json!({"retention": "0d12h"}),
        json!({"retention": "10d"}),
        json!({"log": {"limit": "1Gi"}}),
        json!({"log": {"limit": "1024Mi"}}),
        json!({"log": {"limit": "1039999Ki"}}),
        json!({"log": {"limit": "1G"}}),
        json!({"log": {"limit": "1069M"}}),
        json!({"log": {"limit": "1069999k"}}),
        json!({"log": {"limit": "1069999999"}}),
        json!({"log": {"limit": "016Mi"}}),
    ] {
        config(&render(values));
    }
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn slacks_url_is_a_file_where_the_operator_looks_for_it_and_nowhere_else() {
    let objects = render(json!({"notify": {"slack": {"existingSecret": "chat", "key": "hook"}}}));
    let sources = pod(&objects)["spec"]["volumes"][0]["projected"]["sources"].as_array().unwrap();
    let expected = json!({"name": "chat", "optional": false, "items": [{"key": "hook", "path": "slack/url"}]});
    assert_eq!(sources.iter().find_map(|source| source.get("secret")), Some(&expected));
    let mount = container(&objects)["volumeMounts"][0]["mountPath"].as_str().unwrap();
    assert_eq!(config(&objects).notify.slack_webhook_file, Some(Path::new(mount).join("slack/url")));
    assert!(!container(&objects)["env"].to_string().contains("secretKeyRef"));
    assert!(container(&objects)["args"].to_string().contains(&format!("--config={mount}/config.yaml")));
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_operator_may_do_this_and_no_more() {
    let objects = render(json!({}));
    let role = |name: &str| objects.iter().find(|object| title(object) == name).unwrap();
    assert_eq!(permissions(role("ClusterRole coroner")), set(CLUSTER_RULES));
    let own = set(&["/configmaps: get,list,create,update,delete", "coordination.k8s.io/leases: get,create,update"]);
    assert_eq!(permissions(role("Role observe/coroner-own")), own);
    let subject = json!([{"kind": "ServiceAccount", "name": "coroner", "namespace": NAMESPACE}]);
    for binding in ["ClusterRoleBinding coroner", "RoleBinding observe/coroner-own"] {
        assert_eq!(role(binding)["subjects"], subject, "{binding}");
    }
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn with_namespaces_given_there_are_roles_alone() {
    let objects = render(json!({
        "namespaces": ["shop", "pay"], "crds": {"install": false}, "rbac": {"aggregate": false},
    }));
    let expected = [
        "ConfigMap observe/coroner-config",
        "Deployment observe/coroner",
        "Role observe/coroner-own",
        "Role pay/coroner",
        "Role shop/coroner",
        "RoleBinding observe/coroner-own",
        "RoleBinding pay/coroner",
        "RoleBinding shop/coroner",
        "ServiceAccount observe/coroner",
    ];
    assert_eq!(titles(&objects), set(&expected));
    for role in find(&objects, "Role").iter().filter(|role| role["metadata"]["namespace"] != NAMESPACE) {
        assert_eq!(permissions(role), set(CLUSTER_RULES), "{}", title(role));
    }
    for binding in find(&objects, "RoleBinding") {
        assert_eq!(binding["subjects"][0]["namespace"], NAMESPACE, "{}", title(binding));
        assert_eq!(binding["roleRef"]["name"], binding["metadata"]["name"], "{}", title(binding));
    }
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn viewers_read_reports_and_editors_triage_them() {
    let objects = render(json!({}));
    for (name, permission) in [("view", "get,list,watch"), ("edit", "patch,update,delete,deletecollection")] {
        let wanted = format!("ClusterRole coroner-{name}");
        let role = objects.iter().find(|object| title(object) == wanted).unwrap();
        let label = format!("rbac.authorization.k8s.io/aggregate-to-{name}");
        assert_eq!(role["metadata"]["labels"][&label], "true");
        assert_eq!(permissions(role), set(&[&format!("coroner.dev/crashreports: {permission}")]));
    }
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_crd_is_the_generated_one_and_outlives_the_release() {
    let generated = &documents(&read(Path::new("crds").join(CRD_FILE)))[0];
    let objects = render(json!({}));
    let crd = only(&objects, "CustomResourceDefinition");
    assert!(
        shortened(&crd["spec"]) == shortened(&generated["spec"]),
        "the rendered CRD is another than crds/{CRD_FILE}"
    );
    assert_eq!(crd["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    let mortal = render(json!({"crds": {"keep": false}}));
    let annotations = only(&mortal, "CustomResourceDefinition")["metadata"].get("annotations");
    assert!(annotations.is_none_or(|found| found.get("helm.sh/resource-policy").is_none()));
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn monitoring_and_network_policy_select_the_operators_pod() {
    let monitor = json!({"enabled": true, "interval": "30s", "labels": {"release": "prometheus"}});
    let objects = render(json!({"metrics": {"serviceMonitor": monitor}, "networkPolicy": {"enabled": true}}));
    let selected = |selector: &Value, labels: &Value| {
        let selector = selector.as_object().unwrap();
        assert!(!selector.is_empty());
        assert!(selector.iter().all(|(key, value)| labels[key] == *value), "{selector:?} {labels}");
    };
    let labels = &pod(&objects)["metadata"]["labels"];
    let service = only(&objects, "Service");
    selected(&service["spec"]["selector"], labels);
    selected(&only(&objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"], labels);
    let monitor = only(&objects, "ServiceMonitor");
    selected(&monitor["spec"]["selector"]["matchLabels"], &service["metadata"]["labels"]);
    assert_eq!(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], container(&objects)["ports"][0]["name"]);
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_image_can_be_pinned() {
    let image = |values| container(&render(values))["image"].as_str().unwrap().to_owned();
    assert_eq!(image(json!({})), format!("coroner:{}", env!("CARGO_PKG_VERSION")));
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let values = json!({"image": {"repository": "mirror:5000/coroner", "tag": "edge", "digest": digest}});
    assert_eq!(image(values), format!("mirror:5000/coroner:edge@{digest}"));
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn the_notes_say_what_to_type_next() {
    let notes = |values: &str| {
        let chart = chart();
        let command =
            ["install", "crash", chart.to_str().unwrap(), "-n", NAMESPACE, "--dry-run=client", "--set", values];
        let text = helm(&command).unwrap();
        text.split_once("NOTES:").expect("notes").1.to_owned()
    };
    let plain = notes("clusterName=blue");
    assert!(plain.contains("kubectl -n observe rollout status deployment/crash-coroner"), "{plain}");
    assert!(plain.contains("kubectl get crashreports -A"), "{plain}");
    assert!(plain.contains("Nobody is notified yet"), "{plain}");
    let chosen = notes("namespaces={shop,pay},notify.slack.existingSecret=chat,crds.install=false");
    assert!(chosen.contains("kubectl -n shop get crashreports\n  kubectl -n pay get crashreports"), "{chosen}");
    assert!(chosen.contains("Slack is told about: Code, Native, Resource, Startup, Probe."), "{chosen}");
    assert!(chosen.contains("kubectl get crd crashreports.coroner.dev"), "{chosen}");
}

#[test]
#[ignore = "needs helm, which testbed/build makes"]
fn wrong_values_are_refused_with_their_place() {
    for (values, wanted) in [
        (json!({"namespace": "shop"}), "at '': additional properties 'namespace' not allowed"),
        (json!({"replicas": 0}), "at '/replicas': minimum: got 0, want 1"),
        (json!({"namespaces": ["Shop"]}), "at '/namespaces/0': 'Shop' does not match"),
        (json!({"namespaces": ["shop", "shop"]}), "at '/namespaces': items at 0 and 1 are equal"),
        (json!({"excerpt": "some"}), "at '/excerpt': value must be one of 'none', 'decisive', 'full'"),
        (json!({"retention": "soon"}), "at '/retention': 'soon' does not match"),
        (json!({"retention": 14}), "at '/retention': got number, want string"),
        (json!({"retention": "0s"}), "at '/retention': '0s' does not match"),
        (json!({"retention": "0d0h"}), "at '/retention': '0d0h' does not match"),
        (json!({"log": {"limit": "16MB"}}), "at '/log/limit': '16MB' does not match"),
        (json!({"log": {"limit": "2Gi"}}), "at '/log/limit': '2Gi' does not match"),
        (json!({"log": {"limit": "1025Mi"}}), "at '/log/limit': '1025Mi' does not match"),
        (json!({"log": {"limit": "0"}}), "at '/log/limit': '0' does not match"),
        (json!({"redact": {"patterns": ["order-("]}}), "at '/redact/patterns/0': 'order-(' is not valid regex"),
        (json!({"log": {"tailLines": 0}}), "at '/log/tailLines': minimum: got 0, want 1"),
        (json!({"log": {"tailLines": "many"}}), "at '/log/tailLines': got string, want integer"),
        (json!({"notify": {"categories": ["Kode"]}}), "at '/notify/categories/0': value must be one of 'Code'"),
        (json!({"notify": {"slack": {"webhookUrl": "x"}}}), "additional properties 'webhookUrl' not allowed"),
        (json!({"rules": {"shop.txt": ""}}), "invalid propertyName 'shop.txt'"),
        (json!({"rules": {"shop.yaml": []}}), "at '/rules/shop.yaml': got array, want string"),
        (json!({"image": {"digest": "sha256:1"}}), "at '/image/digest': 'sha256:1' does not match"),
        (
            json!({"serviceAccount": {"create": false}}),
            "serviceAccount.name is empty: name a ServiceAccount that exists",
        ),
    ] {
        let error = try_render(&values).expect_err(&values.to_string());
        assert!(error.contains(wanted), "{values}: {error}");
    }
}

#[test]
fn the_charts_copy_of_the_crd_is_the_generated_file() {
    let copy = Path::new("charts/coroner/files/crds").join(CRD_FILE);
    assert!(read(copy) == read(Path::new("crds").join(CRD_FILE)), "copy crds/{CRD_FILE} to charts/coroner/files/crds");
}

#[test]
fn every_permission_has_a_reason_beside_it() {
    for file in ["rbac.yaml", "rbac-users.yaml"] {
        let text = read(Path::new("charts/coroner/templates").join(file));
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let rules: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].starts_with("- apiGroups:")).collect();
        assert!(rules.len() >= 2, "{file}");
        for at in rules {
            // The reason stands on the rule, or on the object if that has this rule alone.
            let mut above = lines[..at]
                .iter()
                .rev()
                .skip_while(|line| !line.starts_with('#') && !line.starts_with("- ") && **line != "---");
            assert!(above.next().is_some_and(|line| line.starts_with('#')), "{file}, line {}", at + 1);
        }
    }
}

#[test]
fn every_value_of_the_schema_is_in_the_values_file() {
    fn compare(path: &str, schema: &Value, values: &Value) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            if path.is_empty() && ["global", "enabled"].contains(&key.as_str())
                || path == "/resources" && key == "claims"
            {
                continue;
            }
            let path = format!("{path}/{key}");
            let value = values.get(key).unwrap_or_else(|| panic!("values.yaml does not show {path}"));
            compare(&path, property, value);
        }
    }
    let schema: Value = serde_json::from_str(&read("charts/coroner/values.schema.json")).unwrap();
    compare("", &schema, &documents(&read("charts/coroner/values.yaml"))[0]);
}

#[test]
fn chart_and_program_have_one_version() {
    let chart = &documents(&read("charts/coroner/Chart.yaml"))[0];
    assert_eq!(
        (&chart["version"], &chart["appVersion"]),
        (&json!(env!("CARGO_PKG_VERSION")), &json!(env!("CARGO_PKG_VERSION")))
    );
}
