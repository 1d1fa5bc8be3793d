//! How long readers wait for an answer, beside looking through all texts.
//!
//! The limit is a scan: every title and summary in memory, in lower case, searched for each word of the query one
//! after the other, without ranking, filters, facets or reading the records. An index that is not far below it is
//! not worth its memory.

use std::{hint::black_box, time::Instant};

use wego_node::engine::read::ReadHandle;
use wego_proto::v1;

use crate::{
    progress::say,
    row::{Row, ms, percentile},
    size::Size,
    text, town,
};

const SCAN: &str = "looking through all titles and summaries in memory";

/// Measures.
pub(crate) async fn measure(size: Size) -> Vec<Row> {
    let (rounds, records) = size.pick((5, 100_000), (1, 200));
    let (_dir, mut seats) = town::founded(1, town::Memory::Default).await;
    let node = seats[0].start().await.expect("a node starts");
    say(&format!("search: indexing {records} records"));
    town::fill(&node, records).await;
    say(&format!("search: {} queries, {rounds} rounds", text::QUERIES.len()));
    let reader = node.reader().clone();
    let measured = tokio::task::spawn_blocking(move || ask_all(&reader, records, rounds)).await;
    node.stop().await;
    let Times { plain, facets, scan } = measured.expect("the reader");
    let mut rows = Vec::new();
    for (what, times) in [("search", &plain), ("search-facets", &facets)] {
        for percent in [50, 99] {
            let limit = percentile(&scan, percent);
            rows.push(Row::new(format!("{what}-p{percent}"), percentile(times, percent), "ms", SCAN, limit));
        }
    }
    rows
}

/// Milliseconds of each question.
#[derive(Default)]
struct Times {
    plain: Vec<f64>,
    facets: Vec<f64>,
    scan: Vec<f64>,
}

fn ask_all(reader: &ReadHandle, records: u64, rounds: usize) -> Times {
    let texts: Vec<String> = (0..records).map(|n| shown(&text::record(n)).to_lowercase()).collect();
    let mut times = Times::default();
    for _ in 0..rounds {
        for query in text::QUERIES {
            times.plain.push(timed(|| ask(reader, query, false)));
            times.facets.push(timed(|| ask(reader, query, true)));
            times.scan.push(timed(|| scan(&texts, query)));
        }
    }
    times
}

fn timed(work: impl FnOnce() -> u64) -> f64 {
    let begun = Instant::now();
    black_box(work());
    ms(begun.elapsed())
}

fn ask(reader: &ReadHandle, query: &str, facets: bool) -> u64 {
    let request = v1::SearchRequest {
        query: query.to_owned(),
        facets,
        reader_lang: "en".to_owned(),
        ..Default::default()
    };
    reader.search(&request).expect("an answer").total
}

fn scan(texts: &[String], query: &str) -> u64 {
    let query = query.to_lowercase().replace('"', "");
    let words: Vec<&str> = query.split(' ').filter(|word| !word.contains([':', '-'])).collect();
    texts.iter().filter(|text| words.iter().all(|word| text.contains(word))).count() as u64
}

fn shown(record: &v1::Record) -> String {
    let Some(v1::record::Kind::Practice(practice)) = &record.kind else { return String::new() };
    let core = practice.core.as_ref();
    let texts = core.into_iter().flat_map(|core| core.title.iter().chain(&core.summary));
    texts.map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n")
}
