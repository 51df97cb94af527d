//! `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::observe::Metrics;

/// What `/readyz` answers. A standby is ready, or a rolling update would wait for ever: the new pod for the lease, and the
/// old one, which has it, for the new pod. But only one that was seen to reach all that it will need, so that a version
/// which cannot work never replaces one that does. A leader is ready once the first complete list was seen and what an
/// earlier one left open is replayed.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<AtomicU8>);

/// How far this instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    Starting,
    Standby,
    TakingOver,
    Leading,
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(Stage::Starting as u8)))
    }
}

impl Readiness {
    /// In charge, and up to date: ready.
    pub fn set(&self) {
        self.enter(Stage::Leading);
    }

    /// Somebody else is in charge, and this instance could take over: ready.
    pub fn standby(&self) {
        self.enter(Stage::Standby);
    }

    /// Just put in charge: not ready until [`Self::set`].
    pub fn taking_over(&self) {
        self.enter(Stage::TakingOver);
    }

    /// Whether it is ready.
    pub fn get(&self) -> bool {
        self.say().0 == StatusCode::OK
    }

    fn enter(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Release);
    }

    fn say(&self) -> (StatusCode, &'static str) {
        match self.0.load(Ordering::Acquire) {
            stage if stage == Stage::Leading as u8 => (StatusCode::OK, "ok\n"),
            stage if stage == Stage::Standby as u8 => (StatusCode::OK, "ok, standing by\n"),
            stage if stage == Stage::TakingOver as u8 => {
                (StatusCode::SERVICE_UNAVAILABLE, "the first list of pods is not complete yet\n")
            }
            _ => (StatusCode::SERVICE_UNAVAILABLE, "neither in charge nor standing by yet: see the log\n"),
        }
    }
}

/// Serves until `stop`.
///
/// # Errors
/// When the address cannot be bound, or the listener fails.
pub async fn serve(
    listen: SocketAddr,
    metrics: Metrics,
    ready: Readiness,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    axum::serve(listener, router(metrics, ready)).with_graceful_shutdown(stop.cancelled_owned()).await
}

fn router(metrics: Metrics, ready: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(render))
        .with_state((metrics, ready))
}

async fn readyz(State((_, ready)): State<(Metrics, Readiness)>) -> impl IntoResponse {
    ready.say()
}

async fn render(State((metrics, _)): State<(Metrics, Readiness)>) -> impl IntoResponse {
    // The content type of OpenMetrics, which is what prometheus-client writes.
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.render())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn ask(router: &Router, path: &str) -> (StatusCode, String) {
        let answer = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn it_is_alive_at_once_and_ready_only_when_told() {
        let ready = Readiness::default();
        let router = router(Metrics::new(), ready.clone());
        assert_eq!(ask(&router, "/healthz").await.0, StatusCode::OK);
        let (status, body) = ask(&router, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("see the log"));
        ready.standby();
        assert_eq!(ask(&router, "/readyz").await, (StatusCode::OK, "ok, standing by\n".to_owned()));
        ready.taking_over();
        let (status, body) = ask(&router, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("list of pods"));
        ready.set();
        assert_eq!(ask(&router, "/readyz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_served_as_openmetrics() {
        let (status, body) = ask(&router(Metrics::new(), Readiness::default()), "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.ends_with("# EOF\n"), "{body}");
    }
}
