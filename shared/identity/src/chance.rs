//! Random bytes from the operating system.

/// The operating system gave no random bytes. Nothing secret can be made until it does; trying again later is all one can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoChance(getrandom::Error);

/// `N` bytes that nobody can guess.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoChance)?;
    Ok(bytes)
}
