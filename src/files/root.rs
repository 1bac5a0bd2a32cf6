//! What is served: one directory with all below it, or a few files and directories by their names and nothing else.

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::Access;
use rustix::io::Errno;

use super::directory::Directory;
use super::facts::{Facts, Kind};
use super::tree::{Links, Tree};

/// The root. Paths are relative to it; the root itself is `.`.
#[derive(Debug)]
pub(super) enum Root {
    Tree(Tree),
    Shares(Vec<Share>),
}

/// A file or a directory that is served under its name.
#[derive(Debug)]
pub(super) struct Share {
    name: Box<[u8]>,
    /// The directory, or the one that the file is in.
    tree: Tree,
    /// The file's name in it.
    file: Option<CString>,
}

impl Root {
    /// A directory; a file is shared as itself.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        // Of a directory that may not be looked at, the opening tells.
        match fs::metadata(&path) {
            Ok(facts) if facts.is_file() => Root::share(vec![path]),
            _ => Tree::open(path).map(Root::Tree),
        }
    }

    pub(super) fn share(paths: Vec<PathBuf>) -> io::Result<Self> {
        let mut shares: Vec<Share> = Vec::with_capacity(paths.len());
        for path in paths {
            let share = Share::open(path.clone())?;
            if shares.iter().any(|other| other.name == share.name) {
                let why = format!("{}: another one of this name is shared already", path.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
            shares.push(share);
        }
        Ok(Root::Shares(shares))
    }

    pub(super) fn set_links(&mut self, links: Links) {
        match self {
            Root::Tree(tree) => tree.set_links(links),
            Root::Shares(shares) => shares.iter_mut().for_each(|share| share.set_links(links)),
        }
    }

    pub(super) fn go_by_canonical_paths(&mut self) {
        self.trees_mut().for_each(Tree::go_by_canonical_paths);
    }

    pub(super) fn refuses_links(&self) -> bool {
        let tree = match self {
            Root::Tree(tree) => Some(tree),
            Root::Shares(shares) => shares.first().map(|share| &share.tree),
        };
        tree.is_some_and(|tree| tree.links() == Links::Refused)
    }

    fn trees_mut(&mut self) -> Box<dyn Iterator<Item = &mut Tree> + '_> {
        match self {
            Root::Tree(tree) => Box::new(std::iter::once(tree)),
            Root::Shares(shares) => Box::new(shares.iter_mut().map(|share| &mut share.tree)),
        }
    }

    /// The one file that is shared, if there is nothing beside it.
    pub(super) fn only_file(&self) -> Option<&[u8]> {
        match self {
            Root::Shares(shares) => match &shares[..] {
                [Share { name, file: Some(_), .. }] => Some(name),
                _ => None,
            },
            Root::Tree(_) => None,
        }
    }

    /// The name of a share; `None` where there is none of that number.
    pub(super) fn share_name(&self, number: usize) -> Option<&[u8]> {
        match self {
            Root::Shares(shares) => shares.get(number).map(|share| &*share.name),
            Root::Tree(_) => None,
        }
    }

    /// True if this was named by whoever started the server, who may call it what he likes.
    pub(super) fn has_share(&self, name: &[u8]) -> bool {
        matches!(self, Root::Shares(shares) if shares.iter().any(|share| &*share.name == name))
    }

    /// The tree that a path lies in, and the path in it; `None` for the root of several shares, which lies in none.
    pub(super) fn place<'a>(&'a self, path: &'a CStr) -> Result<Option<(&'a Tree, Cow<'a, CStr>)>, Errno> {
        let shares = match self {
            Root::Tree(tree) => return Ok(Some((tree, Cow::Borrowed(path)))),
            Root::Shares(_) if path == c"." => return Ok(None),
            Root::Shares(shares) => shares,
        };
        let bytes = path.to_bytes();
        let (name, below) = match bytes.iter().position(|&byte| byte == b'/') {
            Some(slash) => (bytes.get(..slash), bytes.get(slash + 1..)),
            None => (Some(bytes), None),
        };
        let share = shares.iter().find(|share| Some(&*share.name) == name).ok_or(Errno::NOENT)?;
        let inside = match (&share.file, below) {
            (Some(file), None) => Cow::Borrowed(file.as_c_str()),
            (Some(_), Some(_)) => return Err(Errno::NOTDIR),
            (None, None | Some(b"")) => Cow::Borrowed(c"."),
            (None, Some(below)) => Cow::Owned(CString::new(below).map_err(|_| Errno::INVAL)?),
        };
        Ok(Some((&share.tree, inside)))
    }

    /// What the path stands for, links followed, nothing opened.
    pub(super) fn look(&self, path: &CStr) -> Result<Facts, Errno> {
        self.place(path)?.map_or(Ok(Facts::SHARES), |(tree, inside)| tree.look(&inside))
    }

    /// What the path stands for now: only to be compared with what [`look`](Self::look) has found.
    pub(super) fn glance(&self, path: &CStr) -> Option<Facts> {
        self.place(path).ok()?.map_or(Some(Facts::SHARES), |(tree, inside)| tree.glance(&inside))
    }

    /// What the last name of the path stands for itself, without the guard: a link is a link. Of shares, nothing.
    pub(super) fn own(&self, path: &CStr) -> Result<Facts, Errno> {
        let (tree, inside) = self.place(path)?.ok_or(Errno::INVAL)?;
        tree.own(&inside)
    }

    /// True if the server may do this with what is there.
    pub(super) fn allows(&self, path: &CStr, access: Access) -> bool {
        self.place(path).is_ok_and(|place| place.is_none_or(|(tree, inside)| tree.allows(&inside, access)))
    }

    /// Opens a regular file; the facts are those of what was opened.
    pub(super) fn read(&self, path: &CStr) -> Result<(File, Facts), Errno> {
        let (tree, inside) = self.place(path)?.ok_or(Errno::ISDIR)?;
        tree.read(&inside, Kind::File)
    }

    /// Opens a directory; the facts are those of what was opened.
    pub(super) fn directory(&self, path: &CStr) -> Result<(Directory, Facts), Errno> {
        let Some((tree, inside)) = self.place(path)? else { return Ok((Directory::of_shares(), Facts::SHARES)) };
        let (file, facts) = tree.read(&inside, Kind::Directory)?;
        Ok((Directory::new(file)?, facts))
    }
}

impl Share {
    fn open(path: PathBuf) -> io::Result<Self> {
        let explain = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let real = fs::canonicalize(&path).map_err(explain)?;
        let no_name = || io::Error::new(io::ErrorKind::InvalidInput, format!("{}: this has no name", path.display()));
        // `..` and `.` are called by what they stand for, a link by its own name.
        let name = path.file_name().or(real.file_name()).ok_or_else(no_name)?.as_bytes().into();
        if fs::metadata(&real).map_err(explain)?.is_dir() {
            return Ok(Share { name, tree: Tree::open(path)?, file: None });
        }
        let (directory, file) = real.parent().zip(real.file_name()).ok_or_else(no_name)?;
        let file = CString::new(file.as_bytes()).map_err(|error| explain(error.into()))?;
        let mut share = Share { name, tree: Tree::open(directory.to_owned())?, file: Some(file) };
        share.set_links(Links::Inside);
        Ok(share)
    }

    /// The tree of a file holds others, which are not shared: should a link take the file's place, it may lead to none.
    fn set_links(&mut self, links: Links) {
        let is_other_file = self.file.is_some() && links == Links::Inside;
        self.tree.set_links(if is_other_file { Links::Refused } else { links });
    }
}
