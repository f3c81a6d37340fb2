//! Twilio's vectors, computed with twilio-python 9.13.0 and twilio-node 6.2.0, and what must not pass.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

const TOKEN: &str = "12345";
const BASE: &str = "https://mycompany.com";
const PATH: &str = "/myapp.php";
const QUERY: &str = "foo=1&bar=2";
const FORM: &str = "application/x-www-form-urlencoded";
const CALL: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
];
const CALL_SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
const CALL_SIGNATURE_SHA256: &str = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=";
const JSON: &[u8] = br#"{"property": "value", "boolean": true}"#;
const JSON_HASH: &str = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
const JSON_SIGNATURE: &str = "a9nBmqA0ju/hNViExpshrM61xv4=";

fn keys() -> Keys {
    Keys::new(vec![TOKEN.to_owned()], BTreeMap::new())
}

fn form<S: AsRef<str>>(params: &[(S, S)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

fn posted<'a>(base_url: &'a str, body: &'a str, signature: &'a str) -> SignedRequest<'a> {
    SignedRequest {
        base_url,
        path: PATH,
        raw_query: QUERY,
        content_type: Some(FORM),
        body: body.as_bytes(),
        signature: Some(signature),
        settings: None,
        post: true,
    }
}

fn json<'a>(raw_query: &'a str, signature: &'a str) -> SignedRequest<'a> {
    SignedRequest { raw_query, body: JSON, content_type: Some("application/json"), ..posted(BASE, "", signature) }
}

#[track_caller]
fn passes(params: &[(&str, &str)], signature: &str) {
    let body = form(params);
    assert!(keys().verify(&posted(BASE, &body, signature)).is_ok());
}

#[test]
fn a_form_is_signed_over_its_sorted_parameters() {
    passes(CALL, CALL_SIGNATURE);
    let backwards: Vec<_> = CALL.iter().rev().copied().collect();
    passes(&backwards, CALL_SIGNATURE);
}

#[test]
fn a_media_type_may_have_parameters_and_any_case() {
    let body = form(CALL);
    let content_type = Some("Application/X-WWW-Form-URLEncoded; charset=UTF-8");
    assert!(keys().verify(&SignedRequest { content_type, ..posted(BASE, &body, CALL_SIGNATURE) }).is_ok());
}

#[test]
fn the_port_may_be_signed_or_not() {
    let body = form(CALL);
    for (base, signature) in [
        ("https://mycompany.com:1234", CALL_SIGNATURE),
        ("https://mycompany.com:443", CALL_SIGNATURE),
        ("https://mycompany.com", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("https://mycompany.com:443", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("http://mycompany.com:80", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("http://mycompany.com:1234", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ] {
        assert!(keys().verify(&posted(base, &body, signature)).is_ok(), "{base} {signature}");
    }
    for (base, signature) in [
        ("http://mycompany.com", CALL_SIGNATURE),
        ("https://mycompany.com:1234", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("https://mycompany.com.example", CALL_SIGNATURE),
    ] {
        let refused = keys().verify(&posted(base, &body, signature));
        assert_eq!(refused, Err(Refused::WrongSignature), "{base} {signature}");
    }
}

#[test]
fn a_user_name_in_the_configured_address_is_not_signed_and_neither_is_its_last_slash() {
    let body = form(CALL);
    for base in ["https://name:word@mycompany.com", "https://a@b@mycompany.com:1234", "https://mycompany.com/"] {
        assert!(keys().verify(&posted(base, &body, CALL_SIGNATURE)).is_ok(), "{base}");
    }
}

#[test]
fn a_prefix_and_an_ipv6_host_are_part_of_the_url() {
    let body = form(CALL);
    for (base, url) in [
        ("https://mycompany.com/prod", "https://mycompany.com/prod/myapp.php?foo=1&bar=2"),
        ("http://[::1]:4566", "http://[::1]:4566/myapp.php?foo=1&bar=2"),
        ("http://[::1]:4566", "http://[::1]/myapp.php?foo=1&bar=2"),
        ("http://[::1]", "http://[::1]:80/myapp.php?foo=1&bar=2"),
    ] {
        let signature = sign(TOKEN, Algorithm::HmacSha1, url, CALL.iter().copied());
        assert!(keys().verify(&posted(base, &body, &signature)).is_ok(), "{base}");
    }
}

#[test]
fn an_address_that_is_no_url_is_named() {
    for base in ["", "mycompany.com", "ftp://mycompany.com", "https://", "https://:443", "https://mycompany.com:x"] {
        assert_eq!(keys().verify(&posted(base, "", CALL_SIGNATURE)), Err(Refused::BaseUrl), "{base}");
    }
}

#[test]
fn duplicate_values_count_once_and_different_ones_in_order() {
    let params = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")];
    passes(&params, "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    let repeated = [&params[..], &[("Digits", "1234")]].concat();
    passes(&repeated, "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    let body = form(&params);
    let read = keys().verify(&posted(BASE, &body, "IK+Dwps556ElfBT0I3Rgjkr1wJU=")).unwrap();
    assert_eq!(read.get("Digits"), Some("5678"), "the first value is the one that is read");
}

#[test]
fn an_empty_value_is_signed_by_its_name_and_kept() {
    passes(&[("A", ""), ("B", "x")], "bWeevTHlSTOF+IbXptnJYtBAhiY=");
    let params = keys().verify(&posted(BASE, "A=&B=x", "bWeevTHlSTOF+IbXptnJYtBAhiY=")).unwrap();
    assert_eq!((params.get("A"), params.non_empty("A")), (Some(""), None));
    assert_eq!((params.get("B"), params.non_empty("B")), (Some("x"), Some("x")));
    assert_eq!((params.get("C"), params.non_empty("C")), (None, None));
}

#[test]
fn names_and_values_beyond_ascii_are_signed_decoded() {
    let body = form(&[("FromCity", "SÃO PAULO"), ("CallerName", "Zoë 😀")]);
    let request = SignedRequest {
        path: "/x",
        raw_query: "",
        ..posted("https://example.com", &body, "jqvzgGeCZw7Yc3zKp9LorxCCVaQ=")
    };
    assert_eq!(keys().verify(&request).unwrap().get("CallerName"), Some("Zoë 😀"));
}

#[test]
fn twilios_own_library_signs_the_same_for_other_secrets_hosts_and_names() {
    let params = [("Z", "1"), ("a", "ß"), ("_x", ""), ("A b", " y "), ("\u{1d4b3}", "é"), ("\u{fffd}", "q")];
    let url = "http://ca11ab1e.execute-api.localhost:4566/voice/answer";
    assert_eq!(sign("tök en", Algorithm::HmacSha1, url, params), "vadHhv5iDEFfgHyJFRLw3j+9OPY=");
    let url = "https://[::1]:8443/p/x?q=%27";
    assert_eq!(sign("t", Algorithm::HmacSha256, url, []), "7a7vb11sIuw7Wi2lMwz0dBhWBpZ1nv+DbdQC+vJMgmg=");
}

#[test]
fn spaces_around_a_value_are_part_of_it() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let signature = sign(TOKEN, Algorithm::HmacSha1, url, [("Body", " yes ")]);
    assert_eq!(keys().verify(&posted(BASE, "Body=+yes+", &signature)).unwrap().get("Body"), Some(" yes "));
    assert_eq!(keys().verify(&posted(BASE, "Body=yes", &signature)), Err(Refused::WrongSignature));
}

#[test]
fn a_json_body_is_signed_by_its_hash_in_the_query() {
    assert_eq!(body_sha256(JSON), JSON_HASH);
    let query = format!("{QUERY}&bodySHA256={JSON_HASH}");
    assert_eq!(keys().verify(&json(&query, JSON_SIGNATURE)), Ok(Params::default()));
    let other_body = SignedRequest { body: b"{}", ..json(&query, JSON_SIGNATURE) };
    assert_eq!(keys().verify(&other_body), Err(Refused::BodyChanged));
    let other_query = format!("{QUERY}&bodySHA256={}", body_sha256(b"{}"));
    let hash_swapped = SignedRequest { body: b"{}", ..json(&other_query, JSON_SIGNATURE) };
    assert_eq!(keys().verify(&hash_swapped), Err(Refused::WrongSignature));
}

#[test]
fn a_body_that_no_signature_covers_is_refused() {
    let signature = sign(TOKEN, Algorithm::HmacSha1, "https://mycompany.com/myapp.php?foo=1&bar=2", []);
    assert_eq!(keys().verify(&json(QUERY, &signature)), Err(Refused::BodyNotSigned));
    assert_eq!(keys().verify(&SignedRequest { post: false, ..json(QUERY, &signature) }), Err(Refused::BodyNotSigned));
    assert!(keys().verify(&SignedRequest { body: b"", ..json(QUERY, &signature) }).is_ok());
}

#[test]
fn a_get_is_signed_by_its_url_as_it_was_sent() {
    let raw_query = "b=%27x&a=1&a=2&empty=&plus=a+b";
    let signature = sign(TOKEN, Algorithm::HmacSha1, &format!("{BASE}{PATH}?{raw_query}"), []);
    let request = SignedRequest { raw_query, content_type: None, post: false, ..posted(BASE, "", &signature) };
    let params = keys().verify(&request).unwrap();
    assert_eq!((params.get("a"), params.get("b"), params.get("plus")), (Some("1"), Some("'x"), Some("a b")));
    let encoded_anew = SignedRequest { raw_query: "b='x&a=1&a=2&empty=&plus=a+b", ..request };
    assert_eq!(keys().verify(&encoded_anew), Err(Refused::WrongSignature));
}

#[test]
fn a_shared_key_is_used_when_the_header_names_it() {
    let shared = BTreeMap::from([("key1".to_owned(), TOKEN.to_owned()), ("key2".to_owned(), "other".to_owned())]);
    let keys = Keys::new(vec!["unused".to_owned()], shared);
    let body = form(CALL);
    let verify = |settings: &str, signature: &str| {
        keys.verify(&SignedRequest { settings: Some(settings), ..posted(BASE, &body, signature) }).map(|_| ())
    };
    assert_eq!(verify("key=key1,algorithm=HMAC_SHA256", CALL_SIGNATURE_SHA256), Ok(()));
    assert_eq!(verify("algorithm=HMAC_SHA256 , key=key1", CALL_SIGNATURE_SHA256), Ok(()));
    assert_eq!(verify("key=key1,algorithm=HMAC_SHA1", CALL_SIGNATURE), Ok(()));
    assert_eq!(verify("key=key1", CALL_SIGNATURE), Ok(()));
    assert_eq!(verify("key=key1,algorithm=HMAC_SHA1", CALL_SIGNATURE_SHA256), Err(Refused::WrongSignature));
    assert_eq!(verify("key=key2,algorithm=HMAC_SHA256", CALL_SIGNATURE_SHA256), Err(Refused::WrongSignature));
    assert_eq!(verify("key=key3,algorithm=HMAC_SHA256", CALL_SIGNATURE_SHA256), Err(Refused::UnknownKey));
    assert_eq!(verify("key=,algorithm=HMAC_SHA256", CALL_SIGNATURE_SHA256), Err(Refused::UnknownKey));
    for algorithm in ["HMAC_MD5", "none", ""] {
        let settings = format!("key=key1,algorithm={algorithm}");
        assert_eq!(verify(&settings, CALL_SIGNATURE_SHA256), Err(Refused::UnknownAlgorithm), "{algorithm}");
    }
    for settings in ["key1", "key=key1,key=key2,algorithm=HMAC_SHA256", "algorithm=HMAC_SHA1,algorithm=HMAC_SHA256"] {
        assert_eq!(verify(settings, CALL_SIGNATURE_SHA256), Err(Refused::UnreadableSettings), "{settings}");
    }
    assert_eq!(verify("algorithm=HMAC_SHA256", CALL_SIGNATURE_SHA256), Err(Refused::WrongSignature));
    assert_eq!(verify("", CALL_SIGNATURE), Err(Refused::WrongSignature), "a shared key is not an auth token");
}

#[test]
fn an_auth_token_being_retired_still_verifies() {
    let body = form(CALL);
    for tokens in [["new", TOKEN], [TOKEN, "old"]] {
        let keys = Keys::new(tokens.map(str::to_owned).to_vec(), BTreeMap::new());
        assert!(keys.verify(&posted(BASE, &body, CALL_SIGNATURE)).is_ok());
    }
    let replaced = Keys::new(vec!["new".to_owned()], BTreeMap::new());
    assert_eq!(replaced.verify(&posted(BASE, &body, CALL_SIGNATURE)), Err(Refused::WrongSignature));
}

#[test]
fn an_empty_secret_verifies_nothing() {
    let keys = Keys::new(vec![String::new()], BTreeMap::from([("key1".to_owned(), String::new())]));
    let body = form(CALL);
    let url = format!("{BASE}{PATH}?{QUERY}");
    let signature = sign("", Algorithm::HmacSha1, &url, CALL.iter().copied());
    let request = posted(BASE, &body, &signature);
    assert_eq!(keys.verify(&request), Err(Refused::WrongSignature));
    assert_eq!(keys.verify(&SignedRequest { settings: Some("key=key1"), ..request }), Err(Refused::UnknownKey));
}

#[test]
fn a_missing_or_unreadable_signature_is_refused() {
    let body = form(CALL);
    let request = posted(BASE, &body, CALL_SIGNATURE);
    let unpadded = CALL_SIGNATURE.trim_end_matches('=');
    for signature in [None, Some("not base64!"), Some(unpadded)] {
        assert_eq!(keys().verify(&SignedRequest { signature, ..request }), Err(Refused::NoSignature));
    }
    for signature in [Some(""), Some("AAAA"), Some(CALL_SIGNATURE_SHA256)] {
        assert_eq!(keys().verify(&SignedRequest { signature, ..request }), Err(Refused::WrongSignature));
    }
}

#[test]
fn a_body_over_the_limit_is_not_looked_at() {
    let body = "a".repeat(BODY_LIMIT + 1);
    assert_eq!(keys().verify(&posted(BASE, &body, CALL_SIGNATURE)), Err(Refused::BodyTooLarge));
    let at_limit = &body[1..];
    assert_eq!(keys().verify(&posted(BASE, at_limit, CALL_SIGNATURE)), Err(Refused::WrongSignature));
}

#[test]
fn neither_secrets_nor_values_are_shown() {
    let shared = BTreeMap::from([("key1".to_owned(), "second secret".to_owned())]);
    let keys = Keys::new(vec!["first secret".to_owned()], shared);
    assert_eq!(format!("{keys:?}"), "Keys { auth_tokens: 1, shared: 1, .. }");
    let body = form(CALL);
    let params = self::keys().verify(&posted(BASE, &body, CALL_SIGNATURE)).unwrap();
    assert_eq!(format!("{params:?}"), r#"{"CallSid", "Caller", "Digits", "From", "To"}"#);
}

/// Names and values of every kind, the signing URL, and the body that says them.
fn signed_form(params: &[(String, String)]) -> (String, String) {
    let url = format!("{BASE}{PATH}?{QUERY}");
    let signature = sign(TOKEN, Algorithm::HmacSha1, &url, params.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    (form(params), signature)
}

proptest! {
    #[test]
    fn the_order_of_parameters_does_not_matter(
        (params, shuffled) in vec((".{0,8}", ".{0,8}"), 0..8).prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle()))
    ) {
        let (_, signature) = signed_form(&params);
        let body = form(&shuffled);
        prop_assert!(keys().verify(&posted(BASE, &body, &signature)).is_ok());
    }

    #[test]
    fn a_changed_value_is_refused(
        params in vec(("[A-Za-z]{1,8}", ".{0,8}"), 1..6), which in any::<Index>(), added in "[^A-Z]"
    ) {
        let (_, signature) = signed_form(&params);
        let mut changed = params.clone();
        let value = &mut changed[which.index(params.len())].1;
        value.insert_str(0, &added);
        let same: BTreeSet<_> = params.iter().collect();
        prop_assume!(same != changed.iter().collect());
        let body = form(&changed);
        prop_assert_eq!(keys().verify(&posted(BASE, &body, &signature)), Err(Refused::WrongSignature));
    }

    #[test]
    fn a_parameter_added_or_removed_is_refused(params in vec(("[a-z]{1,8}", "[0-9]{1,8}"), 1..6)) {
        let (_, signature) = signed_form(&params);
        let more = [&params[..], &[("Zusatz".to_owned(), "1".to_owned())]].concat();
        for changed in [&more[..], &[]] {
            let body = form(changed);
            prop_assert_eq!(keys().verify(&posted(BASE, &body, &signature)), Err(Refused::WrongSignature));
        }
    }

    #[test]
    fn any_other_byte_in_the_path_or_query_is_refused(at in any::<Index>(), byte in b'!'..b'~') {
        let body = form(CALL);
        let mut path_and_query = format!("{PATH}?{QUERY}").into_bytes();
        let at = at.index(path_and_query.len());
        prop_assume!(path_and_query[at] != byte);
        path_and_query[at] = byte;
        let text = String::from_utf8(path_and_query).unwrap();
        let (path, raw_query) = text.split_once('?').unwrap_or((&text, ""));
        prop_assume!(format!("{path}?{raw_query}") != format!("{PATH}?{QUERY}"));
        let request = SignedRequest { path, raw_query, ..posted(BASE, &body, CALL_SIGNATURE) };
        prop_assert_eq!(keys().verify(&request), Err(Refused::WrongSignature));
    }

    #[test]
    fn any_other_key_is_refused(key in ".{1,20}") {
        prop_assume!(key != TOKEN);
        let keys = Keys::new(vec![key], BTreeMap::new());
        let body = form(CALL);
        prop_assert_eq!(keys.verify(&posted(BASE, &body, CALL_SIGNATURE)), Err(Refused::WrongSignature));
    }

    #[test]
    fn any_other_signature_is_refused(at in any::<Index>(), byte in b'!'..b'~') {
        let body = form(CALL);
        let mut signature = CALL_SIGNATURE.to_owned().into_bytes();
        let at = at.index(signature.len());
        prop_assume!(signature[at] != byte);
        signature[at] = byte;
        let signature = String::from_utf8(signature).unwrap();
        prop_assert!(keys().verify(&posted(BASE, &body, &signature)).is_err());
    }

    #[test]
    fn no_request_panics(
        base_url in ".{0,20}", path in ".{0,8}", raw_query in ".{0,8}", content_type in ".{0,8}",
        body in vec(any::<u8>(), 0..40), signature in ".{0,30}", settings in ".{0,20}", post in any::<bool>()
    ) {
        let request = SignedRequest {
            base_url: &base_url,
            path: &path,
            raw_query: &raw_query,
            content_type: Some(&content_type),
            body: &body,
            signature: Some(&signature),
            settings: Some(&settings),
            post,
        };
        prop_assert!(keys().verify(&request).is_err());
    }
}
