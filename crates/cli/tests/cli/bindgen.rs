use crate::process::airssys;

fn wit(path: &str) -> String {
    format!("{}/tests/wit/{path}", airssys_wasm_test_support::root().display())
}

#[test]
fn a_world_is_printed_as_rust() {
    let ran = airssys(&["bindgen", &wit("accepted/records.wit")]).ended(0);
    assert!(ran.stdout.contains("pub struct Records {"), "{ran:?}");
    assert!(ran.stdout.contains("use ::airssys_wasm::component::{"), "{ran:?}");
    assert!(!ran.stdout.contains("crate = "), "{ran:?}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_options_are_those_of_the_macro() {
    let ran = airssys(&[
        "bindgen",
        &wit("accepted/errors.wit"),
        "--world",
        "errors",
        "--with",
        "fixture:errors/kinds/details=my::Details",
        "--trappable-error-type",
        "fixture:errors/kinds/error-code=crate::Failure",
        "--trappable-imports",
        "log,fixture:errors/files/size",
        "--store-imports",
        "fixture:errors/files/rename",
        "--derive",
        "PartialEq",
        "--crate-path",
        "my::host",
    ])
    .ended(0);
    for text in [
        "type WithFixtureErrorsKindsDetails = my::Details;",
        "Result<u32, Error>",
        "fn convert_error_code(&mut self, error: crate::Failure) -> HostResult<ErrorCode>",
        "fn size(&mut self, path: String) -> HostResult<u64>;",
        "fn touch(&mut self, path: String);",
        "fn rename(store: Access<'_, T, Self>, a: String, b: String) -> Result<u32, Error>;",
        "#[derive(Clone, Debug, PartialEq, ComponentType, Lower, Lift)]",
        "#[component(crate = my::host)]",
    ] {
        let flat: String = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flat.contains(text) || flat.replace(", )", ")").replace("( ", "(").contains(text),
            "{text}: {flat}"
        );
    }
    let all = airssys(&[
        "bindgen",
        &wit("accepted/errors.wit"),
        "--trappable-imports",
        "all",
    ])
    .ended(0);
    assert!(
        all.stdout
            .contains("fn touch(&mut self, path: String) -> HostResult<()>;")
    );
}

#[test]
fn unstable_items_need_their_feature() {
    let path = wit("accepted/stability.wit");
    for (arguments, fancy) in [
        (&[][..], false),
        (&["--features", "fancy"], true),
        (&["--all-features"], true),
    ] {
        let arguments = [&["bindgen", path.as_str()], arguments].concat();
        let ran = airssys(&arguments).ended(0);
        assert_eq!(ran.stdout.contains("fn fancy"), fancy, "{arguments:?}");
    }
}

#[test]
fn the_source_can_go_to_a_file() {
    let file = std::env::temp_dir().join(format!("airssys-bindgen-{}.rs", std::process::id()));
    let path = file.to_str().expect("a path of text");
    let ran = airssys(&["bindgen", &wit("accepted/empty.wit"), "--output", path]).ended(0);
    assert_eq!(ran.stdout, "");
    let source = std::fs::read_to_string(&file).expect("it was written");
    std::fs::remove_file(&file).expect("it was there");
    assert!(source.contains("pub struct Empty"), "{source}");
}

#[test]
fn what_is_refused_has_a_place_and_a_way_out() {
    let ran = airssys(&["bindgen", &wit("refused/map.wit")]).ended(3);
    ran.says("map.wit:4:23: `map` is not supported; use a list of tuples");
    let ran = airssys(&["bindgen", &wit("refused/syntax.wit")]).ended(3);
    ran.says("syntax.wit:4:21");
    let ran = airssys(&["bindgen", &wit("refused/two-worlds.wit")]).ended(2);
    ran.says("`second` (");
    let ran = airssys(&["bindgen", &wit("refused/two-worlds.wit"), "--world", "third"]).ended(2);
    ran.says("there is no world `third`");
    let ran = airssys(&["bindgen", &wit("accepted/empty.wit"), "--with", "a:b/c=d"]).ended(2);
    ran.says("option `with`");
    airssys(&["bindgen", &wit("not/there.wit")])
        .ended(3)
        .says("no such file");
    airssys(&["bindgen"]).ended(2);
}
