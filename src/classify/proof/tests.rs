use super::*;
use crate::classify::Runtime;
use crate::classify::reason::{CONCURRENT_MAP_ACCESS, CONNECTION_REFUSED, NIL_DEREFERENCE};

fn place(text: &str) -> Place {
    let (function, line) = text.split_once(':').unwrap();
    let file = if function == "in_b" { "/app/b.go" } else { "/app/main.go" };
    Place { function: format!("main.{function}"), file: file.into(), line: line.parse().unwrap() }
}

/// `add:12<run:30` is a place with a caller, `?` a side without a stack.
fn side(text: &str, writes: bool) -> Side {
    let mut places = text.split('<').filter(|text| *text != "?").map(place);
    Side { writes, place: places.next(), callers: places.collect() }
}

fn race(one: &str, two: &str, address: &str) -> Race {
    Race { sides: vec![side(one, true), side(two, false)], map: true, address: address.into(), times: 1 }
}

fn races(all: &[(&str, &str, &str)]) -> Races {
    Races { known: all.iter().map(|(one, two, address)| race(one, two, address)).collect(), dropped: 0 }
}

fn crash(fatal: &str, others: &[&str]) -> Crash {
    let fatal = side(fatal, false);
    Crash {
        category: Category::Code,
        reason: CONCURRENT_MAP_ACCESS,
        message: String::new(),
        fatal: fatal.place,
        others: others.iter().map(|other| place(other)).collect(),
        near: Vec::new(),
        map: true,
        callers: fatal.callers,
        runtime: Runtime::Go,
    }
}

#[test]
fn the_rule() {
    use Answer::{Different, NotEnough, Same};
    let cases: [(&str, &[(&str, &str, &str)], Crash, Answer); 22] = [
        ("no race", &[], crash("add:12", &[]), NotEnough),
        ("no function", &[("add:12", "get:17", "0x1")], crash("?", &[]), NotEnough),
        ("both sides", &[("add:12", "get:17", "0x1")], crash("get:17", &["add:12"]), Same),
        ("one side", &[("add:12", "get:17", "0x1")], crash("get:17", &[]), Same),
        ("no side", &[("add:12", "get:17", "0x1")], crash("drop:30", &["add:12"]), Different),
        ("the second of two", &[("set:3", "get:17", "0x1"), ("add:12", "drop:30", "0x2")], crash("drop:30", &[]), Same),
        (
            "two of one function, told by the line",
            &[("add:12", "get:17", "0x1"), ("add:13", "list:40", "0x2")],
            crash("add:13", &[]),
            Same,
        ),
        (
            "two of one line and two maps",
            &[("add:12", "get:17", "0x1"), ("add:12", "list:40", "0x2")],
            crash("add:12", &[]),
            NotEnough,
        ),
        (
            "two of one line and one map",
            &[("add:12", "get:17", "0x1"), ("add:12", "list:40", "0x1")],
            crash("add:12", &[]),
            Same,
        ),
        (
            "two of one line, told by the other side",
            &[("add:12", "get:17", "0x1"), ("add:12", "drop:40", "0x2")],
            crash("add:12", &["drop:40"]),
            Same,
        ),
        (
            "another writer than any that races",
            &[("add:12", "get:17", "0x1")],
            crash("get:17", &["purge:50"]),
            NotEnough,
        ),
        (
            "another writer, of another race",
            &[("add:12", "get:17", "0x1"), ("purge:50", "purge:50", "0x2")],
            crash("get:17", &["purge:50"]),
            Same,
        ),
        ("a side without a stack", &[("add:12", "?", "0x1")], crash("get:17", &[]), NotEnough),
        (
            "another line of one build",
            &[("add:12<run:60", "add:12<run:60", "0x1")],
            crash("add:20<run:60", &["add:20"]),
            NotEnough,
        ),
        (
            "another line, nothing known of the builds, one side",
            &[("add:12", "get:17", "0x1")],
            crash("get:19", &[]),
            NotEnough,
        ),
        (
            "another line, nothing known of the builds, both sides",
            &[("add:12", "get:17", "0x1")],
            crash("get:19", &["add:14"]),
            Same,
        ),
        (
            "code that has moved as its callers have",
            &[("add:12<run:60", "get:17<run2:70", "0x1")],
            crash("get:20<run2:73", &[]),
            Same,
        ),
        (
            "code that has moved otherwise than its callers",
            &[("add:12<run:60", "get:17<run2:70", "0x1")],
            crash("get:29<run2:73", &[]),
            NotEnough,
        ),
        (
            "moved code, two races, told by the line",
            &[("add:12<run:60", "add:12<run:60", "0x1"), ("add:13<run:60", "add:13<run:60", "0x2")],
            crash("add:16<run:63", &[]),
            Same,
        ),
        (
            "another closure",
            &[("main.func1:12", "main.func1:12", "0x1")],
            crash("main.func2:20", &["main.func2:20"]),
            Different,
        ),
        (
            "another line, and callers of another file have moved",
            &[("add:12<in_b:60", "get:17<in_b:70", "0x1")],
            crash("get:20<in_b:73", &[]),
            Same,
        ),
        ("a race of itself at two lines", &[("add:12", "add:14", "0x1")], crash("add:14", &["add:12"]), Same),
    ];
    for (name, all, crash, expected) in cases {
        let proof = compare(&races(all), crash);
        assert_eq!(proof.answer, expected, "{name}: {}", proof.why);
        assert!(!proof.why.is_empty());
    }
}

#[test]
fn of_a_map_only_a_race_inside_of_a_map_can_be_the_cause() {
    let mut counter = races(&[("add:12", "add:12", "0x1")]);
    counter.known[0].map = false;
    assert_eq!(compare(&counter, crash("add:13", &[])).answer, Answer::Different);
    let nil = Crash { reason: NIL_DEREFERENCE, map: false, ..crash("add:12", &[]) };
    assert_eq!(compare(&counter, nil).answer, Answer::Same);
}

#[test]
fn what_no_race_brings_about_is_no_race() {
    let refused =
        Crash { category: Category::Dependency, reason: CONNECTION_REFUSED, map: false, ..crash("add:12", &[]) };
    assert_eq!(compare(&races(&[("add:12", "get:17", "0x1")]), refused).answer, Answer::Different);
}

#[test]
fn a_race_in_a_caller_and_races_that_were_not_kept_leave_it_open() {
    let nil = Crash { reason: NIL_DEREFERENCE, map: false, ..crash("use:80<get:18", &[]) };
    let through = Crash { callers: vec![place("get:17")], ..nil.clone() };
    assert_eq!(compare(&races(&[("add:12", "get:17", "0x1")]), through).answer, Answer::Same);
    assert_eq!(compare(&races(&[("add:12", "get:17", "0x1")]), nil).answer, Answer::NotEnough);
    let many = Races { dropped: 1, ..races(&[("add:12", "get:17", "0x1")]) };
    assert_eq!(compare(&many, crash("drop:30", &[])).answer, Answer::NotEnough);
}

#[test]
fn who_has_just_left_the_map_tells_which_of_two_races_it_was() {
    let two = races(&[("add:12", "get:17", "0x1"), ("set:30", "get:17", "0x2")]);
    assert_eq!(compare(&two, crash("get:17", &[])).answer, Answer::NotEnough);
    for (near, pair) in [("set:30", Some("main.set")), ("set:29", None)] {
        let proof = compare(&two, Crash { near: vec![place(near)], ..crash("get:17", &[]) });
        let told = pair.is_some_and(|function| proof.race.unwrap().functions().contains(&function));
        assert_eq!((proof.answer == Answer::Same, told), (pair.is_some(), pair.is_some()), "{near}");
    }
}

#[test]
fn one_side_alone_says_what_would_show_the_other() {
    let proof = compare(&races(&[("add:12", "get:17", "0x1")]), crash("get:17", &[]));
    assert!(proof.settle.iter().any(|step| step.contains("GOTRACEBACK=all")), "{:?}", proof.settle);
}
