//! Claims about long lists: each is cut where its bound says, and leads on to the rest.

use axum::http::Method;
use wego_proto::v1::{MemberView, record::Kind};

use super::{
    ask,
    cities::federation,
    fixture::{self, MINUTE_MS, NOW_MS},
    get, record, request,
    richest::mvoting,
};
use crate::portal::{limits, reader::encoded};

#[tokio::test]
async fn a_long_history_shows_its_newest_versions_and_counts_the_rest() {
    let mut library = federation();
    for _ in 0..limits::VERSIONS_SHOWN {
        library.publish("kr-seoul", 1, 1, Kind::Practice(mvoting()));
    }
    let answer = ask(library, request(Method::GET, &record(1))).await;
    assert_eq!(answer.text.matches("<tr id=\"v").count(), limits::VERSIONS_SHOWN);
    answer.says("id=\"v1.53\"").says("3 older versions are not listed.").says_nothing_of("id=\"v1.3\"");
}

#[tokio::test]
async fn a_members_records_lead_from_some_to_all_page_by_page() {
    let mut library = federation();
    let many = u8::try_from(limits::MEMBER_RECORDS_PER_PAGE).unwrap() + 1;
    for id in 100..100 + many - 1 {
        library.publish("kr-seoul", id, 1, Kind::Practice(mvoting()));
    }
    let library = std::sync::Arc::new(library);
    let listed = |text: &str| text.matches("href=\"/record/").count();
    let get = async |target: &str| ask(std::sync::Arc::clone(&library), request(Method::GET, target)).await;
    let some = get("/member/kr-seoul").await;
    assert_eq!(listed(&some.text), limits::MEMBER_RECORDS_SHOWN as usize);
    some.says("href=\"/member/kr-seoul?kind=practice\"");
    let first = get("/member/kr-seoul?kind=practice").await;
    assert_eq!(listed(&first.text), limits::MEMBER_RECORDS_PER_PAGE as usize);
    first.says("href=\"/member/kr-seoul?kind=practice&amp;after=50\"");
    let last = get("/member/kr-seoul?kind=practice&after=50").await;
    assert_eq!(listed(&last.text), 1);
    last.says_nothing_of("rel=\"next\"");
    assert_eq!(get("/").await.text.matches("class=\"card\"").count(), limits::NEWEST_SHOWN as usize);
}

#[tokio::test]
async fn of_many_old_copies_the_oldest_are_named_and_the_rest_counted() {
    let mut library = federation();
    for (hours, view) in (2..).zip(&mut library.federation.members) {
        *view = MemberView { seen_ms: NOW_MS - hours * 60 * MINUTE_MS, ..view.clone() };
    }
    let answer = ask(library, request(Method::GET, "/?q=open")).await;
    answer
        .says("1 of 9 cities fresh within 1 h")
        .says("San Francisco</bdi></a> 10 hours ago; ")
        .says("Seoul</bdi></a> 8 hours ago; ")
        .says("Paris</bdi></a> 7 hours ago; ")
        .says("and 5 more")
        .says_nothing_of("6 hours ago; <a");
}

#[tokio::test]
async fn a_facet_offers_its_most_frequent_values_and_the_start_page_so_many_topics() {
    let mut library = federation();
    for id in 100..140 {
        let mut practice = mvoting();
        practice.core.as_mut().unwrap().topics[0].uri = format!("topic-{id}");
        library.publish("kr-seoul", id, 1, Kind::Practice(practice));
    }
    let library = std::sync::Arc::new(library);
    let results = ask(std::sync::Arc::clone(&library), request(Method::GET, "/?q=mvoting")).await;
    assert_eq!(results.text.matches("%20topic%3A").count(), limits::FACET_VALUES_SHOWN);
    let start = ask(library, request(Method::GET, "/")).await;
    assert_eq!(start.text.matches("q=topic%3A").count(), limits::TOPICS_SHOWN);
}

#[tokio::test]
async fn an_area_that_is_geometry_is_folded_away_and_a_name_is_not() {
    let folded = ask(federation(), request(Method::GET, &record(30))).await;
    folded.says("<summary>Area covered</summary>");
    let mut library = federation();
    let dataset =
        wego_proto::record::v1::Dataset { spatial: "City of Edmonton".to_owned(), ..super::richest::trees() };
    library.publish("ca-edmonton", 30, 1, Kind::Dataset(dataset));
    let id = fixture::record_id(30);
    let named = ask(library, request(Method::GET, &format!("/record/{id}"))).await;
    named.says("<dt>Area covered</dt>").says_nothing_of("<summary>Area covered</summary>");
}

#[tokio::test]
async fn no_page_repeats_a_long_request_in_each_of_its_links() {
    let words = encoded(&"물".repeat(200));
    let filters = encoded(&"licence:MIT-MIT-MIT-MIT ".repeat(30));
    let noise = "a".repeat(9_000);
    for target in [
        format!("/?q={words}"),
        format!("/?q={filters}"),
        format!("/?q={filters}&page=2&lang=ko"),
        format!("/?q={}", "%22".repeat(3_999)),
        format!("/?{}", "q=open&lang=fr&".repeat(600)),
        format!("/?q={words}&page=none"),
        format!("/?q=a&x={noise}"),
        format!("/{noise}"),
        format!("/about?q={noise}"),
        format!("/member/kr-seoul?kind=practice&after={noise}"),
        format!("/?q={noise}{noise}"),
    ] {
        let answer = get(&target).await;
        let begins = &target[..target.len().min(40)];
        let longest = answer.text.split("href=\"").skip(1).filter_map(|rest| rest.find('"')).max().unwrap();
        assert!(longest <= limits::REPEATED_BYTES_MAX + 400, "{begins}: a link of {longest} bytes");
        // A page of results has 20 kB; to it come the box, the title, the reason, and two forms.
        assert!(answer.text.len() < 60_000, "{begins}: {} bytes", answer.text.len());
    }
}

#[tokio::test]
async fn of_a_long_query_the_ways_on_are_buttons_that_do_what_the_links_do() {
    let words = "open ".repeat(120);
    let long = format!("{words}kind:practice");
    let page = get(&format!("/?q={}&lang=de", encoded(&long))).await;
    page.says("<form id=\"query\" action=\"/\" method=\"get\">")
        .says("form=\"query\" name=\"narrow\" value=\"city:ca-edmonton\"")
        .says("form=\"query\" name=\"without\" value=\"kind:practice\"")
        .says("form=\"languages\" name=\"lang\" value=\"ko\"")
        .says("<input type=\"hidden\" name=\"lang\" value=\"de\">");
    let body = |answer: super::Answer| answer.text.split("<footer").next().unwrap().to_owned();
    let narrowed = get("/?q=open&narrow=city:kr-seoul").await;
    assert_eq!(body(narrowed), body(get("/?q=open%20city:kr-seoul").await));
    assert_eq!(
        get("/?q=open%20city:kr-seoul&without=city:kr-seoul").await.text.matches("class=\"hit\"").count(),
        get("/?q=open").await.text.matches("class=\"hit\"").count()
    );
    get("/?q=city:kr-seoul&without=city:kr-seoul").await.says("class=\"hero\"");
}
