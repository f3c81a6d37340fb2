//! What a recording really is, by its content: what Twilio's `<Play>` takes, and how long it lasts.
//!
//! MP3: MPEG audio layer III (ISO 11172-3, 13818-3), frame after frame. WAV: RIFF with PCM of 8 or 16 bits, µ-law or
//! A-law. Nothing is decoded: a file whose frames follow one another from beginning to end is one that plays.

use std::time::Duration;

use domain::language::{Language, Words};

/// Callers have come to be heard, not to listen.
const LONGEST: Duration = Duration::from_mins(5);
/// Shorter than any word.
const SHORTEST: Duration = Duration::from_millis(300);
/// What players forgive at the end of a file: half a frame, a tag of an old kind.
const LOOSE_END: usize = 4096;

/// A recording that plays on the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sound {
    /// What it is.
    pub(crate) format: Format,
    /// How long it lasts.
    pub(crate) lasts: Duration,
}

/// What a greeting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// MPEG layer III.
    Mp3,
    /// RIFF.
    Wav,
}

impl Format {
    /// The end of its file's name.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
        }
    }
}

/// Why a recording cannot be a greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is something else.
    NotSound,
    /// A WAV file of a kind that telephones do not play.
    Coding,
    /// It breaks off, or has something else in it.
    Damaged,
    /// It lasts too long.
    TooLong,
    /// There is nothing to hear.
    TooShort,
}

impl Refused {
    /// What to do about it.
    pub(crate) const fn words(self, language: Language) -> &'static str {
        let words = match self {
            Self::NotSound => Words {
                en: "This is neither an MP3 nor a WAV file. Save the recording as one of them and upload it again.",
                es: "Esto no es un archivo MP3 ni WAV. Guarde la grabación en uno de esos formatos y súbala de nuevo.",
            },
            Self::Coding => Words {
                en: "Telephones do not play this kind of WAV file. Save it as 16-bit PCM, or as MP3.",
                es: "Los teléfonos no reproducen este tipo de archivo WAV. Guárdelo como PCM de 16 bits o como MP3.",
            },
            Self::Damaged => Words {
                en: "The file breaks off or is damaged. Save the recording once more and upload it again.",
                es: "El archivo está incompleto o dañado. Guarde la grabación otra vez y súbala de nuevo.",
            },
            Self::TooLong => Words {
                en: "The recording lasts longer than 5 minutes. Callers have come to be heard: keep it short.",
                es: "La grabación dura más de 5 minutos. Quien llama quiere que le escuchen: que sea breve.",
            },
            Self::TooShort => Words {
                en: "There is nothing to hear in this file. Record the greeting again.",
                es: "En este archivo no se oye nada. Grabe el saludo de nuevo.",
            },
        };
        words.of(language)
    }
}

/// Looks at the content of a file.
pub(crate) fn check(bytes: &[u8]) -> Result<Sound, Refused> {
    let sound = if bytes.starts_with(b"RIFF") { wav(bytes)? } else { mp3(bytes)? };
    if sound.lasts > LONGEST {
        Err(Refused::TooLong)
    } else if sound.lasts < SHORTEST {
        Err(Refused::TooShort)
    } else {
        Ok(sound)
    }
}

fn wav(bytes: &[u8]) -> Result<Sound, Refused> {
    if bytes.get(8..12) != Some(b"WAVE") {
        return Err(Refused::NotSound);
    }
    let mut rest = bytes.get(12..).unwrap_or_default();
    let mut bytes_per_second = None;
    loop {
        let (header, body) = rest.split_first_chunk::<8>().ok_or(Refused::Damaged)?;
        let [a, b, c, d, s0, s1, s2, s3] = *header;
        let size = usize::try_from(u32::from_le_bytes([s0, s1, s2, s3])).map_err(|_| Refused::Damaged)?;
        match &[a, b, c, d] {
            b"fmt " => bytes_per_second = Some(coding(body.get(..size).ok_or(Refused::Damaged)?)?),
            b"data" => {
                let per_second = u64::from(bytes_per_second.ok_or(Refused::Damaged)?);
                let there = body.get(..size).ok_or(Refused::Damaged)?.len() as u64;
                let lasts = Duration::from_millis(there * 1000 / per_second.max(1));
                return Ok(Sound { format: Format::Wav, lasts });
            }
            _ => {}
        }
        // Chunks begin at even places.
        rest = body.get(size.saturating_add(size % 2)..).ok_or(Refused::Damaged)?;
    }
}

/// Bytes per second of a coding that telephones play.
fn coding(fmt: &[u8]) -> Result<u32, Refused> {
    let (header, _) = fmt.split_first_chunk::<16>().ok_or(Refused::Damaged)?;
    let [t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, _, _, b0, b1] = *header;
    let (coding, channels) = (u16::from_le_bytes([t0, t1]), u16::from_le_bytes([c0, c1]));
    let (rate, bits) = (u32::from_le_bytes([r0, r1, r2, r3]), u16::from_le_bytes([b0, b1]));
    // 1 PCM, 6 A-law, 7 µ-law (RFC 2361).
    let plays = matches!((coding, bits), (1, 8 | 16) | (6 | 7, 8))
        && matches!(channels, 1 | 2)
        && (8_000..=48_000).contains(&rate);
    if plays { Ok(rate * u32::from(channels) * u32::from(bits / 8)) } else { Err(Refused::Coding) }
}

fn mp3(bytes: &[u8]) -> Result<Sound, Refused> {
    let mut rest = after_tags(bytes).ok_or(Refused::NotSound)?;
    let mut frames = 0_u32;
    let mut microseconds = 0_u64;
    while let Some(frame) = rest.first_chunk::<4>().and_then(|header| Frame::read(*header)) {
        let Some(next) = rest.get(frame.bytes..) else { break };
        frames += 1;
        microseconds += u64::from(frame.samples) * 1_000_000 / u64::from(frame.rate);
        rest = next;
    }
    match frames {
        // Two bytes look like the beginning of a frame in any long file; three frames in a row do not.
        0..3 => Err(Refused::NotSound),
        _ if !is_end(rest) => Err(Refused::Damaged),
        _ => Ok(Sound { format: Format::Mp3, lasts: Duration::from_micros(microseconds) }),
    }
}

/// What comes behind the tags that players skip (ID3v2: its size is in four bytes of seven bits), and behind what some
/// programs fill up with before the first frame.
fn after_tags(mut bytes: &[u8]) -> Option<&[u8]> {
    while let Some(([b'I', b'D', b'3', _, _, flags, s0, s1, s2, s3], _)) = bytes.split_first_chunk::<10>() {
        let size = [s0, s1, s2, s3].into_iter().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7F));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        bytes = bytes.get(10 + size + footer..)?;
    }
    let filling = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(filling..)
}

/// A tag of an old kind, or less than a frame that was cut, or nothing.
fn is_end(rest: &[u8]) -> bool {
    rest.starts_with(b"TAG")
        || rest.starts_with(b"APETAGEX")
        || rest.starts_with(b"LYRICSBEGIN")
        || rest.iter().all(|byte| *byte == 0)
        || rest.len() < LOOSE_END && rest.first_chunk::<4>().is_none_or(|header| Frame::read(*header).is_some())
}

/// A frame of MPEG audio layer III.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    bytes: usize,
    samples: u32,
    rate: u32,
}

impl Frame {
    /// From the first four bytes.
    fn read([sync, b1, b2, _]: [u8; 4]) -> Option<Self> {
        const KBITS_1: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const KBITS_2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        if sync != 0xFF || b1 & 0xE0 != 0xE0 || b1 & 0x06 != 0x02 {
            return None;
        }
        // 3 is version 1, 2 version 2, 0 version 2.5.
        let (divisor, kbits, samples) = match b1 >> 3 & 3 {
            3 => (1, KBITS_1, 1152),
            2 => (2, KBITS_2, 576),
            0 => (4, KBITS_2, 576),
            _ => return None,
        };
        let rate = [44_100, 48_000, 32_000].get(usize::from(b2 >> 2 & 3))? / divisor;
        // 0 would be a rate of the file's own, which few players know.
        let bits = kbits.get(usize::from(b2 >> 4)).filter(|kbits| **kbits > 0)? * 1000;
        let padding = u32::from(b2 >> 1 & 1);
        let bytes = usize::try_from(samples / 8 * bits / rate + padding).ok()?;
        Some(Self { bytes, samples, rate })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// MPEG 1, 128 kbit/s, 44.1 kHz: 417 bytes for 1152 samples.
    pub(crate) fn an_mp3(frames: usize) -> Vec<u8> {
        let mut frame = vec![0xFF, 0xFB, 0x90, 0x00];
        frame.resize(417, 0x55);
        frame.repeat(frames)
    }

    pub(crate) fn a_wav(coding: u16, channels: u16, rate: u32, bits: u16, seconds: u32) -> Vec<u8> {
        let block = channels * bits / 8;
        let data = vec![0; usize::try_from(rate * u32::from(block) * seconds).unwrap()];
        let mut wav = b"RIFF".to_vec();
        wav.extend((36 + u32::try_from(data.len()).unwrap()).to_le_bytes());
        wav.extend(b"WAVEfmt ");
        wav.extend(16_u32.to_le_bytes());
        wav.extend(coding.to_le_bytes());
        wav.extend(channels.to_le_bytes());
        wav.extend(rate.to_le_bytes());
        wav.extend((rate * u32::from(block)).to_le_bytes());
        wav.extend(block.to_le_bytes());
        wav.extend(bits.to_le_bytes());
        wav.extend(b"data");
        wav.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        wav.extend(data);
        wav
    }

    #[test]
    fn an_mp3_lasts_as_long_as_its_frames() {
        let sound = check(&an_mp3(100)).unwrap();
        assert_eq!((sound.format, sound.lasts.as_millis()), (Format::Mp3, 2612));
    }

    #[test]
    fn tags_before_and_behind_the_sound_are_skipped() {
        let mut tagged = b"ID3\x04\0\0\0\0\x01\x00".to_vec();
        tagged.extend([7; 128]);
        tagged.extend(an_mp3(100));
        tagged.extend(b"TAG");
        tagged.extend([b' '; 125]);
        assert!(check(&tagged).is_ok());
    }

    #[test]
    fn what_telephones_play_is_taken_and_anything_else_refused_with_the_reason() {
        for (coding, channels, rate, bits) in
            [(1, 1, 8_000, 16), (1, 2, 44_100, 16), (7, 1, 8_000, 8), (6, 1, 8_000, 8)]
        {
            let sound = check(&a_wav(coding, channels, rate, bits, 2)).unwrap();
            assert_eq!((sound.format, sound.lasts.as_secs()), (Format::Wav, 2));
        }
        for (coding, channels, rate, bits) in
            [(3, 1, 8_000, 32), (1, 6, 8_000, 16), (1, 1, 96_000, 16), (1, 1, 0, 16), (2, 1, 8_000, 8)]
        {
            assert_eq!(check(&a_wav(coding, channels, rate, bits, 1)), Err(Refused::Coding), "{coding} {rate}");
        }
        for wrong in
            [b"".as_slice(), b"GIF89a", b"<!doctype html>", b"OggS\0\x02", b"fLaC\0\0\0\x22", b"RIFF\0\0\0\0AVI "]
        {
            assert_eq!(check(wrong), Err(Refused::NotSound), "{wrong:?}");
        }
    }

    #[test]
    fn a_page_behind_a_few_frames_is_no_recording() {
        let mut smuggled = an_mp3(20);
        smuggled.extend(b"<script>alert(1)</script>");
        assert_eq!(check(&smuggled), Err(Refused::Damaged));
    }

    #[test]
    fn too_long_too_short_and_broken_off_are_told_apart() {
        assert_eq!(check(&a_wav(7, 1, 8_000, 8, 301)), Err(Refused::TooLong));
        assert_eq!(check(&an_mp3(5)), Err(Refused::TooShort));
        let mut broken = a_wav(1, 1, 8_000, 16, 2);
        broken.truncate(1000);
        assert_eq!(check(&broken), Err(Refused::Damaged));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = check(&bytes);
        }

        #[test]
        fn no_damage_to_a_good_file_makes_it_panic(
            at in 0_usize..2000, with in prop::collection::vec(any::<u8>(), 1..40), mp3 in any::<bool>(), cut in 0_usize..5000
        ) {
            let mut bytes = if mp3 { an_mp3(12) } else { a_wav(1, 1, 8_000, 16, 1) };
            let end = (at + with.len()).min(bytes.len());
            let start = at.min(end);
            bytes[start..end].copy_from_slice(&with[..end - start]);
            bytes.truncate(cut);
            let _ = check(&bytes);
        }
    }
}
