//! Makes marked values of every kind and remembers them.

use std::cell::{Cell, RefCell};

use uuid::Uuid;

/// One planted value.
pub(crate) struct Canary {
    /// What it stood for, and where.
    pub(crate) what: String,
    /// How it may be written.
    pub(crate) texts: Vec<String>,
    /// How it may lie in binary data.
    pub(crate) bytes: Vec<Vec<u8>>,
    /// Whether even the answer to its sender must not repeat it. Codes and names of fields may be told back.
    pub(crate) is_secret: bool,
}

/// Makes canaries that no other test and no other run makes.
pub(crate) struct Planter {
    run: String,
    n: Cell<u32>,
    planted: RefCell<Vec<Canary>>,
}

impl Planter {
    pub(crate) fn new() -> Self {
        let letter = |byte: &u8| char::from(b'a' + byte % 26);
        let run = Uuid::new_v4().as_bytes().iter().take(7).map(letter).collect();
        Self { run, n: Cell::new(0), planted: RefCell::default() }
    }

    /// Free text with a mark in it, as a person would write it: never anything like a code.
    pub(crate) fn words(&self, what: &str) -> String {
        let mark = self.mark();
        let text = format!("Awa {mark} l'a vu");
        self.remember(what, vec![mark], Vec::new(), true);
        text
    }

    /// The name of somebody who may sign in: sealed like every name, and told to whoever runs the coalition.
    pub(crate) fn name(&self, what: &str) -> String {
        let mark = self.mark();
        let name = format!("Awa {mark}");
        self.remember(what, vec![mark], Vec::new(), false);
        name
    }

    /// One word, where a code or the name of a field is expected; it may be told back to its sender.
    pub(crate) fn code(&self, what: &str) -> String {
        let mark = self.mark();
        self.remember(what, vec![mark.clone()], Vec::new(), false);
        mark
    }

    /// A phone number.
    pub(crate) fn phone(&self, what: &str) -> String {
        let digits = format!("23277{:07}", random() % 10_000_000);
        self.remember(what, vec![digits.clone()], Vec::new(), true);
        format!("+{digits}")
    }

    /// A network address.
    pub(crate) fn address(&self, what: &str) -> String {
        let n = random();
        let address = format!("2001:db8:{:x}:{:x}::{:x}", n >> 48, (n >> 32) & 0xffff, n & 0xffff);
        self.remember(what, vec![address.clone()], Vec::new(), true);
        address
    }

    /// Latitude and longitude of a spot in Sierra Leone, to a millimetre.
    pub(crate) fn spot(&self, what: &str) -> (f64, f64) {
        // The last two digits are small, so that rounding to seven decimals only cuts.
        let decimals = |n: u64| format!("{:06}{}{}", 300_000 + n % 600_000, 1 + n % 4, 1 + n % 3);
        let (lat, lon) = (decimals(random()), decimals(random()));
        for (sign, degrees, decimals) in [("", "8", &lat), ("-", "11", &lon)] {
            let cut: String = decimals.chars().take(7).collect();
            let number: f64 = format!("{sign}{degrees}.{decimals}").parse().expect("a number");
            self.remember(
                what,
                vec![format!("{degrees}.{cut}"), format!("{degrees}{cut}")],
                vec![number.to_le_bytes().to_vec(), number.to_be_bytes().to_vec()],
                true,
            );
        }
        let number = |text: String| text.parse().expect("a number");
        (number(format!("8.{lat}")), number(format!("-11.{lon}")))
    }

    /// Something that is secret by itself, such as a token, and the bytes it stands for where there are some.
    pub(crate) fn keep(&self, what: &str, text: &str, bytes: &[u8]) {
        let bytes = if bytes.is_empty() { Vec::new() } else { vec![bytes.to_vec()] };
        self.remember(what, vec![text.to_owned()], bytes, true);
    }

    pub(crate) fn count(&self) -> usize {
        self.planted.borrow().len()
    }

    pub(crate) fn take(&self) -> Vec<Canary> {
        self.planted.take()
    }

    fn mark(&self) -> String {
        self.n.set(self.n.get() + 1);
        format!("{}{:05}", self.run, self.n.get())
    }

    fn remember(&self, what: &str, texts: Vec<String>, bytes: Vec<Vec<u8>>, is_secret: bool) {
        let what = what.to_owned();
        self.planted.borrow_mut().push(Canary { what, texts, bytes, is_secret });
    }
}

fn random() -> u64 {
    Uuid::new_v4().as_u64_pair().0
}
