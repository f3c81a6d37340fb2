//! A tenant's requests in any number, each as the store wrote the one that serves as their pattern.

use domain::reference::Reference;
use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::Error;
use crate::aws::{Item, Series};
use crate::hotline::text;

/// Requests come in over so many days.
const DAYS: u32 = 45;
/// Coprime to the number of references, so that no two numbers share one.
const STRIDE: u64 = 61_803_398_873;
/// Other tenants' ids differ from the pattern's in their last digits.
const TENANT_DIGITS: usize = 4;

/// Open requests like `pattern`: the first `stored` of its own tenant, all others of `others` further tenants in turn.
/// They differ in reference, partition, dates and the person's search key.
pub fn requests(pattern: &Item, stored: u32, others: u32) -> Result<Series, Error> {
    let of = |name: &str| {
        let found = text(pattern, name).filter(|text| !text.is_empty()).map(str::to_owned);
        found.ok_or_else(|| Error::say("a stored request", "has no", &name))
    };
    let date = |name: &str| of(name)?.parse::<Date>().map_err(|error| Error::say(name, "is no date", &error));
    let (pk, reference, tenant) = (of("pk")?, of("sk")?, of("open_pk")?);
    let (respond_by, received_on) = (date("respond_by")?, date("received_on")?);
    let (contact, received) = (of("contact_pk")?, of("received_pk")?);
    let blanks = [pk, received, contact, tenant.clone(), reference, respond_by.to_string(), received_on.to_string()];
    let fill = move |number: u32| {
        let tenant =
            if number < stored { tenant.clone() } else { neighbour(&tenant, (number - stored) % others.max(1)) };
        let days = i64::from(number % DAYS).days();
        let (respond_by, received_on) = (respond_by.saturating_add(days), received_on.saturating_add(days));
        let reference = Reference::from_entropy(u64::from(number) * STRIDE).as_str().to_owned();
        let shard: String = reference.chars().take(2).collect();
        vec![
            format!("{tenant}#{shard}"),
            format!("{tenant}#{:04}-{:02}", received_on.year(), received_on.month()),
            format!("{tenant}#p1#{number:032x}"),
            tenant,
            reference,
            respond_by.to_string(),
            received_on.to_string(),
        ]
    };
    let blanks: Vec<&str> = blanks.iter().map(String::as_str).collect();
    Ok(Series::new(pattern, &blanks, fill))
}

fn neighbour(tenant: &str, number: u32) -> String {
    let kept: String = tenant.chars().take(tenant.chars().count().saturating_sub(TENANT_DIGITS)).collect();
    format!("{kept}{number:0TENANT_DIGITS$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Cloud;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn pattern() -> Item {
        let item = json!({
            "pk": { "S": "t-abcdefgh#77" }, "sk": { "S": "771234567890" }, "kind": { "S": "delete" },
            "open_pk": { "S": "t-abcdefgh" }, "open_sk": { "S": "2027-01-06#771234567890" },
            "respond_by": { "S": "2027-01-06" }, "received_on": { "S": "2026-11-22" },
            "contact_pk": { "S": "t-abcdefgh#p1#00ff" }, "contact_sk": { "S": "2026-11-22T01:00:00Z#771234567890" },
            "received_pk": { "S": "t-abcdefgh#2026-11" }, "received_sk": { "S": "2026-11-22#771234567890" },
        });
        item.as_object().cloned().unwrap()
    }

    #[test]
    fn requests_in_number_are_keyed_as_the_store_keys_them() {
        let mut cloud = Cloud::default();
        cloud.stock("requests", requests(&pattern(), 30, 3).unwrap(), 60);
        let made: Vec<Item> = cloud.all("requests").collect();
        let mut references = BTreeSet::new();
        for item in &made {
            let of = |name: &str| text(item, name).unwrap().to_owned();
            let (tenant, reference) = (of("open_pk"), of("sk"));
            assert!(Reference::parse(&reference).is_ok());
            assert_eq!(of("pk"), format!("{tenant}#{}", &reference[..2]));
            assert_eq!(of("open_sk"), format!("{}#{reference}", of("respond_by")));
            assert_eq!(of("received_pk"), format!("{tenant}#{}", &of("received_on")[..7]));
            assert_eq!(of("received_sk"), format!("{}#{reference}", of("received_on")));
            references.insert((tenant, reference));
        }
        let own = references.iter().filter(|(tenant, _)| tenant == "t-abcdefgh").count();
        let tenants: BTreeSet<_> = references.iter().map(|(tenant, _)| tenant).collect();
        assert_eq!((references.len(), own, tenants.len()), (60, 30, 4));
    }
}
