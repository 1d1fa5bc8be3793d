//! Counts that stand for the word of others: nothing that a city signs about its own record is part of one.

use tonic::Code;
use wego_node::engine::{Act, Existence, Mode, Write};
use wego_proto::{
    id::{RecordId, RequestId},
    prost::Message as _,
    record::v1::{Adoption, AdoptionStage, Jurisdiction, Level, RecordKind},
    v1,
};
use wego_tests::{
    Cluster,
    client::Client,
    records::{practice, publish},
};

fn adoption(target: &[u8]) -> v1::Record {
    let adoption = Adoption {
        target_id: RecordId::try_from(target).unwrap().to_string(),
        stage: AdoptionStage::Live as i32,
        since: "2010".to_owned(),
        jurisdiction: Some(Jurisdiction {
            level: Level::City as i32,
            country: "KR".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    v1::Record { kind: Some(v1::record::Kind::Adoption(adoption)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_cannot_adopt_its_own_record_and_does_not_count_where_it_signed_so() {
    let cluster = Cluster::start(2).await;
    let author = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let other = Client::of_profile(&cluster.seats[1].created.profile_dir).await;
    let target = author.catalogue().publish(publish(practice("One number"))).await.unwrap();
    let target = target.into_inner().record_id;

    for dry_run in [true, false] {
        let request = v1::PublishRequest { dry_run, ..publish(adoption(&target)) };
        let refused = author.catalogue().publish(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("a city cannot adopt its own record; hint:"), "{refused}");
    }

    // A node without this rule signs it.
    let write = Write {
        request_id: RequestId::new([5; 16]),
        record_id: RecordId::new([6; 16]),
        record_kind: RecordKind::Adoption as u32,
        act: Act::Put {
            content: adoption(&target).encode_to_vec(),
            expected_base: None,
            existence: Existence::Optional,
        },
        mode: Mode::Commit,
    };
    cluster.node(0).engine().write(write).await.unwrap();
    cluster.converge(0).await;
    other.catalogue().publish(publish(adoption(&target))).await.unwrap();
    cluster.converge(1).await;

    for client in [&author, &other] {
        let kept = v1::ReadRequest { record_id: vec![6; 16] };
        assert!(client.catalogue().read(kept).await.unwrap().into_inner().record.is_some(), "it is relayed");
        let read = v1::ReadRequest { record_id: target.clone() };
        let adoptions = client.catalogue().read(read).await.unwrap().into_inner().adoptions;
        let said: Vec<_> =
            adoptions.iter().map(|adoption| (adoption.handle.as_str(), adoption.uncounted())).collect();
        assert_eq!(
            said,
            [("city-2", v1::Uncounted::Unspecified), ("city-1", v1::Uncounted::OwnRecord)],
            "those that count come first"
        );
    }
    cluster.stop().await;
}
