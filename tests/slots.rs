//! Reused memories carry over no data.

use airssys_wasm::component::{Component, Instance, Linker, Store};
use airssys_wasm::engine::{Backend, Config, Engine, StoreLimits};

/// A component whose memory has data, and that reads, writes and grows it.
const COMPONENT: &str = r#"(component
    (core module $m
        (memory (export "memory") 3)
        (data (i32.const 16) "data")
        (data (i32.const 70000) "more")
        (func (export "word") (param i32) (result i32) (i32.load (local.get 0)))
        (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "sum") (result i32) (local $at i32) (local $sum i32)
            (loop $next
                (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))
            (local.get $sum)))
    (core instance $i (instantiate $m))
    (func (export "word") (param "at" u32) (result u32) (canon lift (core func $i "word")))
    (func (export "fill") (param "at" u32) (param "byte" u32) (param "bytes" u32) (canon lift (core func $i "fill")))
    (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $i "grow")))
    (func (export "sum") (result u32) (canon lift (core func $i "sum"))))"#;

struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(engine: &Engine, component: &Component) -> Guest {
        let mut store = Store::new(engine, ());
        let instance = Linker::new(engine).instantiate(&mut store, component);
        let instance = instance.expect("it needs nothing");
        Guest { store, instance }
    }

    fn word(&mut self, at: u32) -> Result<u32, airssys_wasm::Error> {
        let word = self
            .instance
            .get_typed_func::<(u32,), (u32,)>(&mut self.store, ["word"]);
        Ok(word.expect("it is exported").call(&mut self.store, (at,))?.0)
    }

    fn sum(&mut self) -> u32 {
        let sum = self
            .instance
            .get_typed_func::<(), (u32,)>(&mut self.store, ["sum"]);
        sum.expect("it is exported")
            .call(&mut self.store, ())
            .expect("it runs")
            .0
    }

    fn fill(&mut self, at: u32, byte: u32, bytes: u32) {
        let fill = self
            .instance
            .get_typed_func::<(u32, u32, u32), ()>(&mut self.store, ["fill"]);
        let fill = fill.expect("it is exported");
        fill.call(&mut self.store, (at, byte, bytes)).expect("it runs");
    }

    fn grow(&mut self, pages: u32) -> i32 {
        let grow = self
            .instance
            .get_typed_func::<(u32,), (i32,)>(&mut self.store, ["grow"]);
        grow.expect("it is exported")
            .call(&mut self.store, (pages,))
            .expect("it runs")
            .0
    }

    /// Checks that the memory is as new: the data, zeros everywhere else, exactly three pages.
    fn is_new(&mut self) {
        let text: u32 = b"datamore".iter().map(|byte| u32::from(*byte)).sum();
        assert_eq!(self.word(16).expect("in bounds"), u32::from_le_bytes(*b"data"));
        assert_eq!(
            self.word(70_000).expect("in bounds"),
            u32::from_le_bytes(*b"more")
        );
        assert_eq!(self.sum(), text);
    }
}

fn engines() -> impl Iterator<Item = Engine> {
    let backends = Backend::available().iter();
    backends.map(|backend| Engine::new(Config::new().backend(*backend)).expect("it is available"))
}

fn component(engine: &Engine) -> Component {
    let bytes = wat::parse_str(COMPONENT).expect("the text parses");
    Component::from_binary(engine, &bytes).expect("it compiles")
}

#[test]
fn what_an_instance_wrote_is_gone_from_the_next() {
    for engine in engines() {
        let component = component(&engine);
        for round in 0..200 {
            let mut guest = Guest::new(&engine, &component);
            guest.is_new();
            // The whole memory, including the data, and then more than the next instance will have.
            guest.fill(0, 0xa5, 3 * 65_536);
            assert_eq!(guest.grow(round % 5), 3);
            guest.fill(0, 0x5a, (3 + round % 5) * 65_536);
        }
    }
}

#[test]
fn instances_side_by_side_have_memories_of_their_own() {
    for engine in engines() {
        let component = component(&engine);
        let mut guests: Vec<Guest> = (0..70).map(|_| Guest::new(&engine, &component)).collect();
        for (number, guest) in (1..).zip(&mut guests) {
            guest.is_new();
            guest.fill(0, number, 65_536);
        }
        for (number, guest) in (1u32..).zip(&mut guests) {
            assert_eq!(guest.word(0).expect("in bounds"), number * 0x0101_0101);
            assert_eq!(
                guest.word(70_000).expect("in bounds"),
                u32::from_le_bytes(*b"more")
            );
        }
        // More than the pool keeps are returned, out of order.
        guests.rotate_left(23);
        drop(guests);
        let mut guests: Vec<Guest> = (0..70).map(|_| Guest::new(&engine, &component)).collect();
        guests.iter_mut().for_each(Guest::is_new);
    }
}

#[test]
fn a_memory_that_had_grown_ends_where_a_new_one_does() {
    for engine in engines() {
        let component = component(&engine);
        let mut guest = Guest::new(&engine, &component);
        assert_eq!(guest.grow(10), 3);
        assert_eq!(guest.word(12 * 65_536).expect("in bounds now"), 0);
        drop(guest);
        let mut guest = Guest::new(&engine, &component);
        let error = guest.word(3 * 65_536).expect_err("out of bounds");
        assert!(error.trap().is_some(), "{error}");
        drop(guest);
        // After a trap, too.
        Guest::new(&engine, &component).is_new();
    }
}

#[test]
fn a_memory_grows_to_its_limit_and_no_further() {
    for engine in engines() {
        let component = component(&engine);
        let mut limits = StoreLimits::default();
        limits.memory_bytes = 5 * 65_536;
        let mut store = Store::with_limits(&engine, (), limits);
        let instance = Linker::new(&engine).instantiate(&mut store, &component);
        let instance = instance.expect("it needs nothing");
        let mut guest = Guest { store, instance };
        assert_eq!(guest.grow(3), -1);
        assert_eq!(guest.grow(2), 3);
        assert_eq!(guest.grow(0), 5);
        assert_eq!(guest.grow(1), -1);
        assert_eq!(guest.word(5 * 65_536 - 4).expect("in bounds"), 0);
    }
}
