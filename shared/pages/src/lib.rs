//! HTML that forms and dashboard have in common: layout, components, styles, charts.
