//! Every call in every state.

use airssys_wasm::runtime::{Call, ErrorKind};
use airssys_wasm::{ComponentOptions, ComponentState, RuntimeError};

use super::host_support::{Guest, fixture, runtime, runtimes};
use super::{CALLS, call, text_processor};

#[test]
fn every_call_in_every_state() {
    use ComponentState::{Created, Failed, Initialized, ShutDown};
    let trapping = Guest {
        execute: "unreachable",
        ..Guest::default()
    }
    .build();
    // For each state, the calls that lead to it, and the state after each allowed call.
    type Row = (ComponentState, &'static [Call], [Option<ComponentState>; 6]);
    let table: [Row; 4] = [
        (
            Created,
            &[],
            [
                Some(Initialized),
                None,
                Some(Created),
                Some(Created),
                Some(Created),
                None,
            ],
        ),
        (
            Initialized,
            &[Call::Init],
            [
                None,
                Some(Initialized),
                Some(Initialized),
                Some(Initialized),
                Some(Initialized),
                Some(ShutDown),
            ],
        ),
        (ShutDown, &[Call::Init, Call::Shutdown], [None; 6]),
        (Failed, &[Call::Init, Call::Execute], [None; 6]),
    ];
    for runtime in runtimes() {
        for (state, path, outcomes) in table {
            for (this, outcome) in CALLS.into_iter().zip(outcomes) {
                let bytes = if state == Failed {
                    trapping.clone()
                } else {
                    fixture("text-processor.wasm")
                };
                let id = runtime.load_component(&bytes, ComponentOptions::new()).unwrap();
                for step in path {
                    let _ = call(&runtime, &id, *step);
                }
                assert_eq!(runtime.state(&id).unwrap(), state);
                let result = call(&runtime, &id, this);
                match (outcome, result) {
                    (Some(next), Ok(())) => {
                        assert_eq!(runtime.state(&id).unwrap(), next, "{this} when {state}")
                    }
                    (
                        None,
                        Err(RuntimeError::WrongState {
                            id: of,
                            state: in_state,
                            call: refused,
                        }),
                    ) => {
                        assert_eq!((of, in_state, refused), (id.clone(), state, this));
                        assert_eq!(runtime.state(&id).unwrap(), state);
                    }
                    (outcome, result) => panic!("{this} when {state}: {result:?}, expected {outcome:?}"),
                }
                runtime.unload(&id).unwrap();
                assert!(matches!(
                    call(&runtime, &id, this),
                    Err(RuntimeError::UnknownComponent(_))
                ));
            }
        }
    }
}

#[test]
fn a_wrong_order_says_what_to_do() {
    let runtime = runtime();
    let id = text_processor(&runtime);
    let error = call(&runtime, &id, Call::Execute).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot call `execute` of `component-1`: the component is created; call `init` first"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
}
