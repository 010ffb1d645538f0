//! Row P13: the cost of a check of a capability, with its audit.
//!
//! Nothing turns enforcement off, so the counterpart is a linker of its own, whose import does what the checked one does but for
//! check and audit: it finds the function by its name, contains its panics, and limits its arguments and result.

use crate::measure::{Plan, Side, compare};
use crate::rows::{Figure, Row};
use airssys_wasm::ComponentId;
use airssys_wasm::component::{Component, Linker, Store, StoreContextMut};
use airssys_wasm::engine::{Backend, Config, Engine};
use airssys_wasm::host::{
    self, CallScope, ComponentError, ComponentMetadata, HostContext, HostFunctionError, HostFunctions,
    HostLimits, HostPowers, HostServices, LogRate, MessagingError, Settings,
};
use airssys_wasm::messaging::{Mailbox, MailboxLimits};
use airssys_wasm::security::{Capability, Grants, MemorySink, Policy, SecurityContext};
use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

const INTERFACE: &str = "airssys:host-core/host-capabilities@1.0.0";
/// The function that the guest calls.
const FUNCTION: &str = "prices.find";

/// The call without a check.
pub(crate) const UNCHECKED: &str = "unchecked";
const FEW: &str = "10 rules";
const MANY: &str = "10,000 rules";

/// Goals: the largest fraction of the call without a check and the nanoseconds above it, and the largest fraction of the call
/// with few rules.
const OF_UNCHECKED: f64 = 1.5;
const ABOVE_UNCHECKED: f64 = 250.0;
const OF_FEW: f64 = 2.0;

/// Measures a granted call with few rules, with many, and without a check.
pub(crate) fn measure(backend: Backend, plan: Plan) -> Result<Vec<Figure>> {
    let engine = Engine::new(Config::new().backend(backend))?;
    let component = Component::from_binary(&engine, &wat::parse_str(include_str!("checks.wat"))?)?;
    let mut checked = Linker::new(&engine);
    host::add_to_linker(&mut checked)?;
    let mut unchecked = Linker::new(&engine);
    unchecked.instance(INTERFACE)?.func_wrap(
        "call-host-function",
        |_: StoreContextMut<'_, HostContext>, (name, args): (String, Vec<u8>)| {
            Ok((call_unchecked(&name, &args),))
        },
    )?;
    let side = |name, linker: &Linker<HostContext>, grants: Grants| -> Result<Side<'static>> {
        let mut store = Store::new(&engine, context(grants)?);
        let instance = linker.instantiate(&mut store, &component)?;
        let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, ["run"])?;
        ensure!(run.call(&mut store, (7,))? == (0,), "a call failed");
        Ok(Side::per_part(name, 1000, move |parts, times| {
            for _ in 0..times {
                black_box(run.call(&mut store, black_box((parts,)))?);
            }
            Ok(())
        }))
    };
    let (few, few_audit) = grants(10)?;
    let (many, many_audit) = grants(10_000)?;
    let sides = vec![
        side(FEW, &checked, few)?,
        side(MANY, &checked, many)?,
        side(UNCHECKED, &unchecked, Grants::default())?,
    ];
    eprintln!("{} call-host-function, {backend}", Row::P13);
    let took = compare(sides, plan)?;
    for audit in [few_audit, many_audit] {
        ensure!(
            audit.last().is_some_and(|last| last.verdict == "allowed"),
            "no audit"
        );
    }
    let figure = |case: &str, ours, beside, goal, above| {
        Figure::beside(
            Row::P13,
            case,
            backend,
            &took,
            (ours, beside),
            "ns",
            (Some(goal), above),
        )
    };
    Ok(vec![
        figure(
            "granted call, 10 rules, beside unchecked",
            FEW,
            UNCHECKED,
            OF_UNCHECKED,
            Some(ABOVE_UNCHECKED),
        )?,
        figure("granted call, 10,000 rules, beside 10", MANY, FEW, OF_FEW, None)?,
    ])
}

type Unchecked = fn(&[u8]) -> Vec<u8>;

/// Calls the function of this name without a check.
fn call_unchecked(name: &str, args: &[u8]) -> Result<Vec<u8>, HostFunctionError> {
    static FUNCTIONS: LazyLock<(BTreeMap<&str, Unchecked>, HostLimits)> = LazyLock::new(|| {
        let functions = BTreeMap::from([(FUNCTION, answer as Unchecked)]);
        (functions, HostLimits::default())
    });
    let (functions, limits) = &*FUNCTIONS;
    let failed = |text: &str| HostFunctionError::Failed(text.to_owned());
    if args.len() > limits.function_argument_bytes {
        return Err(failed("the arguments are too large"));
    }
    let function = (functions.get(name)).ok_or_else(|| HostFunctionError::Unknown(name.to_owned()))?;
    let result = catch_unwind(AssertUnwindSafe(|| function(args)));
    let result = result.map_err(|_| failed("the function panicked"))?;
    match result.len() > limits.function_result_bytes {
        true => Err(failed("the result is too large")),
        false => Ok(result),
    }
}

fn answer(args: &[u8]) -> Vec<u8> {
    black_box(args).to_vec()
}

/// Returns the grants by a policy of this many rules, one of which allows the function, and their audit.
fn grants(rules: usize) -> Result<(Grants, Arc<MemorySink>)> {
    let mut policy = Policy::builder();
    for rule in 1..rules {
        policy = match rule % 4 {
            0 => policy.deny(format!("host-function:call:secret.{rule}")),
            1 => policy.allow(format!("host-function:call:prices.{rule}")),
            2 => policy.allow(format!("filesystem:read:/data/{rule}")),
            _ => policy.allow(format!("network:outbound:h{rule}.example.com")),
        };
    }
    let needed = format!("host-function:call:{FUNCTION}");
    let audit = Arc::new(MemorySink::default());
    let security = SecurityContext::builder()
        .principal("alice")
        .policy(policy.allow(&needed).build()?)
        .audit(audit.clone())
        .build();
    let required = [Capability::new(&needed)?];
    Ok((security.grants_for("caller", &required, [])?, audit))
}

fn context(grants: Grants) -> Result<HostContext> {
    let functions = HostFunctions::new().with_raw(FUNCTION, |_, args| Ok(answer(args)))?;
    Ok(HostContext {
        id: "caller".parse()?,
        settings: Settings::default(),
        mailbox: Arc::new(Mailbox::new(MailboxLimits::default())),
        services: Arc::new(NoServices),
        deadline: None,
        call: CallScope {
            request_id: Some("request-1".to_owned()),
            trace: None,
        },
        grants,
        log_rate: LogRate::default(),
        powers: Arc::new(HostPowers::new().with_functions(functions)),
    })
}

/// Services that the guest does not import.
#[derive(Debug)]
struct NoServices;

impl HostServices for NoServices {
    fn now_millis(&self) -> u64 {
        0
    }

    fn list_components(&self) -> Vec<ComponentId> {
        Vec::new()
    }

    fn component_metadata(&self, id: &str) -> Result<Arc<ComponentMetadata>, ComponentError> {
        Err(ComponentError::NotFound(id.to_owned()))
    }

    fn send(
        &self,
        _: &ComponentId,
        _: &str,
        _: Vec<u8>,
        _: &CallScope,
        _: Option<std::time::Instant>,
    ) -> Result<(), MessagingError> {
        Err(MessagingError::Closed)
    }
}
