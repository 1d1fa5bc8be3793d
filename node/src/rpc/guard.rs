//! Stands before every service: no request passes without an operator whose role suffices.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use super::{
    deed::{Deed, UNRECORDED_CHANGE},
    roles::{self, Effect},
};
use crate::{
    audit::{Actor, Audit},
    operators::Operators,
    tls::ConnectInfo,
};

/// Puts a [`Guard`] before a service.
#[derive(Debug, Clone)]
pub struct GuardLayer {
    operators: Arc<ArcSwap<Operators>>,
    audit: Audit,
}

impl GuardLayer {
    /// Asks these operators, as they are at each request.
    #[must_use]
    pub fn new(operators: Arc<ArcSwap<Operators>>, audit: Audit) -> Self {
        Self { operators, audit }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;
    fn layer(&self, inner: S) -> Guard<S> {
        Guard { operators: self.operators.clone(), audit: self.audit.clone(), inner }
    }
}

/// A service behind the question who is calling.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    operators: Arc<ArcSwap<Operators>>,
    audit: Audit,
    inner: S,
}

/// Who calls, what the method does, and whether it is denied.
struct Verdict {
    actor: Actor,
    effect: Effect,
    denied: Option<Status>,
}

impl<S> Guard<S> {
    fn judge<B>(&self, request: &http::Request<B>) -> Verdict {
        let path = request.uri().path();
        let needed = roles::needed(path);
        let effect = needed.map_or(Effect::Reads, |(_, effect)| effect);
        let denied = |actor, status| Verdict { actor, effect, denied: Some(status) };
        let key = request.extensions().get::<ConnectInfo>().map(|info| info.key);
        let fingerprint = key.map(|key| key.fingerprint()).unwrap_or_default();
        let stranger = Actor { name: String::new(), key: fingerprint.clone(), role: "" };
        let Some(key) = key else {
            return denied(stranger, Status::unauthenticated("no client certificate was shown"));
        };
        let operators = self.operators.load();
        let Some((name, role)) = operators.role_of(&key) else {
            tracing::warn!(method = path, key = fingerprint, "a key that is no operator's was refused");
            let text = format!(
                "key {fingerprint} is not in the node's operators file; hint: ask the node's administrator for a \
                 profile, which wego-node operator add makes"
            );
            return denied(stranger, Status::permission_denied(text));
        };
        let actor = Actor { name: name.to_owned(), key: fingerprint, role: role.as_str() };
        // Only now: a stranger learns nothing, not even which methods there are.
        let Some((needed, _)) = needed else {
            let text = "no such method; hint: compare versions with wego status";
            return denied(actor, Status::unimplemented(text));
        };
        if role < needed {
            tracing::warn!(method = path, operator = name, "role too low");
            let text = format!(
                "operator {name} has the role {role}, this needs {needed}; hint: ask the node's administrator"
            );
            return denied(actor, Status::permission_denied(text));
        }
        tracing::debug!(method = path, operator = name, "called");
        Verdict { actor, effect, denied: None }
    }
}

impl<S, B> Service<http::Request<B>> for Guard<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let Verdict { actor, effect, denied } = self.judge(&request);
        if effect == Effect::Reads {
            return match denied {
                None => Box::pin(self.inner.call(request)),
                Some(status) => Box::pin(async move { Ok(status.into_http()) }),
            };
        }
        let deed = Deed::of(&self.audit, actor, &request);
        if let Some(status) = denied {
            return Box::pin(async move {
                deed.refused(&status).await;
                Ok(status.into_http())
            });
        }
        request.extensions_mut().insert(deed.clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if deed.is_taken() {
                return Ok(answer);
            }
            // The message could not be read, or a service went past the audit log.
            let status = Status::from_header_map(answer.headers()).filter(|status| status.code() != Code::Ok);
            let status = status.unwrap_or_else(|| Status::internal(UNRECORDED_CHANGE));
            deed.refused(&status).await;
            Ok(status.into_http())
        })
    }
}

#[cfg(test)]
mod tests;
