//! What Edmonton tells: an open data catalogue, and a competition that put it to use. Facts only.

use wego_proto::record::v1::Stage;

use super::{key, tale::Tale};
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![catalogue(), apps()]
}

fn catalogue() -> Tale {
    Tale::new(Founder::Edmonton, key::EDMONTON_DATA, Stage::Live, 2010)
        .office("City of Edmonton", "open data team")
        .topics(&["open-data", "open-government"])
        .link("https://data.edmonton.ca/")
        .title(&[("en", "An open data catalogue for Edmonton")])
        .summary(&[("en", "Since January 2010 the city publishes its data in a public catalogue, free to use.")])
        .problem(&[(
            "en",
            "Anybody who needed a list of parks or the bus timetable had to ask for it, and every answer was a file made by hand.",
        )])
        .approach(&[(
            "en",
            "The city began with few datasets that were wanted most, under plain terms of use, and added more as people asked for them.",
        )])
        .results(&[("en", "People build on the data without asking anybody, and the departments find one another's data too.")])
        .what_failed(&[("en", "The first terms of use were criticised as too narrow and were made more open later.")])
        .conditions(&[("en", "Somebody whose task it is, and a promise that what is published stays current.")])
}

fn apps() -> Tale {
    Tale::new(Founder::Edmonton, key::APPS, Stage::Ended, 2010)
        .office("City of Edmonton", "open data team")
        .topics(&["open-data", "participation"])
        .title(&[("en", "Apps4Edmonton: a competition for programs made from the city's data")])
        .summary(&[("en", "In 2010 the city asked its residents to build programs from its open data, and gave prizes to the best.")])
        .problem(&[("en", "A catalogue of data means little to most people until somebody makes something useful of it.")])
        .approach(&[(
            "en",
            "Residents first proposed and discussed ideas, then built programs from them; the community and a jury chose.",
        )])
        .results(&[("en", "People met who would not have met otherwise, and the city learned which data it should open next.")])
        .what_failed(&[("en", "Most programs were not maintained for long after the prizes were given.")])
        .conditions(&[("en", "Good data first; and a plan for what happens to the programs after the competition.")])
}
