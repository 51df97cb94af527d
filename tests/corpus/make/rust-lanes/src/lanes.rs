use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::Context;

#[inline(never)]
pub fn gate(gates: &[u32], at: usize) -> u32 {
    gates[at]  // «gate»
}

#[inline(never)]
pub fn slice(name: &str, end: usize) -> &str {
    &name[1..end]  // «slice»
}

#[inline(never)]
pub fn first(gates: &[u32]) -> u32 {
    *gates.first().unwrap()  // «first»
}

#[inline(never)]
pub fn named(depot: &str) -> u32 {
    *HashMap::from([("GVA", 4)]).get(depot).expect("depot without a lane")  // «named»
}

#[inline(never)]
pub fn parsed(text: &str) -> u32 {
    text.parse().unwrap()  // «parsed»
}

#[inline(never)]
pub fn parsed_expect(text: &str) -> u32 {
    text.parse().expect("gate number")  // «parsed-expect»
}

#[inline(never)]
pub fn keyed(depot: &str) -> u32 {
    HashMap::from([("GVA", 4)])[depot]  // «keyed»
}

#[derive(Default)]
pub struct Table {
    names: RefCell<Vec<String>>,
}

impl Table {
    #[inline(never)]
    pub fn add(&self, name: &str) {
        self.names.borrow_mut().push(name.to_owned());  // «add»
    }

    #[inline(never)]
    pub fn rename_all(&self) {
        let names = self.names.borrow();
        self.add("LUG");
        drop(names);
    }
}

#[inline(never)]
pub fn grams(a: u8, b: u8) -> u8 {
    a + b  // «grams»
}

#[inline(never)]
pub fn share(total: u32, buyers: u32) -> u32 {
    total / buyers  // «share»
}

#[inline(never)]
pub fn check(left: u32, right: u32) {
    assert_eq!(left, right, "gates of {}", "GVA");  // «check»
}

#[inline(never)]
#[allow(unconditional_recursion)]
pub fn deep(n: u64) -> u64 {
    let all = [n; 64];
    deep(n + 1) + all[(n % 64) as usize]
}

struct Lane;

impl Drop for Lane {
    fn drop(&mut self) {
        panic!("lane dropped while it unwound");
    }
}

#[inline(never)]
pub fn double() {
    let _lane = Lane;
    first(&[]);
}

#[inline(never)]
pub fn poison() {
    let gates = Arc::new(Mutex::new(vec![0]));
    let other = gates.clone();
    let _ = std::thread::spawn(move || {
        let _held = other.lock().unwrap();
        first(&[]);
    })
    .join();
    gates.lock().unwrap().push(1);  // «poisoned»
}

#[inline(never)]
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("environment variable {name} is not set"))  // «setting»
}

pub fn start() -> anyhow::Result<()> {
    std::fs::read_to_string("/etc/lanes/lanes.toml").context("cannot read the lanes").context("cannot start")?;  // «start»
    Ok(())
}
