//! The two fonts, shaping, and where a line breaks.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, Script, ShapePlan, UnicodeBuffer};

use crate::document::Error;

const REGULAR: &[u8] = include_bytes!("../data/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../data/NotoSans-Bold.ttf");

/// How many of the fonts' units make an em.
const UNITS: f32 = 1000.0;

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// Both weights, for shaping and for the file.
pub(crate) struct Fonts {
    regular: Cut,
    bold: Cut,
}

/// A font of one weight.
struct Cut {
    face: Face<'static>,
    embedded: Font,
    /// How each script is shaped, worked out once: a long document has thousands of short texts.
    plans: RefCell<Vec<(Script, Rc<ShapePlan>)>>,
}

impl Cut {
    fn load(data: &'static [u8]) -> Result<Self, Error> {
        let (face, embedded) = Face::from_slice(data, 0).zip(Font::new(data.into(), 0)).ok_or(Error::Fonts)?;
        Ok(Self { face, embedded, plans: RefCell::new(Vec::new()) })
    }

    fn plan(&self, script: Script) -> Rc<ShapePlan> {
        let mut plans = self.plans.borrow_mut();
        if let Some((_, plan)) = plans.iter().find(|(known, _)| *known == script) {
            return Rc::clone(plan);
        }
        let plan = Rc::new(ShapePlan::new(&self.face, Direction::LeftToRight, Some(script), None, &[]));
        plans.push((script, Rc::clone(&plan)));
        plan
    }
}

impl Fonts {
    pub(crate) fn load() -> Result<Self, Error> {
        Ok(Self { regular: Cut::load(REGULAR)?, bold: Cut::load(BOLD)? })
    }

    const fn of(&self, weight: Weight) -> &Cut {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// The font as the file embeds it.
    pub(crate) fn embedded(&self, weight: Weight) -> Font {
        self.of(weight).embedded.clone()
    }

    /// Whether there is a glyph; both weights have the same.
    pub(crate) fn has(&self, character: char) -> bool {
        self.regular.face.glyph_index(character).is_some_and(|glyph| glyph.0 != 0)
    }

    /// Shapes clean text without line breaks. It is read left to right, as everything is that the fonts have.
    pub(crate) fn shape(&self, text: String, weight: Weight) -> Shaped {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::LeftToRight);
        let cut = self.of(weight);
        let output = rustybuzz::shape_with_plan(&cut.face, &cut.plan(buffer.script()), buffer);

        let clusters: Vec<u32> = output.glyph_infos().iter().map(|info| info.cluster).collect();
        let mut glyphs: Vec<Glyph> = output
            .glyph_infos()
            .iter()
            .zip(output.glyph_positions())
            .map(|(info, position)| Glyph {
                id: info.glyph_id,
                advance: units(position.x_advance),
                x_offset: units(position.x_offset),
                y_offset: units(position.y_offset),
                start: info.cluster,
                end: 0,
            })
            .collect();
        // A glyph stands for the text up to the next cluster, which all glyphs of its own cluster share.
        let mut end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let mut cluster = clusters.last().copied().unwrap_or_default();
        for glyph in glyphs.iter_mut().rev() {
            if glyph.start != cluster {
                end = cluster;
                cluster = glyph.start;
            }
            glyph.end = end;
        }
        Shaped { text, glyphs }
    }
}

/// A distance in the fonts' units, all of which are far below an `i16`'s limits.
fn units(value: i32) -> i16 {
    i16::try_from(value).unwrap_or_default()
}

/// Shaped text.
#[derive(Debug)]
pub(crate) struct Shaped {
    text: String,
    glyphs: Vec<Glyph>,
}

/// A glyph, in the fonts' units; kept small, since a long document has a million.
#[derive(Debug, Clone, Copy)]
struct Glyph {
    id: u32,
    advance: i16,
    x_offset: i16,
    y_offset: i16,
    start: u32,
    end: u32,
}

/// A line of shaped text.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    shaped: Rc<Shaped>,
    glyphs: Range<usize>,
}

impl Shaped {
    /// Whether nothing of it is seen.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The width of the whole text on one line.
    pub(crate) fn width(&self, size: f32) -> f32 {
        self.measure(&self.glyphs, size)
    }

    /// The width of the longest word.
    pub(crate) fn longest_word(&self, size: f32) -> f32 {
        let words = self.glyphs.split(|glyph| self.character(glyph) == Some(' '));
        words.map(|word| self.measure(word, size)).fold(0.0, f32::max)
    }

    /// The width of glyphs, without the blanks at their end.
    fn measure(&self, glyphs: &[Glyph], size: f32) -> f32 {
        let blanks = glyphs.iter().rev().take_while(|glyph| self.character(glyph) == Some(' ')).count();
        let seen = glyphs.len() - blanks;
        glyphs.iter().take(seen).map(|glyph| f32::from(glyph.advance)).sum::<f32>() * size / UNITS
    }

    fn character(&self, glyph: &Glyph) -> Option<char> {
        self.text.get(glyph.start as usize..)?.chars().next()
    }

    /// Breaks the text into lines of at most this width.
    ///
    /// A line breaks at a blank or after a hyphen within a word; a word that is longer than a line breaks after a sign
    /// that addresses have between their parts, and if there is none, between any two letters.
    pub(crate) fn wrap(self: &Rc<Self>, size: f32, width: f32) -> Vec<Line> {
        let limit = width * UNITS / size;
        let mut lines = Vec::new();
        let mut start = 0;
        let mut at = 0;
        let mut used = 0.0;
        let mut breaks = Breaks::default();
        let mut before: Option<(char, u32)> = None;
        while let Some(glyph) = self.glyphs.get(at) {
            let character = self.character(glyph).unwrap_or(' ');
            if let Some((previous, cluster)) = before
                && cluster != glyph.start
                && at > start
            {
                breaks.note(at, previous, character, used > limit / 2.0);
            }
            // A blank at the end of a line may stand in the margin.
            if character != ' '
                && used + f32::from(glyph.advance) > limit
                && let Some(next) = breaks.best()
            {
                lines.push(Line { shaped: Rc::clone(self), glyphs: start..next });
                (start, at, used, breaks, before) = (next, next, 0.0, Breaks::default(), None);
                continue;
            }
            used += f32::from(glyph.advance);
            before = Some((character, glyph.start));
            at += 1;
        }
        lines.push(Line { shaped: Rc::clone(self), glyphs: start..self.glyphs.len() });
        lines
    }
}

/// Where the line at hand could end, by its first glyph on the next line.
#[derive(Default)]
struct Breaks {
    between_words: Option<usize>,
    between_parts: Option<usize>,
    anywhere: Option<usize>,
}

impl Breaks {
    fn note(&mut self, at: usize, previous: char, next: char, past_half: bool) {
        self.anywhere = Some(at);
        match previous {
            ' ' if next != ' ' => self.between_words = Some(at),
            '-' | '–' | '—' if next.is_alphabetic() => self.between_words = Some(at),
            '/' | '?' | '&' | '=' | '@' | '.' | '_' | ':' | ';' | ',' | '-' | '+' | '#' | '%' if past_half => {
                self.between_parts = Some(at);
            }
            _ => {}
        }
    }

    fn best(&self) -> Option<usize> {
        self.between_words.or(self.between_parts).or(self.anywhere)
    }
}

impl Line {
    fn parts(&self) -> &[Glyph] {
        self.shaped.glyphs.get(self.glyphs.clone()).unwrap_or_default()
    }

    /// The width, without the blanks at its end.
    pub(crate) fn width(&self, size: f32) -> f32 {
        self.shaped.measure(self.parts(), size)
    }

    /// The text that its glyphs' ranges are in.
    pub(crate) fn text(&self) -> &str {
        &self.shaped.text
    }

    /// The glyphs as the file takes them.
    pub(crate) fn glyphs(&self) -> Vec<KrillaGlyph> {
        let glyphs = self.parts().iter();
        glyphs
            .map(|glyph| {
                KrillaGlyph::new(
                    GlyphId::new(glyph.id),
                    f32::from(glyph.advance) / UNITS,
                    f32::from(glyph.x_offset) / UNITS,
                    f32::from(glyph.y_offset) / UNITS,
                    0.0,
                    glyph.start as usize..glyph.end as usize,
                    None,
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: f32) -> Vec<String> {
        let fonts = Fonts::load().unwrap();
        let shaped = Rc::new(fonts.shape(text.into(), Weight::Regular));
        let lines = shaped.wrap(10.0, width);
        for line in &lines {
            assert!(line.width(10.0) <= width + 0.01 || line.glyphs.len() == 1, "{line:?}");
        }
        lines
            .iter()
            .map(|line| {
                let parts = line.parts();
                parts.iter().map(|glyph| &text[glyph.start as usize..glyph.end as usize]).collect::<String>()
            })
            .collect()
    }

    #[test]
    fn both_weights_have_the_same_characters_and_units_and_digits_of_one_width() {
        let fonts = Fonts::load().unwrap();
        for weight in [Weight::Regular, Weight::Bold] {
            let face = &fonts.of(weight).face;
            assert_eq!(face.units_per_em().to_string(), UNITS.to_string());
            let digits = ('0'..='9').map(|digit| face.glyph_hor_advance(face.glyph_index(digit).unwrap()));
            assert_eq!(digits.collect::<std::collections::BTreeSet<_>>().len(), 1);
        }
        for character in '\0'..=char::MAX {
            let in_bold = fonts.bold.face.glyph_index(character).is_some();
            assert_eq!(fonts.regular.face.glyph_index(character).is_some(), in_bold, "{character:?}");
        }
        for character in "Łódź Nguyễn Ďábel Ξένια Ἀθηνᾶ Юлія Ђорђе ĳ ș € – “ ” … №".chars()
        {
            assert!(fonts.has(character), "{character}");
        }
        assert!(REGULAR.len() < 300_000 && BOLD.len() < 300_000);
    }

    #[test]
    fn lines_break_at_blanks_which_stay_at_their_end() {
        assert_eq!(lines("one two three four", 40.0), ["one two ", "three ", "four"]);
        assert_eq!(lines("short", 400.0), ["short"]);
        assert_eq!(lines("", 400.0), [""]);
    }

    #[test]
    fn a_hyphen_breaks_a_word_but_not_a_date() {
        assert_eq!(lines("Anna-Magdalena", 60.0), ["Anna-", "Magdalena"]);
        assert_eq!(lines("on 2026-06-01", 60.0), ["on ", "2026-06-01"]);
    }

    #[test]
    fn an_address_breaks_between_its_parts_and_anything_else_where_it_must() {
        assert_eq!(lines("https://example.com/privacy/requests", 110.0), ["https://example.com/", "privacy/requests"]);
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(lines(&hash, 100.0).concat(), hash);
        assert_eq!(lines("W", 1.0), ["W"]);
        assert_eq!(lines("WW", 1.0), ["W", "W"]);
    }

    #[test]
    fn a_mark_stays_with_its_letter() {
        let text = "e\u{301}".repeat(50);
        for line in lines(&text, 30.0) {
            assert!(line.starts_with('e') && line.ends_with('\u{301}'), "{line}");
        }
    }
}
