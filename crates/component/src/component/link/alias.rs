//! Second names of instances in linkers.

use crate::component::link::linker::{Definition, Linker, define};
use crate::error::{Error, Result};

impl<T: Send + 'static> Linker<T> {
    /// Defines the instance `alias` as what the instance `name` has now. Versions that are no compatible ones for a linker, as
    /// a release candidate and its release, can then share their definitions.
    ///
    /// # Errors
    /// [`Error::MissingImport`] if the linker has no instance `name`; [`Error::Redefined`] if `alias` is defined and
    /// shadowing is not allowed.
    pub fn alias_instance(&mut self, name: &str, alias: &str) -> Result<()> {
        let Some(Definition::Instance(definitions)) = self.root.get_mut(name) else {
            return Err(Error::MissingImport {
                name: name.to_owned(),
                hint: format!("the linker defines no such instance, so `{alias}` cannot be its alias"),
            });
        };
        let definitions = Definition::Instance(definitions.clone());
        define(&mut self.root, alias, definitions, self.shadowing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Component;
    use crate::component::Store;
    use crate::engine::Engine;

    #[test]
    fn an_alias_has_the_functions_and_types_of_its_instance() {
        let engine = Engine::default();
        let mut linker = Linker::<()>::new(&engine);
        let mut instance = linker.instance("a:b/c@0.3.0").unwrap();
        instance.func_wrap("f", |_, (x,): (u32,)| Ok((x + 1,))).unwrap();
        let text = r#"(component
            (import "a:b/c@0.3.0-rc" (instance $c (export "f" (func (param "x" u32) (result u32)))))
            (core func $f (canon lower (func $c "f")))
            (core module $m (import "" "f" (func $f (param i32) (result i32)))
                (func (export "run") (result i32) (call $f (i32.const 41))))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;
        let component = Component::from_binary(&engine, &wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let missing = linker.instantiate(&mut store, &component).unwrap_err();
        assert!(matches!(missing, Error::MissingImport { .. }), "{missing}");
        linker.alias_instance("a:b/c@0.3.0", "a:b/c@0.3.0-rc").unwrap();
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), (42,));
    }

    #[test]
    fn an_alias_needs_an_instance_and_a_free_name() {
        let mut linker = Linker::<()>::new(&Engine::default());
        let missing = linker.alias_instance("a:b/c@0.3.0", "x").unwrap_err();
        assert!(missing.to_string().contains("a:b/c@0.3.0"), "{missing}");
        linker.instance("a:b/c@0.3.0").unwrap();
        linker.alias_instance("a:b/c@0.3.0", "x").unwrap();
        let again = linker.alias_instance("a:b/c@0.3.0", "x").unwrap_err();
        assert!(matches!(again, Error::Redefined(_)), "{again}");
        linker.allow_shadowing(true);
        linker.alias_instance("a:b/c@0.3.0", "x").unwrap();
    }
}
