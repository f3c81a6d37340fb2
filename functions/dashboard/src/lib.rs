//! The dashboard: one module per route.
