//! The example hosts whose results can be checked.

#[allow(dead_code, reason = "the example's `main` prints what is asked for here")]
#[path = "../examples/hosts/host_application.rs"]
mod host_application;
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

#[test]
fn a_host_application_loads_what_its_policy_allows_and_audits_the_rest() {
    let [answer, refused, audit] = host_application::run().expect("the example runs");
    assert!(answer.starts_with("text-processor: {"), "{answer}");
    assert!(
        refused.contains("`filesystem:read:/models/words`: no rule of the policy allows it"),
        "{refused}"
    );
    // Of the first host, the optional capability that it does not get; of the second, all that is missing is in the error.
    assert_eq!(audit, "text-processor denied config:write:cache");
}
