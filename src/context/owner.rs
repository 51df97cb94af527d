//! From a pod to its workload: ReplicaSet to Deployment, Job to CronJob, static pods and bare pods by what groups them.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource};

use crate::report::Workload;
use crate::termination::{Controller, PodFacts};

/// How long one look-up may take: the report waits for it, and the name trick below is nearly as good.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
/// How many owners are remembered. A cluster with more crashing ReplicaSets than that pays one GET a crash again.
const REMEMBERED: usize = 4096;

/// Resolves pods to workloads and remembers the answers by the UID of the pod's controller.
pub struct OwnerCache {
    client: Client,
    known: Mutex<HashMap<String, Workload>>,
}

impl OwnerCache {
    /// An empty cache. RBAC: `get` on `apps/replicasets` and `batch/jobs`; without it, names are derived.
    pub fn new(client: Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// The workload of a pod. Never fails: where the API gives no answer, the naming rules of the controllers do, and
    /// only the UID is missing then. What was derived is not remembered, so that a later look-up can find the UID.
    pub async fn workload_of(&self, pod: &PodFacts) -> Workload {
        let derived = without_api(pod);
        let Some(controller) = &pod.controller else { return derived };
        if !matches!(
            (group(&controller.api_version), controller.kind.as_str()),
            ("apps", "ReplicaSet") | ("batch", "Job")
        ) {
            return derived;
        }
        if let Some(known) = self.remembered(&controller.uid) {
            return known;
        }
        match tokio::time::timeout(LOOKUP_TIMEOUT, self.look_up(&pod.namespace, controller)).await {
            Ok(Ok(found)) => {
                let workload = found.unwrap_or_else(|| itself(controller));
                self.remember(&controller.uid, &workload);
                workload
            }
            Ok(Err(error)) => {
                tracing::debug!(namespace = pod.namespace, owner = controller.name, %error, "owner not resolved");
                derived
            }
            Err(_) => derived,
        }
    }

    /// The controller of the controller; `Ok(None)` if it has none, i.e. is the workload itself.
    async fn look_up(&self, namespace: &str, controller: &Controller) -> Result<Option<Workload>, kube::Error> {
        let owners = match controller.kind.as_str() {
            "ReplicaSet" => self.owners::<ReplicaSet>(namespace, controller).await?,
            _ => self.owners::<Job>(namespace, controller).await?,
        };
        Ok(owners.into_iter().find(|owner| owner.controller == Some(true)).map(|owner| Workload {
            api_version: owner.api_version,
            kind: owner.kind,
            name: owner.name,
            uid: Some(owner.uid),
        }))
    }

    /// The owner references of a controller, by its metadata alone: a Deployment's pod template can be large.
    async fn owners<K>(&self, namespace: &str, controller: &Controller) -> Result<Vec<OwnerReference>, kube::Error>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope> + Clone + std::fmt::Debug,
    {
        let api: Api<PartialObjectMeta<K>> = Api::namespaced(self.client.clone(), namespace);
        let meta = api.get(&controller.name).await?.metadata;
        // A new object of the same name is another owner: its parents say nothing about this pod.
        if meta.uid.as_deref() != Some(controller.uid.as_str()) {
            return Err(kube::Error::Api(Box::new(kube::core::Status::failure(
                "replaced by another object",
                "NotFound",
            ))));
        }
        Ok(meta.owner_references.unwrap_or_default())
    }

    fn remembered(&self, uid: &str) -> Option<Workload> {
        self.lock().get(uid).cloned()
    }

    fn remember(&self, uid: &str, workload: &Workload) {
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(uid.to_owned(), workload.clone());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Workload>> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What the pod alone tells of its workload, by the naming rules of Kubernetes' own controllers.
pub fn without_api(pod: &PodFacts) -> Workload {
    match &pod.controller {
        None => bare_pod(pod),
        // A static pod's mirror is owned by its node and named after it.
        Some(controller) if controller.kind == "Node" => bare_pod(pod),
        Some(controller) => {
            deployment_of(pod, controller).or_else(|| cron_job_of(controller)).unwrap_or_else(|| itself(controller))
        }
    }
}

fn itself(controller: &Controller) -> Workload {
    Workload {
        api_version: controller.api_version.clone(),
        kind: controller.kind.clone(),
        name: controller.name.clone(),
        uid: Some(controller.uid.clone()),
    }
}

/// A Deployment names its ReplicaSets `<deployment>-<pod-template-hash>`, and the pod carries that hash as a label.
fn deployment_of(pod: &PodFacts, controller: &Controller) -> Option<Workload> {
    if (group(&controller.api_version), controller.kind.as_str()) != ("apps", "ReplicaSet") {
        return None;
    }
    let name = controller.name.strip_suffix(pod.revision.as_deref()?)?.strip_suffix('-')?;
    Some(Workload { api_version: "apps/v1".into(), kind: "Deployment".into(), name: name.to_owned(), uid: None })
}

/// A CronJob names its Jobs `<cronjob>-<minutes since 1970>`, which has eight digits until the year 2160.
fn cron_job_of(controller: &Controller) -> Option<Workload> {
    if (group(&controller.api_version), controller.kind.as_str()) != ("batch", "Job") {
        return None;
    }
    let (name, minutes) = controller.name.rsplit_once('-')?;
    let scheduled = minutes.len() == 8 && minutes.bytes().all(|b| b.is_ascii_digit());
    scheduled.then(|| Workload {
        api_version: "batch/v1".into(),
        kind: "CronJob".into(),
        name: name.to_owned(),
        uid: None,
    })
}

fn bare_pod(pod: &PodFacts) -> Workload {
    let static_name = pod
        .node
        .as_deref()
        .filter(|_| pod.controller.is_some())
        .and_then(|node| pod.name.strip_suffix(node)?.strip_suffix('-'));
    let generated = pod.generate_name.as_deref().map(|name| name.trim_end_matches(['-', '.']));
    let name =
        static_name.or(generated.filter(|name| !name.is_empty())).or(pod.app_name.as_deref()).unwrap_or(&pod.name);
    Workload { api_version: "v1".into(), kind: "Pod".into(), name: name.to_owned(), uid: None }
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kube::client::Body;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn pod(controller: Option<(&str, &str, &str)>) -> PodFacts {
        PodFacts {
            namespace: "shop".into(),
            name: "checkout-7f6989bcd6-rgrj4".into(),
            revision: Some("7f6989bcd6".into()),
            controller: controller.map(|(api_version, kind, name)| Controller {
                api_version: api_version.into(),
                kind: kind.into(),
                name: name.into(),
                uid: "uid-1".into(),
            }),
            ..PodFacts::default()
        }
    }

    fn answering(status: u16, body: &'static str) -> (Client, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let service = tower::service_fn(move |_: http::Request<Body>| {
            count.fetch_add(1, Ordering::Relaxed);
            async move {
                Ok::<_, tower::BoxError>(
                    http::Response::builder().status(status).body(Body::from(body.as_bytes().to_vec())).unwrap(),
                )
            }
        });
        (Client::new(service, "default"), asked)
    }

    const REPLICA_SET: &str = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"checkout-7f6989bcd6",
        "uid":"uid-1","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"checkout","uid":"uid-d","controller":true}]}}"#;

    #[tokio::test]
    async fn a_replica_set_leads_to_its_deployment_and_is_asked_for_once() {
        let (client, asked) = answering(200, REPLICA_SET);
        let cache = OwnerCache::new(client);
        for _ in 0..3 {
            let workload = cache.workload_of(&pod(Some(("apps/v1", "ReplicaSet", "checkout-7f6989bcd6")))).await;
            assert_eq!((workload.kind.as_str(), workload.name.as_str()), ("Deployment", "checkout"));
            assert_eq!(workload.uid.as_deref(), Some("uid-d"));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn without_an_answer_the_naming_rules_give_the_same_kind_and_name() {
        let gone = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"not found"}"#;
        for (api_version, kind, name, wanted) in [
            ("apps/v1", "ReplicaSet", "checkout-7f6989bcd6", ("Deployment", "checkout")),
            ("batch/v1", "Job", "nightly-29403120", ("CronJob", "nightly")),
            ("batch/v1", "Job", "migrate", ("Job", "migrate")),
        ] {
            let (client, _) = answering(404, gone);
            let workload = OwnerCache::new(client).workload_of(&pod(Some((api_version, kind, name)))).await;
            assert_eq!((workload.kind.as_str(), workload.name.as_str()), wanted);
        }
    }

    #[tokio::test]
    async fn a_new_object_of_the_same_name_is_not_the_owner() {
        let other = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"migrate","uid":"uid-2",
            "ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"other","uid":"u","controller":true}]}}"#;
        let (client, _) = answering(200, other);
        let workload = OwnerCache::new(client).workload_of(&pod(Some(("batch/v1", "Job", "migrate")))).await;
        assert_eq!(workload.name, "migrate");
    }

    #[test]
    fn what_has_no_controller_is_grouped_by_what_its_pods_share() {
        let mut bare = pod(None);
        assert_eq!(without_api(&bare).name, "checkout-7f6989bcd6-rgrj4");
        bare.app_name = Some("checkout".into());
        assert_eq!(without_api(&bare).name, "checkout");
        bare.generate_name = Some("runner-".into());
        assert_eq!(without_api(&bare).name, "runner");
        let mut mirror = pod(Some(("v1", "Node", "node-1")));
        mirror.name = "kube-apiserver-node-1".into();
        mirror.node = Some("node-1".into());
        let workload = without_api(&mirror);
        assert_eq!((workload.kind.as_str(), workload.name.as_str()), ("Pod", "kube-apiserver"));
    }

    #[test]
    fn other_controllers_are_the_workload_themselves() {
        for (api_version, kind) in [("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("example.com/v1", "Job")] {
            let workload = without_api(&pod(Some((api_version, kind, "db-12345678"))));
            assert_eq!((workload.kind.as_str(), workload.name.as_str()), (kind, "db-12345678"));
            assert_eq!(workload.uid.as_deref(), Some("uid-1"));
        }
    }
}
