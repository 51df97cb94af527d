//! Silos.
pub struct Silo {
    pub tonnes: Vec<u32>,
}

impl Silo {
    pub fn new() -> Self {
        Self { tonnes: vec![3, 5, 8] }
    }

    #[inline(never)]
    pub fn level(&self, day: usize) -> u32 {
        self.tonnes[day] // «level»
    }
}

pub trait Sack {
    fn fill(&self, n: usize) -> u32;
}

pub struct Jute<T>(pub T);

impl<T: Into<u64> + Copy> Sack for Jute<T> {
    #[inline(never)]
    fn fill(&self, n: usize) -> u32 {
        let sacks = vec![1, 2];
        sacks[n + self.0.into() as usize] // «fill»
    }
}

#[inline(never)]
pub async fn mix(day: usize) -> u32 {
    tokio::task::yield_now().await;
    Silo::new().level(day)
}

/// Is not closed before the thread ends.
pub struct Hatch;

impl Drop for Hatch {
    fn drop(&mut self) {
        panic!("hatch 9 does not close"); // «hatch»
    }
}
