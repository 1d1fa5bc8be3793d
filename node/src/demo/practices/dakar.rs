//! What Dakar tells: that it begins, and what it looks for. An idea is told as an idea.

use wego_proto::record::v1::Stage;

use super::tale::Tale;
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![first_steps(), slow_line()]
}

fn first_steps() -> Tale {
    Tale::new(Founder::Dakar, "dakar-first-steps", Stage::Idea, 2010)
        .office("Ville de Dakar", "services de la mairie")
        .topics(&["public-services", "training"])
        .title(&[
            ("fr", "Premiers pas : dire clairement où s'adresser à la mairie"),
            ("en", "First steps: say plainly where to go in the town hall"),
        ])
        .summary(&[
            ("fr", "Une idée : décrire les dix démarches les plus demandées, sur papier d'abord, en ligne ensuite."),
            ("en", "An idea: describe the ten procedures asked for most, on paper first, online afterwards."),
        ])
        .problem(&[
            ("fr", "On vient souvent deux fois : une fois pour apprendre ce qu'il faut apporter, une fois pour l'apporter."),
            ("en", "People often come twice: once to learn what to bring, and once to bring it."),
        ])
        .approach(&[
            ("fr", "Rien n'est encore fait. Nous voulons apprendre des villes qui ont commencé avant nous."),
            ("en", "Nothing is done so far. We want to learn from cities that began before us."),
        ])
        .results(&[
            ("fr", "Attendu : des habitants qui viennent une seule fois, avec les bonnes pièces."),
            ("en", "Expected: residents who come once, with the right papers."),
        ])
}

fn slow_line() -> Tale {
    Tale::new(Founder::Dakar, "dakar-slow-line", Stage::Idea, 2010)
        .office("Ville de Dakar", "services de la mairie")
        .topics(&["digital-inclusion", "feasibility-studies"])
        .title(&[
            ("fr", "Commencer avec une liaison lente : ce que nous cherchons"),
            ("en", "Beginning with a slow line: what we are looking for"),
        ])
        .summary(&[
            ("fr", "Une idée : des services qui restent utiles quand la liaison est mauvaise ou absente."),
            ("en", "An idea: services that remain useful while the line is bad or gone."),
        ])
        .problem(&[
            ("fr", "Ce qui suppose une bonne connexion ne sert à rien là où elle manque."),
            ("en", "Whatever presumes a good connection is of no use where there is none."),
        ])
        .approach(&[
            ("fr", "Nous cherchons des villes qui ont réussi avec peu de moyens et une liaison lente."),
            ("en", "We are looking for cities that succeeded with small means and a slow line."),
        ])
        .results(&[
            ("fr", "Attendu : un agent qui trouve la réponse dans la copie locale, même sans réseau."),
            ("en", "Expected: a clerk who finds the answer in the local copy, even without a network."),
        ])
}
