//! What counts of what members sign about the records of others. A count stands for the word of others: what a member
//! signs about its own record is kept and shown, and must never be part of it.

use wego_proto::{
    id::Origin,
    v1::{MemberStatus, Uncounted},
};

/// Why a record of `signer` about a record of `owner` counts for nothing; `Unspecified` when it counts. An owner that is
/// not known yet is somebody else.
#[must_use]
pub fn uncounted(signer: Origin, status: MemberStatus, owner: Option<Origin>) -> Uncounted {
    match owner {
        _ if status != MemberStatus::Active => Uncounted::NotActive,
        Some(owner) if owner == signer => Uncounted::OwnRecord,
        _ => Uncounted::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_another_active_member_counts() {
        let of = |signer, status, owner: Option<u32>| uncounted(Origin(signer), status, owner.map(Origin));
        assert_eq!(of(2, MemberStatus::Active, Some(1)), Uncounted::Unspecified);
        assert_eq!(of(2, MemberStatus::Active, None), Uncounted::Unspecified, "it may still be on its way");
        assert_eq!(of(1, MemberStatus::Active, Some(1)), Uncounted::OwnRecord);
        for status in
            [MemberStatus::Suspended, MemberStatus::Left, MemberStatus::Expelled, MemberStatus::Forked]
        {
            assert_eq!(of(2, status, Some(1)), Uncounted::NotActive, "{status:?}");
            assert_eq!(of(1, status, Some(1)), Uncounted::NotActive, "{status:?}");
        }
        assert_eq!(of(2, MemberStatus::Unspecified, Some(1)), Uncounted::NotActive, "signed by no member");
    }
}
