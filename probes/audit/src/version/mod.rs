//! Orders versions as each ecosystem does.
//!
//! OSV records say "introduced in 1.0, fixed in 1.10": whether 1.9 lies between depends on whose
//! versions these are.

mod alpine;
mod digits;
mod distro;
mod maven;
mod packagist;
mod pep440;
mod rubygems;
mod semver;

use std::cmp::Ordering;

/// How an ecosystem orders its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// SemVer 2, leniently read: npm, crates.io, Go, Hex, SwiftURL, GitHub Actions.
    SemVer,
    /// PEP 440.
    PyPi,
    /// `Gem::Version`.
    RubyGems,
    /// `ComparableVersion` of Maven.
    Maven,
    /// SemVer with four numbers and without case.
    NuGet,
    /// `version_compare` of PHP.
    Packagist,
    /// SemVer in which build metadata counts.
    Pub,
    /// Lists of numbers; a longer list is greater.
    Hackage,
    /// As Hackage, with `-` as a separator too.
    Cran,
    /// `dpkg --compare-versions`.
    Debian,
    /// `apk version -t`.
    Alpine,
    /// `rpmvercmp`, with epochs.
    Rpm,
}

/// The order of an OSV ecosystem (`Debian:12`, `crates.io`); `None` where none is known.
pub fn order_of(ecosystem: &str) -> Option<Order> {
    let name = ecosystem.split(':').next().unwrap_or_default();
    Some(match name {
        "npm" | "crates.io" | "Go" | "Hex" | "SwiftURL" | "GitHub Actions" | "Bitnami"
        | "Julia" => Order::SemVer,
        "PyPI" => Order::PyPi,
        "RubyGems" => Order::RubyGems,
        "Maven" => Order::Maven,
        "NuGet" => Order::NuGet,
        "Packagist" => Order::Packagist,
        "Pub" => Order::Pub,
        "Hackage" | "GHC" => Order::Hackage,
        "CRAN" | "Bioconductor" => Order::Cran,
        "Debian" | "Ubuntu" | "Echo" => Order::Debian,
        "Alpine"
        | "Wolfi"
        | "Chainguard"
        | "MinimOS"
        | "Alpaquita"
        | "BellSoft Hardened Containers" => Order::Alpine,
        "Red Hat" | "Rocky Linux" | "AlmaLinux" | "SUSE" | "openSUSE" | "Mageia" | "openEuler"
        | "Photon OS" | "Azure Linux" => Order::Rpm,
        _ => return None,
    })
}

impl Order {
    /// Compares two versions; `None` where one of them is no version at all.
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (a.trim(), b.trim());
        if a.is_empty() || b.is_empty() || a.len().max(b.len()) > LONGEST {
            return None;
        }
        match self {
            Self::SemVer => semver::compare(a, b),
            Self::NuGet => semver::compare(&a.to_ascii_lowercase(), &b.to_ascii_lowercase()),
            Self::Pub => semver::compare_with_build(a, b),
            Self::PyPi => Some(pep440::compare(a, b)),
            Self::RubyGems => Some(rubygems::compare(a, b)),
            Self::Maven => Some(maven::compare(a, b)),
            Self::Packagist => Some(packagist::compare(a, b)),
            Self::Hackage => numbers(a, b, &['.']),
            Self::Cran => numbers(a, b, &['.', '-']),
            Self::Debian => distro::debian(a, b),
            Self::Rpm => Some(distro::rpm(a, b)),
            Self::Alpine => Some(alpine::compare(a, b)),
        }
    }
}

/// Longest version that is compared, in bytes: nothing real comes near it.
const LONGEST: usize = 1_024;

/// Lists of numbers; where one is the beginning of the other, the longer is greater.
fn numbers(a: &str, b: &str, separators: &[char]) -> Option<Ordering> {
    let parts = |text: &str| -> Option<Vec<String>> {
        text.split(separators)
            .map(|part| {
                let digits = !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
                digits.then(|| part.to_owned())
            })
            .collect()
    };
    let (a, b) = (parts(a)?, parts(b)?);
    let unequal = a
        .iter()
        .zip(&b)
        .map(|(a, b)| digits::compare(a, b))
        .find(|order| order.is_ne());
    Some(unequal.unwrap_or(a.len().cmp(&b.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(order: Order, line: &str) {
        let (a, rest) = line.split_once(' ').unwrap();
        let (sign, b) = rest.split_once(' ').unwrap();
        let wanted = match sign {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            _ => Ordering::Greater,
        };
        assert_eq!(order.compare(a, b), Some(wanted), "{order:?}: {line}");
        assert_eq!(
            order.compare(b, a),
            Some(wanted.reverse()),
            "{order:?}: {line}"
        );
    }

    #[test]
    fn each_ecosystem_has_its_own_order() {
        holds(Order::SemVer, "1.9.0 < 1.10.0");
        holds(Order::SemVer, "1.0.0-rc.1 < 1.0.0");
        holds(Order::SemVer, "v1.2.3 = 1.2.3+build");
        // A pseudo-version of Go lies before the tag that follows it.
        holds(
            Order::SemVer,
            "v0.0.0-20200622213623-75b288015ac9 < v0.0.0-20220314234659-1baeb1ce4c0b",
        );
        holds(
            Order::SemVer,
            "v1.2.4-0.20200622213623-75b288015ac9 < v1.2.4",
        );
        holds(Order::PyPi, "1.0.dev1 < 1.0a1");
        holds(Order::PyPi, "1.0a1 < 1.0");
        holds(Order::PyPi, "1.0 < 1.0.post1");
        holds(Order::PyPi, "1!0.1 > 99");
        holds(Order::RubyGems, "1.0.pre < 1.0");
        holds(Order::Maven, "1.0-SNAPSHOT < 1.0");
        holds(Order::Maven, "1.0-sp > 1.0");
        holds(Order::NuGet, "1.0.0.1 > 1.0.0");
        holds(Order::Packagist, "1.0RC1 < 1.0");
        holds(Order::Packagist, "1.0pl1 > 1.0");
        holds(Order::Pub, "1.0.0+1 > 1.0.0");
        holds(Order::Debian, "1.0~rc1 < 1.0");
        holds(Order::Debian, "1:0.1 > 9");
        holds(Order::Rpm, "1.0~rc1 < 1.0");
        holds(Order::Rpm, "1.0^git1 > 1.0");
        holds(Order::Alpine, "1.0_rc1 < 1.0");
        holds(Order::Alpine, "1.0-r1 > 1.0-r0");
        holds(Order::Hackage, "1.0 < 1.0.0");
        holds(Order::Cran, "0.1-2 < 0.2");
    }

    #[test]
    fn what_is_no_version_has_no_order() {
        assert_eq!(Order::SemVer.compare("latest", "1.0.0"), None);
        assert_eq!(Order::Debian.compare("", "1"), None);
        assert_eq!(Order::SemVer.compare(&"1".repeat(2_000), "1"), None);
        assert_eq!(order_of("Debian:12"), Some(Order::Debian));
        assert_eq!(order_of("Nonesuch"), None);
    }
}
