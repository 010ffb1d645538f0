//! Handles of a host resource, in records with other fields: both paths give the guest the same handles, and refuse the
//! same ones.

use airssys_wasm::Result;
use airssys_wasm::component::{
    Component, ComponentType, Func, Instance, Lift, Linker, Lower, Resource, ResourceType, Store,
    StoreContextMut, Val,
};
use airssys_wasm::engine::Engine;
use wit_component::StringEncoding;

use crate::equality::echo;
use crate::equality::guest::chain;
use crate::equality::random::Random;

const WIT: &str = "
    package equality:handles;
    interface host {
        resource thing;
        record holder { name: string, it: own<thing>, more: list<own<thing>>, maybe: option<own<thing>> }
        variant looker { nothing, one(borrow<thing>), two(tuple<u8, borrow<thing>, borrow<thing>>) }
        probe: func(memory: list<u8>);
        fill: func() -> list<u8>;
        echo-holder: func(value: holder) -> holder;
        echo-looker: func(value: looker) -> u32;
    }
    interface guest {
        use host.{holder, looker};
        echo-holder: func(value: holder) -> holder;
        make-holder: func() -> holder;
        give-holder: func();
        echo-looker: func(value: looker) -> u32;
        give-looker: func();
    }
    world w { import host; export guest; }";

struct Thing;

#[derive(ComponentType, Lower, Lift, Debug)]
#[component(record)]
struct Holder {
    name: String,
    it: Resource<Thing>,
    more: Vec<Resource<Thing>>,
    maybe: Option<Resource<Thing>>,
}

#[derive(ComponentType, Lower, Lift, Debug)]
#[component(variant)]
enum Looker {
    #[component(name = "nothing")]
    Nothing,
    #[component(name = "one")]
    One(Resource<Thing>),
    #[component(name = "two")]
    Two((u8, Resource<Thing>, Resource<Thing>)),
}

#[derive(Default)]
struct Host {
    fill: Vec<u8>,
    images: Vec<Vec<u8>>,
    /// Argument of the dynamic functions.
    seen: Option<Val>,
    /// The representations that any function received.
    reps: Vec<(u32, bool)>,
    dropped: Vec<u32>,
}

type Cx<'a> = StoreContextMut<'a, Host>;

impl Looker {
    fn things(&self) -> Vec<&Resource<Thing>> {
        match self {
            Looker::Nothing => Vec::new(),
            Looker::One(one) => vec![one],
            Looker::Two((_, one, two)) => vec![one, two],
        }
    }
}

fn reps<'a>(things: impl IntoIterator<Item = &'a Resource<Thing>>) -> Vec<(u32, bool)> {
    things
        .into_iter()
        .map(|thing| (thing.rep(), thing.owned()))
        .collect()
}

impl Holder {
    fn new(more: u32, maybe: bool) -> Holder {
        Holder {
            name: format!("{more}"),
            it: Resource::new_own(7),
            more: (0..more).map(|index| Resource::new_own(100 + index)).collect(),
            maybe: maybe.then(|| Resource::new_own(1000)),
        }
    }

    fn reps(&self) -> Vec<(u32, bool)> {
        reps([&self.it].into_iter().chain(&self.more).chain(&self.maybe))
    }
}

/// Collects the representations in a dynamic value.
fn reps_of(val: &Val, found: &mut Vec<(u32, bool)>) {
    match val {
        Val::Resource(any) => {
            let thing: Resource<Thing> = any.try_into_resource().expect("a thing");
            found.push((thing.rep(), thing.owned()));
        }
        Val::Record(fields) => fields.iter().for_each(|(_, val)| reps_of(val, found)),
        Val::List(vals) | Val::Tuple(vals) => vals.iter().for_each(|val| reps_of(val, found)),
        Val::Variant(_, payload) | Val::Option(payload) => {
            payload.iter().for_each(|val| reps_of(val, found));
        }
        _ => {}
    }
}

fn linker(engine: &Engine, typed: bool) -> Result<Linker<Host>> {
    let mut linker: Linker<Host> = Linker::new(engine);
    let mut host = linker.instance("equality:handles/host")?;
    host.resource("thing", ResourceType::host::<Thing>(), |mut cx: Cx<'_>, rep| {
        cx.data_mut().dropped.push(rep);
        Ok(())
    })?;
    host.func_wrap("probe", |mut cx: Cx<'_>, (memory,): (Vec<u8>,)| {
        cx.data_mut().images.push(memory);
        Ok(())
    })?;
    host.func_wrap("fill", |cx: Cx<'_>, (): ()| Ok((cx.data().fill.clone(),)))?;
    if typed {
        host.func_wrap("echo-holder", |mut cx: Cx<'_>, (holder,): (Holder,)| {
            cx.data_mut().reps = holder.reps();
            Ok((holder,))
        })?;
        host.func_wrap("echo-looker", |mut cx: Cx<'_>, (looker,): (Looker,)| {
            cx.data_mut().reps = reps(looker.things());
            Ok((9_u32,))
        })?;
    } else {
        let note = |cx: &mut Cx<'_>, params: &[Val]| {
            let host = cx.data_mut();
            params.iter().for_each(|val| reps_of(val, &mut host.reps));
            host.seen = params.first().cloned();
        };
        host.func_new("echo-holder", move |mut cx: Cx<'_>, _, params, results| {
            note(&mut cx, params);
            results.clone_from_slice(params);
            Ok(())
        })?;
        host.func_new("echo-looker", move |mut cx: Cx<'_>, _, params, results| {
            note(&mut cx, params);
            results[0] = Val::U32(9);
            Ok(())
        })?;
    }
    Ok(linker)
}

pub(crate) struct Handles {
    engine: Engine,
    component: Component,
    dynamic: Linker<Host>,
    typed: Linker<Host>,
}

/// All effects of a call.
#[derive(PartialEq, Debug)]
struct Trace {
    /// The representations in the result, or the error.
    result: std::result::Result<Vec<(u32, bool)>, String>,
    images: Vec<Vec<u8>>,
    reps: Vec<(u32, bool)>,
    dropped: Vec<u32>,
}

impl Handles {
    pub(crate) fn new(engine: &Engine) -> Handles {
        let (resolve, world) = echo::world(WIT, "w");
        let bytes = echo::component(&resolve, world, StringEncoding::UTF8);
        Handles {
            engine: engine.clone(),
            component: Component::from_binary(engine, &bytes).expect("the guest loads"),
            dynamic: linker(engine, false).expect("new names"),
            typed: linker(engine, true).expect("new names"),
        }
    }

    /// Makes one call in a new store; returns its trace, and the argument of the dynamic function, if it was called.
    fn run(
        &self,
        typed_host: bool,
        (name, fill): (&str, &[u8]),
        call: impl FnOnce(&mut Store<Host>, &Func) -> Result<Vec<(u32, bool)>>,
    ) -> (Trace, Option<Val>) {
        let linker = if typed_host { &self.typed } else { &self.dynamic };
        let mut store = Store::new(&self.engine, Host::default());
        let instance: Instance = linker
            .instantiate(&mut store, &self.component)
            .expect("the types fit");
        store.data_mut().fill = fill.to_vec();
        let func = instance
            .get_func(&mut store, ["equality:handles/guest", name])
            .expect("exported");
        let result = call(&mut store, &func).map_err(|error| chain(&error));
        let host = std::mem::take(store.data_mut());
        let trace = Trace {
            result,
            images: host.images,
            reps: host.reps,
            dropped: host.dropped,
        };
        (trace, host.seen)
    }

    /// Passes the same value in all four pairings of caller and host; returns their common trace.
    fn pairings<P: Lower, R: Lift>(
        &self,
        name: &str,
        value: impl Fn() -> P,
        reps_of_result: fn(&R) -> Vec<(u32, bool)>,
    ) -> Trace {
        let typed = |store: &mut Store<Host>, func: &Func| {
            let (result,) = func.typed::<(P,), (R,)>(&*store)?.call(store, (value(),))?;
            Ok(reps_of_result(&result))
        };
        // A dynamic caller passes the handles that a dynamic host function received.
        let (expected, seen) = self.run(false, (name, &[]), typed);
        let seen = seen.expect("the host function was called");
        let dynamic = |store: &mut Store<Host>, func: &Func| {
            let result = func.call_dynamic(store, std::slice::from_ref(&seen))?;
            let mut found = Vec::new();
            result.iter().for_each(|val| reps_of(val, &mut found));
            Ok(found)
        };
        assert_eq!(
            self.run(true, (name, &[]), typed).0,
            expected,
            "{name}: typed to typed"
        );
        assert_eq!(
            self.run(false, (name, &[]), dynamic).0,
            expected,
            "{name}: dynamic to dynamic"
        );
        assert_eq!(
            self.run(true, (name, &[]), dynamic).0,
            expected,
            "{name}: dynamic to typed"
        );
        expected
    }

    /// Owned handles come back; borrowed ones reach the host.
    pub(crate) fn good(&self) {
        for (more, maybe) in [(0, false), (1, true), (3, false), (5, true)] {
            let trace = self.pairings("echo-holder", || Holder::new(more, maybe), Holder::reps);
            let expected = Holder::new(more, maybe).reps();
            assert_eq!(trace.result.as_ref(), Ok(&expected));
            assert_eq!((trace.reps, trace.images.len()), (expected, 2));
        }
        let lookers: [(fn() -> Looker, usize); 3] = [
            (|| Looker::Nothing, 0),
            (|| Looker::One(Resource::new_own(3)), 1),
            (|| Looker::Two((1, Resource::new_own(4), Resource::new_own(5))), 2),
        ];
        for (looker, count) in lookers {
            let trace = self.pairings::<_, u32>("echo-looker", looker, |_| Vec::new());
            assert_eq!((trace.reps.len(), trace.images.len()), (count, 2));
            assert!(trace.reps.iter().all(|(_, owned)| !owned), "they are lent");
            // The guest keeps its borrows.
            assert_eq!(trace.result.is_err(), count > 0, "{trace:?}");
        }
    }

    /// Passes numbers that may or may not be handles; returns the number of refusals.
    pub(crate) fn hostile(&self) -> usize {
        let mut random = Random::new(5);
        let mut refused = 0;
        for _ in 0..200 {
            let mut fill = vec![0; 0x400];
            random.small_bytes(&mut fill);
            for name in ["give-holder", "give-looker"] {
                let give =
                    |store: &mut Store<Host>, func: &Func| func.call_dynamic(store, &[]).map(|_| Vec::new());
                let (dynamic, _) = self.run(false, (name, &fill), give);
                let (typed, _) = self.run(true, (name, &fill), give);
                assert_eq!(typed, dynamic, "{name}");
                refused += usize::from(dynamic.result.is_err());
            }
            let make = ("make-holder", &fill[..]);
            let (dynamic, _) = self.run(false, make, |store, func| {
                func.call_dynamic(store, &[]).map(|_| Vec::new())
            });
            let (typed, _) = self.run(false, make, |store, func| {
                func.typed::<(), (Holder,)>(&*store)?
                    .call(store, ())
                    .map(|_| Vec::new())
            });
            assert_eq!(typed, dynamic, "make-holder");
            refused += usize::from(dynamic.result.is_err());
        }
        refused
    }
}
