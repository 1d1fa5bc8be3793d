//! Claims about what the pages say, in which language, and how they are built.

use std::sync::Arc;

use axum::http::Method;
use wego_proto::v1::{self, record::Kind};

use super::{
    ask, cities::federation, every_page, fixture, get, get_in, record, records::adoption, request,
    richest::mvoting,
};
use crate::portal::words;

#[tokio::test]
async fn every_page_has_one_title_one_main_heading_and_headings_in_order() {
    for page in every_page() {
        let answer = get(&page).await;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{page}");
        for (part, count) in [
            ("<!DOCTYPE html>", 1),
            ("<title>", 1),
            ("<h1", 1),
            ("<main", 1),
            ("<header class=\"masthead\"", 1),
            ("<footer", 1),
            ("class=\"skip\"", 1),
        ] {
            assert_eq!(answer.text.matches(part).count(), count, "{part} in {page}");
        }
        answer.says("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        for tag in answer.text.split('<').filter_map(|rest| rest.split('>').next()) {
            assert!(tag.matches(" class=\"").count() <= 1, "<{tag}> on {page}");
        }
        let levels: Vec<u32> =
            answer.text.split("<h").skip(1).filter_map(|rest| rest.chars().next()?.to_digit(10)).collect();
        assert_eq!(levels[0], 1, "{page}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?} in {page}");
    }
}

#[tokio::test]
async fn no_page_repeats_an_id_or_points_to_a_missing_one() {
    for page in every_page() {
        let answer = get(&page).await;
        let mut ids: Vec<&str> =
            answer.text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{page}");
        let labels =
            answer.text.split(" aria-labelledby=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let inner = answer.text.split(" href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        for target in labels.chain(inner) {
            assert!(ids.contains(&target), "#{target} in {page}");
        }
    }
}

#[tokio::test]
async fn every_link_within_the_portal_leads_to_a_page() {
    for page in every_page() {
        let answer = get(&page).await;
        let links = answer.text.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for link in links.filter(|link| link.starts_with('/')) {
            let link = link.replace("&amp;", "&");
            // A refused page offers itself in other languages.
            if link.split('?').next() != page.split('?').next() {
                assert_eq!(get(&link).await.status, 200, "{link} on {page}");
            }
        }
    }
}

#[tokio::test]
async fn the_reader_gets_the_page_in_a_language_they_read() {
    assert_eq!(get_in("ja, ko;q=0.8, en;q=0.5", "/").await.header("content-language"), "ko");
    assert_eq!(get_in("ja", "/").await.header("content-language"), "en");
    let chosen = get_in("ko", "/about?lang=pt-BR").await;
    assert_eq!(chosen.header("content-language"), "pt");
    chosen.says("<html lang=\"pt\">").says("href=\"/federation?lang=pt-BR\"");
    assert_eq!(chosen.header("vary"), "accept-language");
}

#[tokio::test]
async fn every_language_makes_every_page() {
    for words in words::ALL {
        for page in every_page() {
            let join = if page.contains('?') { '&' } else { '?' };
            let answer = get(&format!("{page}{join}lang={}", words.tag)).await;
            answer
                .says(&format!("<html lang=\"{}\">", words.tag))
                .says_nothing_of("{n}")
                .says_nothing_of("{city}");
        }
    }
}

#[tokio::test]
async fn the_start_page_invites_with_figures_and_the_newest_practices() {
    let answer = get("/").await;
    answer
        .says("type=\"search\"")
        .says("<b>9</b> Members")
        .says("<b>9</b> Countries")
        .says("L’acte de naissance au guichet du quartier, même sans réseau")
        .says("mVoting: residents decide")
        .says("3 minutes ago")
        .says_nothing_of("Bornes d’information");
}

#[tokio::test]
async fn a_search_tells_what_was_found_and_how_old_the_data_is() {
    let answer = get("/?q=open").await;
    answer
        .says("Also searched the topic <em><bdi>Open data</bdi></em>")
        .says("Every tree on public land")
        .says("7 of 9 cities fresh within 1 h")
        .says("Edmonton</bdi></a> 3 days ago")
        .says("San Francisco</bdi></a> never reached");
    get("/?q=kind:adoption")
        .await
        .says("Adoption: <bdi lang=\"ca\">Barcelona</bdi>")
        .says_nothing_of("Untitled");
    get("/?q=goverment").await.says("government").says("Nothing found");
    get("/?q=behind").await.says("12 newly arrived entries are not searchable yet.");
}

#[tokio::test]
async fn facets_narrow_and_filters_can_be_taken_away() {
    let answer = get("/?q=kind:practice&lang=de").await;
    answer
        .says("href=\"/?q=kind%3Apractice%20city%3Akr-seoul&amp;lang=de\"")
        .says("class=\"chip on\" href=\"/?q=&amp;lang=de\"")
        .says("<strong><bdi>Praxisbeispiel</bdi></strong>")
        .says("Bürgerbeteiligung");
}

#[tokio::test]
async fn results_come_in_pages_and_there_is_no_page_beyond_the_last() {
    let mut library = federation();
    for id in 100..145 {
        library.publish("kr-seoul", id, 1, Kind::Practice(mvoting()));
    }
    let library = Arc::new(library);
    let first = ask(Arc::clone(&library), request(Method::GET, "/?q=mvoting")).await;
    first.says("Page 1 of 3").says("href=\"/?q=mvoting&amp;page=2\"").says_nothing_of("rel=\"prev\"");
    let last = ask(library, request(Method::GET, "/?q=mvoting&page=3")).await;
    last.says("Page 3 of 3").says("start=\"41\"").says_nothing_of("rel=\"next\"");
    for page in ["0", "-1", "502", "99999999999", "x"] {
        assert_eq!(get(&format!("/?q=a&page={page}")).await.status, 400, "{page}");
    }
    assert_eq!(get("/?q=a&page=501").await.status, 200);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_explained() {
    let answer = get("/?q=%22open").await;
    assert_eq!(answer.status, 400);
    answer.says("this phrase is not finished &lt;b&gt;").says("value=\"&quot;open\"");
}

#[tokio::test]
async fn a_practice_is_shown_whole_with_its_adopters() {
    let answer = get(&record(1)).await;
    for part in [
        "엠보팅",
        "the young, could not come",
        "Sign-in uses",
        "Turnout among people under 30",
        "nine-step registration",
        "commits itself",
        "Silence after a vote",
        "1,204,311",
        "2,350,000,000 KRW (prices of 2024)",
        "6.5",
        "9,411,000",
        "3 of 5: the cause was shown",
        "시민참여과",
        "+82 2 120",
        "case-1187",
        "participatory budgeting",
        "CC-BY-4.0",
        "Based on",
        "Água aberta",
        "KRSEL, KR, KR-11",
        "<em>neutral wording</em>",
        "<li>Identity: public sign-in</li>",
        "https://mvoting.example/rules",
        "translated by a person, from 한국어",
        "machine translation",
        "Citizen participation",
        "Frankfurt",
        "Live",
        "São Paulo",
        "Pilot",
        "Barcelona",
        "We moved to Decidim",
        "2024-03",
    ] {
        answer.says(part);
    }
}

#[tokio::test]
async fn an_author_does_not_count_among_the_adopters() {
    let mut library = federation();
    library.publish("kr-seoul", 23, fixture::DAY_MS, Kind::Adoption(adoption(1, 4, "2010")));
    let answer = ask(library, request(Method::GET, &record(1))).await;
    let (counted, aside) = answer.text.split_once("<h3>Not counted</h3>").expect("a list of its own");
    assert!(counted.contains("Adopted by <span class=\"count\">3</span>"), "{counted}");
    assert!(!counted.contains(&record(23)), "{counted}");
    assert!(aside.contains(&record(23)) && aside.contains("A city cannot adopt its own record."), "{aside}");
}

#[tokio::test]
async fn a_title_is_shown_in_the_readers_language_and_in_all_others() {
    let answer = get_in("fr", &record(1)).await;
    answer.says("<h1 lang=\"fr\">mVoting : le budget participatif").says("<bdi lang=\"ko\">엠보팅");
    get_in("ko", &record(1)).await.says("<h1 lang=\"ko\">엠보팅");
}

#[tokio::test]
async fn a_translation_of_a_version_long_superseded_is_marked() {
    get(&record(1)).await.says("translated from an earlier version");
    get(&record(2)).await.says_nothing_of("translated from an earlier version");
}

#[tokio::test]
async fn an_adoption_leads_to_what_it_adopts_and_says_why_it_ended() {
    let answer = get(&record(22)).await;
    answer
        .says("mVoting: residents decide")
        .says(&record(1))
        .says("We moved to Decidim")
        .says("4 of 5")
        .says("184,000 EUR");
}

#[tokio::test]
async fn a_dataset_is_shown_whole_with_its_files_and_source() {
    let answer = get(&record(30)).await;
    for part in [
        "Trees of Edmonton",
        "City of Edmonton, Urban Forestry",
        "All trees",
        "CSV",
        "48.2 MB",
        "rows.csv",
        "rows.geojson",
        "R/P1D",
        "1990-01-01 – 2025-10-22",
        "public",
        "Polygon",
        "English",
        "eecg-fc54",
        "Environmental Services",
        "2013-05-01",
        "dictionary",
        "rfc4180",
        "data.json",
        "9f86d081",
        "data-json/1",
    ] {
        answer.says(part);
    }
}

#[tokio::test]
async fn every_record_says_who_signed_it_and_how_to_check() {
    let library = federation();
    let provenance = library.records[&fixture::record_id(1)].provenance().clone();
    let answer = get(&record(1)).await;
    answer
        .says("Verified by this node")
        .says(&crate::portal::format::key(&provenance.key))
        .says(&crate::portal::format::hex(&provenance.entry_hash))
        .says("2025-11-21 16:00 UTC")
        .says(">1.3</bdi>")
        .says(&format!("wego record verify wego-{}.pem --roster wego-roster.pem", fixture::record_id(1)))
        .says("id=\"v1.1\"")
        .says("id=\"v1.3\"");
}

#[tokio::test]
async fn a_withdrawn_record_is_marked_with_its_reason() {
    let answer = get(&record(40)).await;
    assert_eq!(answer.status, 200);
    answer.says("Withdrawn by Paris").says("Remplacée par une nouvelle fiche").says("Bornes d’information");
}

#[tokio::test]
async fn an_erased_and_an_unverified_record_are_marked() {
    let mut library = federation();
    let held = library.records.get_mut(&fixture::record_id(1)).unwrap();
    held.view.record = None;
    held.view.provenance.as_mut().unwrap().verified = false;
    let answer = ask(library, request(Method::GET, &record(1))).await;
    answer.says("The contents of this record were erased").says("This node has not verified the signature");
    answer.says_nothing_of("Verified by this node");
}

#[tokio::test]
async fn a_member_is_shown_with_keys_warnings_and_records() {
    let answer = get("/member/fr-paris").await;
    answer
        .says("Two different histories were signed")
        .says("position 1.3")
        .says("No records are held here yet.");
    get("/member/us-san-francisco").await.says("Status in the roster: Suspended").says("never reached");
    let seoul = get("/member/kr-seoul").await;
    seoul
        .says("<h1 lang=\"en\">Seoul</h1>")
        .says("서울특별시")
        .says("President")
        .says("KRSEL")
        .says("mVoting: residents decide");
}

#[tokio::test]
async fn a_member_page_shows_each_key_with_what_it_signs() {
    let mut library = federation();
    let paris = library.federation.members.iter_mut().filter_map(|view| view.member.as_mut());
    let paris = paris.into_iter().find(|member| member.handle == "fr-paris").expect("a member");
    let next = |epoch, seq| Some(v1::Position { epoch, seq });
    paris.log_keys[0].until = next(1, 58);
    let second = v1::LogKey { key_no: 2, from: next(65_536, 1), ..paris.log_keys[0].clone() };
    paris.log_keys.push(v1::LogKey { until: None, ..second });
    let answer = ask(library, request(Method::GET, "/member/fr-paris")).await;
    answer.says("Key 1, from 1.1 until 1.57").says("Key 2, from 65536.1</span>");
}

#[tokio::test]
async fn the_federation_page_lists_everyone_and_warns_of_an_old_roster() {
    let answer = get("/federation").await;
    answer
        .says("2 of 3 keys")
        .says("this node")
        .says("not connected")
        .says("Two histories signed")
        .says("Roster version");
    answer.says_nothing_of("should have been renewed");
    let mut library = federation();
    let members = library.federation.members.clone();
    library.chain = fixture::Fixture::new("WeGO", members, fixture::NOW_MS - fixture::DAY_MS).chain;
    let answer = ask(library, request(Method::GET, "/federation")).await;
    answer.says("This roster should have been renewed by 2025-11-22");
}
