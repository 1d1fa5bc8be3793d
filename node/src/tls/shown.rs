//! What this node shows in TLS: certificate and key, changed for all doors at once while they are open.
//!
//! Connections that stand keep what they were made with. Whether a key may be shown is the caller's business.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use rustls::ServerConfig;
use wego_proto::{
    key::PublicKey,
    pin::{Identity, PinError},
};

/// A certificate with its key, and the public half.
#[derive(Debug, Clone)]
pub struct Face {
    /// Both.
    pub identity: Identity,
    /// The key in it.
    pub key: PublicKey,
}

/// The face of the moment, and the doors that show it.
pub struct Shown {
    face: ArcSwap<Face>,
    next: ArcSwapOption<PublicKey>,
    doors: Mutex<Vec<Door>>,
}

type Build = Box<dyn Fn(Identity) -> Result<ServerConfig, PinError> + Send + Sync>;

struct Door {
    config: Arc<ArcSwap<ServerConfig>>,
    build: Build,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shown").field(&self.face.load().key).finish()
    }
}

impl Shown {
    /// Shows this face.
    #[must_use]
    pub fn new(face: Face) -> Arc<Self> {
        let (next, doors) = (ArcSwapOption::empty(), Mutex::default());
        Arc::new(Self { face: ArcSwap::from_pointee(face), next, doors })
    }

    /// The face of this moment.
    #[must_use]
    pub fn face(&self) -> Arc<Face> {
        self.face.load_full()
    }

    /// The configuration of a door, made anew with every change.
    ///
    /// # Errors
    /// That of `build`.
    pub fn door(
        &self,
        build: impl Fn(Identity) -> Result<ServerConfig, PinError> + Send + Sync + 'static,
    ) -> Result<Arc<ArcSwap<ServerConfig>>, PinError> {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let config = Arc::new(ArcSwap::from_pointee(build(self.face().identity.clone())?));
        doors.push(Door { config: config.clone(), build: Box::new(build) });
        Ok(config)
    }

    /// Shows another face from the next handshake on.
    ///
    /// # Errors
    /// The face cannot be used; the old one stays at every door.
    pub fn change(&self, face: Face) -> Result<(), PinError> {
        let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let built: Result<Vec<_>, _> = doors.iter().map(|door| (door.build)(face.identity.clone())).collect();
        for (door, config) in doors.iter().zip(built?) {
            door.config.store(Arc::new(config));
        }
        self.face.store(Arc::new(face));
        Ok(())
    }

    /// The key that is to take over: callers who pin the one of today are told.
    #[must_use]
    pub fn next(&self) -> Option<PublicKey> {
        self.next.load().as_deref().copied()
    }

    /// Says which key is to take over.
    pub fn announce_next(&self, next: Option<PublicKey>) {
        self.next.store(next.map(Arc::new));
    }
}
