//! Resources under a prefix of the path.

use super::router::{COMMON_METHODS, Route, RouteError};
use crate::http::{HttpError, Request, Response};
use crate::service::Resource;
use crate::service::upstream::Upstream;

/// A resource and the prefix it answers under.
pub(super) struct Mount {
    /// Without a final slash; empty at the root.
    prefix: Box<str>,
    resource: Box<dyn Resource>,
    /// What the resource said of its methods when it was mounted, as `Allow` has it.
    allow: Box<str>,
    /// The same, one by one.
    methods: Box<[Box<str>]>,
}

impl Mount {
    /// The methods it answers, as far as a list can name them.
    pub(super) fn allow(&self) -> impl Iterator<Item = &str> {
        let common: &[&str] = if self.takes_all() { COMMON_METHODS } else { &[] };
        self.methods
            .iter()
            .map(|method| &**method)
            .filter(|&method| method != Route::ANY_METHOD)
            .chain(common.iter().copied())
    }

    /// True if it answers this method.
    pub(super) fn takes(&self, method: &str) -> bool {
        self.takes_all() || self.methods.iter().any(|own| **own == *method)
    }

    fn takes_all(&self) -> bool {
        self.methods.iter().any(|method| **method == *Route::ANY_METHOD)
    }

    pub(super) fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        self.resource.answer(&request.with_mount(&self.prefix))
    }

    /// The octets are compared, not the text: `path_below_mount` cuts them at the same place.
    fn covers(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.prefix.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }
}

/// All mounts, the longest prefix first.
#[derive(Default)]
pub(super) struct Mounts {
    mounts: Vec<Mount>,
}

impl Mounts {
    pub(super) fn add(&mut self, prefix: &str, resource: Box<dyn Resource>) -> Result<(), RouteError> {
        if !prefix.starts_with('/') {
            return Err(RouteError::NoPath { pattern: prefix.into() });
        }
        let prefix = prefix.trim_end_matches('/');
        if self.mounts.iter().any(|mount| &*mount.prefix == prefix) {
            return Err(RouteError::Mounted { prefix: format!("{prefix}/").into() });
        }
        let place = self.mounts.partition_point(|mount| mount.prefix.len() >= prefix.len());
        let allow: Box<str> = resource.allow().into();
        let methods = allow.split(',').map(str::trim).filter(|method| !method.is_empty()).map(Box::from).collect();
        self.mounts.insert(place, Mount { prefix: prefix.into(), resource, allow, methods });
        Ok(())
    }

    /// The mount with the longest prefix that covers this path.
    pub(super) fn find(&self, path: &[u8]) -> Option<&Mount> {
        self.mounts.iter().find(|mount| mount.covers(path))
    }

    /// The next one whom a resource has begun to ask.
    pub(super) fn upstream(&self) -> Option<Box<dyn Upstream>> {
        self.mounts.iter().find_map(|mount| mount.resource.upstream())
    }

    /// Methods and prefixes, in the order in which they are tried.
    pub(super) fn table(&self) -> impl Iterator<Item = (&str, Box<str>)> {
        self.mounts.iter().map(|mount| (&*mount.allow, format!("{}/", mount.prefix).into()))
    }

    /// The methods of all mounts.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        self.mounts.iter().flat_map(Mount::allow)
    }
}
