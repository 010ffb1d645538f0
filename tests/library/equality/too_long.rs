//! Lists that are too long for any guest: both paths refuse them before they lower anything, with the same place.

use airssys_wasm::component::{Component, Lift, Linker, Lower, Store, StoreContextMut, Val};
use airssys_wasm::engine::Engine;

use crate::equality::echo;
use crate::equality::guest::chain;
use wit_component::StringEncoding;

/// One byte more than a list may have.
const TOO_LONG: usize = 1 << 28;

/// Conversion of a Rust type to WIT, and of its values to dynamic ones.
trait Dynamic: Lower + Lift + Send + 'static {
    fn wit() -> String;
    fn into_val(self) -> Val;
}

/// `list<u8>`.
impl Dynamic for Vec<u8> {
    fn wit() -> String {
        String::from("list<u8>")
    }

    fn into_val(self) -> Val {
        Val::Bytes(self)
    }
}

impl Dynamic for u64 {
    fn wit() -> String {
        String::from("u64")
    }

    fn into_val(self) -> Val {
        Val::U64(self)
    }
}

impl Dynamic for String {
    fn wit() -> String {
        String::from("string")
    }

    fn into_val(self) -> Val {
        Val::String(self)
    }
}

impl<T: Dynamic> Dynamic for Option<T> {
    fn wit() -> String {
        format!("option<{}>", T::wit())
    }

    fn into_val(self) -> Val {
        Val::Option(self.map(|value| Box::new(value.into_val())))
    }
}

impl<T: Dynamic, E: Dynamic> Dynamic for Result<T, E> {
    fn wit() -> String {
        format!("result<{}, {}>", T::wit(), E::wit())
    }

    fn into_val(self) -> Val {
        let boxed = |val| Some(Box::new(val));
        Val::Result(
            self.map(|value| boxed(value.into_val()))
                .map_err(|value| boxed(value.into_val())),
        )
    }
}

impl<T: Dynamic, const N: usize> Dynamic for [T; N] {
    fn wit() -> String {
        format!("list<{}, {N}>", T::wit())
    }

    fn into_val(self) -> Val {
        Val::FixedLengthList(self.into_iter().map(T::into_val).collect())
    }
}

impl<A: Dynamic, B: Dynamic> Dynamic for (A, B) {
    fn wit() -> String {
        format!("tuple<{}, {}>", A::wit(), B::wit())
    }

    fn into_val(self) -> Val {
        Val::Tuple(vec![self.0.into_val(), self.1.into_val()])
    }
}

/// A list of anything but bytes.
struct List<T>(Vec<T>);

mod list {
    //! [`List`](super::List) crosses like the vector in it.

    use airssys_wasm::Result;
    use airssys_wasm::component::support::{AbiError, Plan};
    use airssys_wasm::component::{
        ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, Lower, LowerContext,
        Type, TypeCheck, TypeContext,
    };

    use super::List;

    impl<T: ComponentType> ComponentType for List<T> {
        const LAYOUT: Layout = <Vec<T>>::LAYOUT;

        fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
            <Vec<T>>::typecheck(ty, cx)
        }
    }

    impl<T: Lower> Lower for List<T> {
        fn check(&self) -> std::result::Result<(), AbiError> {
            self.0.check()
        }

        fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues) -> Result<()> {
            self.0.lower_flat(cx, plan, flat)
        }

        fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
            self.0.store(cx, plan, at)
        }
    }

    impl<T: Lift> Lift for List<T> {
        fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<List<T>> {
            <Vec<T>>::lift_flat(cx, plan, flat).map(List)
        }

        fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<List<T>> {
            <Vec<T>>::load(cx, plan, at).map(List)
        }
    }
}

impl<T: Dynamic> Dynamic for List<T> {
    fn wit() -> String {
        format!("list<{}>", T::wit())
    }

    fn into_val(self) -> Val {
        Val::List(self.0.into_iter().map(T::into_val).collect())
    }
}

/// The errors of one path: for an argument, and for a host function's result.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Errors {
    pub(crate) argument: String,
    pub(crate) result: String,
}

/// Creates a value that contains a list of the given number of bytes.
struct Subject<T>(fn(usize) -> T);

type Cx<'a> = StoreContextMut<'a, ()>;

impl<T: Dynamic> Subject<T> {
    fn errors(&self, engine: &Engine) -> [Errors; 2] {
        let ty = T::wit();
        let wit = format!(
            "package equality:long;
            interface host {{ probe: func(memory: list<u8>); fill: func() -> list<u8>; echo: func(value: {ty}) -> {ty}; }}
            interface guest {{ echo: func(value: {ty}) -> {ty}; }}
            world w {{ import host; export guest; }}"
        );
        let (resolve, world) = echo::world(&wit, "w");
        let bytes = echo::component(&resolve, world, StringEncoding::UTF8);
        let component = Component::from_binary(engine, &bytes).expect("the guest loads");
        let errors = |dynamic: bool| {
            let mut linker: Linker<()> = Linker::new(engine);
            let mut host = linker.instance("equality:long/host").expect("a new name");
            host.func_wrap("probe", |_: Cx<'_>, _: (Vec<u8>,)| Ok(()))
                .expect("a new name");
            host.func_wrap("fill", |_: Cx<'_>, (): ()| Ok((Vec::<u8>::new(),)))
                .expect("a new name");
            let make = self.0;
            let defined = if dynamic {
                host.func_new("echo", move |_: Cx<'_>, _, _, results| {
                    results[0] = make(TOO_LONG).into_val();
                    Ok(())
                })
            } else {
                host.func_wrap("echo", move |_: Cx<'_>, _: (T,)| Ok((make(TOO_LONG),)))
            };
            defined.expect("a new name");
            let mut store = Store::new(engine, ());
            let instance = linker.instantiate(&mut store, &component).expect("the types fit");
            let func = instance
                .get_func(&mut store, ["equality:long/guest", "echo"])
                .expect("exported");
            let mut call = |length: usize| {
                let error = if dynamic {
                    func.call_dynamic(&mut store, &[make(length).into_val()]).err()
                } else {
                    let func = func.typed::<(T,), (T,)>(&store).expect("the types fit");
                    func.call(&mut store, (make(length),)).err()
                };
                chain(&error.expect("it is refused"))
            };
            // The first call does not enter the guest; the second finds it unchanged.
            Errors {
                argument: call(TOO_LONG),
                result: call(3),
            }
        };
        [errors(true), errors(false)]
    }
}

/// Returns the errors of each type, dynamic and typed.
pub(crate) fn all(engine: &Engine) -> Vec<(String, [Errors; 2])> {
    macro_rules! subjects {
        ($($make:expr;)*) => {
            vec![$({
                let subject = Subject($make);
                (wit(&subject), subject.errors(engine))
            }),*]
        };
    }
    subjects! {
        zeros;
        |n| Some(zeros(n));
        |n| Some(Some(zeros(n)));
        |n| Ok::<_, u64>(zeros(n));
        |n| Ok::<_, String>(zeros(n));
        |n| Err::<u64, _>(zeros(n));
        |n| Err::<String, _>(zeros(n));
        |n| Err::<Vec<u8>, _>(zeros(n));
        |n| (zeros(n), 1_u64);
        |n| (1_u64, zeros(n));
        |n| (String::from("s"), zeros(n));
        |n| (zeros(0), zeros(n));
        |n| (1_u64, (zeros(n), 1_u64));
        |n| (1_u64, (1_u64, zeros(n)));
        |n| [zeros(n)];
        |n| [zeros(0), zeros(1), zeros(n)];
        |n| List(vec![zeros(n)]);
        |n| List(vec![zeros(0), zeros(2), zeros(n), zeros(n)]);
        |n| List(vec![None, Some(zeros(n))]);
        |n| List(vec![(1_u64, zeros(0)), (2, zeros(n))]);
        |n| List(vec![List(vec![]), List(vec![zeros(1), zeros(n)])]);
        |n| List(vec![Ok(1_u64), Err(zeros(n))]);
        |n| Some(List(vec![zeros(n)]));
        |n| Some((zeros(n), 1_u64));
        |n| Some((String::new(), Some(zeros(n))));
        |n| Ok::<_, u64>(Some(zeros(n)));
        |n| Ok::<_, Vec<u8>>((1_u64, zeros(n)));
        |n| Err::<u64, _>(List(vec![zeros(3), zeros(n)]));
        |n| Err::<u64, _>([zeros(0), zeros(n)]);
        |n| (Some(1_u64), Some(zeros(n)));
        |n| (Ok::<u64, u64>(1), Err::<u64, _>(zeros(n)));
        |n| ([zeros(0), zeros(n)], List(vec![zeros(n)]));
        |n| [[zeros(0), zeros(0)], [zeros(0), zeros(n)]];
        |n| [Some(zeros(n)), None];
        |n| ((zeros(0), (zeros(0), (zeros(0), zeros(n)))), 7_u64);
        |n| Some(Ok::<_, Option<u64>>(List(vec![(String::new(), [zeros(n)])])));
    }
}

/// Never touched, so it uses no memory.
fn zeros(length: usize) -> Vec<u8> {
    vec![0; length]
}

fn wit<T: Dynamic>(_: &Subject<T>) -> String {
    T::wit()
}
