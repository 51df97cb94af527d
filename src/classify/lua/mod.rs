//! Lua: uncaught errors of `lua`, LuaJIT, OpenResty and Tarantool, with their tracebacks.

pub mod frames;
pub mod head;
pub mod kinds;
pub mod trace;

use super::grammar::{Context, Grammar, Line, Parser};
use trace::Trace;

/// The grammar of Lua.
#[derive(Debug)]
pub struct Lua;

impl Grammar for Lua {
    fn anchors(&self) -> &'static [&'static str] {
        &[".lua:", head::TRACEBACK, "lua: ", "luajit: ", "lua5", "LuajitError: ", "_lua error: ", "[C]: in "]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        Trace::new(line, context).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        Trace::without_head(line).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Classification, Engine, ExitFacts};

    fn classify(log: &str, code: i32) -> Classification {
        Engine::default().classify(log.as_bytes(), ExitFacts { exit_code: Some(code), ..ExitFacts::default() })
    }

    #[test]
    fn what_the_corpus_does_not_hold_is_read_too() {
        let cases = [
            ("lua: (error object is a table value)\n", 1, "UnhandledError", ""),
            ("lua5.1: not enough memory\n", 1, "HeapExhausted", ""),
            (
                "lua: /app/gate.lua:7: '=' expected near 'lane'\nstack traceback:\n\t[C]: in ?\n",
                1,
                "UnhandledError",
                "gate.lua:7",
            ),
            (
                "nginx: [error] init_by_lua error: /etc/nginx/lua/init.lua:3: attempt to index a nil value (global 'ngx_conf')\nstack traceback:\n\t/etc/nginx/lua/init.lua:3: in main chunk\n",
                1,
                "NilDereference",
                "init.lua:3",
            ),
            (
                "LuajitError: /opt/app/init.lua:4: attempt to call global 'boot' (a nil value)\nfatal error, exiting the event loop\n",
                1,
                "NilDereference",
                "init.lua:4",
            ),
            (
                "2026/11/24 05:15:26 [error] 7#7: *1 lua entry thread aborted: runtime error: /etc/nginx/lua/a.lua:5: no lane\nstack traceback:\ncoroutine 0:\n\t/etc/nginx/lua/a.lua:5: in function 'pick'\n",
                0,
                "CleanExit",
                "",
            ),
        ];
        for (log, code, reason, place) in cases {
            let finding = classify(log, code).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
        }
    }

    #[test]
    fn a_million_frames_stay_bounded() {
        let log = format!(
            "lua: a.lua:3: stack overflow\nstack traceback:\n{}",
            "\ta.lua:3: in function 'f'\n".repeat(100_000)
        );
        let found = classify(&log, 1);
        assert!(found.excerpt.len() <= 4096 && found.finding.stack.len() <= 20);
        assert_eq!(found.finding.reason.as_str(), "StackOverflow");
    }
}
