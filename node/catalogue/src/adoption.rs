//! Who uses a practice: folded from what each adopter signed, the same at every node in any order of arrival.
//!
//! Only the adopter's own words count; neither the practice's owner nor a third member can add or end an
//! adoption. What was said is judged by its place in the adopter's log, never by a clock.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    id::{Origin, Position, RecordId},
    record::v1::{Adoption, AdoptionStage},
    v1,
};

/// The relation by which a practice names the one it was derived from.
pub const BASED_ON: &str = "based_on";

/// One version of an adoption record. There is at most one at a position of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Who signed it.
    pub adopter: Origin,
    /// Where in the adopter's log.
    pub at: Position,
    /// The adoption record that it is a version of.
    pub record_id: RecordId,
    /// What it says; `None` when the record was retracted.
    pub said: Option<Adoption>,
}

/// How one adopter stands to one practice.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The adoption record.
    pub record_id: RecordId,
    /// Where its newest version stands.
    pub at: Position,
    /// What that version says.
    pub adoption: Adoption,
}

/// All adoptions: practice, adopter, newest standing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    adopters: BTreeMap<RecordId, BTreeMap<Origin, Standing>>,
}

impl Graph {
    /// Folds statements, in any order and of any practices.
    ///
    /// Of each adoption record the newest version counts; an adopter with several records on one practice stands
    /// as the newest of those that are not retracted says. A version that names no practice by a valid id says
    /// nothing, and takes back what the record said before.
    #[must_use]
    pub fn of(statements: impl IntoIterator<Item = Statement>) -> Self {
        let mut newest: BTreeMap<(Origin, RecordId), Statement> = BTreeMap::new();
        for statement in statements {
            let key = (statement.adopter, statement.record_id);
            if newest.get(&key).is_none_or(|held| held.at < statement.at) {
                newest.insert(key, statement);
            }
        }
        let mut graph = Self::default();
        for statement in newest.into_values() {
            graph.take(statement);
        }
        graph
    }

    fn take(&mut self, statement: Statement) {
        let Statement { adopter, at, record_id, said: Some(adoption) } = statement else { return };
        let Ok(target) = adoption.target_id.parse::<RecordId>() else { return };
        let adopters = self.adopters.entry(target).or_default();
        if adopters.get(&adopter).is_none_or(|held| held.at < at) {
            adopters.insert(adopter, Standing { record_id, at, adoption });
        }
    }

    /// Each adopter of a practice with its newest standing, by origin.
    pub fn adopters(&self, practice: &RecordId) -> impl Iterator<Item = (Origin, &Standing)> {
        self.adopters.get(practice).into_iter().flatten().map(|(adopter, standing)| (*adopter, standing))
    }

    /// How many adopters stand at each stage; stages without any are left out.
    #[must_use]
    pub fn counts(&self, practice: &RecordId) -> BTreeMap<AdoptionStage, usize> {
        let mut counts = BTreeMap::new();
        for (_, standing) in self.adopters(practice) {
            *counts.entry(standing.adoption.stage()).or_default() += 1;
        }
        counts
    }

    /// Who uses a practice or one derived from it, and over how many derivations at the least: 0 for its own
    /// adopters. Withdrawn adoptions do not count. Derivations may run in a circle.
    #[must_use]
    pub fn reach(&self, practice: &RecordId, derivations: &Derivations) -> BTreeMap<Origin, usize> {
        let mut reached = BTreeMap::new();
        let mut seen = BTreeSet::from([*practice]);
        let mut level = vec![*practice];
        for depth in 0.. {
            for practice in &level {
                let users = self.adopters(practice).filter(|(_, standing)| standing.uses());
                users.for_each(|(adopter, _)| {
                    reached.entry(adopter).or_insert(depth);
                });
            }
            let derived = level.iter().flat_map(|practice| derivations.of(practice));
            level = derived.filter(|practice| seen.insert(*practice)).collect();
            if level.is_empty() {
                break;
            }
        }
        reached
    }
}

impl Standing {
    fn uses(&self) -> bool {
        self.adoption.stage() != AdoptionStage::Withdrawn
    }
}

/// Which practices were derived from which.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Derivations(BTreeSet<(RecordId, RecordId)>);

impl Derivations {
    /// Notes what `record`, the newest version of the practice `id`, says it is based on.
    pub fn note(&mut self, id: RecordId, record: &v1::Record) {
        let Some(v1::record::Kind::Practice(practice)) = &record.kind else { return };
        let relations = practice.core.iter().flat_map(|core| &core.relations);
        let parents = relations.filter(|relation| relation.r#type == BASED_ON);
        self.0.extend(parents.filter_map(|relation| Some((relation.target.parse().ok()?, id))));
    }

    fn of(&self, practice: &RecordId) -> impl Iterator<Item = RecordId> {
        let all = (*practice, RecordId::new([0; 16]))..=(*practice, RecordId::new([0xff; 16]));
        self.0.range(all).map(|(_, derived)| *derived)
    }
}

#[cfg(test)]
mod tests;
