//! Types of components, instances and functions, for hosts that look at a component before they use it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::component::ir::{ExternType, Function};
use crate::component::{FuncType, ModuleType, TransmitType, Type};
use crate::engine::Engine;

/// The type of a stream, in [`Type::Stream`]. [`TransmitType::ty`] is its element's.
pub type StreamType = TransmitType;

/// The type of a future, in [`Type::Future`]. [`TransmitType::ty`] is its value's.
pub type FutureType = TransmitType;

/// The type of a component: its imports and exports.
#[derive(Clone, Debug)]
pub struct Component(super::Component);

impl Component {
    pub(super) fn new(component: super::Component) -> Component {
        Component(component)
    }

    /// The imports at the root, by name, in the order of the component's definition.
    pub fn imports(&self, _engine: &Engine) -> impl ExactSizeIterator<Item = (&str, ComponentExtern)> {
        self.0.imports().iter().map(|item| self.item(item))
    }

    /// The exports at the root, by name, in the order of the component's definition.
    pub fn exports(&self, _engine: &Engine) -> impl ExactSizeIterator<Item = (&str, ComponentExtern)> {
        self.0.exports().iter().map(|item| self.item(item))
    }

    /// The import with exactly this name.
    pub fn get_import(&self, engine: &Engine, name: &str) -> Option<ComponentExtern> {
        self.imports(engine)
            .find(|(import, _)| *import == name)
            .map(|(_, ty)| ty)
    }

    /// The export with exactly this name.
    pub fn get_export(&self, engine: &Engine, name: &str) -> Option<ComponentExtern> {
        self.exports(engine)
            .find(|(export, _)| *export == name)
            .map(|(_, ty)| ty)
    }

    fn item<'a>(&'a self, (name, ty): &'a (String, ExternType)) -> (&'a str, ComponentExtern) {
        (name, ComponentExtern::of(ty, &self.0))
    }
}

/// An import or export of a component or an instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ComponentExtern {
    /// Its type.
    pub ty: ComponentItem,
}

impl ComponentExtern {
    fn of(ty: &ExternType, component: &super::Component) -> ComponentExtern {
        ComponentExtern {
            ty: ComponentItem::of(ty, component),
        }
    }
}

/// The type of an import or export.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ComponentItem {
    /// A function.
    ComponentFunc(ComponentFunc),
    /// An instance.
    ComponentInstance(ComponentInstance),
    /// A value type.
    Type(Type),
    /// A resource type: a number that [`Type::Own`] and [`Type::Borrow`] of the same component have, too.
    Resource(airssys_wasm_abi::ResourceType),
    /// A core module.
    Module(Arc<ModuleType>),
    /// A component.
    Component,
}

impl ComponentItem {
    pub(super) fn of(ty: &ExternType, component: &super::Component) -> ComponentItem {
        match ty {
            ExternType::Func(function) => ComponentItem::ComponentFunc(ComponentFunc::new(function.clone())),
            ExternType::Instance(items) => ComponentItem::ComponentInstance(ComponentInstance {
                items: items.as_slice().into(),
                component: component.clone(),
            }),
            ExternType::Type(ty) => ComponentItem::Type(ty.clone()),
            ExternType::Resource(ty) => ComponentItem::Resource(*ty),
            ExternType::Module(ty) => ComponentItem::Module(ty.clone()),
            ExternType::Component => ComponentItem::Component,
        }
    }
}

/// The type of an instance that a component imports or exports.
#[derive(Clone)]
pub struct ComponentInstance {
    items: Arc<[(String, ExternType)]>,
    component: super::Component,
}

impl ComponentInstance {
    /// The exports by name, in the order of the definition.
    pub fn exports(&self, _engine: &Engine) -> impl ExactSizeIterator<Item = (&str, ComponentExtern)> {
        let items = self.items.iter();
        items.map(|(name, ty)| (name.as_str(), ComponentExtern::of(ty, &self.component)))
    }

    /// The export with exactly this name.
    pub fn get_export(&self, engine: &Engine, name: &str) -> Option<ComponentExtern> {
        self.exports(engine)
            .find(|(export, _)| *export == name)
            .map(|(_, ty)| ty)
    }
}

impl fmt::Debug for ComponentInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.items.iter().map(|(name, ty)| (name, ty.kind())))
            .finish()
    }
}

/// The type of a function. Dereferences to a [`FuncType`], which has the same as fields.
#[derive(Clone)]
pub struct ComponentFunc(Arc<Function>);

impl ComponentFunc {
    pub(super) fn new(function: Arc<Function>) -> ComponentFunc {
        ComponentFunc(function)
    }

    /// The parameters: names and types.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, Type)> {
        let params = self.0.ty.params.iter();
        params.map(|(name, ty)| (&**name, ty.clone()))
    }

    /// The results: none or one.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Type> {
        self.0.ty.result.iter().cloned()
    }
}

impl Deref for ComponentFunc {
    type Target = FuncType;

    fn deref(&self) -> &FuncType {
        &self.0.ty
    }
}

impl fmt::Debug for ComponentFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.ty.fmt(f)
    }
}
