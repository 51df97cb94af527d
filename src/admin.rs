//! `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::observe::Metrics;

/// Set once the first complete list was seen and what an earlier instance left open is replayed.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on `/readyz` says yes.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was set.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
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
    if ready.get() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the first list of pods is not complete yet\n")
    }
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
