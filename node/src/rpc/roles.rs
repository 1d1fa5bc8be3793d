//! Which role each method needs, and whether it changes something. The one table: a method that is not in it is denied
//! to everybody, and one that changes something comes into the audit log.

use std::collections::BTreeSet;

use crate::operators::Role;

/// What a method does to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// Something: its service performs it as a [`Deed`](super::Deed), which the audit log keeps.
    Changes,
}

use Effect::{Changes, Reads};

/// Every method of the client listener, the lowest role that may call it, and what it does.
pub const METHODS: &[(&str, Role, Effect)] = &[
    ("/wego.v1.Catalogue/Publish", Role::Editor, Changes),
    ("/wego.v1.Catalogue/PublishMany", Role::Editor, Changes),
    ("/wego.v1.Catalogue/Retract", Role::Editor, Changes),
    // It cannot be taken back, anywhere: more than an editor's certificate must be lost for somebody to do it.
    ("/wego.v1.Catalogue/Erase", Role::Admin, Changes),
    ("/wego.v1.Catalogue/Read", Role::Reader, Reads),
    ("/wego.v1.Catalogue/History", Role::Reader, Reads),
    ("/wego.v1.Catalogue/List", Role::Reader, Reads),
    ("/wego.v1.Catalogue/Export", Role::Reader, Reads),
    ("/wego.v1.Search/Search", Role::Reader, Reads),
    ("/wego.v1.Members/List", Role::Reader, Reads),
    ("/wego.v1.Members/Show", Role::Reader, Reads),
    ("/wego.v1.Members/Roster", Role::Reader, Reads),
    ("/wego.v1.Members/Forks", Role::Reader, Reads),
    ("/wego.v1.Members/Set", Role::Admin, Changes),
    ("/wego.v1.Delivery/Erasures", Role::Reader, Reads),
    ("/wego.v1.Delivery/Seen", Role::Reader, Reads),
    ("/wego.v1.Admin/Status", Role::Reader, Reads),
    ("/wego.v1.Admin/ListPeers", Role::Admin, Reads),
    ("/wego.v1.Admin/AddPeer", Role::Admin, Changes),
    ("/wego.v1.Admin/RemovePeer", Role::Admin, Changes),
    ("/wego.v1.Admin/PingPeer", Role::Admin, Reads),
    ("/wego.v1.RosterGovernance/Proposals", Role::Reader, Reads),
    ("/wego.v1.RosterGovernance/Submit", Role::Admin, Changes),
    ("/wego.v1.Backups/Create", Role::Admin, Changes),
    ("/wego.v1.Invites/Create", Role::Admin, Changes),
    ("/wego.v1.Invites/List", Role::Admin, Reads),
    ("/wego.v1.Invites/Revoke", Role::Admin, Changes),
    ("/wego.v1.Keys/Show", Role::Reader, Reads),
    ("/wego.v1.Keys/Rotate", Role::Admin, Changes),
    ("/wego.v1.Keys/RotateTransport", Role::Admin, Changes),
    ("/wego.v1.Keys/PrepareRecovery", Role::Admin, Changes),
    ("/wego.v1.Keys/CommitRecovery", Role::Admin, Changes),
    ("/wego.v1.Audit/List", Role::Admin, Reads),
    ("/wego.v1.Audit/Verify", Role::Admin, Reads),
    ("/grpc.health.v1.Health/Check", Role::Reader, Reads),
    ("/grpc.health.v1.Health/Watch", Role::Reader, Reads),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Role::Reader, Reads),
];

/// The services that these methods belong to.
#[must_use]
pub fn services() -> BTreeSet<&'static str> {
    METHODS.iter().filter_map(|(method, ..)| method.strip_prefix('/')?.split('/').next()).collect()
}

/// The lowest role that may call a method, and what it does; `None` denies it.
#[must_use]
pub fn needed(path: &str) -> Option<(Role, Effect)> {
    METHODS.iter().find(|(method, ..)| *method == path).map(|(_, role, effect)| (*role, *effect))
}
