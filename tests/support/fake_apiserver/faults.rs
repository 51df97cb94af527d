//! What goes wrong, and at which request.

use http::Method;

/// One way for a request to go wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// 429 with `retryAfterSeconds`.
    Throttle {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// 403, and nothing is done.
    Forbidden,
    /// 500, and nothing is done.
    ServerError,
    /// No answer ever, and nothing is done.
    Hang,
    /// It is done, and no answer ever comes.
    LostAnswer,
}

/// The faults still to come.
#[derive(Default)]
pub struct Faults(Vec<Planned>);

struct Planned {
    method: Method,
    fragment: String,
    times: usize,
    fault: Fault,
}

impl Faults {
    pub fn add(&mut self, method: Method, fragment: &str, times: usize, fault: Fault) {
        self.0.push(Planned { method, fragment: fragment.to_owned(), times, fault });
    }

    /// The fault for a request, if one is planned; the first plan that fits is used up first.
    pub fn take(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let fits = |plan: &&mut Planned| plan.times > 0 && plan.method == *method && path.contains(&plan.fragment);
        let plan = self.0.iter_mut().find(fits)?;
        plan.times -= 1;
        Some(plan.fault)
    }

    pub fn unmet(&self) -> usize {
        self.0.iter().map(|plan| plan.times).sum()
    }
}
