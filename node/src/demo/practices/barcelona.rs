//! What Barcelona tells: public bicycles on one card, and wireless internet in public buildings. Facts only.

use wego_proto::record::v1::Stage;

use super::tale::Tale;
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![bicing(), wifi()]
}

fn bicing() -> Tale {
    Tale::new(Founder::Barcelona, "barcelona-bicing", Stage::Scaled, 2007)
        .office("Ajuntament de Barcelona", "mobilitat")
        .topics(&["ucity-transport", "ucity-environment"])
        .title(&[
            ("ca", "Bicing: la bicicleta pública amb targeta"),
            ("es", "Bicing: la bicicleta pública con tarjeta"),
            ("en", "Bicing: public bicycles on one card"),
        ])
        .summary(&[
            ("ca", "Des del 2007, amb una targeta s'agafa una bicicleta en una estació i es torna en una altra."),
            ("es", "Desde 2007, con una tarjeta se toma una bicicleta en una estación y se devuelve en otra."),
            ("en", "Since 2007 one card takes a bicycle at one station and gives it back at another."),
        ])
        .problem(&[
            ("ca", "Molts trajectes curts es feien amb vehicle privat."),
            ("es", "Muchos trayectos cortos se hacían en vehículo privado."),
            ("en", "Many short journeys were made by private car."),
        ])
        .approach(&[
            ("ca", "Les estacions comuniquen en tot moment quantes bicicletes i quants llocs lliures tenen."),
            ("es", "Las estaciones comunican en todo momento cuántas bicicletas y cuántos huecos libres tienen."),
            ("en", "Each station reports at any moment how many bicycles and free places it has."),
        ])
        .results(&[
            ("ca", "La bicicleta és un transport públic més, i la ciutat sap on fan falta estacions."),
            ("es", "La bicicleta es un transporte público más, y la ciudad sabe dónde faltan estaciones."),
            ("en", "The bicycle became public transport, and the city knows where stations are missing."),
        ])
        .what_failed(&[
            ("ca", "Les estacions de les parts altes es buiden i les del mar s'omplen: cal redistribuir bicicletes."),
            ("es", "Las estaciones de las zonas altas se vacían y las del mar se llenan: hay que redistribuir bicicletas."),
            ("en", "Stations uphill run empty and those by the sea fill up: bicycles must be carried back."),
        ])
        .conditions(&[
            ("ca", "Estacions prou properes entre elles i carrers segurs per pedalar."),
            ("es", "Estaciones bastante cercanas entre sí y calles seguras para pedalear."),
            ("en", "Stations close enough to one another, and streets that are safe to ride in."),
        ])
}

fn wifi() -> Tale {
    Tale::new(Founder::Barcelona, "barcelona-wifi", Stage::Live, 2009)
        .later()
        .office("Ajuntament de Barcelona", "Barcelona WiFi")
        .topics(&["digital-inclusion"])
        .title(&[
            ("ca", "Barcelona WiFi: accés públic als equipaments municipals"),
            ("es", "Barcelona WiFi: acceso público en los equipamientos municipales"),
            ("en", "Barcelona WiFi: public access in municipal buildings"),
        ])
        .summary(&[
            ("ca", "Des del 2009, internet sense fils gratuït per navegar en biblioteques, centres cívics i altres equipaments."),
            ("es", "Desde 2009, internet inalámbrico gratuito para navegar en bibliotecas, centros cívicos y otros equipamientos."),
            ("en", "Since 2009, free wireless internet for browsing in libraries, civic centres and other public buildings."),
        ])
        .problem(&[
            ("ca", "Els tràmits ja es podien fer en línia, però no des de tot arreu."),
            ("es", "Los trámites ya se podían hacer en línea, pero no desde todas partes."),
            ("en", "Procedures could be done online, but not from everywhere."),
        ])
        .approach(&[
            ("ca", "Es van aprofitar els equipaments i la xarxa que la ciutat ja tenia."),
            ("es", "Se aprovecharon los equipamientos y la red que la ciudad ya tenía."),
            ("en", "The city used the buildings and the network that it already had."),
        ])
        .results(&[
            ("ca", "Qualsevol persona pot consultar i tramitar des d'un equipament proper."),
            ("es", "Cualquier persona puede consultar y tramitar desde un equipamiento cercano."),
            ("en", "Anybody can look things up and apply for them from a building nearby."),
        ])
        .what_failed(&[
            ("ca", "Per no fer competència al mercat, l'ús va haver de quedar limitat."),
            ("es", "Para no competir con el mercado, el uso tuvo que quedar limitado."),
            ("en", "So as not to compete with the market, its use had to be limited."),
        ])
        .conditions(&[
            ("ca", "Aclarir abans les normes de telecomunicacions."),
            ("es", "Aclarar antes las normas de telecomunicaciones."),
            ("en", "Settle the rules on telecommunications first."),
        ])
}
