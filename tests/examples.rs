//! The example hosts whose results can be checked.

#[allow(dead_code, reason = "the example's `main` prints what is asked for here")]
#[path = "../examples/hosts/key_value.rs"]
mod key_value;

#[test]
fn a_key_value_store_keeps_what_carts_had_and_every_bucket_is_closed() {
    let told = key_value::shop().expect("the example runs");
    assert_eq!(told, "3 apples, 1 pear: 4; 0 open");
}

#[test]
fn a_whole_host_has_less_than_60_lines() {
    let lines = include_str!("../examples/hosts/key_value.rs").lines().count();
    assert!(lines < 60, "it has {lines}");
}
