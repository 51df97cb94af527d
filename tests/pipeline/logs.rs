//! Whose log is read, and what of it is shown.

use crate::support::fake_apiserver::{FakeApiServer, Fault};
use coroner::config::Config;
use http::Method;

use crate::operator::{Heard, Operator, PANIC, counts, dies, inferred, log_reads, settle, sums, until};

#[tokio::test(start_paused = true)]
async fn where_the_logs_can_be_read_in_time_each_is_read() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    (0..150).for_each(|pod| dies(&server, &format!("shop-{pod}"), 0, PANIC));
    until("all counts", || sums(&server) == (150, 0, 0)).await;
    assert_eq!((log_reads(&server), counts(&server).len()), (150, 1));
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn of_one_bug_that_kills_a_thousand_pods_few_logs_are_read_and_all_are_counted() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    (0..1000).for_each(|pod| dies(&server, &format!("shop-{pod}"), 0, PANIC));
    until("all counts", || sums(&server).0 + sums(&server).1 == 1000).await;
    settle().await;
    let (count, inferred, unseen) = sums(&server);
    assert_eq!((count + inferred, unseen, counts(&server).len()), (1000, 0, 1));
    assert!(log_reads(&server) <= 20, "{} logs were read", log_reads(&server));
    assert_eq!(sink.reports().len(), 1);
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_death_whose_log_is_gone_is_counted_in_the_bug_that_it_fits() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    dies(&server, "shop-b", 0, "unable to retrieve container logs for containerd://4f\n");
    until("the one that is inferred", || sums(&server) == (1, 1, 0)).await;
    operator.end().await;
    assert_ne!(server.all("crashreports")[0]["status"]["evidence"]["state"], "Gone", "the first one's log stays");
}

#[tokio::test(start_paused = true)]
async fn a_decisive_excerpt_leaves_out_what_stands_before() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let config = Config::parse("excerpt: decisive", std::path::Path::new("test")).unwrap();
    let operator = Operator::start_with(&server, &sink, config).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    let report = server.all("crashreports").remove(0);
    let excerpt = report["status"]["evidence"]["excerpt"].as_str().unwrap();
    assert!(excerpt.starts_with("panic: assignment to entry in nil map"), "{excerpt}");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_excerpts_a_report_shows_nothing_of_the_log_but_the_message() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let config = Config::parse("excerpt: none", std::path::Path::new("test")).unwrap();
    let operator = Operator::start_with(&server, &sink, config).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    let report = server.all("crashreports").remove(0);
    assert!(!report.to_string().contains("listening"), "{report}");
    assert_eq!(report["status"]["finding"]["message"], "panic: assignment to entry in nil map");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_read_that_never_answers_is_abandoned_and_the_death_counted() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    server.inject(Method::GET, "/pods/shop-a/log", 1000, Fault::Hang);
    dies(&server, "shop-a", 0, PANIC);
    dies(&server, "shop-b", 0, PANIC);
    until("the other one, which does not wait for it", || counts(&server).contains(&1)).await;
    until("both", || counts(&server).iter().sum::<i64>() + inferred(&server) == 2).await;
    settle().await;
    assert_eq!(counts(&server).iter().sum::<i64>() + inferred(&server), 2);
    operator.end().await;
}
