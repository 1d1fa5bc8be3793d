//! What San Francisco tells: data that others build on, and a service number that machines can call. Facts only.

use wego_proto::record::v1::Stage;

use super::{key, tale::Tale};
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![datasf(), open311()]
}

fn datasf() -> Tale {
    Tale::new(Founder::SanFrancisco, key::DATASF, Stage::Live, 2009)
        .office("City and County of San Francisco", "DataSF")
        .topics(&["open-data", "open-government", "participation"])
        .link("https://datasf.org/")
        .title(&[("en", "DataSF: the city's data, and the programs its people make of it")])
        .summary(&[("en", "Since 2009 the city publishes its data for everybody, and shows what residents have built from it.")])
        .problem(&[("en", "The city had neither the time nor the money to write every program its residents could use.")])
        .approach(&[(
            "en",
            "Departments publish their data in one place, in forms that machines can read; a showcase presents what people made of it.",
        )])
        .results(&[("en", "Residents and companies wrote programs for transit, crime and clean streets that the city did not pay for.")])
        .what_failed(&[("en", "Some datasets were published once and then grew old, and the programs built from them grew old too.")])
        .conditions(&[("en", "A mandate to publish unless there is a reason not to, and somebody in each department who is responsible.")])
}

fn open311() -> Tale {
    Tale::new(Founder::SanFrancisco, "san-francisco-311", Stage::Live, 2007)
        .office("City and County of San Francisco", "SF311")
        .topics(&["call-centre", "participation", "mobile"])
        .link("https://sf311.org/")
        .title(&[("en", "SF311: one number, and a public interface to it")])
        .summary(&[("en", "Requests reach the city by telephone since 2007, by Twitter since 2009, and from any program through Open311.")])
        .problem(&[("en", "People saw a broken lamp and did not know whom to tell; those who told did not hear what came of it.")])
        .approach(&[(
            "en",
            "All requests go into one system, whichever way they come. Its interface follows a standard shared with other cities.",
        )])
        .results(&[("en", "A program written for one city can report to another, and whoever reports can follow the request.")])
        .what_failed(&[("en", "Short messages often left out where the problem was, and had to be asked for it.")])
        .conditions(&[("en", "One system behind all channels; a new channel in front of separate systems only moves the queue.")])
}
