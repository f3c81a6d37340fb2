//! What the measurements are held against, as ratios within one run: no machine's own speed counts.

use serde::Serialize;

use crate::aws::Counts;
use crate::closing::{Closed, Closing};
use crate::dashboard::{INBOX, REQUEST};
use crate::forms::SUBMIT;
use crate::hotline::{Step, calls};
use crate::measure::{Figures, Kind, Measured};
use crate::stats::grouped;

/// A target and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Target {
    /// What is compared.
    pub what: String,
    /// What was aimed at.
    pub wanted: String,
    /// What was measured.
    pub got: String,
    /// Whether that is enough; nothing where it could not be measured.
    pub reached: Option<bool>,
}

impl Target {
    /// Every one of `all` should stay within the limit; the worst is shown, and how many do.
    fn at_most(what: &str, limit: f64, unit: &str, all: &[(f64, &str)]) -> Self {
        let worst = all.iter().max_by(|one, other| one.0.total_cmp(&other.0));
        let within = all.iter().filter(|(got, _)| *got <= limit).count();
        let shown = |(got, who): &(f64, &str)| {
            let count = if within < all.len() { format!("; {within} of {} within", all.len()) } else { String::new() };
            format!("{got:.2}{unit} ({who}{count})")
        };
        Self {
            what: what.into(),
            wanted: format!("≤ {limit}{unit}"),
            got: worst.map_or_else(|| "not measured".into(), shown),
            reached: worst.map(|(got, _)| *got <= limit),
        }
    }

    fn at_least(what: &str, limit: f64, got: Option<(f64, &str)>) -> Self {
        Self {
            what: what.into(),
            wanted: format!("≥ {limit} ×"),
            got: got.map_or_else(|| "not measured".into(), |(got, who)| format!("{got:.1} × ({who})")),
            reached: got.map(|(got, _)| got >= limit),
        }
    }

    fn calls(what: &str, counts: &Counts, service: &str, limit: u64, exact: bool) -> Self {
        let got = of_service(counts, service);
        Self {
            what: what.into(),
            wanted: if exact { limit.to_string() } else { format!("≤ {limit}") },
            got: got.to_string(),
            reached: Some(if exact { got == limit } else { got <= limit }),
        }
    }
}

/// All targets. `call` is a whole opt-out through warm processes.
#[must_use]
pub fn targets(measured: &[Measured], call: &[Step]) -> Vec<Target> {
    let mut targets = against_the_floor(measured);
    targets.extend(against_the_peers(measured));
    targets.extend(calls_to_aws(call));
    targets
}

/// What holds for the web form's pages.
#[must_use]
pub fn form_targets(web: &[Measured]) -> Vec<Target> {
    let sent = web.iter().find(|page| page.name == SUBMIT).and_then(|page| page.at.last());
    let calls = sent.map(|figures| figures.warm_calls.clone()).unwrap_or_default();
    let mut targets = vec![
        Target::calls("DynamoDB operations of a form that is sent, warm", &calls, "dynamodb:", 4, false),
        Target::calls("KMS calls of a form that is sent, warm", &calls, "kms:", 0, true),
    ];
    targets.extend(
        against_the_peers(web)
            .into_iter()
            .map(|target| Target { what: format!("web form: {}", target.what), ..target }),
    );
    targets
}

/// What holds for the dashboard's pages, and for the inbox of tenants from the smallest to the largest.
#[must_use]
pub fn dashboard_targets(pages: &[Measured], inboxes: &[Measured]) -> Vec<Target> {
    let calls = |page: &Measured| page.at.last().map(|figures| figures.warm_calls.clone());
    let of = |name: &str| pages.iter().find(|page| page.name == name).and_then(calls).unwrap_or_default();
    let most = inboxes.iter().filter_map(calls).chain([of(INBOX)]).max_by_key(|calls| of_service(calls, "dynamodb:"));
    let most = most.unwrap_or_default();
    let warm = |inbox: &Measured| inbox.at.first().map(|figures| figures.warm.p50).filter(|p50| *p50 > 0.0);
    let smallest = inboxes.first().and_then(warm);
    let ratio = |inbox| Some((warm(inbox)? / smallest?, inbox.name.as_str()));
    let to_smallest: Vec<_> = inboxes.iter().skip(1).filter_map(ratio).collect();
    vec![
        Target::calls("DynamoDB operations of the inbox, warm, at every size", &most, "dynamodb:", 2, true),
        Target::calls("KMS calls of the inbox, warm", &of(INBOX), "kms:", 0, true),
        Target::calls("DynamoDB operations of a request's page, warm", &of(REQUEST), "dynamodb:", 5, false),
        Target::at_most("inbox of more stored requests, to that of 100: slowest", 1.1, " ×", &to_smallest),
    ]
}

/// What holds for closing a day, from few tenants and calls to many.
#[must_use]
pub fn closing_targets(closing: &Closing) -> Vec<Target> {
    let grows = |all: &[Closed], from: usize, of: fn(&Closed) -> f64, each: &str| -> Vec<(f64, String)> {
        let base = all.get(from).map(of).filter(|base| *base > 0.0);
        let larger = all.iter().skip(from + 1);
        larger
            .filter_map(|closed| Some((of(closed) / base?, format!("{} {each}", grouped(closed.size.into())))))
            .collect()
    };
    let target = |what: &str, found: &[(f64, String)]| {
        let found: Vec<(f64, &str)> = found.iter().map(|(ratio, who)| (*ratio, who.as_str())).collect();
        Target::at_most(what, 1.1, " ×", &found)
    };
    let time = |closed: &Closed| closed.processor_us_each;
    let memory = |closed: &Closed| f64::from(u32::try_from(closed.peak_memory_kib).unwrap_or(u32::MAX));
    let operations = |closed: &Closed| {
        let made = of_service(&closed.calls, "dynamodb:");
        f64::from(u32::try_from(made).unwrap_or(u32::MAX)) / f64::from(closed.size.max(1))
    };
    let (tenants, calls) = (&closing.planner, &closing.worker);
    let per_call: Vec<(f64, String)> =
        calls.iter().map(|closed| (operations(closed), format!("{} calls", grouped(closed.size.into())))).collect();
    let per_call: Vec<(f64, &str)> = per_call.iter().map(|(made, who)| (*made, who.as_str())).collect();
    vec![
        target("planning a day: processor time per tenant, to that of the fewest", &grows(tenants, 0, time, "tenants")),
        // A page of the agenda, and of calls, is what a process holds; the fewest do not fill one.
        target("planning a day: memory, to that of the second size", &grows(tenants, 1, memory, "tenants")),
        target("closing a day: processor time per call, to that of the fewest", &grows(calls, 0, time, "calls")),
        target("closing a day: memory, to that of the second size", &grows(calls, 1, memory, "calls")),
        Target::at_most("closing a day: DynamoDB operations per call", 0.1, "", &per_call),
    ]
}

fn against_the_floor(measured: &[Measured]) -> Vec<Target> {
    let floor = measured.iter().find(|measured| measured.kind == Kind::Floor).and_then(|floor| floor.at.first());
    let steps =
        || measured.iter().filter(|measured| measured.kind == Kind::Optline && measured.name.starts_with("voice-"));
    let at_once = || steps().filter_map(|step| Some((step.at.first()?, step.name.as_str())));
    let ratio = |of: fn(&Figures) -> f64| {
        move |(figures, name)| floor.filter(|floor| of(floor) > 0.0).map(|floor| (of(figures) / of(floor), name))
    };
    let start: Vec<_> = at_once().filter_map(ratio(|figures| figures.start.p50)).collect();
    let first: Vec<_> = steps().map(|step| (slowest_first(step), step.name.as_str())).collect();
    let without_calls = at_once().filter(|(figures, _)| figures.warm_calls.is_empty());
    let warm: Vec<_> = without_calls.filter_map(ratio(|figures| figures.warm.p50)).collect();
    vec![
        Target::at_most("start, its calls included, to the floor's: slowest step", 6.0, " ×", &start),
        Target::at_most("first call less the stub's delays: slowest step", 0.5, " ms", &first),
        Target::at_most("warm step that needs no database, to the floor's: slowest", 2.0, " ×", &warm),
    ]
}

/// The part of the first invocation that is not the stub's, at whichever delay it is longer.
fn slowest_first(step: &Measured) -> f64 {
    step.at.iter().map(|figures| figures.first_own.p50).fold(0.0, f64::max)
}

/// Each of our two steps against the peer that does best at the figure in question.
fn against_the_peers(measured: &[Measured]) -> Vec<Target> {
    let ratios = |of: fn(&Measured) -> Option<f64>| -> Vec<(f64, &str)> {
        let best = |step: &str| {
            let peers = measured.iter().filter(|peer| matches!(&peer.kind, Kind::Peer { step: of, .. } if of == step));
            peers.filter_map(of).min_by(f64::total_cmp)
        };
        let ours = measured.iter().filter(|measured| measured.kind == Kind::Optline);
        ours.filter_map(|ours| Some((best(&ours.name)? / of(ours)?, ours.name.as_str()))).collect()
    };
    let least = |ratios: Vec<(f64, _)>| ratios.into_iter().min_by(|one, other| one.0.total_cmp(&other.0));
    let memory = ratios(|measured| Some(f64::from(u32::try_from(measured.peak_memory_kib).ok()?)));
    let memory: Vec<_> = memory.into_iter().map(|(ratio, name)| (1.0 / ratio, name)).collect();
    vec![
        Target::at_least(
            "start, faster than the faster peer",
            20.0,
            least(ratios(|of| Some(of.at.first()?.start.p50))),
        ),
        Target::at_least("warm, faster than the faster peer", 3.0, least(ratios(|of| Some(of.at.first()?.warm.p50)))),
        Target::at_most("peak memory, to the leaner peer's", 0.25, " ×", &memory),
    ]
}

fn calls_to_aws(call: &[Step]) -> Vec<Target> {
    let total = calls(call);
    let menus = |step: &&Step| ["voice-language", "voice-request-kind"].contains(&step.bin.as_str());
    let menus: Vec<Step> = call.iter().filter(menus).cloned().collect();
    vec![
        Target::calls("DynamoDB operations of a whole opt-out call, usage included", &total, "dynamodb:", 8, false),
        Target::calls("SQS sends of that call", &total, "sqs:", 1, true),
        Target::calls("KMS calls of that call, warm", &total, "kms:", 0, true),
        Target::calls("AWS calls of its language and menu steps", &calls(&menus), "", 0, true),
    ]
}

fn of_service(counts: &Counts, service: &str) -> u64 {
    counts.iter().filter(|(kind, _)| kind.starts_with(service)).map(|(_, times)| times).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Spread;

    fn measured(name: &str, kind: Kind, start_ms: f64, memory: u64) -> Measured {
        let start = Spread { p50: start_ms, ..Spread::default() };
        let warm = Spread { p50: start_ms / 10.0, ..Spread::default() };
        let at = vec![Figures { start, warm, ..Figures::default() }];
        Measured { name: name.into(), kind, program_bytes: None, peak_memory_kib: memory, at }
    }

    fn peer(language: &str) -> Kind {
        Kind::Peer { language: language.into(), step: "voice-answer".into() }
    }

    #[test]
    fn the_faster_peer_and_the_slowest_step_decide() {
        let all = [
            measured("floor", Kind::Floor, 1.0, 1),
            measured("voice-answer", Kind::Optline, 5.0, 10),
            measured("voice-name", Kind::Optline, 7.0, 10),
            measured("a", peer("A"), 150.0, 100),
            measured("b", peer("B"), 90.0, 200),
        ];
        let targets = targets(&all, &[]);
        assert_eq!(targets[0].got, "7.00 × (voice-name; 1 of 2 within)");
        assert_eq!(targets[0].reached, Some(false));
        assert_eq!((targets[3].got.as_str(), targets[3].reached), ("18.0 × (voice-answer)", Some(false)));
        assert_eq!((targets[5].got.as_str(), targets[5].reached), ("0.10 × (voice-answer)", Some(true)));
    }

    #[test]
    fn an_inbox_must_stay_as_fast_and_ask_no_more_however_much_there_is() {
        let page = |name: &str, warm_ms: f64, queries: u64| {
            let mut page = measured(name, Kind::Optline, warm_ms * 10.0, 10);
            page.at[0].warm_calls = Counts::from([("dynamodb:Query".into(), queries), ("kms:Decrypt".into(), 1)]);
            page
        };
        let pages = [page(INBOX, 1.0, 2), page(REQUEST, 1.0, 6)];
        let targets = dashboard_targets(&pages, &[page("100", 1.0, 2), page("10,000", 1.05, 2), page("most", 1.2, 3)]);
        let got: Vec<_> = targets.iter().map(|target| (target.got.as_str(), target.reached)).collect();
        let slowest = "1.20 × (most; 1 of 2 within)";
        assert_eq!(got, [("3", Some(false)), ("1", Some(false)), ("6", Some(false)), (slowest, Some(false))]);
        assert_eq!(dashboard_targets(&pages, &[])[3].reached, None);
    }

    #[test]
    fn closing_a_day_must_cost_each_as_much_however_many_there_are() {
        let closed = |size: u32, processor_us_each: f64, peak_memory_kib: u64| Closed {
            size,
            processor_us_each,
            peak_memory_kib,
            calls: Counts::from([("dynamodb:Query".into(), u64::from(size) / 20)]),
            ..Closed::default()
        };
        let closing = Closing {
            planner: vec![closed(10, 9.0, 10), closed(1_000, 3.0, 20), closed(100_000, 3.0, 21)],
            worker: vec![closed(1_000, 3.0, 20), closed(100_000, 3.2, 20), closed(1_000_000, 4.5, 40)],
            ..Closing::default()
        };
        let targets = closing_targets(&closing);
        let reached: Vec<Option<bool>> = targets.iter().map(|target| target.reached).collect();
        assert_eq!(reached, [Some(true), Some(true), Some(false), Some(false), Some(true)]);
        assert_eq!(targets[2].got, "1.50 × (1,000,000 calls; 1 of 2 within)");
        assert_eq!(closing_targets(&Closing::default())[0].reached, None);
    }

    #[test]
    fn a_peer_that_is_missing_leaves_its_targets_open() {
        let targets = targets(&[measured("voice-answer", Kind::Optline, 5.0, 10)], &[]);
        assert_eq!(targets[3].reached, None);
    }
}
