//! What surrounds the product on a developer's machine: a shop with the form in its page, and everybody's letterbox.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use axum::routing::get;
use serde_json::Value;

use crate::{letterbox, shop};

/// Where to find the product; read at every request, because the stand-ins start before it.
#[derive(Clone)]
pub(crate) struct Town {
    stack_file: PathBuf,
}

/// What `stack.json` says of it.
pub(crate) struct Stack {
    /// Where browsers reach it.
    pub(crate) base_url: String,
    /// Where AWS is.
    pub(crate) aws_endpoint: String,
    /// The first demo tenant's first service code.
    pub(crate) first_code: String,
    connect_to: Option<SocketAddr>,
}

/// The shop and the letterbox, for the product that this `stack.json` describes.
pub fn town(stack_file: PathBuf) -> Router {
    Router::new()
        .route("/shop", get(shop::front))
        .route("/shop/privacy", get(shop::privacy))
        .route("/shop/choices", get(shop::choices))
        .route("/mailbox", get(letterbox::page))
        .with_state(Town { stack_file })
}

impl Town {
    /// Where the product is, or what to do about it.
    pub(crate) fn stack(&self) -> Result<Stack, String> {
        let read = std::fs::read_to_string(&self.stack_file).ok();
        let known: Option<Value> = read.and_then(|text| serde_json::from_str(&text).ok());
        let known = known.ok_or("The local cloud is not up yet: make up.")?;
        let text = |name: &str| known.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let first_code = known.pointer("/tenants/0/service_codes/0/code").and_then(Value::as_str).unwrap_or("1");
        Ok(Stack {
            base_url: text("base_url"),
            aws_endpoint: text("aws_endpoint"),
            first_code: first_code.to_owned(),
            connect_to: text("connect_to").parse().ok(),
        })
    }

    /// What lies at an address; nothing where there is nothing.
    pub(crate) async fn get(&self, stack: &Stack, address: &str) -> Option<Vec<u8>> {
        let mut client = reqwest::Client::builder().no_proxy();
        // Not every machine resolves the names below `localhost`.
        let host = stack.base_url.split("://").nth(1).and_then(|rest| rest.split(':').next());
        if let (Some(host), Some(address)) = (host, stack.connect_to) {
            client = client.resolve(host, address);
        }
        let answer = client.build().ok()?.get(address).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.bytes().await.ok().map(|bytes| bytes.to_vec())
    }
}
