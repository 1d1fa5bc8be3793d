//! Member cards: what a city hands to whoever founds the federation. No secret in it.

use prost::Message as _;
use thiserror::Error;

use crate::{
    convert::{FieldError, InField as _, Problem, at_most, optional},
    id::{self, CityId, Hash},
    key::{KeyError, PublicKey, Purpose, SecretKey, Signature},
    v1,
};

/// Largest encoded card in bytes.
pub const CARD_BYTES_MAX: usize = 16 * 1_024;

/// Why a card is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CardError {
    /// A field is missing or wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It was not signed by the log key in it.
    #[error("card signature")]
    Signature(#[source] KeyError),
}

/// A card whose signature was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberCard {
    /// SHA-256("wego-city-v1" || inception bytes).
    pub city_id: CityId,
    /// The facts the city id stands for.
    pub inception: v1::Inception,
    /// Where the peer listener is reached.
    pub endpoints: Vec<String>,
    /// Signs rosters; absent for a member that does not sit on the committee.
    pub governance_key: Option<PublicKey>,
    /// Signs entries.
    pub log_key: PublicKey,
    /// Speaks for the member in TLS.
    pub transport_key: PublicKey,
    /// Where citizens read; may be empty.
    pub portal_url: String,
}

impl MemberCard {
    /// What people compare by telephone before they believe the card or a roster with it: each key and digest in it,
    /// under its name, as a text that can be read aloud.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<(&'static str, String)> {
        let digest = |bytes: &[u8]| bytes.try_into().map_or_else(|_| "none".to_owned(), id::fingerprint);
        let mut all = vec![
            ("log key", self.log_key.fingerprint()),
            ("transport key", self.transport_key.fingerprint()),
            ("next log key digest", digest(&self.inception.next_log_key_digest)),
            ("recovery digest", digest(&self.inception.recovery_digest)),
        ];
        all.extend(self.governance_key.map(|key| ("governance key", key.fingerprint())));
        all
    }

    /// Reads a card and checks its signature.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn open(signed: &v1::SignedMemberCard) -> Result<Self, CardError> {
        at_most("card", signed.card.len(), CARD_BYTES_MAX)?;
        let card = v1::MemberCard::decode(signed.card.as_slice())
            .map_err(|_| Problem::Undecodable)
            .in_field("card")?;
        let inception = v1::Inception::decode(card.inception.as_slice())
            .map_err(|_| Problem::Undecodable)
            .in_field("card.inception")?;
        let log_key = PublicKey::from_bytes(&inception.log_key).in_field("inception.log_key")?;
        let signature = Signature::try_from(signed.signature.as_slice()).in_field("card.signature")?;
        log_key.verify(Purpose::Card, &[&signed.card], &signature).map_err(CardError::Signature)?;
        let governance_key = (!card.governance_key.is_empty())
            .then(|| PublicKey::from_bytes(&card.governance_key))
            .transpose()
            .in_field("card.governance_key")?;
        Ok(Self {
            city_id: city_id(&card.inception),
            transport_key: PublicKey::from_bytes(&inception.transport_key)
                .in_field("inception.transport_key")?,
            inception: checked(inception)?,
            endpoints: card.endpoints,
            governance_key,
            log_key,
            portal_url: card.portal_url,
        })
    }
}

/// Makes and signs a card.
#[must_use]
pub fn sign(
    inception: &v1::Inception,
    endpoints: Vec<String>,
    governance_key: Option<PublicKey>,
    portal_url: String,
    issued_at_ms: u64,
    log_key: &SecretKey,
) -> v1::SignedMemberCard {
    let card = v1::MemberCard {
        inception: inception.encode_to_vec(),
        endpoints,
        governance_key: governance_key.map(|key| key.as_bytes().to_vec()).unwrap_or_default(),
        portal_url,
        issued_at_ms,
    }
    .encode_to_vec();
    let signature = log_key.sign(Purpose::Card, &[&card]).as_bytes().to_vec();
    v1::SignedMemberCard { card, signature }
}

fn city_id(inception: &[u8]) -> CityId {
    CityId::new(*Hash::of(&[b"wego-city-v1", inception]).as_bytes())
}

fn checked(inception: v1::Inception) -> Result<v1::Inception, FieldError> {
    crate::roster::check_handle(&inception.handle).in_field("handle")?;
    crate::roster::check_names(&inception.names).in_field("names")?;
    let _: Option<Hash> =
        optional(&inception.next_log_key_digest).in_field("inception.next_log_key_digest")?;
    let _: Option<Hash> = optional(&inception.recovery_digest).in_field("inception.recovery_digest")?;
    Ok(inception)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&Zeroizing::new([seed; 32]))
    }

    fn inception() -> v1::Inception {
        v1::Inception {
            handle: "sn-dakar".to_owned(),
            names: vec![v1::MemberName { lang: "fr".to_owned(), text: "Dakar".to_owned() }],
            country: "SN".to_owned(),
            place: "SNDKR".to_owned(),
            log_key: key(1).public().as_bytes().to_vec(),
            transport_key: key(2).public().as_bytes().to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn a_card_signed_by_another_key_is_refused() {
        let honest = sign(&inception(), vec![], None, String::new(), 0, &key(1));
        assert_eq!(MemberCard::open(&honest).expect("honest").inception.handle, "sn-dakar");
        let forged = sign(&inception(), vec![], None, String::new(), 0, &key(3));
        assert!(matches!(MemberCard::open(&forged), Err(CardError::Signature(_))));
    }

    #[test]
    fn a_handle_that_could_fool_a_terminal_is_refused() {
        let inception = v1::Inception { handle: "sn-\u{1b}[2J".to_owned(), ..inception() };
        assert!(MemberCard::open(&sign(&inception, vec![], None, String::new(), 0, &key(1))).is_err());
    }
}
