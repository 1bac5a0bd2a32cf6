//! A list that grows without moving what it has: a million entries in one piece would be copied in one go.

/// Elements of one piece: tens of kilobytes, copied in microseconds while it grows.
const CHUNK: usize = 1024;

/// A list in pieces, all full but the last.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    length: usize,
}

impl<T: Copy> Chunks<T> {
    pub(super) fn new() -> Self {
        Chunks { chunks: Vec::new(), length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.chunks.get_mut(index / CHUNK)?.get_mut(index % CHUNK)
    }

    pub(super) fn push(&mut self, element: T) {
        let place = self.length / CHUNK;
        if place >= self.chunks.len() {
            self.chunks.push(Vec::new());
        }
        if let Some(chunk) = self.chunks.get_mut(place) {
            chunk.push(element);
            self.length += 1;
        }
    }

    /// Takes an element out; the last takes its place.
    pub(super) fn swap_remove(&mut self, index: usize) {
        let last = self.length.saturating_sub(1);
        let Some(element) = self.chunks.get_mut(last / CHUNK).and_then(Vec::pop) else { return };
        self.length = last;
        if let Some(gone) = self.get_mut(index) {
            *gone = element;
        }
    }

    /// The pieces, to be sorted one by one.
    pub(super) fn chunk_mut(&mut self, number: usize) -> Option<&mut Vec<T>> {
        self.chunks.get_mut(number).filter(|chunk| !chunk.is_empty())
    }

    /// Empties the list, and keeps its memory for what comes next.
    pub(super) fn clear(&mut self) {
        self.chunks.iter_mut().for_each(Vec::clear);
        self.length = 0;
    }

    /// Gives some pieces back, last ones first; false when there are none left. To free all at once takes milliseconds.
    pub(super) fn free(&mut self, count: usize) -> bool {
        let kept = self.chunks.len().saturating_sub(count);
        self.chunks.truncate(kept);
        self.length = self.length.min(kept.saturating_mul(CHUNK));
        kept > 0
    }
}

impl Chunks<()> {
    /// Elements of one piece.
    pub(super) const SIZE: usize = CHUNK;
}
