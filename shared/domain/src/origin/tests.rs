use super::*;
use proptest::prelude::*;

fn origin(text: &str) -> Origin {
    match Origin::parse(text) {
        Ok(origin) => origin,
        Err(error) => panic!("{text}: {error}"),
    }
}

#[test]
fn an_origin_is_kept_as_a_browser_sends_it() {
    for (entered, kept) in [
        ("https://example.com", "https://example.com"),
        (" HTTPS://WWW.Example.com/ ", "https://www.example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BU\u{308}CHER.example", "https://xn--bcher-kva.example"),
        ("https://*.Example.com", "https://*.example.com"),
        ("https://*.shop.example.co.uk:8443", "https://*.shop.example.co.uk:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://shop.localhost", "http://shop.localhost"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        assert_eq!(origin(entered).as_str(), kept);
    }
}

#[test]
fn what_is_no_origin_is_refused_with_the_reason() {
    use OriginError::{Empty, MoreThanAnOrigin, NotAHost, NotHttps, StarInside, TooWide};
    for (entered, why) in [
        ("", Empty),
        ("null", NotHttps),
        ("*", NotHttps),
        ("example.com", NotHttps),
        ("//example.com", NotHttps),
        ("http://example.com", NotHttps),
        ("http://localhost.example.com", NotHttps),
        ("http://*.example.com", NotHttps),
        ("ftp://example.com", NotHttps),
        ("javascript://example.com", NotHttps),
        ("https://example.com/form", MoreThanAnOrigin),
        ("https://example.com//", MoreThanAnOrigin),
        ("https://example.com?x", MoreThanAnOrigin),
        ("https://example.com#x", MoreThanAnOrigin),
        ("https://user@example.com", MoreThanAnOrigin),
        ("https://example.com\\@evil.example", MoreThanAnOrigin),
        ("https://", NotAHost),
        ("https:///", NotAHost),
        ("https://localhos", NotAHost),
        ("https://example.com.", NotAHost),
        ("https://.example.com", NotAHost),
        ("https://-example.com", NotAHost),
        ("https://exam_ple.com", NotAHost),
        ("https://example.com:", NotAHost),
        ("https://example.com:0", NotAHost),
        ("https://example.com:99999", NotAHost),
        ("https://ex%61mple.com", NotAHost),
        ("https://exam\nple.com", NotAHost),
        ("https://exam ple.com", NotAHost),
        ("https://203.0.113.7", NotAHost),
        ("https://3405803783", NotAHost),
        ("https://[2001:db8::1]", NotAHost),
        ("https://www.*.example.com", StarInside),
        ("https://shop*.example.com", StarInside),
        ("https://*.*.example.com", StarInside),
        ("http://*.localhost", StarInside),
        ("https://*", StarInside),
        ("https://*.com", TooWide),
        ("https://*.co.uk", TooWide),
        ("https://*.com.mx", TooWide),
        ("https://*.github.io", TooWide),
        ("https://*.myshopify.com", TooWide),
        ("https://*.s3.us-east-1.amazonaws.com", TooWide),
    ] {
        assert_eq!(Origin::parse(entered), Err(why), "{entered}");
        assert!(!why.words().en.is_empty() && why.words().en != why.words().es);
    }
}

#[test]
fn a_star_stands_for_one_label_or_several_and_never_for_none() {
    let star = origin("https://*.example.com");
    for header in ["https://www.example.com", "https://a.b.example.com", "https://xn--bcher-kva.example.com"] {
        assert!(star.matches(header), "{header}");
    }
    for header in [
        "https://example.com",
        "https://.example.com",
        "https://evilexample.com",
        "https://example.com.evil.example",
        "https://www.example.com.",
        "https://www.example.com:8443",
        "https://evil.example/.example.com",
        "https://evil.example?.example.com",
        "https://evil.example#.example.com",
        "https://evil.example:443.example.com",
        "https://user@www.example.com",
        "https://*.example.com",
        "https://a..example.com",
        "http://www.example.com",
        "https://WWW.example.com",
        "https://https://www.example.com",
        "null",
        "",
    ] {
        assert!(!star.matches(header), "{header}");
    }
}

#[test]
fn an_exact_origin_matches_itself_and_no_look_alike() {
    let shop = origin("https://shop.example.com");
    assert!(shop.matches("https://shop.example.com"));
    for header in [
        "http://shop.example.com",
        "https://shop.example.com/",
        "https://shop.example.com:443",
        "https://shop.example.com:8443",
        "https://shop.example.com.evil.example",
        "https://evil.shop.example.com",
        "https://shop.example.co",
        "https://shop-example.com",
        "https://ѕhop.example.com", // a Cyrillic s
        "https://shop.example.com,https://evil.example",
        "null",
    ] {
        assert!(!shop.matches(header), "{header}");
    }
    // The look-alike is shown for what it is.
    assert_eq!(origin("https://ѕhop.example.com").as_str(), "https://xn--hop-ehd.example.com");
    assert!(!origin("http://localhost:3000").matches("null"));
}

proptest! {
    #[test]
    fn whatever_is_entered_what_is_accepted_is_accepted_again_unchanged(
        text in "\\PC*|(https|HTTP|http)://[*a-zA-Z0-9.ßü%:/@-]{1,30}"
    ) {
        if let Ok(read) = Origin::parse(&text) {
            prop_assert_eq!(Origin::parse(read.as_str()), Ok(read.clone()));
            prop_assert!(read.as_str().is_ascii());
            prop_assert!(!read.matches("null") && !read.matches(""));
            prop_assert_eq!(read.matches(read.as_str()), !read.as_str().contains('*'));
        }
    }

    #[test]
    fn an_origin_without_a_star_matches_nothing_but_itself(header in "(https?://)?[a-z.]{0,12}(shop\\.example\\.com)?[a-z.:/]{0,6}") {
        let shop = origin("https://shop.example.com");
        prop_assert_eq!(shop.matches(&header), header == "https://shop.example.com");
    }

    #[test]
    fn what_a_star_matches_is_a_site_below_its_name(header in "https://[a-z.@/?#:-]{0,8}\\.?example\\.com[a-z.:]{0,3}") {
        if origin("https://*.example.com").matches(&header) {
            let url = Url::parse(&header).unwrap();
            prop_assert!(url.host_str().unwrap().ends_with(".example.com"));
            prop_assert_eq!(url.origin().ascii_serialization(), header);
        }
    }
}

#[test]
fn a_host_is_known_by_its_whole_name_whatever_the_port() {
    let on = |origin: &str, host: &str| Origin::parse(origin).unwrap().is_on(host);
    assert!(on("https://shop.example.com:8443", "shop.example.com"));
    assert!(on("https://shop.example.com", "shop.example.com"));
    assert!(on("http://[::1]:8080", "[::1]") && on("http://[::1]", "[::1]"));
    assert!(on("https://*.example.com", "a.b.example.com"));
    assert!(on("https://*.example.com:8443", "a.example.com"));
    for (origin, host) in [
        ("https://shop.example.com", "example.com"),
        ("https://shop.example.com", "shop.example.com.evil.test"),
        ("https://shop.example.com", "evilshop.example.com"),
        ("https://shop.example.com", ""),
        ("https://*.example.com", "example.com"),
        ("https://*.example.com", "evilexample.com"),
        ("https://*.example.com", ".example.com"),
        ("https://*.example.com", "a.example.com.evil.test"),
    ] {
        assert!(!on(origin, host), "{origin} {host}");
    }
}
