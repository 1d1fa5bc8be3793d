//! Stands before every service: no request passes without an operator whose role suffices.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use futures_util::future::{Either, Ready, ready};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use super::roles;
use crate::{operators::Operators, tls::ConnectInfo};

/// Puts a [`Guard`] before a service.
#[derive(Debug, Clone)]
pub struct GuardLayer(Arc<ArcSwap<Operators>>);

impl GuardLayer {
    /// Asks these operators, as they are at each request.
    #[must_use]
    pub fn new(operators: Arc<ArcSwap<Operators>>) -> Self {
        Self(operators)
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;
    fn layer(&self, inner: S) -> Guard<S> {
        Guard { operators: self.0.clone(), inner }
    }
}

/// A service behind the question who is calling.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    operators: Arc<ArcSwap<Operators>>,
    inner: S,
}

impl<S> Guard<S> {
    fn admit<B>(&self, request: &http::Request<B>) -> Result<(), Status> {
        let path = request.uri().path();
        let key = request.extensions().get::<ConnectInfo>().map(|info| info.key);
        let key = key.ok_or_else(|| Status::unauthenticated("no client certificate was shown"))?;
        let operators = self.operators.load();
        let Some((name, role)) = operators.role_of(&key) else {
            tracing::warn!(method = path, key = %key, "a key that is no operator's was refused");
            return Err(Status::permission_denied(format!(
                "key {} is not in the node's operators file; hint: ask the node's administrator for a profile, \
                 which wego-node operator add makes",
                key.fingerprint()
            )));
        };
        // Only now: a stranger learns nothing, not even which methods there are.
        let Some(needed) = roles::needed(path) else {
            return Err(Status::unimplemented("no such method; hint: compare versions with wego status"));
        };
        if role < needed {
            tracing::warn!(method = path, operator = name, "role too low");
            return Err(Status::permission_denied(format!(
                "operator {name} has the role {role}, this needs {needed}; hint: ask the node's administrator"
            )));
        }
        tracing::debug!(method = path, operator = name, "called");
        Ok(())
    }
}

impl<S, B> Service<http::Request<B>> for Guard<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Self::Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        match self.admit(&request) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(status) => Either::Right(ready(Ok(status.into_http()))),
        }
    }
}
