//! The places whose privacy laws give rights to the people who call.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place with a law whose clocks are in `rules/<code>.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Jurisdiction {
    /// California.
    UsCa,
    /// Alabama.
    UsAl,
    /// Colorado.
    UsCo,
    /// Connecticut.
    UsCt,
    /// Delaware.
    UsDe,
    /// Florida.
    UsFl,
    /// Iowa.
    UsIa,
    /// Indiana.
    UsIn,
    /// Kentucky.
    UsKy,
    /// Maryland.
    UsMd,
    /// Minnesota.
    UsMn,
    /// Montana.
    UsMt,
    /// Nebraska.
    UsNe,
    /// New Hampshire.
    UsNh,
    /// New Jersey.
    UsNj,
    /// Nevada.
    UsNv,
    /// Oklahoma.
    UsOk,
    /// Oregon.
    UsOr,
    /// Rhode Island.
    UsRi,
    /// Tennessee.
    UsTn,
    /// Texas.
    UsTx,
    /// Utah.
    UsUt,
    /// Virginia.
    UsVa,
    /// Washington.
    UsWa,
}

impl Jurisdiction {
    /// Every jurisdiction, California first.
    pub const ALL: [Self; 24] = [
        Self::UsCa,
        Self::UsAl,
        Self::UsCo,
        Self::UsCt,
        Self::UsDe,
        Self::UsFl,
        Self::UsIa,
        Self::UsIn,
        Self::UsKy,
        Self::UsMd,
        Self::UsMn,
        Self::UsMt,
        Self::UsNe,
        Self::UsNh,
        Self::UsNj,
        Self::UsNv,
        Self::UsOk,
        Self::UsOr,
        Self::UsRi,
        Self::UsTn,
        Self::UsTx,
        Self::UsUt,
        Self::UsVa,
        Self::UsWa,
    ];

    /// The stored code: ISO 3166-2 in lower case, `us-ca`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsCa => "us-ca",
            Self::UsAl => "us-al",
            Self::UsCo => "us-co",
            Self::UsCt => "us-ct",
            Self::UsDe => "us-de",
            Self::UsFl => "us-fl",
            Self::UsIa => "us-ia",
            Self::UsIn => "us-in",
            Self::UsKy => "us-ky",
            Self::UsMd => "us-md",
            Self::UsMn => "us-mn",
            Self::UsMt => "us-mt",
            Self::UsNe => "us-ne",
            Self::UsNh => "us-nh",
            Self::UsNj => "us-nj",
            Self::UsNv => "us-nv",
            Self::UsOk => "us-ok",
            Self::UsOr => "us-or",
            Self::UsRi => "us-ri",
            Self::UsTn => "us-tn",
            Self::UsTx => "us-tx",
            Self::UsUt => "us-ut",
            Self::UsVa => "us-va",
            Self::UsWa => "us-wa",
        }
    }

    /// The jurisdiction with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|jurisdiction| jurisdiction.as_str() == code)
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jurisdiction_is_found_again_by_its_code() {
        for jurisdiction in Jurisdiction::ALL {
            assert_eq!(Jurisdiction::parse(jurisdiction.as_str()), Some(jurisdiction));
        }
        assert_eq!(Jurisdiction::parse("us-xx"), None);
    }
}
