//! A hostile member that is dialled: it waits for honest nodes to come.

use std::{io, pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming, transport::Server};
use wego_node::demo::founding::Seat;
use wego_proto::{
    pin,
    v1::{
        SessionMessage,
        peering_server::{Peering, PeeringServer},
        reject::Reason,
        session_message::Body,
    },
};
use wego_tests::{Cluster, DEADLINE, byzantine::Byzantine, identity, until};

use super::SEAT;

/// A session that somebody opened: what it says, and what to say.
type Guest = (Streaming<SessionMessage>, mpsc::Sender<Result<SessionMessage, Status>>);

struct Host(mpsc::Sender<Guest>);

#[tonic::async_trait]
impl Peering for Host {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<SessionMessage, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<SessionMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (say, said) = mpsc::channel(8);
        self.0.send((request.into_inner(), say)).await.map_err(|_| Status::unavailable("closed"))?;
        Ok(Response::new(Box::pin(ReceiverStream::new(said))))
    }
}

/// Listens where the roster says that the seat's node is.
async fn host(seat: &Seat) -> (mpsc::Receiver<Guest>, JoinHandle<()>) {
    let config = pin::server_config(identity::transport(seat), Arc::new(|_| true)).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(seat.config.listen.peers).await.unwrap();
    let connections = stream::unfold((listener, acceptor), |(listener, acceptor)| async move {
        let accepted: io::Result<TlsStream<TcpStream>> = match listener.accept().await {
            Ok((tcp, _)) => acceptor.accept(tcp).await,
            Err(error) => Err(error),
        };
        Some((accepted, (listener, acceptor)))
    });
    let (guests, comes) = mpsc::channel(8);
    let serving = Server::builder().add_service(PeeringServer::new(Host(guests)));
    let serving = serving.serve_with_incoming(Box::pin(connections.filter(Result::is_ok)));
    (comes, tokio::spawn(async move { serving.await.unwrap() }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dialled_says_why_before_it_hangs_up() {
    let mut cluster = Cluster::found(SEAT + 1).await;
    cluster.seats[SEAT].release();
    let liar = Byzantine::holding(&cluster.seats[SEAT]);
    let (mut comes, serving) = host(&cluster.seats[SEAT]).await;
    cluster.up(0).await;
    let wait = async { comes.recv().await.unwrap() };
    let (mut heard, say) = tokio::time::timeout(DEADLINE, wait).await.expect("the node dials");
    let Some(SessionMessage { body: Some(Body::Hello(hello)) }) = heard.message().await.unwrap() else {
        panic!("no greeting");
    };
    for _ in 0..2 {
        let body = Some(Body::Hello(liar.hello(&hello)));
        say.send(Ok(SessionMessage { body })).await.unwrap();
    }
    let reject = async {
        loop {
            match heard.message().await {
                Ok(Some(SessionMessage { body: Some(Body::Reject(reject)) })) => break reject,
                Ok(Some(_)) => {}
                ended => panic!("ended without a reason: {ended:?}"),
            }
        }
    };
    let reject = tokio::time::timeout(DEADLINE, reject).await.expect("a reason in time");
    assert_eq!(reject.reason(), Reason::OutOfOrder);
    let status = || cluster.node(0).reader().status();
    until("it is counted", || status().refused.iter().any(|refused| refused.reason == "out_of_order")).await;
    serving.abort();
    cluster.stop().await;
}
