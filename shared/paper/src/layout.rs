//! Where everything stands, page by page.
//!
//! First every block is shaped and broken into lines, then the lines are set from top to bottom. What stands on a page
//! remembers the element of the document's structure that it belongs to, so that the file can say what it is.

use std::rc::Rc;

use crate::document::{Block, Document, Error, MAX_PAGES, MAX_TEXT, Place, Row, Table};
use crate::font::{Fonts, Line, Shaped, Weight};
use crate::text::clean;

/// US Letter, in points.
pub(crate) const PAGE_WIDTH: f32 = 612.0;
pub(crate) const PAGE_HEIGHT: f32 = 792.0;
pub(crate) const LEFT: f32 = 60.0;
pub(crate) const RIGHT: f32 = PAGE_WIDTH - LEFT;
const WIDTH: f32 = RIGHT - LEFT;
const TOP: f32 = 58.0;
const BOTTOM: f32 = 722.0;
/// Where the foot of a page begins.
pub(crate) const FOOT: f32 = 742.0;

const BLACK: u8 = 24;
/// The lightest grey of text: 7 to 1 against white.
const GREY: u8 = 88;
pub(crate) const HAIRLINE: u8 = 204;

const GUTTER: f32 = 16.0;
const LABEL_WIDTH: f32 = 132.0;
const PADDING: f32 = 4.5;
/// The rule below a table's header.
const RULE: f32 = 0.75;
/// Between a row's cells and those below them.
const AIR: f32 = 1.5;
const FACTS_ON_A_LINE: usize = 3;
/// A row that is no higher than this is not split.
const WHOLE: f32 = (BOTTOM - TOP) / 3.0;
/// How many lines of a split row stay together.
const TOGETHER: f32 = 3.0;

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    pub(crate) weight: Weight,
    pub(crate) size: f32,
    pub(crate) leading: f32,
    pub(crate) shade: u8,
}

impl Style {
    const fn new(weight: Weight, size: f32, leading: f32, shade: u8) -> Self {
        Self { weight, size, leading, shade }
    }

    /// From the top of a line to its baseline: capitals stand in the middle of the line.
    pub(crate) fn baseline(self) -> f32 {
        const CAPITALS: f32 = 0.714;
        f32::midpoint(self.leading, CAPITALS * self.size)
    }
}

const AUTHOR: Style = Style::new(Weight::Bold, 9.5, 14.0, GREY);
const TITLE: Style = Style::new(Weight::Bold, 20.0, 27.0, BLACK);
const FACT_LABEL: Style = Style::new(Weight::Regular, 8.5, 13.0, GREY);
const FACT: Style = Style::new(Weight::Bold, 10.5, 15.0, BLACK);
const HEADING: Style = Style::new(Weight::Bold, 12.0, 18.0, BLACK);
const BODY: Style = Style::new(Weight::Regular, 9.5, 14.0, BLACK);
const LABEL: Style = Style::new(Weight::Regular, 9.5, 14.0, GREY);
const ASIDE: Style = Style::new(Weight::Regular, 8.5, 12.5, GREY);
const COLUMN: Style = Style::new(Weight::Bold, 8.5, 12.5, GREY);
const CELL: Style = Style::new(Weight::Regular, 9.0, 13.0, BLACK);
const TOTAL: Style = Style::new(Weight::Bold, 9.0, 13.0, BLACK);
pub(crate) const FOOTER: Style = Style::new(Weight::Regular, 8.5, 12.5, GREY);

/// The document as pages, with its structure.
pub(crate) struct Layout {
    pub(crate) pages: Vec<Vec<Item>>,
    /// The elements of the structure; a parent comes before its children.
    pub(crate) nodes: Vec<Node>,
    pub(crate) outline: Vec<Entry>,
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) footer: Line,
}

/// Text as the file keeps it beside the pages, for outlines and windows: PDF/A-2 has a limit for those (32,767 bytes),
/// and nobody reads that much in an outline. The page has all of it.
fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}

/// A heading that a reader can jump to.
pub(crate) struct Entry {
    pub(crate) heading: String,
    pub(crate) page: usize,
    pub(crate) top: f32,
}

/// An element of the structure.
pub(crate) struct Node {
    pub(crate) role: Role,
    pub(crate) children: Vec<usize>,
}

/// What an element is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Role {
    Root,
    Section,
    Heading { level: u16, text: String },
    Paragraph,
    Table,
    TableHead,
    TableBody,
    TableFoot,
    TableRow,
    ColumnHeader,
    RowHeader,
    Cell,
}

/// What stands on a page.
pub(crate) struct Item {
    pub(crate) x: f32,
    /// The top of a rule, the baseline of a line.
    pub(crate) y: f32,
    pub(crate) ink: Ink,
}

/// What is drawn.
pub(crate) enum Ink {
    /// Text, and its element; none for a header that only repeats.
    Text { line: Line, style: Style, node: Option<usize> },
    /// A rule from margin to margin.
    Rule { height: f32, shade: u8 },
}

/// Cells that stand beside each other.
struct Band {
    cells: Vec<Cell>,
    leading: f32,
    /// The air above it.
    above: f32,
}

impl Band {
    fn lines(&self) -> usize {
        self.cells.iter().map(|cell| cell.lines.len()).max().unwrap_or_default()
    }

    fn height(&self) -> f32 {
        self.above + count(self.lines()) * self.leading
    }
}

#[derive(Clone)]
struct Cell {
    x: f32,
    width: f32,
    flush_right: bool,
    lines: Vec<Line>,
    style: Style,
    /// The first line that is an aside, if any is.
    aside: usize,
    node: usize,
}

impl Cell {
    fn new(x: f32, width: f32, lines: Vec<Line>, style: Style, node: usize) -> Self {
        Self { x, width, flush_right: false, lines, style, aside: usize::MAX, node }
    }

    const fn style(&self, line: usize) -> Style {
        if line < self.aside { self.style } else { ASIDE }
    }
}

/// Bands that belong together: a table's row, a label with its value.
type Bands = Vec<Band>;

fn height(bands: &Bands) -> f32 {
    2.0 * PADDING + bands.iter().map(Band::height).sum::<f32>()
}

/// How much of a page is needed to begin this row on it.
fn to_begin(bands: &Bands) -> f32 {
    let all = height(bands);
    let leading = bands.first().map_or(0.0, |band| band.leading);
    if all <= WHOLE { all } else { 2.0 * PADDING + TOGETHER * leading }
}

/// A number of lines or glyphs as a factor; far below where an `f32` has gaps.
fn count(number: usize) -> f32 {
    u16::try_from(number).map_or(f32::from(u16::MAX), f32::from)
}

/// A block, shaped and broken into lines.
enum Set {
    Paragraph { lines: Vec<Line>, node: usize },
    Rows { head: Option<Bands>, rows: Vec<Bands>, totals: Option<Bands> },
}

impl Set {
    fn to_begin(&self) -> f32 {
        match self {
            Self::Paragraph { lines, .. } => count(if lines.len() <= 3 { lines.len() } else { 2 }) * BODY.leading,
            Self::Rows { head, rows, totals } => {
                let first = rows.first().or(totals.as_ref()).map_or(0.0, to_begin);
                first + RULE + head.as_ref().map_or(0.0, |head| height(head).min(WHOLE))
            }
        }
    }
}

impl Layout {
    pub(crate) fn of(document: &Document, fonts: &Fonts) -> Result<Self, Error> {
        let mut setter = Setter {
            fonts,
            text: 0,
            pages: vec![Vec::new()],
            y: TOP,
            nodes: vec![Node { role: Role::Root, children: Vec::new() }],
            outline: Vec::new(),
        };
        let title = setter.heading(&document.title)?;
        let author = setter.one_line(&document.author)?;
        setter.opening(document, &title)?;
        for section in &document.sections {
            setter.section(&section.heading, &section.blocks)?;
        }
        let footer = setter.one_line(&document.footer)?;
        let footer = fonts.shape(footer, FOOTER.weight);
        // The page number needs the rest; a footer that is too long is cut, since all of it is elsewhere.
        let footer = Rc::new(footer).wrap(FOOTER.size, WIDTH - 80.0).into_iter().next().ok_or(Error::Fonts)?;
        let Setter { pages, nodes, outline, .. } = setter;
        Ok(Self { pages, nodes, outline, title: short(&title), author: short(&author), footer })
    }
}

struct Setter<'a> {
    fonts: &'a Fonts,
    /// How much text there was so far.
    text: usize,
    pages: Vec<Vec<Item>>,
    y: f32,
    nodes: Vec<Node>,
    outline: Vec<Entry>,
}

impl Setter<'_> {
    /// The author, the title, and the facts between two rules.
    fn opening(&mut self, document: &Document, title: &str) -> Result<(), Error> {
        let root = 0;
        let author = self.node(root, Role::Paragraph);
        let lines = self.lines(&document.author, AUTHOR, WIDTH)?;
        self.set_lines(&lines, AUTHOR, author)?;
        self.y += 2.0;
        self.outline.push(Entry { heading: short(title), page: 0, top: self.y });
        let heading = self.node(root, Role::Heading { level: 1, text: short(title) });
        let lines = self.lines(title, TITLE, WIDTH)?;
        self.set_lines(&lines, TITLE, heading)?;
        self.y += 10.0;
        self.rule(1.0, BLACK);
        if document.facts.is_empty() {
            return Ok(());
        }
        self.y += 2.0;
        for facts in document.facts.chunks(FACTS_ON_A_LINE) {
            let table = self.node(root, Role::Table);
            let rows = self.facts(table, facts)?;
            self.set_row(rows, None)?;
            self.y += 2.0;
            self.rule(0.5, HAIRLINE);
        }
        Ok(())
    }

    /// A line of facts: their labels above their values.
    fn facts(&mut self, table: usize, facts: &[Row]) -> Result<Bands, Error> {
        let columns = count(FACTS_ON_A_LINE);
        let width = (WIDTH - (columns - 1.0) * GUTTER) / columns;
        let mut bands = Vec::new();
        for (style, role) in [(FACT_LABEL, Role::ColumnHeader), (FACT, Role::Cell)] {
            let row = self.node(table, Role::TableRow);
            let mut cells = Vec::new();
            for (column, fact) in facts.iter().enumerate() {
                let text = if role == Role::Cell { &fact.value } else { &fact.label };
                let node = self.node(row, role.clone());
                let lines = self.lines_or_dash(text, style, width)?;
                let x = LEFT + count(column) * (width + GUTTER);
                cells.push(Cell::new(x, width, lines, style, node));
            }
            bands.push(Band { cells, leading: style.leading, above: 0.0 });
        }
        Ok(bands)
    }

    fn section(&mut self, heading: &str, blocks: &[Block]) -> Result<(), Error> {
        const ABOVE: f32 = 20.0;
        const BELOW: f32 = 3.0;
        const BETWEEN: f32 = 8.0;
        let section = self.node(0, Role::Section);
        let heading = self.heading(heading)?;
        let node = self.node(section, Role::Heading { level: 2, text: short(&heading) });
        let lines = self.lines(&heading, HEADING, WIDTH)?;
        for (index, block) in blocks.iter().enumerate() {
            let set = match block {
                Block::Paragraph(text) => {
                    let node = self.node(section, Role::Paragraph);
                    Set::Paragraph { lines: self.lines_or_dash(text, BODY, WIDTH)?, node }
                }
                Block::Rows(rows) => self.rows(section, rows)?,
                Block::Table(table) => self.table(section, table)?,
            };
            if index == 0 {
                let own = count(lines.len()) * HEADING.leading + BELOW;
                self.open_section(&heading, &lines, node, ABOVE, own + set.to_begin())?;
                self.y += BELOW;
            } else {
                self.y += BETWEEN;
            }
            self.set(set)?;
        }
        if blocks.is_empty() {
            self.open_section(&heading, &lines, node, ABOVE, count(lines.len()) * HEADING.leading)?;
        }
        Ok(())
    }

    /// Sets a heading where there is room for it and for what must not be parted from it.
    fn open_section(&mut self, text: &str, lines: &[Line], node: usize, above: f32, needed: f32) -> Result<(), Error> {
        if self.y + above + needed > BOTTOM {
            self.turn()?;
        } else if self.y > TOP {
            self.y += above;
        }
        self.outline.push(Entry { heading: short(text), page: self.pages.len() - 1, top: self.y });
        self.set_lines(lines, HEADING, node)
    }

    fn rows(&mut self, section: usize, rows: &[Row]) -> Result<Set, Error> {
        let table = self.node(section, Role::Table);
        let x = LEFT + LABEL_WIDTH + GUTTER;
        let width = RIGHT - x;
        let mut all = Vec::new();
        for row in rows {
            let node = self.node(table, Role::TableRow);
            let label_node = self.node(node, Role::RowHeader);
            let value_node = self.node(node, Role::Cell);
            let lines = self.lines_or_dash(&row.label, LABEL, LABEL_WIDTH)?;
            let label = Cell::new(LEFT, LABEL_WIDTH, lines, LABEL, label_node);
            let lines = self.lines_or_dash(&row.value, BODY, width)?;
            let mut value = Cell::new(x, width, lines, BODY, value_node);
            if let Some(aside) = row.aside.as_deref().filter(|aside| !aside.is_empty()) {
                value.aside = value.lines.len();
                value.lines.extend(self.lines(aside, ASIDE, width)?);
            }
            let bands = vec![Band { cells: vec![label, value], leading: BODY.leading, above: 0.0 }];
            all.push(bands);
        }
        Ok(Set::Rows { head: None, rows: all, totals: None })
    }

    fn table(&mut self, section: usize, table: &Table) -> Result<Set, Error> {
        if table.columns.is_empty() {
            return Ok(Set::Rows { head: None, rows: Vec::new(), totals: None });
        }
        let headings: Vec<String> = table.columns.iter().map(|column| column.heading.clone()).collect();
        let headings = self.shape_row(table, &headings, COLUMN.weight)?;
        let mut rows = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            rows.push(self.shape_row(table, row, CELL.weight)?);
        }
        let totals = table.totals.as_ref().map(|row| self.shape_row(table, row, TOTAL.weight)).transpose()?;

        let mut widths = Widths::new(table);
        widths.measure(&headings, COLUMN.size);
        for row in &rows {
            widths.measure(row, CELL.size);
        }
        if let Some(totals) = &totals {
            widths.measure(totals, TOTAL.size);
        }
        let columns = widths.share(table);

        let node = self.node(section, Role::Table);
        let part = self.node(node, Role::TableHead);
        let head = self.bands(table, &columns, part, headings, COLUMN, &Role::ColumnHeader);
        let part = self.node(node, Role::TableBody);
        let rows = rows.into_iter().map(|row| self.bands(table, &columns, part, row, CELL, &Role::Cell)).collect();
        let totals = totals.map(|row| {
            let part = self.node(node, Role::TableFoot);
            self.bands(table, &columns, part, row, TOTAL, &Role::Cell)
        });
        Ok(Set::Rows { head: Some(head), rows, totals })
    }

    fn shape_row(&mut self, table: &Table, row: &[String], weight: Weight) -> Result<Vec<Vec<Rc<Shaped>>>, Error> {
        let cells = (0..table.columns.len()).map(|column| row.get(column).map_or("", String::as_str));
        cells.map(|text| self.shape_or_dash(text, weight)).collect()
    }

    /// A row of a table: what stands beside each other, then what stands below.
    fn bands(
        &mut self,
        table: &Table,
        columns: &[(f32, f32)],
        part: usize,
        row: Vec<Vec<Rc<Shaped>>>,
        style: Style,
        role: &Role,
    ) -> Bands {
        let node = self.node(part, Role::TableRow);
        let mut beside = Band { cells: Vec::new(), leading: style.leading, above: 0.0 };
        let mut below = Vec::new();
        for ((column, (x, width)), shaped) in table.columns.iter().zip(columns).zip(row) {
            let node = self.node(node, role.clone());
            let lines = shaped.iter().flat_map(|shaped| shaped.wrap(style.size, *width)).collect();
            let flush_right = column.place == Place::End;
            let cell = Cell { flush_right, ..Cell::new(*x, *width, lines, style, node) };
            match column.place {
                Place::Start | Place::End => beside.cells.push(cell),
                Place::Below(_) => below.push(Band { cells: vec![cell], leading: style.leading, above: AIR }),
            }
        }
        let mut bands = vec![beside];
        bands.extend(below);
        bands
    }

    fn set(&mut self, set: Set) -> Result<(), Error> {
        match set {
            Set::Paragraph { lines, node } => self.set_paragraph(&lines, node),
            Set::Rows { mut head, rows, totals } => {
                match head.take_if(|head| height(head) > WHOLE) {
                    // On every page it would leave no room for the rows.
                    Some(endless) => {
                        self.set_row(endless, None)?;
                        self.rule(RULE, BLACK);
                    }
                    None => match &head {
                        Some(head) => {
                            let first = rows.first().or(totals.as_ref()).map_or(0.0, to_begin);
                            if self.y + height(head) + RULE + first > BOTTOM {
                                self.turn()?;
                            }
                            self.set_head(head, false);
                        }
                        None => self.rule(0.5, HAIRLINE),
                    },
                }
                for row in rows {
                    self.set_row(row, head.as_ref())?;
                    self.rule(0.5, HAIRLINE);
                }
                if let Some(totals) = totals {
                    self.set_row(totals, head.as_ref())?;
                    self.rule(RULE, BLACK);
                }
                Ok(())
            }
        }
    }

    /// Sets a table's header; one that repeats belongs to no element, or it would be read again on every page.
    fn set_head(&mut self, head: &Bands, repeats: bool) {
        self.y += PADDING;
        for band in head {
            self.y += band.above;
            self.set_band(band, 0, band.lines(), repeats);
        }
        self.y += PADDING;
        self.rule(RULE, BLACK);
    }

    fn set_row(&mut self, bands: Bands, head: Option<&Bands>) -> Result<(), Error> {
        if self.y + to_begin(&bands) > BOTTOM {
            self.turn_with(head)?;
        }
        self.y += PADDING;
        for band in bands {
            let lines = band.lines();
            let mut from = 0;
            self.y += band.above;
            while from < lines {
                let mut to = from;
                while to < lines && self.y + count(to - from + 1) * band.leading + PADDING <= BOTTOM {
                    to += 1;
                }
                if to > from {
                    self.set_band(&band, from, to, false);
                    from = to;
                } else {
                    self.turn_with(head)?;
                    self.y += PADDING;
                }
            }
        }
        self.y += PADDING;
        Ok(())
    }

    /// Sets some lines of cells that stand beside each other.
    fn set_band(&mut self, band: &Band, from: usize, to: usize, repeats: bool) {
        for cell in &band.cells {
            for (index, line) in cell.lines.iter().enumerate().take(to).skip(from) {
                let style = cell.style(index);
                let indent = if cell.flush_right { cell.width - line.width(style.size) } else { 0.0 };
                let y = self.y + count(index - from) * band.leading + style.baseline();
                let node = (!repeats).then_some(cell.node);
                self.put(cell.x + indent, y, Ink::Text { line: line.clone(), style, node });
            }
        }
        self.y += count(to - from) * band.leading;
    }

    /// Sets a paragraph so that none of its lines is alone at a page's foot or head.
    fn set_paragraph(&mut self, lines: &[Line], node: usize) -> Result<(), Error> {
        const MORE_THAN_A_PAGE: usize = 100;
        let mut rest = lines;
        while !rest.is_empty() {
            let mut fit = rest.len().min(MORE_THAN_A_PAGE);
            while fit > 0 && self.y + count(fit) * BODY.leading > BOTTOM {
                fit -= 1;
            }
            if fit < rest.len() {
                if rest.len() - fit == 1 {
                    fit = fit.saturating_sub(1);
                }
                if fit < 2 && self.y > TOP {
                    self.turn()?;
                    continue;
                }
                fit = fit.max(1);
            }
            let (now, later) = rest.split_at(fit);
            self.set_lines(now, BODY, node)?;
            rest = later;
            if !rest.is_empty() {
                self.turn()?;
            }
        }
        Ok(())
    }

    fn set_lines(&mut self, lines: &[Line], style: Style, node: usize) -> Result<(), Error> {
        for line in lines {
            if self.y + style.leading > BOTTOM {
                self.turn()?;
            }
            let ink = Ink::Text { line: line.clone(), style, node: Some(node) };
            self.put(LEFT, self.y + style.baseline(), ink);
            self.y += style.leading;
        }
        Ok(())
    }

    fn rule(&mut self, height: f32, shade: u8) {
        self.put(LEFT, self.y, Ink::Rule { height, shade });
        self.y += height;
    }

    fn put(&mut self, x: f32, y: f32, ink: Ink) {
        if let Some(page) = self.pages.last_mut() {
            page.push(Item { x, y, ink });
        }
    }

    fn turn(&mut self) -> Result<(), Error> {
        if self.pages.len() == MAX_PAGES {
            return Err(Error::TooManyPages);
        }
        self.pages.push(Vec::new());
        self.y = TOP;
        Ok(())
    }

    fn turn_with(&mut self, head: Option<&Bands>) -> Result<(), Error> {
        self.turn()?;
        if let Some(head) = head {
            self.set_head(head, true);
        }
        Ok(())
    }

    fn node(&mut self, parent: usize, role: Role) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { role, children: Vec::new() });
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.push(node);
        }
        node
    }

    fn clean(&mut self, text: &str) -> Result<String, Error> {
        // Before cleaning, so that a text which is far too long is not even copied.
        if text.len() > MAX_TEXT {
            return Err(Error::TooMuchText);
        }
        let text = clean(text, |character| self.fonts.has(character));
        self.text += text.len();
        if self.text > MAX_TEXT { Err(Error::TooMuchText) } else { Ok(text) }
    }

    fn one_line(&mut self, text: &str) -> Result<String, Error> {
        Ok(self.clean(text)?.replace('\n', " "))
    }

    /// A heading; one that says nothing is a dash, since a reader could not jump to it.
    fn heading(&mut self, text: &str) -> Result<String, Error> {
        let text = self.one_line(text)?;
        Ok(if text.trim().is_empty() { "–".into() } else { text })
    }

    fn shape(&mut self, text: &str, weight: Weight) -> Result<Vec<Rc<Shaped>>, Error> {
        let text = self.clean(text)?;
        let mut parts = text.split('\n').peekable();
        let mut shaped = Vec::new();
        while let Some(part) = parts.next() {
            // A blank parts the last word of a line from the next line's first for whoever listens or copies.
            let blank = if parts.peek().is_some() { " " } else { "" };
            shaped.push(Rc::new(self.fonts.shape(format!("{part}{blank}"), weight)));
        }
        Ok(shaped)
    }

    /// As [`Self::shape`], but a dash where there is nothing: an empty cell could as well be a mistake.
    fn shape_or_dash(&mut self, text: &str, weight: Weight) -> Result<Vec<Rc<Shaped>>, Error> {
        let shaped = self.shape(text, weight)?;
        if shaped.iter().any(|shaped| !shaped.is_blank()) { Ok(shaped) } else { self.shape("–", weight) }
    }

    fn lines(&mut self, text: &str, style: Style, width: f32) -> Result<Vec<Line>, Error> {
        let shaped = self.shape(text, style.weight)?;
        Ok(shaped.iter().flat_map(|shaped| shaped.wrap(style.size, width)).collect())
    }

    fn lines_or_dash(&mut self, text: &str, style: Style, width: f32) -> Result<Vec<Line>, Error> {
        let shaped = self.shape_or_dash(text, style.weight)?;
        Ok(shaped.iter().flat_map(|shaped| shaped.wrap(style.size, width)).collect())
    }
}

/// The widths that a table's columns would like, and those that they need.
struct Widths(Vec<(f32, f32)>);

impl Widths {
    fn new(table: &Table) -> Self {
        Self(vec![(0.0, 0.0); table.columns.len()])
    }

    fn measure(&mut self, row: &[Vec<Rc<Shaped>>], size: f32) {
        /// Longer words may break.
        const LONGEST_WORD: f32 = 84.0;
        for ((likes, needs), cell) in self.0.iter_mut().zip(row) {
            for line in cell {
                *likes = likes.max(line.width(size));
                *needs = needs.max(line.longest_word(size).min(LONGEST_WORD));
            }
        }
    }

    /// Each column's left edge and width. What is left over goes to all; where a column stands below another, to that
    /// one and the columns of words after it, which gives what stands below the most room.
    fn share(self, table: &Table) -> Vec<(f32, f32)> {
        let beside = |place: Place| !matches!(place, Place::Below(_));
        let under = table.columns.iter().filter_map(|column| match column.place {
            Place::Below(under) => Some(under),
            Place::Start | Place::End => None,
        });
        let first = under.min();
        let is_taker = |index: usize, place: Place| first.is_none_or(|first| index >= first && place == Place::Start);
        let (mut likes, mut needs, mut number, mut takers) = (0.0, 0.0, 0, 0);
        for (index, (column, (like, need))) in table.columns.iter().zip(&self.0).enumerate() {
            if beside(column.place) {
                likes += like;
                needs += need;
                number += 1;
                takers += usize::from(is_taker(index, column.place));
            }
        }
        let room = (WIDTH - count(number) * GUTTER + GUTTER).max(0.0);
        let width = |grows: bool, like: f32, need: f32| {
            if likes <= room {
                let shares = if takers == 0 { number } else { takers };
                like + if grows { (room - likes) / count(shares).max(1.0) } else { 0.0 }
            } else if needs <= room {
                need + (like - need) * (room - needs) / (likes - needs)
            } else {
                need * room / needs
            }
        };
        let mut x = LEFT;
        let mut edges = Vec::new();
        for (index, (column, (like, need))) in table.columns.iter().zip(&self.0).enumerate() {
            if beside(column.place) {
                let width = width(takers == 0 || is_taker(index, column.place), *like, *need);
                edges.push((x, width));
                x += width + GUTTER;
            } else {
                edges.push((LEFT, WIDTH));
            }
        }
        let lefts: Vec<f32> = edges.iter().map(|(x, _)| *x).collect();
        for (column, edge) in table.columns.iter().zip(&mut edges) {
            if let Place::Below(under) = column.place {
                let x = lefts.get(under).copied().unwrap_or(LEFT);
                *edge = (x, RIGHT - x);
            }
        }
        edges
    }
}
