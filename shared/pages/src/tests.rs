//! What holds for every page and component.
