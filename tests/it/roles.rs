//! Who may call what: every method with every role, and every listener with every kind of key.

use std::collections::BTreeSet;

use tonic::{Code, Status, transport::Channel};
use wego_node::{
    demo::founding::Seat,
    operators::Role,
    rpc::roles::{
        Effect::{self, Changes, Reads},
        METHODS,
    },
};
use wego_proto::{pin::Identity, prost::Message as _};
use wego_tests::{Cluster, identity, raw};

/// Every method of the client listener, the lowest role that may call it, and whether it changes something. A method of
/// the .proto files that is not here fails the test below.
pub(super) const TABLE: &[(&str, Role, Effect)] = &[
    ("/wego.v1.Catalogue/Publish", Role::Editor, Changes),
    ("/wego.v1.Catalogue/PublishMany", Role::Editor, Changes),
    ("/wego.v1.Catalogue/Retract", Role::Editor, Changes),
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

/// Services of the peer listener.
const PEER_SERVICES: [&str; 2] = ["wego.v1.Peering", "wego.v1.Enrolment"];
const SESSION: &str = "/wego.v1.Peering/Session";

/// All methods in compiled descriptors, as paths.
fn methods(descriptors: &[u8]) -> BTreeSet<String> {
    let set = prost_types::FileDescriptorSet::decode(descriptors).unwrap();
    let mut paths = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            let service_name = format!("{}.{}", file.package(), service.name());
            paths.extend(service.method.iter().map(|method| format!("/{service_name}/{}", method.name())));
        }
    }
    paths
}

#[test]
fn every_method_there_is_has_its_role_in_the_table() {
    let mut there_are = methods(wego_proto::FILE_DESCRIPTOR_SET);
    there_are.retain(|path| !PEER_SERVICES.iter().any(|name| path.starts_with(&format!("/{name}/"))));
    there_are.extend(methods(tonic_health::pb::FILE_DESCRIPTOR_SET));
    there_are.extend(methods(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET));
    let table: BTreeSet<_> = TABLE.iter().map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(table, there_are);
    assert_eq!(METHODS, TABLE, "what the node enforces");
}

fn clients(seat: &Seat) -> String {
    seat.config.listen.clients.to_string()
}

async fn client(seat: &Seat, identity: Identity) -> Channel {
    identity::connect(seat, &clients(seat), identity).await.unwrap()
}

/// The outcome of a call with an empty message.
async fn outcome(channel: &Channel, path: &str) -> Code {
    raw::call(channel, path, Vec::new()).await.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_call_its_methods_and_those_below_and_nothing_else() {
    let mut cluster = Cluster::found(1).await;
    let seat = &cluster.seats[0];
    let callers = [
        ("stranger", None, identity::fresh()),
        ("member's transport key", None, identity::transport(seat)),
        ("reader", Some(Role::Reader), identity::operator(seat, "reads", Role::Reader)),
        ("editor", Some(Role::Editor), identity::operator(seat, "edits", Role::Editor)),
        ("admin", Some(Role::Admin), identity::operator(seat, "administers", Role::Admin)),
    ];
    cluster.up(0).await;
    for (who, role, identity) in callers {
        let channel = client(&cluster.seats[0], identity).await;
        for (path, needed, _) in TABLE {
            let code = outcome(&channel, path).await;
            let denied =
                [Code::PermissionDenied, Code::Unauthenticated, Code::Unimplemented, Code::Unavailable];
            match role {
                Some(role) if role >= *needed => assert!(!denied.contains(&code), "{who} {path}: {code:?}"),
                _ => assert_eq!(code, Code::PermissionDenied, "{who} {path}"),
            }
        }
        let elsewhere = if role.is_none() { Code::PermissionDenied } else { Code::Unimplemented };
        for path in [SESSION, "/wego.v1.Catalogue/Drop", "/wego.v1.Catalogue/publish", "/", "/metrics"] {
            assert_eq!(outcome(&channel, path).await, elsewhere, "{who} {path}");
        }
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_past_the_handshake_without_a_certificate() {
    let cluster = Cluster::start(1).await;
    let seat = &cluster.seats[0];
    for address in [seat.config.listen.clients, seat.config.listen.peers] {
        let connected = identity::connect_without_certificate(seat, &address.to_string()).await;
        assert!(no_answer(connected, "/wego.v1.Admin/Status").await, "{address}");
    }
    cluster.stop().await;
}

/// Whether a connection yields no gRPC answer at all: the handshake failed, at this end or at the other.
async fn no_answer(connected: Result<Channel, wego_proto::pin::PinError>, path: &str) -> bool {
    let Ok(channel) = connected else { return true };
    let refused: Status = match raw::call(&channel, path, Vec::new()).await {
        Ok(_) => return false,
        Err(status) => status,
    };
    // A status that a node sent has no cause on this side; a connection that broke has one.
    std::error::Error::source(&refused).is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_peer_listener_admits_members_only_and_offers_sessions_only() {
    let mut cluster = Cluster::found(2).await;
    let admin = identity::operator(&cluster.seats[0], "another", Role::Admin);
    cluster.up(0).await;
    let seat = &cluster.seats[0];
    let peers = seat.config.listen.peers.to_string();
    for (who, identity) in [("operator", admin), ("stranger", identity::fresh())] {
        for path in [SESSION, "/wego.v1.Catalogue/Read"] {
            let connected = identity::connect(seat, &peers, identity.clone()).await;
            assert!(no_answer(connected, path).await, "{who} {path}");
        }
    }
    let member = identity::transport(&cluster.seats[1]);
    let channel = identity::connect(seat, &peers, member).await.unwrap();
    for (path, ..) in TABLE {
        assert_eq!(outcome(&channel, path).await, Code::Unimplemented, "{path}");
    }
    assert_eq!(outcome(&channel, SESSION).await, Code::Ok);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_was_removed_is_refused_on_the_connection_it_has() {
    let mut cluster = Cluster::found(1).await;
    let identity = identity::operator(&cluster.seats[0], "leaves", Role::Admin);
    cluster.up(0).await;
    let seat = &cluster.seats[0];
    let channel = client(seat, identity).await;
    assert_eq!(outcome(&channel, "/wego.v1.Admin/Status").await, Code::Ok);
    identity::remove_operator(seat, "leaves");
    assert_eq!(outcome(&channel, "/wego.v1.Admin/Status").await, Code::Ok, "until the file is read again");
    cluster.node(0).reload_operators().unwrap();
    assert_eq!(outcome(&channel, "/wego.v1.Admin/Status").await, Code::PermissionDenied);

    std::fs::write(&seat.config.node.operators, "[[operator]]\nname = \"half").unwrap();
    cluster.node(0).reload_operators().unwrap_err();
    let admin = wego_tests::client::Client::of_profile(&seat.created.profile_dir).await;
    assert_eq!(outcome(&admin.channel(), "/wego.v1.Admin/Status").await, Code::Ok, "the old list stays");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_names_what_this_listener_serves_and_nothing_else() {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let cluster = Cluster::start(1).await;
    let admin = wego_tests::client::Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut reflection = ServerReflectionClient::new(admin.channel());
    let answer = reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    let answer = answer.into_inner().message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let named: BTreeSet<_> = list.service.into_iter().map(|service| service.name).collect();
    let served: BTreeSet<_> =
        TABLE.iter().map(|(path, ..)| path.split('/').nth(1).unwrap().to_owned()).collect();
    assert_eq!(named, served);
    cluster.stop().await;
}
