//! Which role each method needs. The one table: a method that is not in it is denied to everybody.

use std::collections::BTreeSet;

use crate::operators::Role;

/// Every method of the client listener and the lowest role that may call it.
pub const METHODS: &[(&str, Role)] = &[
    ("/wego.v1.Catalogue/Publish", Role::Editor),
    ("/wego.v1.Catalogue/PublishMany", Role::Editor),
    ("/wego.v1.Catalogue/Retract", Role::Editor),
    // It cannot be taken back, anywhere: more than an editor's certificate must be lost for somebody to do it.
    ("/wego.v1.Catalogue/Erase", Role::Admin),
    ("/wego.v1.Catalogue/Read", Role::Reader),
    ("/wego.v1.Catalogue/History", Role::Reader),
    ("/wego.v1.Catalogue/List", Role::Reader),
    ("/wego.v1.Catalogue/Export", Role::Reader),
    ("/wego.v1.Search/Search", Role::Reader),
    ("/wego.v1.Members/List", Role::Reader),
    ("/wego.v1.Members/Show", Role::Reader),
    ("/wego.v1.Members/Roster", Role::Reader),
    ("/wego.v1.Members/Forks", Role::Reader),
    ("/wego.v1.Delivery/Erasures", Role::Reader),
    ("/wego.v1.Delivery/Seen", Role::Reader),
    ("/wego.v1.RosterGovernance/Proposals", Role::Reader),
    ("/wego.v1.RosterGovernance/Submit", Role::Admin),
    ("/wego.v1.Admin/Status", Role::Reader),
    ("/wego.v1.Admin/ListPeers", Role::Admin),
    ("/wego.v1.Admin/AddPeer", Role::Admin),
    ("/wego.v1.Admin/RemovePeer", Role::Admin),
    ("/wego.v1.Admin/PingPeer", Role::Admin),
    ("/wego.v1.Keys/Show", Role::Reader),
    ("/wego.v1.Keys/Rotate", Role::Admin),
    ("/wego.v1.Keys/PrepareRecovery", Role::Admin),
    ("/wego.v1.Keys/CommitRecovery", Role::Admin),
    ("/wego.v1.Invites/Create", Role::Admin),
    ("/wego.v1.Invites/List", Role::Admin),
    ("/wego.v1.Invites/Revoke", Role::Admin),
    ("/grpc.health.v1.Health/Check", Role::Reader),
    ("/grpc.health.v1.Health/Watch", Role::Reader),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Role::Reader),
];

/// The services that these methods belong to.
#[must_use]
pub fn services() -> BTreeSet<&'static str> {
    METHODS.iter().filter_map(|(method, _)| method.strip_prefix('/')?.split('/').next()).collect()
}

/// The lowest role that may call a method; `None` denies it.
#[must_use]
pub fn needed(path: &str) -> Option<Role> {
    METHODS.iter().find(|(method, _)| *method == path).map(|(_, role)| *role)
}
