//! Style sheet, script and icon, under names that change with their content, so that browsers may keep them for good.

use std::fmt::Write as _;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// A file that pages refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// What is in it.
    pub bytes: &'static [u8],
    /// What it is, for the `Content-Type` header.
    pub content_type: &'static str,
}

const FILES: [(&str, Asset); 3] = [
    ("style.css", Asset { bytes: include_bytes!("../assets/style.css"), content_type: "text/css; charset=utf-8" }),
    ("app.js", Asset { bytes: include_bytes!("../assets/app.js"), content_type: "text/javascript; charset=utf-8" }),
    ("favicon.svg", Asset { bytes: include_bytes!("../assets/favicon.svg"), content_type: "image/svg+xml" }),
];

/// Where assets are served.
const FOLDER: &str = "/dashboard/asset/";

/// The asset with this hashed name, `style.0123456789abcdef.css`. `None` for any other name, also for an old hash.
#[must_use]
pub fn find(file_name: &str) -> Option<Asset> {
    hashed_names().iter().zip(FILES).find(|(hashed, _)| *hashed == file_name).map(|(_, (_, asset))| asset)
}

/// The address of an asset, by its plain name: `style.css` is at `/dashboard/asset/style.0123456789abcdef.css`.
///
/// A name that is not an asset's has the bare folder for an address, where nothing is found.
#[must_use]
pub fn path(name: &str) -> String {
    let hashed = FILES.iter().zip(hashed_names()).find(|((plain, _), _)| *plain == name).map(|(_, hashed)| hashed);
    format!("{FOLDER}{}", hashed.map_or("", String::as_str))
}

/// The plain names of all assets.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

fn hashed_names() -> &'static [String; 3] {
    static NAMES: OnceLock<[String; 3]> = OnceLock::new();
    NAMES.get_or_init(|| FILES.map(|(name, asset)| hashed(name, asset.bytes)))
}

fn hashed(name: &str, bytes: &[u8]) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut hashed = format!("{stem}.");
    for byte in Sha256::digest(bytes).iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(hashed, "{byte:02x}");
    }
    hashed.push('.');
    hashed.push_str(extension);
    hashed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_found_by_its_path_and_by_nothing_else() {
        for name in names() {
            let path = path(name);
            let file = path.strip_prefix(FOLDER).unwrap();
            assert_eq!(file.len(), name.len() + 17);
            assert!(find(file).is_some(), "{file}");
            assert!(find(name).is_none());
        }
        assert_eq!(find("style.0000000000000000.css"), None);
        assert_eq!(find("../Cargo.toml"), None);
        assert_eq!(find(""), None);
        assert_eq!(path("unknown"), FOLDER);
    }

    #[test]
    fn assets_stay_small() {
        let size = |name: &str| FILES.iter().find(|(plain, _)| *plain == name).unwrap().1.bytes.len();
        assert!(size("style.css") < 32 * 1024, "{}", size("style.css"));
        assert!(size("app.js") < 8 * 1024, "{}", size("app.js"));
        assert!(size("favicon.svg") < 1_000);
    }

    #[test]
    fn the_style_sheet_asks_nobody_else_for_anything() {
        let css = str::from_utf8(FILES[0].1.bytes).unwrap();
        assert!(!css.contains("@import") && !css.contains("http:") && !css.contains("https:"));
    }
}
