//! Seeded random numbers: SplitMix64 (Steele, Lea and Flood 2014). Good enough to choose
//! scenarios and gaps; two cursors with the same state give the same sequence.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Random(u64);

impl Random {
    /// Its sequence depends on nothing but the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// Uniform in (0, 1]: its logarithm is finite.
    pub(super) fn unit(&mut self) -> f64 {
        unit(self.next())
    }
}

/// The number at `index` of the sequence of `seed`, without the ones before.
pub(super) fn at(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_add(1).wrapping_mul(GAMMA)))
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The upper 53 bits as a number in (0, 1].
pub(super) fn unit(bits: u64) -> f64 {
    ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64
}
