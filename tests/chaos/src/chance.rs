//! Chance from a seed.

/// SplitMix64: small, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The chance of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[must_use]
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below a limit; zero below one or nothing.
    #[must_use]
    pub fn below(&mut self, limit: u64) -> u64 {
        self.draw() % limit.max(1)
    }

    /// A place in something so long.
    #[must_use]
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap_or(u64::MAX))).unwrap_or_default()
    }

    /// Whether something happens that happens so often in a hundred.
    #[must_use]
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number from one to before another.
    #[must_use]
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from.saturating_add_unsigned(self.below(u64::try_from(to.saturating_sub(from)).unwrap_or_default()))
    }

    /// One of some.
    #[must_use]
    pub fn one<T: Copy>(&mut self, of: &[T], otherwise: T) -> T {
        of.get(self.place(of.len())).copied().unwrap_or(otherwise)
    }
}
