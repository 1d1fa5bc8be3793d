//! What São Paulo tells: public internet centres, and the electronic invoice. Facts only.

use wego_proto::record::v1::Stage;

use super::{key, tale::Tale};
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![telecentros(), invoice()]
}

fn telecentros() -> Tale {
    Tale::new(Founder::SaoPaulo, key::TELECENTROS, Stage::Scaled, 2001)
        .office("Prefeitura de São Paulo", "inclusão digital")
        .topics(&["digital-inclusion", "training"])
        .title(&[
            ("pt-BR", "Telecentros: internet pública e gratuita nos bairros"),
            ("en", "Telecentros: free public internet centres in the neighbourhoods"),
        ])
        .summary(&[
            ("pt-BR", "Desde 2001 a cidade mantém centros com computadores, cursos e ajuda, primeiro na periferia."),
            ("en", "Since 2001 the city runs centres with computers, courses and help, first in the outskirts."),
        ])
        .problem(&[
            ("pt-BR", "Quem mais precisa dos serviços públicos era quem menos tinha acesso à internet."),
            ("en", "Those who need public services most had the least access to the internet."),
        ])
        .approach(&[
            ("pt-BR", "Os centros foram abertos com a comunidade, com software livre e monitores do próprio bairro."),
            ("en", "Centres were opened together with the community, with free software and guides from the neighbourhood."),
        ])
        .results(&[
            ("pt-BR", "Moradores aprendem, procuram trabalho e usam os serviços da cidade perto de casa."),
            ("en", "Residents learn, look for work and use the city's services close to home."),
        ])
        .what_failed(&[
            ("pt-BR", "Sem manutenção prevista, máquinas paradas esvaziam um centro em poucas semanas."),
            ("en", "Without planned maintenance, broken machines empty a centre within weeks."),
        ])
        .conditions(&[
            ("pt-BR", "Um conselho de usuários em cada centro e verba para manter, não só para inaugurar."),
            ("en", "A council of users in each centre, and money to maintain it, not only to open it."),
        ])
}

fn invoice() -> Tale {
    Tale::new(Founder::SaoPaulo, key::INVOICE, Stage::Scaled, 2006)
        .office("Secretaria Municipal de Finanças", "nota fiscal eletrônica")
        .topics(&["public-services", "roi"])
        .title(&[
            ("pt-BR", "Nota fiscal eletrônica de serviços com crédito para o cidadão"),
            ("en", "The electronic service invoice, with a credit for whoever asks for it"),
        ])
        .summary(&[
            ("pt-BR", "Desde 2006, quem pede a nota recebe de volta parte do imposto, por exemplo como desconto no IPTU."),
            ("en", "Since 2006, whoever asks for the invoice gets part of the tax back, for instance off the property tax."),
        ])
        .problem(&[
            ("pt-BR", "Notas em papel eram caras, e muitos serviços ficavam sem nota."),
            ("en", "Paper invoices were expensive, and many services went without one."),
        ])
        .approach(&[
            ("pt-BR", "A nota é emitida na internet; uma lei de 2005 dá ao consumidor um crédito do imposto recolhido."),
            ("en", "The invoice is issued on the internet; a law of 2005 gives the customer a credit from the tax paid."),
        ])
        .results(&[
            ("pt-BR", "Pedir a nota passou a valer a pena, e o papel deixou de ser guardado."),
            ("en", "Asking for the invoice became worth while, and no paper has to be kept."),
        ])
        .what_failed(&[
            ("pt-BR", "Pequenos prestadores sem internet precisaram de ajuda e de mais prazo."),
            ("en", "Small providers without internet needed help and more time."),
        ])
        .conditions(&[
            ("pt-BR", "Base legal, e um benefício que o cidadão entende."),
            ("en", "A legal basis, and a benefit that people understand."),
        ])
}
