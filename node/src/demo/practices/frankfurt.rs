//! What Frankfurt tells: one number for all of government, and the book of answers behind it. Facts only.

use wego_proto::record::v1::Stage;

use super::{key, tale::Tale};
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![number_115(), answers()]
}

fn number_115() -> Tale {
    Tale::new(Founder::Frankfurt, key::NUMBER_115, Stage::Live, 2009)
        .office("Stadt Frankfurt am Main", "Servicecenter 115")
        .topics(&["call-centre", "public-services"])
        .link("https://www.115.de/")
        .title(&[
            ("de", "Die 115: eine Behördennummer für Stadt, Land und Bund"),
            ("en", "115: one number for city, state and federal government"),
        ])
        .summary(&[
            ("de", "Seit 2009 im Pilotbetrieb: Wer die 115 wählt, muss nicht wissen, welche Behörde zuständig ist."),
            ("en", "In pilot operation since 2009: whoever dials 115 need not know which authority is in charge."),
        ])
        .problem(&[
            ("de", "Bürger kennen ihr Anliegen, aber nicht die Zuständigkeit zwischen Stadt, Land und Bund."),
            ("en", "People know what they need, but not whether the city, the state or the federation is in charge."),
        ])
        .approach(&[
            ("de", "Servicecenter mehrerer Städte und Länder bilden einen Verbund und beantworten Fragen auch füreinander."),
            ("en", "Service centres of several cities and states form a network and answer questions for one another as well."),
        ])
        .results(&[
            ("de", "Der Verbund verspricht, drei Viertel der Anrufe innerhalb von 30 Sekunden anzunehmen."),
            ("en", "The network promises to take three quarters of the calls within 30 seconds."),
        ])
        .what_failed(&[
            ("de", "Solange nicht alle Orte mitmachten, war die Nummer schwer zu erklären."),
            ("en", "As long as not every place took part, the number was hard to explain."),
        ])
        .conditions(&[
            ("de", "Ein gemeinsames Leistungsversprechen und gemeinsam gepflegte Auskünfte."),
            ("en", "A service promise made in common, and answers that are maintained in common."),
        ])
}

fn answers() -> Tale {
    Tale::new(Founder::Frankfurt, "frankfurt-answers", Stage::Live, 2009)
        .later()
        .office("Stadt Frankfurt am Main", "Servicecenter 115")
        .topics(&["public-services", "organisation-directory"])
        .title(&[
            ("de", "Ein Auskunftsbuch für drei Ebenen der Verwaltung"),
            ("en", "One book of answers for three levels of government"),
        ])
        .summary(&[
            ("de", "Die häufigsten Leistungen sind im 115-Verbund einheitlich beschrieben; jede Ebene pflegt ihren Teil."),
            ("en", "In the 115 network the services asked for most are described alike; each level maintains its part."),
        ])
        .problem(&[
            ("de", "Dieselbe Leistung war an jedem Ort anders beschrieben oder gar nicht."),
            ("en", "The same service was described differently in every place, or not at all."),
        ])
        .approach(&[
            ("de", "Bund und Länder liefern Grundtexte, die Stadt ergänzt Ort, Öffnungszeiten und Gebühren."),
            ("en", "Federation and states supply basic texts; the city adds the place, opening hours and fees."),
        ])
        .results(&[
            ("de", "Ein Servicecenter kann auch für eine andere Stadt Auskunft geben."),
            ("en", "A service centre can answer for another city as well."),
        ])
        .what_failed(&[
            ("de", "Ohne Datum am Text wusste niemand, ob eine Auskunft noch galt."),
            ("en", "Without a date on the text nobody knew whether an answer was still true."),
        ])
        .conditions(&[
            ("de", "Feste Zuständigkeit für jeden Text und regelmäßige Bestätigung."),
            ("en", "A fixed owner for every text, and regular confirmation."),
        ])
}
