//! A real guest, whose memory comes from the input: what it returns and what it passes are the same to dynamic values
//! and to typed ones, or refused with the same words.

use std::cell::RefCell;

use airssys_wasm::component::Val;

use crate::guest::{DUMP, Guests, HEAP, Kind, Outcome, RESULT};

/// An input is a header, of encoding, type and direction, then memory.
pub(crate) fn run(input: &[u8]) {
    thread_local!(static GUESTS: RefCell<Guests> = RefCell::new(Guests::new()));
    let Some((&[encoding, ty, direction], image)) = input.split_first_chunk() else {
        return;
    };
    GUESTS.with_borrow_mut(|guests| {
        let index = usize::from(ty) % guests.cases.len();
        let image = &image[..image.len().min(HEAP - RESULT)];
        let mut comparison = Comparison {
            guests,
            index,
            encoding: usize::from(encoding % 3),
        };
        if direction & 1 == 0 {
            let fill = [&[0; RESULT - DUMP], image].concat();
            comparison.result(&fill);
        } else {
            comparison.arguments(image);
        }
    });
}

struct Comparison<'a> {
    guests: &'a mut Guests,
    index: usize,
    encoding: usize,
}

impl Comparison<'_> {
    fn result(&mut self, fill: &[u8]) {
        let index = self.index;
        let (guest, _) = self.guests.get(index, self.encoding, Kind::Dynamic);
        let dynamic = guest.make_val(index, fill);
        let (guest, case) = self.guests.get(index, self.encoding, Kind::Typed);
        let typed = guest.make_typed(index, case, fill);
        if let Some((dynamic, typed)) = self.both("as a result", dynamic, typed) {
            self.same_value(&dynamic, &*typed);
        }
    }

    /// A dynamic value and a typed one are the same if a guest cannot tell them apart.
    fn same_value(&mut self, dynamic: &Val, typed: &dyn std::any::Any) {
        let index = self.index;
        let (guest, case) = self.guests.get(index, self.encoding, Kind::Dynamic);
        let expected = guest.echo_val(index, dynamic);
        let now = guest.echo_typed(index, case, typed);
        assert_eq!(now.seen, expected.seen, "t{index} as a result");
        let _ = self.both("echoed", expected, now);
    }

    fn arguments(&mut self, fill: &[u8]) {
        let index = self.index;
        let (guest, _) = self.guests.get(index, self.encoding, Kind::Dynamic);
        let dynamic = guest.give(index, fill);
        let (guest, _) = self.guests.get(index, self.encoding, Kind::Typed);
        let typed = guest.give(index, fill);
        let _ = self.both("as arguments", dynamic, typed);
    }

    /// Both results, if both are good. A limit counts the bytes that each path takes of the host, so only one may meet it.
    fn both<D, T>(&self, what: &str, dynamic: Outcome<D>, typed: Outcome<T>) -> Option<(D, T)> {
        let limit = |error: Option<&String>| error.is_some_and(|error| error.contains("lift_bytes"));
        if limit(dynamic.result.as_ref().err()) || limit(typed.result.as_ref().err()) {
            return None;
        }
        let place = format!("t{} {what}, encoding {}", self.index, self.encoding);
        assert!(dynamic.images == typed.images, "{place}: memory differs");
        match (dynamic.result, typed.result) {
            (Ok(dynamic), Ok(typed)) => Some((dynamic, typed)),
            (Err(dynamic), Err(typed)) if dynamic == typed => None,
            (dynamic, typed) => panic!("{place}: dynamic {:?}, typed {:?}", dynamic.err(), typed.err()),
        }
    }
}
