//! The fake API server does what Kubernetes' own client relies on: lists in pages, watches that resume, 410, bookmarks.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::{Value, json};
use support::fake_apiserver::FakeApiServer;

fn pod(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "shop" } })
}

/// The next `count` events, as words.
async fn next<S>(stream: &mut S, count: usize) -> Vec<String>
where
    S: futures::Stream<Item = Result<Event<Pod>, watcher::Error>> + Unpin,
{
    let name = |pod: &Pod| pod.metadata.name.clone().unwrap();
    let mut words = Vec::new();
    while words.len() < count {
        words.push(match stream.next().await.unwrap() {
            Ok(Event::Init) => "init".into(),
            Ok(Event::InitApply(pod)) => format!("listed {}", name(&pod)),
            Ok(Event::InitDone) => "done".into(),
            Ok(Event::Apply(pod)) => format!("applied {}", name(&pod)),
            Ok(Event::Delete(pod)) => format!("deleted {}", name(&pod)),
            Err(error) => panic!("{error}"),
        });
    }
    words
}

#[tokio::test(start_paused = true)]
async fn a_watcher_lists_in_pages_follows_resumes_and_lists_again_when_too_old() {
    let server = FakeApiServer::default();
    ["a", "b", "c"].into_iter().for_each(|name| server.put("pods", pod(name)));
    let api: Api<Pod> = Api::all(server.client());
    let stream = watcher(api, watcher::Config::default().page_size(2)).default_backoff();
    pin_mut!(stream);
    assert_eq!(next(&mut stream, 5).await, ["init", "listed a", "listed b", "listed c", "done"]);

    server.put("pods", pod("d"));
    server.remove("pods", "shop", "a");
    assert_eq!(next(&mut stream, 2).await, ["applied d", "deleted a"]);

    server.cut_watches();
    server.put("pods", pod("e"));
    server.bookmark("pods");
    assert_eq!(next(&mut stream, 1).await, ["applied e"]);

    // It is cut while something changes, and what it would resume from is forgotten: an error, then a new list.
    server.put("pods", pod("f"));
    server.compact();
    server.put("pods", pod("g"));
    server.cut_watches();
    assert!(stream.next().await.unwrap().is_err());
    let listed = ["init", "listed b", "listed c", "listed d", "listed e", "listed f", "listed g", "done"];
    assert_eq!(next(&mut stream, 8).await, listed);
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_ends_with_its_bookmark_and_a_watch_after_its_time() {
    let server = FakeApiServer::default();
    server.put("pods", pod("a"));
    let api: Api<Pod> = Api::namespaced(server.client(), "shop");
    let stream = watcher(api, watcher::Config::default().streaming_lists().timeout(30)).default_backoff();
    pin_mut!(stream);
    assert_eq!(next(&mut stream, 3).await, ["init", "listed a", "done"]);
    assert!(tokio::time::timeout(Duration::from_secs(300), stream.next()).await.is_err(), "it resumes in silence");
    server.put("pods", pod("b"));
    assert_eq!(next(&mut stream, 1).await, ["applied b"]);
}

#[tokio::test(start_paused = true)]
async fn logs_are_those_of_the_instance_asked_for_and_errors_are_kubernetes() {
    let server = FakeApiServer::default();
    server.set_log("shop", "a", "api", true, 200, "one\ntwo\nthree\n");
    server.set_log("shop", "a", "api", false, 400, "previous terminated container \"api\" in pod \"a\" not found");
    let api: Api<Pod> = Api::namespaced(server.client(), "shop");
    let params = LogParams { container: Some("api".into()), previous: true, tail_lines: Some(2), ..Default::default() };
    assert_eq!(api.logs("a", &params).await.unwrap(), "two\nthree\n");
    let params = LogParams { previous: false, ..params };
    let kube::Error::Api(status) = api.logs("a", &params).await.unwrap_err() else { panic!("no refusal") };
    assert_eq!(status.code, 400);
}
