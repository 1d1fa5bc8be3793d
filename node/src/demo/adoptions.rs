//! Who takes over what in the story. Made up to show how adopters sign, and told as made up.

use wego_proto::{
    id::RecordId,
    record::v1::{Adoption, AdoptionStage},
    v1,
};

use super::{
    cities::Founder,
    practices::{self, key},
};

/// A text by language, the one it was written in first.
type Texts = &'static [(&'static str, &'static str)];

/// An adoption of the story.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared {
    /// Who says so.
    pub(super) adopter: Founder,
    /// Key of the practice.
    pub(super) practice: &'static str,
    /// How far it is.
    pub(super) stage: AdoptionStage,
    /// What was taken over, or why it ended.
    words: Texts,
}

impl Declared {
    /// As it is published about the practice `target`.
    pub(super) fn record(&self, target: &RecordId) -> v1::Record {
        let words = practices::written(self.words);
        let (reused, reason_withdrawn) = match self.stage {
            AdoptionStage::Withdrawn => (Vec::new(), words),
            _ => (words, Vec::new()),
        };
        let adoption = Adoption {
            target_id: target.to_string(),
            stage: self.stage as i32,
            since: "2010-09".to_owned(),
            reused,
            reason_withdrawn,
            jurisdiction: Some(practices::jurisdiction(self.adopter)),
            ..Default::default()
        };
        v1::Record { kind: Some(v1::record::Kind::Adoption(adoption)) }
    }
}

/// São Paulo tries one number for everything ...
pub(super) const TRIAL: Declared = Declared {
    adopter: Founder::SaoPaulo,
    practice: key::NUMBER_115,
    stage: AdoptionStage::Pilot,
    words: &[
        ("pt-BR", "A promessa de serviço e o livro de respostas."),
        ("en", "The service promise and the book of answers."),
    ],
};

/// ... and ends the trial.
pub(super) const WITHDRAWAL: Declared = Declared {
    stage: AdoptionStage::Withdrawn,
    words: &[
        ("pt-BR", "O 156 já é o número que todos conhecem; um segundo número confundiu."),
        ("en", "156 is the number everybody knows already; a second one confused people."),
    ],
    ..TRIAL
};

/// All that are declared at first.
pub(super) const ALL: [Declared; 8] = [
    TRIAL,
    Declared {
        adopter: Founder::Edmonton,
        practice: key::DATASF,
        stage: AdoptionStage::Live,
        words: &[("en", "How departments choose what they publish first.")],
    },
    Declared {
        adopter: Founder::Paris,
        practice: key::DATASF,
        stage: AdoptionStage::Planned,
        words: &[("fr", "La vitrine des réutilisations."), ("en", "The showcase of what people built.")],
    },
    Declared {
        adopter: Founder::Seoul,
        practice: key::APPS,
        stage: AdoptionStage::Planned,
        words: &[("ko", "시민이 아이디어를 먼저 내는 방식."), ("en", "That residents propose ideas first.")],
    },
    Declared {
        adopter: Founder::Frankfurt,
        practice: key::DASAN,
        stage: AdoptionStage::Pilot,
        words: &[
            ("de", "Auskünfte, die die Ämter selbst pflegen."),
            ("en", "Answers that the offices maintain themselves."),
        ],
    },
    Declared {
        adopter: Founder::Barcelona,
        practice: key::INVOICE,
        stage: AdoptionStage::Considering,
        words: &[
            ("ca", "El crèdit per a qui demana la factura."),
            ("en", "The credit for whoever asks for the invoice."),
        ],
    },
    Declared {
        adopter: Founder::Beijing,
        practice: key::EDMONTON_DATA,
        stage: AdoptionStage::Considering,
        words: &[("zh-Hans", "从最需要的数据开始。"), ("en", "To begin with the data wanted most.")],
    },
    Declared {
        adopter: Founder::Dakar,
        practice: key::TELECENTROS,
        stage: AdoptionStage::Considering,
        words: &[
            ("fr", "Ouvrir chaque centre avec les habitants du quartier."),
            ("en", "To open each centre together with the neighbourhood."),
        ],
    },
];

#[cfg(test)]
mod tests {
    use wego_catalogue::validate::Checked;

    use super::*;

    #[test]
    fn every_adoption_may_be_signed_and_is_of_a_practice_told_before() {
        let told: Vec<&str> = practices::at_first().iter().map(|told| told.key).collect();
        for declared in ALL.iter().chain([&WITHDRAWAL]) {
            assert!(told.contains(&declared.practice), "{}", declared.practice);
            let record = declared.record(&RecordId::new([7; 16]));
            assert_eq!(Checked::parse(record).err(), None, "{declared:?}");
        }
    }

    #[test]
    fn nobody_adopts_a_practice_of_its_own() {
        for told in practices::all() {
            assert!(!ALL.iter().any(|one| one.practice == told.key && one.adopter == told.city));
        }
    }
}
