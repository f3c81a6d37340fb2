//! The pages as a file: PDF 1.7, conforming to PDF/A-2a and PDF/UA-1.

use std::num::NonZeroU16;
use std::rc::Rc;

use jiff::tz::TimeZone;
use krilla::SerializeSettings;
use krilla::color::luma;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, Node as Tagged, TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
};

use crate::document::{Document, Error};
use crate::font::{Fonts, Line};
use crate::layout::{self, FOOT, FOOTER, Ink, Item, LEFT, Layout, PAGE_HEIGHT, PAGE_WIDTH, RIGHT, Role, Style};

/// What wrote the file.
const CREATOR: &str = "Optline";

pub(crate) fn write(document: &Document, fonts: &Fonts, layout: &Layout) -> Result<Vec<u8>, Error> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| Error::Pdf(format!("{error:?}")))?;
    let mut pdf = krilla::Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let settings =
        PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).ok_or_else(|| Error::Pdf("a page has no size".into()))?;

    let number_of_pages = layout.pages.len();
    let mut leaves: Vec<Vec<Identifier>> = layout.nodes.iter().map(|_| Vec::new()).collect();
    for (index, items) in layout.pages.iter().enumerate() {
        let mut page = pdf.start_page_with(settings.clone());
        let mut surface = page.surface();
        draw(&mut surface, fonts, items, &mut leaves);
        foot(&mut surface, fonts, &layout.footer, index + 1, number_of_pages);
        surface.finish();
        page.finish();
    }

    pdf.set_metadata(metadata(document, layout));
    pdf.set_outline(outline(layout));
    pdf.set_tag_tree(structure(document, layout, leaves));
    pdf.finish().map_err(|error| Error::Pdf(format!("{error}: {error:?}")))
}

/// Draws a page; text of the same element that follows each other is one piece of content.
fn draw(surface: &mut Surface<'_>, fonts: &Fonts, items: &[Item], leaves: &mut [Vec<Identifier>]) {
    const REPEATED: ContentTag<'static> =
        ContentTag::Artifact(Artifact { kind: ArtifactType::PaginationOther, bbox: None });
    const ORNAMENT: ContentTag<'static> = ContentTag::Artifact(Artifact { kind: ArtifactType::Layout, bbox: None });

    let same = |one: &Item, other: &Item| match (&one.ink, &other.ink) {
        (Ink::Text { node: one, .. }, Ink::Text { node: other, .. }) => one == other,
        (Ink::Rule { .. }, Ink::Rule { .. }) => true,
        _ => false,
    };
    for piece in items.chunk_by(same) {
        let node = match piece.first().map(|item| &item.ink) {
            Some(Ink::Text { node, .. }) => *node,
            Some(Ink::Rule { .. }) | None => None,
        };
        let leaf = node.and_then(|node| leaves.get_mut(node));
        let tag = match (&leaf, piece.first().map(|item| &item.ink)) {
            (Some(_), _) => ContentTag::Other,
            (None, Some(Ink::Rule { .. })) => ORNAMENT,
            (None, _) => REPEATED,
        };
        let identifier = surface.start_tagged(tag);
        if let Some(leaf) = leaf {
            leaf.push(identifier);
        }
        for item in piece {
            match &item.ink {
                Ink::Text { line, style, .. } => text(surface, fonts, line, *style, item.x, item.y),
                Ink::Rule { height, shade } => rule(surface, item.y, *height, *shade),
            }
        }
        surface.end_tagged();
    }
}

fn text(surface: &mut Surface<'_>, fonts: &Fonts, line: &Line, style: Style, x: f32, baseline: f32) {
    surface.set_fill(Some(fill(style.shade)));
    let font = fonts.embedded(style.weight);
    surface.draw_glyphs(Point::from_xy(x, baseline), &line.glyphs(), font, line.text(), style.size, false);
}

fn rule(surface: &mut Surface<'_>, y: f32, height: f32, shade: u8) {
    let mut path = PathBuilder::new();
    if let Some(rect) = Rect::from_xywh(LEFT, y, RIGHT - LEFT, height) {
        path.push_rect(rect);
    }
    if let Some(path) = path.finish() {
        surface.set_fill(Some(fill(shade)));
        surface.draw_path(&path);
    }
}

fn fill(shade: u8) -> Fill {
    Fill { paint: luma::Color::new(shade).into(), opacity: NormalizedF32::ONE, ..Fill::default() }
}

/// The foot of a page: whose it is on the left, which page of how many on the right.
fn foot(surface: &mut Surface<'_>, fonts: &Fonts, footer: &Line, page: usize, pages: usize) {
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
    rule(surface, FOOT, 0.5, layout::HAIRLINE);
    let baseline = FOOT + 6.0 + FOOTER.baseline();
    text(surface, fonts, footer, FOOTER, LEFT, baseline);
    let number = Rc::new(fonts.shape(format!("{page} / {pages}"), FOOTER.weight));
    let width = number.width(FOOTER.size);
    for line in number.wrap(FOOTER.size, RIGHT - LEFT) {
        text(surface, fonts, &line, FOOTER, RIGHT - width, baseline);
    }
    surface.end_tagged();
}

fn metadata(document: &Document, layout: &Layout) -> Metadata {
    let created = document.created.to_zoned(TimeZone::UTC);
    let part = |part: i8| u8::try_from(part).unwrap_or_default();
    let date = DateTime::new(u16::try_from(created.year()).unwrap_or_default())
        .month(part(created.month()))
        .day(part(created.day()))
        .hour(part(created.hour()))
        .minute(part(created.minute()))
        .second(part(created.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    let metadata = Metadata::new()
        .title(layout.title.clone())
        .language(document.language_tag().to_owned())
        .creator(CREATOR.to_owned())
        .producer(CREATOR.to_owned())
        .creation_date(date);
    if layout.author.is_empty() { metadata } else { metadata.authors(vec![layout.author.clone()]) }
}

fn outline(layout: &Layout) -> Outline {
    let mut outline = Outline::new();
    for entry in &layout.outline {
        let there = XyzDestination::new(entry.page, Point::from_xy(0.0, (entry.top - 10.0).max(0.0)));
        outline.push_child(OutlineNode::new(entry.heading.clone(), there));
    }
    outline
}

/// The tree of elements, with the content that was drawn for them.
fn structure(document: &Document, layout: &Layout, leaves: Vec<Vec<Identifier>>) -> TagTree {
    let mut tree = TagTree::new().with_lang(Some(document.language_tag().to_owned()));
    let mut groups: Vec<Option<TagGroup>> = layout.nodes.iter().map(|_| None).collect();
    // Children come after their parents, so that from the end they are ready when their parent needs them.
    for (index, (node, leaves)) in layout.nodes.iter().zip(leaves).enumerate().rev() {
        let mut children: Vec<Tagged> = leaves.into_iter().map(Tagged::Leaf).collect();
        children.extend(node.children.iter().filter_map(|child| groups.get_mut(*child)?.take()).map(Tagged::Group));
        match tag(&node.role) {
            Some(tag) => {
                if let Some(group) = groups.get_mut(index) {
                    *group = Some(TagGroup::with_children(tag, children));
                }
            }
            None => children.into_iter().for_each(|child| tree.push(child)),
        }
    }
    tree
}

/// What the file calls an element; the root has its own name.
fn tag(role: &Role) -> Option<TagKind> {
    Some(match role {
        Role::Root => return None,
        Role::Section => Tag::Section.into(),
        Role::Heading { level, text } => {
            Tag::Hn(NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN), Some(text.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::Table => Tag::Table.into(),
        Role::TableHead => Tag::THead.into(),
        Role::TableBody => Tag::TBody.into(),
        Role::TableFoot => Tag::TFoot.into(),
        Role::TableRow => Tag::TR.into(),
        Role::ColumnHeader => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHeader => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
    })
}
