//! Chance that can be had again: a printed seed draws the same numbers.

/// Steele, Lea and Flood's mixer.
#[derive(Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// With the seed in `WEGO_TEST_SEED`, or another one each time; prints which.
    ///
    /// # Panics
    /// When the seed is no number, or the system gives no randomness.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "a test that fails shows its seed")]
    pub fn drawn() -> Self {
        let given = std::env::var("WEGO_TEST_SEED").ok().map(|text| text.parse().expect("a number"));
        let seed = given.unwrap_or_else(|| getrandom::u64().expect("randomness"));
        println!("WEGO_TEST_SEED={seed} draws the same again");
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
