//! A business's own colour, and what can be read on it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A colour as `#rrggbb`, lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour([u8; 3]);

/// What was entered is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as #rrggbb")]
pub struct NotAColour;

impl Colour {
    /// White, the ground of a page by day.
    pub const WHITE: Self = Self([255; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
    /// The ground of a page by night.
    pub const NIGHT: Self = Self([0x15, 0x20, 0x22]);

    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Result<Self, NotAColour> {
        let digits = text.trim().strip_prefix('#').ok_or(NotAColour)?;
        Self::from_digits(&digits.to_ascii_lowercase())
    }

    /// Reads `rrggbb`, lower case and without the `#`, as an address has it.
    pub fn from_digits(digits: &str) -> Result<Self, NotAColour> {
        let fits = digits.len() == 6 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let part = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (fits, part(0), part(2), part(4)) {
            (true, Some(red), Some(green), Some(blue)) => Ok(Self([red, green, blue])),
            _ => Err(NotAColour),
        }
    }

    /// `rrggbb`.
    #[must_use]
    pub fn digits(self) -> String {
        let [red, green, blue] = self.0;
        format!("{red:02x}{green:02x}{blue:02x}")
    }

    /// How light it is, 0 to 1: WCAG 2.2, "relative luminance".
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        let [red, green, blue] = linear;
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// How well one can be read on the other, 1 to 21: WCAG 2.2, "contrast ratio".
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The same colour with so many twentieths of another in it.
    #[must_use]
    pub fn mixed(self, other: Self, twentieths: u8) -> Self {
        let share = u16::from(twentieths.min(20));
        let mut mixed = self.0;
        for (part, other) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*part) * (20 - share) + u16::from(other) * share;
            *part = u8::try_from((sum + 10) / 20).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The nearest shade towards `end` that can be read on `ground` (4.5 to 1, WCAG 2.2, 1.4.3).
    #[must_use]
    pub fn readable_on(self, ground: Self, end: Self) -> Self {
        (0..=20).map(|step| self.mixed(end, step)).find(|shade| shade.contrast(ground) >= 4.5).unwrap_or(end)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.digits())
    }
}

impl Serialize for Colour {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contrast_is_as_the_guidelines_compute_it() {
        let colour = |text| Colour::parse(text).unwrap();
        let black = colour("#000000");
        assert!((Colour::WHITE.contrast(black) - 21.0).abs() < 1e-9);
        // A grey that is known to be just readable on white.
        assert!((Colour::WHITE.contrast(colour("#767676")) - 4.54).abs() < 0.01);
        assert!((black.contrast(black) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for wrong in ["", "#", "red", "0a5c8f", "#0a5c8", "#0a5c8ff", "#0a5c8g", "#+a5c8f", "#٠a5c8f", "#0a5c8f;}"] {
            assert_eq!(Colour::parse(wrong), Err(NotAColour), "{wrong}");
        }
        assert_eq!(Colour::parse(" #0A5C8F ").unwrap().to_string(), "#0a5c8f");
        assert_eq!(Colour::from_digits("0A5C8F"), Err(NotAColour));
    }

    proptest! {
        #[test]
        fn every_colour_has_a_shade_that_can_be_read(parts in any::<[u8; 3]>()) {
            let colour = Colour(parts);
            prop_assert!(colour.readable_on(Colour::WHITE, Colour::BLACK).contrast(Colour::WHITE) >= 4.5);
            prop_assert!(colour.readable_on(Colour::NIGHT, Colour::WHITE).contrast(Colour::NIGHT) >= 4.5);
            prop_assert_eq!(Colour::parse(&colour.to_string()), Ok(colour));
        }
    }
}
