//! `invoke`: calls one exported function.

use airssys_wasm::component::{FuncType, Linker, Store, TypeNames, Val};
#[cfg(feature = "wasix")]
use airssys_wasm::wasi::preview1::{self, Preview1Guest, Preview1View};
use airssys_wasm::wasi::{self, WasiCtxView, WasiState, WasiView};
use airssys_wasm::wave::{self, Call, Export};
use serde_json::json;

use crate::args::InvokeArgs;
use crate::exit::{Exit, Failure, Outcome};
#[cfg(feature = "wasix")]
use crate::program;
use crate::{command, keys, load, output, policy};

/// Advice for a name that refers to no function.
const LISTING: &str = "`airssys-wasm inspect FILE` lists all exports of a component";

pub(crate) fn run(args: &InvokeArgs) -> Outcome {
    let call = Call::parse(&args.call)?;
    let trust = keys::accepted(&args.trust)?;
    let engine = load::engine(&args.backend)?;
    let path = args.component.as_path();
    let source = load::source(path)?;
    let cache = load::cache(&args.cache, &source)?;
    #[cfg(feature = "adapt")]
    let options = args.core.options();
    #[cfg(not(feature = "adapt"))]
    let options = airssys_wasm::load::LoadOptions::default();
    let component = load::component(&engine, cache, (path, &source), &trust, &options)?;
    let export = wave::find(&component, &call).map_err(|error| Failure::from(error).advised(LISTING))?;
    let names = TypeNames::of(&component);
    refuse_resources(&export, &names)?;
    let ty = &export.function.ty;
    let params =
        wave::arguments(call.args, ty).map_err(|error| misfit(args, &call, &export, &names, &error))?;

    let mut linker = Linker::new(&engine);
    wasi::add_imports_to_linker(&mut linker, &component)?;
    #[cfg(feature = "wasix")]
    preview1::add_to_linker(&mut linker, &component)?;
    linker.define_unknown_imports_as_traps(&component)?;
    let mut grants = command::grants(&args.wasi, path)?;
    policy::grant(&args.security, (path, &source), &component, &mut grants)?;
    let data = Data {
        wasi: grants.build().into(),
        #[cfg(feature = "wasix")]
        preview1: Preview1Guest::new(program::grants_for(&component, &args.wasi, path)?),
    };
    let mut store = Store::new(&engine, data);
    let names_of_export: Vec<&str> = export.path.iter().map(String::as_str).collect();
    let called = linker
        .instantiate(&mut store, &component)
        .and_then(|instance| instance.try_get_func(&mut store, &names_of_export[..]))
        .and_then(|function| function.call_dynamic(&mut store, &params));
    match called {
        Ok(result) => answer(args, &export, &names, result.as_ref()),
        Err(error) => match wasi::Exit::of(&error) {
            Some(exit) => Ok(Exit::Status(exit.code)),
            None => Err(error.into()),
        },
    }
}

/// The WASI state of the component.
struct Data {
    wasi: WasiState,
    #[cfg(feature = "wasix")]
    preview1: Preview1Guest,
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

#[cfg(feature = "wasix")]
impl Preview1View for Data {
    fn preview1(&mut self) -> &mut Preview1Guest {
        &mut self.preview1
    }
}

/// Refuses functions with handles among their parameters or results: handles have no text.
fn refuse_resources(export: &Export, names: &TypeNames<'_>) -> Outcome<()> {
    let FuncType { params, result } = &export.function.ty;
    let mut types = params.iter().map(|(_, ty)| ty).chain(result);
    if !types.any(wave::holds_resource) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{}` cannot be called from the command line: its type has a resource, which has no text form\nits type is {}",
        export.name(),
        names.brief_func(&export.function.ty)
    )))
}

/// Returns an error that marks the wrong argument in the text of the call.
fn misfit(
    args: &InvokeArgs,
    call: &Call<'_>,
    export: &Export,
    names: &TypeNames<'_>,
    error: &wave::ArgumentError,
) -> Failure {
    let at = call.args_at + error.at;
    let before = args.call.get(..at).unwrap_or(&args.call);
    let column = before.chars().count();
    Failure::usage(format!(
        "invalid arguments at character {}: {}\n{}\n{}^\n`{}` is {}",
        column + 1,
        error.message,
        args.call,
        " ".repeat(column),
        export.name(),
        names.brief_func(&export.function.ty)
    ))
}

/// Prints the result. An error that the function returned counts as an answer.
fn answer(args: &InvokeArgs, export: &Export, names: &TypeNames<'_>, result: Option<&Val>) -> Outcome {
    let text = result.map(wave::to_text).transpose();
    let text =
        text.map_err(|error| Failure::new(Exit::Host, error).context("the result cannot be printed"))?;
    let failed = matches!(result, Some(Val::Result(Err(_))));
    if args.json {
        let ty = export.function.ty.result.as_ref().map(|ty| names.show(ty));
        output::print_json(&json!({
            "function": export.name(),
            "type": ty,
            "result": text,
            "failed": failed,
        }))?;
    } else if let Some(text) = text {
        output::print(&text)?;
    }
    Ok(if failed { Exit::Answered } else { Exit::Done })
}
