//! What users edit: a report whose spec changed has another generation. Only metadata is watched, since reports are large
//! and Coroner's own writes change them all the time.

use std::collections::HashMap;
use std::future::ready;

use futures::stream::{BoxStream, StreamExt};
use kube::api::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};

use crate::notify::ReportKey;
use crate::report::CrashReport;
use crate::watch::Scope;

/// Reports in one page of a list: of 500 the metadata alone takes 5 MB to read.
const PAGE_SIZE: u32 = 100;
/// How long one watch lasts, in seconds: as for pods.
const WATCH_SECONDS: u32 = 120;

/// The generation of each report that is there.
#[derive(Default)]
struct Generations(HashMap<String, i64>);

impl Generations {
    /// The report of an event, if its spec was edited since it was seen last. What is there at the start is looked at
    /// anyway, and a report of generation 1 was just made.
    fn edited(&mut self, event: Event<PartialObjectMeta<CrashReport>>) -> Option<ReportKey> {
        let (report, listed) = match event {
            Event::InitApply(report) => (report, true),
            Event::Apply(report) => (report, false),
            Event::Delete(report) => {
                self.0.remove(report.metadata.uid.as_deref()?);
                return None;
            }
            Event::Init | Event::InitDone => return None,
        };
        let generation = report.metadata.generation.unwrap_or(0);
        let before = self.0.insert(report.metadata.uid?, generation);
        let edited = before.map_or(!listed && generation > 1, |before| before != generation);
        edited.then_some(ReportKey { namespace: report.metadata.namespace?, name: report.metadata.name? })
    }
}

/// The reports of a scope whose spec is edited, from now on.
pub(super) fn edits(client: &Client, scope: &Scope) -> BoxStream<'static, ReportKey> {
    let api: Api<PartialObjectMeta<CrashReport>> = match scope {
        Scope::All => Api::all(client.clone()),
        Scope::Namespace(name) => Api::namespaced(client.clone(), name),
    };
    let config = watcher::Config::default().page_size(PAGE_SIZE).timeout(WATCH_SECONDS);
    let mut generations = Generations::default();
    watcher(api, config)
        .default_backoff()
        .filter_map(move |event| {
            ready(match event {
                Ok(event) => generations.edited(event),
                Err(error) => {
                    tracing::warn!(%error, "cannot watch reports for edits; trying again");
                    None
                }
            })
        })
        .boxed()
}
