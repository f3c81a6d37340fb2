//! Everything that crosses a seam, against the local cloud that `make test` starts: one binary, one cloud, all tests side
//! by side. Each test's callers have numbers of their own, so that nobody looks at what another has left.

#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod billing;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod choices;
#[cfg(test)]
mod closure;
#[cfg(test)]
mod counts;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod greeting;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod human_check;
#[cfg(test)]
mod iam;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod notice;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod reminders;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod status;
#[cfg(test)]
mod template;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod webhooks;
