//! The border between a module and wasmer-wasix: a guard before each of that library's functions.
//!
//! A panic behind a guard ends the module with a trap that names the import; nothing else is affected. Where
//! wasmer-wasix returns a wrong answer, or asserts a condition that a module can break, a [check](super::checks)
//! answers instead.

use std::sync::{Arc, OnceLock};

use wasmer_wasix::wasmer::{
    AsStoreMut, Extern, Function, FunctionEnv, FunctionEnvMut, Imports, Instance, Memory, Module,
    RuntimeError, Value,
};

use super::checks::{Answer, Call, Check, errno};
use super::opened::{self, Opened};
use super::paths::Inside;
use airssys_wasm_component::component::runtime_error;
use airssys_wasm_component::internal::{check_interrupted, contain};

/// Functions that can unwind the module's stack, and resume after they were left: wasmer does that at the call of the
/// module, so that no guard may be in between. Their panics are contained at that call.
const UNWINDING: [&str; 9] = [
    "context_switch",
    "proc_exec",
    "proc_exec2",
    "proc_exec3",
    "proc_exec4",
    "proc_fork",
    "proc_snapshot",
    "stack_checkpoint",
    "stack_restore",
];

/// Further such functions, in a module that imports `proc_fork`.
const UNWINDING_FORKED: [&str; 2] = ["proc_exit", "proc_exit2"];

/// Facts about a module and its instance.
#[derive(Debug)]
pub(super) struct Border {
    /// True if the module imports only preview 1: WASIX changes the meaning of some of its functions.
    pub(super) plain: bool,
    pub(super) opened: Arc<Opened>,
    /// Once the instance is there.
    memory: OnceLock<Memory>,
    forks: bool,
}

impl Border {
    /// Creates the border of a module that imports functions of these names.
    pub(super) fn new<'a>(
        imports: impl Iterator<Item = (&'a str, &'a str)>,
        opened: Arc<Opened>,
    ) -> Arc<Border> {
        let (mut plain, mut forks) = (true, false);
        for (module, name) in imports {
            plain &= is_plain(module);
            forks |= name == "proc_fork";
        }
        Arc::new(Border {
            plain,
            opened,
            memory: OnceLock::new(),
            forks,
        })
    }

    /// Returns whether a function has no guard: its panics are contained at the call of the module.
    pub(super) fn is_open(&self, name: &str) -> bool {
        UNWINDING.contains(&name) || (self.forks && UNWINDING_FORKED.contains(&name))
    }

    /// Records the memory of the instance.
    pub(super) fn instantiated(&self, instance: &Instance, imported: Option<&Memory>) {
        let exported = || {
            instance
                .exports
                .iter()
                .memories()
                .next()
                .map(|(_, memory)| memory.clone())
        };
        if let Some(memory) = imported.cloned().or_else(exported) {
            // An instance has one memory.
            let _ = self.memory.set(memory);
        }
    }
}

/// Returns whether a module name belongs to preview 1, not to WASIX.
pub(super) fn is_plain(module: &str) -> bool {
    !matches!(module, "wasix_32v1" | "wasix_64v1")
}

/// Returns the names of the functions that a module imports.
pub(super) fn imported(module: &Module) -> Vec<(String, String)> {
    module
        .imports()
        .functions()
        .map(|import| (import.module().to_owned(), import.name().to_owned()))
        .collect()
}

/// Puts guards before the `wanted` functions of `imports`.
pub(super) fn guard_all(
    store: &mut impl AsStoreMut,
    imports: &mut Imports,
    border: &Arc<Border>,
    wanted: &[(String, String)],
) {
    let all = imports.clone();
    let env = FunctionEnv::new(store, border.clone());
    for (module, name) in wanted {
        let look_up = |name: &str| match all.get_export(module, name) {
            Some(Extern::Function(function)) => Some(function),
            _ => None,
        };
        if let Some(function) = guard(store, &env, (module, name), look_up) {
            imports.define(module, name, function);
        }
    }
}

/// Returns a guard for the function of this name, if it may have one. `look_up` finds all functions of the same module
/// name.
pub(super) fn guard(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<Arc<Border>>,
    (module, name): (&str, &str),
    look_up: impl Fn(&str) -> Option<Function>,
) -> Option<Function> {
    let border = env.as_ref(store).clone();
    let function = look_up(name)?;
    if border.is_open(name) {
        return None;
    }
    let guard = Guard {
        descriptors: match border.plain {
            true => opened::descriptors(name),
            false => &[],
        },
        inside: Inside::of(name, border.plain, &look_up),
        check: Check::of(module, name, border.plain, &look_up),
    };
    let place = format!("`{module}#{name}`");
    let ty = function.ty(store);
    let guarded = move |mut env: FunctionEnvMut<'_, Arc<Border>>, args: &[Value]| {
        let (border, mut store) = env.data_and_store_mut();
        let called = contain(&place, || match border.memory.get().filter(|_| guard.is_some()) {
            Some(memory) => {
                let mut call = Call::new(&mut store, border, memory, &function, args);
                guard.run(&mut call).map(|errno| vec![Value::I32(errno)])
            }
            None => function.call(&mut store, args).map(Vec::from),
        });
        let results = called.unwrap_or_else(|panicked| Err(trap(panicked)))?;
        check_interrupted().map(|()| results).map_err(runtime_error)
    };
    Some(Function::new_with_env(store, env, ty, guarded))
}

/// Guard of one import.
struct Guard {
    /// Arguments that are descriptors, in a module of preview 1.
    descriptors: &'static [usize],
    inside: Option<Inside>,
    check: Option<Check>,
}

impl Guard {
    fn is_some(&self) -> bool {
        !self.descriptors.is_empty() || self.inside.is_some() || self.check.is_some()
    }

    fn run(&self, call: &mut Call<'_, '_>) -> Answer {
        let is_closed = |at: &usize| call.border.opened.is_closed(call.descriptor(*at));
        if self.descriptors.iter().any(is_closed) {
            return Ok(errno::BADF);
        }
        if let Some(inside) = &self.inside
            && let Some(refused) = inside.refuse(call)?
        {
            return Ok(refused);
        }
        match &self.check {
            Some(check) => check.run(call),
            None => call.go_on(),
        }
    }
}

fn trap(panicked: airssys_wasm_component::internal::Panicked) -> RuntimeError {
    runtime_error(panicked.trap())
}
