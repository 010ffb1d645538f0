//! Tree of segments.

use super::HashMap;

/// A value for each sequence of segments that was inserted.
#[derive(Debug)]
pub(super) struct Tree<E> {
    nodes: Vec<Node<E>>,
}

#[derive(Debug, Default)]
struct Node<E> {
    value: E,
    children: HashMap<Box<str>, usize>,
}

impl<E: Default> Default for Tree<E> {
    fn default() -> Tree<E> {
        Tree {
            nodes: vec![Node::default()],
        }
    }
}

impl<E: Default> Tree<E> {
    /// Returns the value at a sequence of segments, which is inserted if it is absent.
    pub(super) fn at<'a>(&mut self, segments: impl Iterator<Item = &'a str>) -> &mut E {
        let mut at = 0;
        for segment in segments {
            at = match self.nodes[at].children.get(segment) {
                Some(next) => *next,
                None => {
                    let next = self.nodes.len();
                    self.nodes[at].children.insert(segment.into(), next);
                    self.nodes.push(Node::default());
                    next
                }
            };
        }
        &mut self.nodes[at].value
    }

    /// Calls `see` with the value of each inserted beginning of the segments, the shortest first. Returns whether
    /// all segments were found: the last value is then that of the whole sequence.
    pub(super) fn walk<'a>(&self, segments: impl Iterator<Item = &'a str>, mut see: impl FnMut(&E)) -> bool {
        let mut node = &self.nodes[0];
        see(&node.value);
        for segment in segments {
            match node.children.get(segment) {
                Some(next) => node = &self.nodes[*next],
                None => return false,
            }
            see(&node.value);
        }
        true
    }
}
