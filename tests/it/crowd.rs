//! Many callers: any at all, one after the other; and three hundred at once.

use std::collections::{BTreeMap, BTreeSet};

use domain::language::Language;
use domain::request::Kind;
use phone::{CallOptions, Callbacks, Caller, Do, Ended, Order, Prompt, Random, Script, Speech, Transcript};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use serde_json::{Value, json};
use tests::crowd::{self, Meeting, Turnstile};
use tests::hotline::{Code, owner};
use tests::{Hotline, answers, cloud, eventually, planted};

/// No call asks for more documents than this: issue 2, section 9.
const MOST_DOCUMENTS: usize = 40;
/// How many webhooks are under way at a moment: as many as the machine answers well within Twilio's 15 seconds.
const AT_A_TIME: usize = 16;

// ---- anybody

const CODES: [&str; 2] = ["5801", "5802"];
const DEDICATED: &str = "+18665550180";

async fn shops(hotline: &Hotline) {
    let closed = Code { active: false, ..Code::new(CODES[1], "Closed Shop") };
    hotline.tenant("test-crowd", &[Code::new(CODES[0], "Busy Shop"), closed], &[(DEDICATED, CODES[0])]).await;
}

/// Somebody who calls and does anything at all.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn for itself")]
struct Somebody {
    seed: u64,
    number: u8,
    withheld: bool,
    dedicated: bool,
    stays: bool,
    shuffled: bool,
}

impl Somebody {
    fn any() -> impl Strategy<Value = Self> {
        (any::<u64>(), 0..100_u8, prop::bool::weighted(0.2), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(seed, number, withheld, dedicated, stays, shuffled)| Self {
                seed,
                number,
                withheld,
                dedicated,
                stays,
                shuffled,
            },
        )
    }

    fn options(&self) -> CallOptions {
        let from = if self.withheld {
            CallOptions::WITHHELD.to_owned()
        } else {
            planted::caller(planted::RANDOM, self.number)
        };
        let order = if self.shuffled { Order::Shuffled(self.seed) } else { Order::AsItHappens };
        CallOptions {
            to: self.dedicated.then(|| DEDICATED.to_owned()),
            callbacks: Callbacks { copies: 1 + u8::from(self.shuffled), order, every_status: self.shuffled },
            ..CallOptions::from(from)
        }
    }

    /// A random caller who also knows what gets one further.
    fn caller(&self) -> impl Caller + use<> {
        let known = ["1", "1", "1", "2", &format!("{}#", CODES[0]), &format!("{}#", CODES[1])].map(str::to_owned);
        let known = known.into_iter().chain([format!("{}#", planted::keyed(self.number % 100))]);
        let mut random = Random::new(self.seed).knowing(known);
        if self.stays {
            random = random.who_stays();
        }
        move |prompt: &Prompt| match random.hear(prompt) {
            Do::Speak(speech) => Do::Speak(Speech {
                audio: planted::speech("was said").audio,
                text: Some(planted::words("was said")),
                ..speech
            }),
            other => other,
        }
    }

    fn ended_well(&self, call: &Transcript) -> Result<(), TestCaseError> {
        prop_assert!(call.violations.is_empty(), "{self:?}\n{call}");
        prop_assert!(call.documents.len() <= MOST_DOCUMENTS, "{} documents\n{self:?}\n{call}", call.documents.len());
        match call.ended {
            Ended::HungUpByCaller if !self.stays => {}
            Ended::HungUpByUs => {
                let last = call.said.last().map(String::as_str).unwrap_or_default();
                prop_assert!(last.contains("Goodbye.") || last.contains("Adiós."), "no goodbye\n{self:?}\n{call}");
            }
            ref other => prop_assert!(false, "{other}\n{self:?}\n{call}"),
        }
        Ok(())
    }
}

/// Sixty callers, the same in every run.
#[test]
fn whatever_a_caller_does_the_call_comes_to_a_good_end() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let hotline = Hotline::open();
    runtime.block_on(shops(&hotline));
    let config = ProptestConfig {
        cases: 10,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        max_shrink_iters: 20,
        ..ProptestConfig::default()
    };
    let everybody = prop::collection::vec(Somebody::any(), 6);
    let outcome = TestRunner::new(config).run(&everybody, |callers| {
        let calls = callers.iter().map(async |somebody| {
            let mut caller = somebody.caller();
            let call = hotline.line.dial(somebody.options()).talk(&mut caller).await;
            let requests = hotline.requests(&call.call_sid).await;
            let reached = hotline.directory("call", &call.call_sid).await;
            eventually("the call in the ledger", async || {
                Some(hotline.ledger(&call.call_sid).await).filter(|rows| !rows.is_empty())
            })
            .await;
            let ledger = hotline.ledger(&call.call_sid).await;
            (call, requests, reached, ledger)
        });
        let calls = runtime.block_on(futures::future::join_all(calls));
        for (somebody, (call, requests, reached, ledger)) in callers.iter().zip(calls) {
            somebody.ended_well(&call)?;
            prop_assert!(requests.len() <= 1, "{requests:#?}\n{call}");
            // Chance may have keyed another service code than ours.
            let reached = reached.as_ref().and_then(|call| call["tenant"].as_str());
            prop_assert!(requests.iter().all(|request| Some(owner(request)) == reached), "{requests:#?}\n{call}");
            prop_assert_eq!(ledger.len(), 1);
            prop_assert_eq!(&ledger[0]["seconds"], call.duration.as_secs());
        }
        Ok(())
    });
    outcome.unwrap_or_else(|why| panic!("{why}"));
}

// ---- three hundred at once

/// A caller of the three hundred, and what came of their call.
struct Served {
    from: String,
    tenant: usize,
    language: Language,
    call: Transcript,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_hundred_callers_at_once_none_is_mixed_up_and_none_is_lost() {
    let hotline = Hotline::open();
    let codes = ["5811", "5812"];
    let tenants = [
        hotline.tenant("test-three-hundred-a", &[Code::new(codes[0], "Shop Left")], &[]).await,
        hotline.tenant("test-three-hundred-b", &[Code::new(codes[1], "Shop Right")], &[]).await,
    ];
    let (turnstile, meeting) = (Turnstile::new(AT_A_TIME), Meeting::new(300));
    let mut calls = vec![];
    for n in 0..300_u16 {
        let from = planted::caller(planted::AT_ONCE[usize::from(n / 100)], u8::try_from(n % 100).unwrap());
        let tenant = usize::from(n % 2);
        let language = if n % 3 == 0 { Language::Spanish } else { Language::English };
        let script = Script::new(answers::request(language, Some(codes[tenant]), Kind::OptOut));
        let (line, options) = (hotline.line.clone(), CallOptions::from(from.as_str()));
        // They all wait for each other at the menu.
        let call = crowd::call(line, options, script, turnstile.clone(), Some((meeting.clone(), 2)));
        calls.push(tokio::spawn(async move { Served { from, tenant, language, call: call.await } }));
    }
    let mut served = vec![];
    for call in calls {
        served.push(call.await.unwrap());
    }
    assert!(meeting.took_place(), "they were on the line together");

    // Everything is counted in the tables themselves.
    let by = async |table: &str, attribute: &str| -> BTreeMap<String, Vec<Value>> {
        let mut by = BTreeMap::<String, Vec<Value>>::new();
        for item in hotline.cloud.scan(hotline.table(table), json!({})).await {
            let item = cloud::plain(&item);
            if let Some(call) = item[attribute].as_str() {
                by.entry(call.to_owned()).or_default().push(item);
            }
        }
        by
    };
    let requests = by("requests", "call").await;
    let ledger = eventually("300 calls in the ledger", async || {
        let ledger = by("usage", "sk").await;
        served.iter().all(|one| ledger.contains_key(&one.call.call_sid)).then_some(ledger)
    })
    .await;
    let roots = [hotline.roots(&tenants[0]).await, hotline.roots(&tenants[1]).await];
    let mut references = BTreeSet::new();
    for Served { from, tenant, language, call } in &served {
        let id = tenants[*tenant].as_str();
        assert!(call.violations.is_empty() && call.ended == Ended::HungUpByUs, "{call}");
        let [request] = requests.get(&call.call_sid).map(Vec::as_slice).unwrap_or_default() else {
            panic!("not one request\n{call}")
        };
        assert_eq!(owner(request), id, "{call}");
        assert_eq!((&request["state"], &request["code"]), (&json!("received"), &json!(codes[*tenant])), "{call}");
        assert_eq!(request["language"], language.code());
        assert_eq!(request["contact_pk"], roots[*tenant].phone_index(from), "{from}\n{call}");
        assert_eq!(request["sk"].as_str().map(str::to_owned), call.reference_number(), "{call}");
        let shop = ["Shop Left", "Shop Right"][*tenant];
        let other = ["Shop Right", "Shop Left"][*tenant];
        assert!(call.heard(shop) && !call.heard(other), "{call}");
        references.insert(request["sk"].as_str().unwrap().to_owned());
        let [row] = ledger[&call.call_sid].as_slice() else { panic!("not one row\n{call}") };
        assert_eq!((owner(row), &row["code"]), (id, &request["code"]), "{call}");
        assert_eq!(row["seconds"], call.duration.as_secs(), "{call}");
    }
    assert_eq!(references.len(), 300, "every caller has a reference number of their own");
    for (tenant, id) in tenants.iter().enumerate() {
        let open = hotline.cloud.index(hotline.table("requests"), "open-by-due", "open_pk", id).await;
        let theirs = open.iter().filter(|key| key["sk"].as_str().is_some_and(|sk| references.contains(sk))).count();
        assert_eq!(theirs, 150, "{}", codes[tenant]);
    }
}
