//! What Paris tells: open data by decision of its council, and wireless internet in public places. Facts only.

use wego_proto::record::v1::Stage;

use super::tale::Tale;
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![open_data(), wifi()]
}

fn open_data() -> Tale {
    Tale::new(Founder::Paris, "paris-open-data", Stage::Live, 2010)
        .office("Ville de Paris", "service des données ouvertes")
        .topics(&["open-data", "open-government"])
        .link("https://opendata.paris.fr/")
        .title(&[
            ("fr", "Paris ouvre ses données publiques"),
            ("en", "Paris opens its public data"),
        ])
        .summary(&[
            ("fr", "Décidée par le Conseil de Paris en 2010, l'ouverture des données a son portail depuis le début de 2011."),
            ("en", "Decided by the Council of Paris in 2010; the portal followed at the beginning of 2011."),
        ])
        .problem(&[
            ("fr", "Des données payées par tous dormaient dans les services et n'étaient connues que d'eux."),
            ("en", "Data that everybody had paid for lay in the departments, known to nobody else."),
        ])
        .approach(&[
            ("fr", "Le Conseil a d'abord choisi une licence ouverte, l'ODbL ; le portail a été construit ensuite."),
            ("en", "The council chose an open licence first, the ODbL; the portal was built afterwards."),
        ])
        .results(&[
            ("fr", "Chacun peut réutiliser les données, et les services se servent eux-mêmes du portail."),
            ("en", "Everybody can reuse the data, and the departments use the portal themselves."),
        ])
        .what_failed(&[
            ("fr", "Les formats différaient d'un service à l'autre ; il a fallu les rendre lisibles un par un."),
            ("en", "Formats differed from one department to the next, and had to be made readable one by one."),
        ])
        .conditions(&[
            ("fr", "Une décision politique et une licence claire avant toute technique."),
            ("en", "A political decision and a clear licence before any technology."),
        ])
}

fn wifi() -> Tale {
    Tale::new(Founder::Paris, "paris-wifi", Stage::Live, 2007)
        .later()
        .office("Ville de Paris", "accès public à l'internet")
        .topics(&["digital-inclusion"])
        .title(&[
            ("fr", "Paris Wi-Fi : l'internet gratuit dans les jardins et les bibliothèques"),
            ("en", "Paris Wi-Fi: free internet in parks and libraries"),
        ])
        .summary(&[
            ("fr", "Depuis 2007, des bornes gratuites dans les jardins, bibliothèques et mairies d'arrondissement."),
            ("en", "Since 2007 there are free hotspots in parks, libraries and district town halls."),
        ])
        .problem(&[
            ("fr", "Les démarches allaient en ligne, mais tout le monde n'avait pas de connexion."),
            ("en", "Procedures moved online, but not everybody had a connection."),
        ])
        .approach(&[
            ("fr", "La Ville a équipé des lieux qu'elle possédait déjà et que chacun fréquente."),
            ("en", "The city equipped places that it owned already and that everybody goes to."),
        ])
        .results(&[
            ("fr", "On se connecte sans payer pendant les heures d'ouverture des lieux."),
            ("en", "People connect free of charge while these places are open."),
        ])
        .what_failed(&[
            ("fr", "Une borne sans prise de courant ni table à côté sert peu."),
            ("en", "A hotspot without a socket and a table beside it is of little use."),
        ])
        .conditions(&[
            ("fr", "Des lieux ouverts longtemps et quelqu'un sur place pour aider."),
            ("en", "Places with long opening hours and somebody there who helps."),
        ])
}
