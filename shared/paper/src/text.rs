//! What may stand on paper.

use std::fmt::Write as _;

/// How many marks may stack on one letter; no language needs more, and a name that climbs over its neighbours is a prank.
const MAX_MARKS: usize = 4;

/// The text with what has no form of its own left out, and what the fonts lack shown by its code point: `[U+4E2D]`.
///
/// Left out are control characters, the bidirectional controls that could make text read other than it is stored, and
/// joiners, selectors and other characters that are never seen. Line breaks of all kinds become `\n`, blanks of all
/// widths a blank.
pub(crate) fn clean(text: &str, has_glyph: impl Fn(char) -> bool) -> String {
    let mut cleaned = Cleaned { text: String::with_capacity(text.len()), in_bracket: false, marks: None };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => cleaned.line_break(),
            '\t' | '\u{1680}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200A}' | '\u{205F}' | '\u{3000}' => {
                cleaned.push(' ');
            }
            '\u{2007}' | '\u{202F}' => cleaned.push('\u{A0}'),
            unseen if is_unseen(unseen) => {}
            mark if is_mark(mark) => cleaned.push_mark(mark, has_glyph(mark)),
            known if has_glyph(known) => cleaned.push(known),
            unknown => cleaned.push_code_point(unknown),
        }
    }
    cleaned.close_bracket();
    let blanks = cleaned.text.trim_end().len();
    cleaned.text.truncate(blanks);
    cleaned.text
}

struct Cleaned {
    text: String,
    in_bracket: bool,
    /// How many marks the last letter has; `None` where there is no letter to carry one.
    marks: Option<usize>,
}

impl Cleaned {
    fn push(&mut self, character: char) {
        self.close_bracket();
        self.text.push(character);
        self.marks = (character != ' ').then_some(0);
    }

    fn push_mark(&mut self, mark: char, has_glyph: bool) {
        match self.marks {
            Some(marks) if has_glyph && !self.in_bracket && marks < MAX_MARKS => {
                self.text.push(mark);
                self.marks = Some(marks + 1);
            }
            _ => self.push_code_point(mark),
        }
    }

    fn push_code_point(&mut self, character: char) {
        self.text.push(if self.in_bracket { ' ' } else { '[' });
        // Writing to a string does not fail.
        let _ = write!(self.text, "U+{:04X}", u32::from(character));
        self.in_bracket = true;
    }

    fn close_bracket(&mut self) {
        if self.in_bracket {
            self.text.push(']');
            self.in_bracket = false;
            self.marks = None;
        }
    }

    /// Two blank lines say no more than one, and thousands would only turn pages.
    fn line_break(&mut self) {
        self.close_bracket();
        self.marks = None;
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

/// Unicode's controls, bidirectional controls, and default ignorable characters.
const fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1F}'
            | '\u{7F}'..='\u{9F}'
            | '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The combining marks of the scripts that the fonts have.
const fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36F}'
            | '\u{483}'..='\u{489}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}'
            | '\u{FE20}'..='\u{FE2F}'
    )
}

#[cfg(test)]
mod tests {
    use super::clean;

    fn latin(text: &str) -> String {
        clean(text, |character| character < '\u{370}')
    }

    #[test]
    fn what_the_fonts_have_stays_as_it_is() {
        assert_eq!(latin("José Ñandú, 5\u{A0}%"), "José Ñandú, 5\u{A0}%");
        assert_eq!(latin("e\u{301}"), "e\u{301}");
    }

    #[test]
    fn what_the_fonts_lack_is_shown_by_its_code_point() {
        assert_eq!(latin("王小明 (Xiaoming)"), "[U+738B U+5C0F U+660E] (Xiaoming)");
        assert_eq!(latin("محمد"), "[U+0645 U+062D U+0645 U+062F]");
        assert_eq!(latin("ok 👍🏽"), "ok [U+1F44D U+1F3FD]");
        assert_eq!(latin("\u{E000}"), "[U+E000]");
    }

    #[test]
    fn controls_and_what_is_never_seen_are_left_out() {
        assert_eq!(latin("invoice\u{202E}fdp.exe\u{202C}"), "invoicefdp.exe");
        assert_eq!(latin("a\0b\u{7}c\u{1B}[31md\u{200B}e\u{FEFF}f\u{AD}g\u{2066}h"), "abc[31mdefgh");
    }

    #[test]
    fn line_breaks_of_all_kinds_are_one_kind_and_leave_one_blank_line_at_most() {
        assert_eq!(latin("a\r\nb\rc\u{2028}d\u{85}e"), "a\nb\nc\nd\ne");
        assert_eq!(latin(&format!("a{}b\n\n", "\n".repeat(10_000))), "a\n\nb");
        assert_eq!(latin("\n\na"), "a");
    }

    #[test]
    fn a_mark_needs_a_letter_and_a_letter_carries_few() {
        assert_eq!(latin("\u{301}a"), "[U+0301]a");
        assert_eq!(latin(&format!("Z{}", "\u{300}".repeat(6))), "Z\u{300}\u{300}\u{300}\u{300}[U+0300 U+0300]");
        assert_eq!(latin("中\u{301}"), "[U+4E2D U+0301]");
    }
}
