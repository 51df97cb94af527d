pub struct Vat {
    pub litres: Vec<u32>,
}

impl Vat {
    #[inline(never)]
    pub fn at(&self, n: usize) -> u32 {
        self.litres[n] // «at»
    }
}

fn main() {
    println!("vat 0.1 starting");
    for n in 0..6 {
        println!("vat {}: {} l", n, n * 7);
    }
    let vat = Vat { litres: vec![1, 2, 3] };
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "at" => drop(vat.at(7)),
        "thread" => {
            let stirrer = std::thread::Builder::new().name("stirrer".into()).spawn(move || vat.at(8)).unwrap();
            stirrer.join().unwrap();
        }
        _ => assert_eq!(vat.litres.len(), 4, "vats"), // «assert»
    }
}
