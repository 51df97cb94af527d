//! Forms of loggers and of versions that the corpus does not hold, and hostile logs.

use crate::classify::{Classification, Engine, ExitFacts};

const END: &str = "Kernel pid terminated (application_controller) ({application_terminated,depot,shutdown})\n\n\
                   Crash dump is being written to: erl_crash.dump...done\n";

fn classified(log: &str, code: i32) -> Classification {
    Engine::default().classify(log.as_bytes(), ExitFacts { exit_code: Some(code), ..ExitFacts::default() })
}

fn shown(log: &str) -> String {
    let found = classified(log, 1).finding;
    let culprit = found.culprit.map(|culprit| culprit.short()).unwrap_or_default();
    format!("{} {} {culprit}", found.runtime, found.reason)
}

#[test]
fn reports_of_every_logger_are_the_cause_of_the_last_words() {
    let trace = r#"** (KeyError) key \"TX\" not found in: %{}\n    (depot 0.1.0) lib/depot/orders.ex:46: Depot.Orders.price/2\n"#;
    let cases = [
        format!(
            r#"{{"time":"2026-11-24T05:15:24Z","severity":"error","message":"GenServer Depot.Orders terminating\n{trace}"}}"#
        ),
        format!(r#"{{"log.level":"error","message":"GenServer terminating","error.stack_trace":"{trace}"}}"#),
        format!(r#"{{"message":"GenServer terminating","severity":"ERROR","stack_trace":"{trace}"}}"#),
        format!(
            "2026-11-24T05:15:23.1+00:00 [error] Process #PID<0.100.0> (Depot.Orders) terminating\n{}",
            trace.replace("\\n", "\n").replace('\\', "")
        ),
    ];
    for log in cases {
        assert_eq!(shown(&format!("{log}\n{END}")), "beam MissingKey orders.ex:46", "{log}");
    }
}

#[test]
fn lager_and_single_lines_name_the_place() {
    let lager = "2026-11-24 05:15:24.001 [error] <0.90.0> gen_server shelf terminated with reason: bad key: tx in shelf:price/2 line 16\n";
    let found = classified(&format!("{lager}{END}"), 1).finding;
    assert_eq!(found.reason.as_str(), "MissingKey");
    assert_eq!(found.culprit.and_then(|culprit| culprit.function).as_deref(), Some("shelf:price/2"));
}

#[test]
fn a_node_without_distribution_says_why_above_its_last_words() {
    let log = "Protocol 'inet_tcp': the name shelf@a seems to be in use by another Erlang node\n\
        Kernel pid terminated (application_controller) ({application_start_failure,kernel,{{shutdown,{failed_to_start_child,\
        net_sup,{shutdown,{failed_to_start_child,net_kernel,{'EXIT',nodistribution}}}}},{kernel,start,[normal,[]]}}})\n";
    assert_eq!(shown(log), "beam PortInUse ");
}

#[test]
fn the_source_that_does_not_compile_is_to_blame() {
    let cases = [
        ("** (CompileError) lib/depot/orders.ex:12: undefined function foo/0\n", "orders.ex:12"),
        (
            "** (SyntaxError) app.exs:3:5: syntax error before: ')'\n    (elixir 1.14.0) lib/code.ex:1245: Code.require_file/2\n",
            "app.exs:3",
        ),
        ("** (TokenMissingError) token missing on app.exs:7:4:\n", "app.exs:7"),
    ];
    for (log, place) in cases {
        assert_eq!(shown(log), format!("beam UnhandledError {place}"), "{log}");
    }
}

#[test]
fn a_request_that_died_did_not_end_the_node() {
    let log = "05:15:23.100 [error] #PID<0.400.0> running DepotWeb.Endpoint (connection #PID<0.399.0>, stream id 1) terminated\n\
        ** (exit) an exception was raised:\n    ** (KeyError) key :id not found in: %{}\n        \
        (depot 0.1.0) lib/depot_web/order_controller.ex:12: DepotWeb.OrderController.show/2\n";
    let log = format!(
        "{log}{}05:15:26.100 [notice] SIGTERM received - shutting down\n",
        "05:15:24.100 [info] GET /\n".repeat(20)
    );
    let found = classified(&log, 143).finding;
    assert_eq!(found.reason.as_str(), "Terminated");
    assert_eq!(found.contributing.first().map(|other| other.reason.as_str()), Some("MissingKey"));
}

#[test]
fn a_report_whose_head_is_cut_off_still_names_the_place() {
    let log = format!("    (depot 0.1.0) lib/depot/orders.ex:46: Depot.Orders.price/2\nState: %{{}}\n{END}");
    let classification = classified(&log, 1);
    assert_eq!(classification.finding.culprit.map(|culprit| culprit.short()).as_deref(), Some("orders.ex:46"));
    assert!(classification.head_missing && classification.finding.message.starts_with("Kernel pid terminated"));
}

#[test]
fn hostile_reports_are_bounded() {
    let cases = [
        "** (KeyError) x\n".repeat(50_000),
        format!("** (KeyError) x\n{}", "    ** (EXIT) y\n".repeat(50_000)),
        format!(
            "=ERROR REPORT==== 24-Nov-2026::05:15:23 ===\n** Reason for termination ==\n** {}",
            "{a,\n ".repeat(50_000)
        ),
        format!("Kernel pid terminated (application_controller) ({})\n", "{shutdown,".repeat(50_000)),
    ];
    for log in cases {
        let found = classified(&log, 1);
        assert!(found.excerpt.len() <= 4096 && found.finding.stack.len() <= 20);
    }
}
