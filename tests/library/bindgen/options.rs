//! Effects of the options of `bindgen!`.

use airssys_wasm::component::{HasSelf, HostResult, Linker, Resource};
use airssys_wasm::engine::Engine;

use crate::bindgen::common::default_engine;

mod by_name_and_path {
    airssys_wasm::component::bindgen!("two" in "wit/options");
}

mod several_paths {
    airssys_wasm::component::bindgen!({
        path: ["wit/accepted/records.wit", "wit/accepted/lists.wit"],
        world: "fixture:records/records",
    });
}

mod inline_text {
    airssys_wasm::component::bindgen!({
        path: "wit/accepted/records.wit",
        inline: "package a:b; world w { use fixture:records/shapes.{point}; export move: func(p: point) -> point; }",
    });
}

mod without_features {
    airssys_wasm::component::bindgen!({ path: "wit/accepted/stability.wit" });

    /// Complete only if `fancy` and `wild` are omitted.
    struct Old;

    impl fixture::stability::steady::Host for Old {
        fn old(&mut self) -> u8 {
            1
        }

        fn newer(&mut self) -> u8 {
            2
        }

        fn outdated(&mut self) -> u8 {
            0
        }
    }

    pub(super) fn hosted() -> u8 {
        let mut old = Old;
        // Also through the implementation for references.
        fixture::stability::steady::Host::newer(&mut &mut old)
    }
}

/// User-defined types, and an interface of another expansion.
mod with {
    use airssys_wasm::component::{ComponentType, Lift, Lower};

    /// A point with derives that the generated type lacks.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ComponentType, Lower, Lift)]
    #[component(record)]
    pub(crate) struct Point {
        pub x: i32,
        pub y: i32,
    }

    airssys_wasm::component::bindgen!({
        path: "wit/accepted/records.wit",
        with: {
            "fixture:records/shapes/point": Point,
            "fixture:records/shapes.shape": super::other::fixture::records::shapes::Shape,
        },
    });

    pub(crate) mod interface {
        airssys_wasm::component::bindgen!({
            path: "wit/accepted/records.wit",
            with: { "fixture:records/shapes": super::super::other::fixture::records::shapes },
        });
    }

    pub(crate) mod package {
        airssys_wasm::component::bindgen!({
            path: "wit/accepted/records.wit",
            with: { "fixture:records": crate::bindgen::options::other::fixture::records },
        });
    }
}

mod other {
    airssys_wasm::component::bindgen!({
        path: "wit/accepted/records.wit",
        additional_derives: [PartialEq, Clone, Default, ::core::cmp::PartialOrd],
    });
}

mod errors {
    /// The host's own error.
    #[derive(Debug)]
    pub(crate) enum Failure {
        Missing,
        Broken,
    }

    airssys_wasm::component::bindgen!({
        path: "wit/accepted/errors.wit",
        trappable_error_type: { "fixture:errors/kinds/error-code" => Failure },
        trappable_imports: ["fixture:errors/files/size", "log"],
    });
}

use errors::Failure;
use errors::fixture::errors::{files, kinds};

#[derive(Default)]
struct Files;

impl kinds::Host for Files {
    fn convert_error_code(&mut self, error: Failure) -> HostResult<kinds::ErrorCode> {
        match error {
            Failure::Missing => Ok(kinds::ErrorCode::Exist),
            Failure::Broken => Err("the disk is broken".into()),
        }
    }
}

impl files::HostFile for Files {
    fn open(&mut self, path: String) -> Result<Resource<files::File>, Failure> {
        if path.is_empty() {
            Err(Failure::Missing)
        } else {
            Ok(Resource::new_own(1))
        }
    }

    fn read(&mut self, self_: Resource<files::File>, count: u32) -> Result<Vec<u8>, Failure> {
        if self_.rep() == count {
            Err(Failure::Broken)
        } else {
            Ok(vec![0; count as usize])
        }
    }

    fn drop(&mut self, _: Resource<files::File>) -> HostResult<()> {
        Ok(())
    }
}

impl files::Host for Files {
    fn remove(&mut self, _: String) -> Result<(), Failure> {
        Ok(())
    }

    fn rename(&mut self, _: String, _: String) -> Result<u32, files::Error> {
        Err(files::Error::Closed)
    }

    fn size(&mut self, _: String) -> HostResult<u64> {
        Err("no size".into())
    }

    fn touch(&mut self, _: String) {}
}

impl errors::ErrorsImports for Files {
    fn log(&mut self, text: String) -> HostResult<bool> {
        Ok(text.is_empty())
    }
}

fn linker(engine: &Engine) -> Linker<Files> {
    let mut linker = Linker::new(engine);
    // The store's data is the host itself.
    errors::Errors::add_to_linker::<_, HasSelf<_>>(&mut linker, |files| files).expect("defined once");
    linker
}

#[test]
fn the_store_s_data_can_be_the_host_itself() {
    let linker = linker(&default_engine());
    let text = format!("{linker:?}");
    assert!(
        text.contains("fixture:errors/files") && text.contains("log"),
        "{text}"
    );
    assert!(
        !text.contains("kinds"),
        "an interface of types only is not defined"
    );
}

#[test]
fn nothing_is_defined_twice() {
    let mut linker = linker(&default_engine());
    let error = errors::Errors::add_to_linker::<_, HasSelf<_>>(&mut linker, |files| files).unwrap_err();
    assert!(matches!(error, airssys_wasm::Error::Redefined(_)), "{error}");
}

#[test]
fn error_types_are_errors() {
    let error: Box<dyn std::error::Error> = Box::new(kinds::ErrorCode::Io);
    assert_eq!(error.to_string(), "Io");
    let error: Box<dyn std::error::Error + Send + Sync> = Box::new(files::Error::Other("x".into()));
    assert_eq!(error.to_string(), "Other(\"x\")");
}

#[test]
fn additional_derives_are_there() {
    let point = other::fixture::records::shapes::Point { x: 1, y: 2 };
    assert!(
        point
            < other::fixture::records::shapes::Point {
                x: 2,
                ..Default::default()
            }
    );
    assert_eq!(point, point.clone());
}

#[test]
fn types_of_the_user_s_own_take_the_place_of_generated_ones() {
    let point: with::exports::fixture::records::shapes::Point = with::Point { x: 1, y: 2 };
    let imported: with::fixture::records::shapes::Point = point;
    assert_eq!(imported, point);
    let shape = other::fixture::records::shapes::Shape::default();
    let shape: with::exports::fixture::records::shapes::Shape = shape;
    let shape: with::interface::exports::fixture::records::shapes::Shape = shape;
    let shape: with::package::exports::fixture::records::shapes::Shape = shape;
    assert!(shape.name.is_empty());
}

#[test]
fn the_other_forms_compile() {
    assert_eq!(without_features::hosted(), 2);
    let point = inline_text::fixture::records::shapes::Point { x: 3, y: 4 };
    let point: inline_text::Point = point;
    assert_eq!(point.x + point.y, 7);
    let name = std::any::type_name::<several_paths::Records>();
    assert!(name.ends_with("Records"), "{name}");
    let name = std::any::type_name::<by_name_and_path::Two>();
    assert!(name.ends_with("Two"), "{name}");
}
