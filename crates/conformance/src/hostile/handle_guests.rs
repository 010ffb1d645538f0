//! Guests that use handles: their imports and definitions, around a given body.

/// Returns definitions of `r` and `s`, and a core module whose `run` has `results` and this body.
pub(super) fn own_text(results: &str, body: &str, lift: &str) -> String {
    format!(
        r#"(component
        (core module $dtors
            (func $deeper (param i32) (call $deeper (local.get 0)) (call $deeper (local.get 0)))
            (func (export "s") (param i32)
                (if (i32.eqz (local.get 0)) (then unreachable))
                (if (i32.eq (local.get 0) (i32.const 1)) (then (drop (i32.div_u (i32.const 1) (i32.const 0)))))
                (if (i32.eq (local.get 0) (i32.const 2)) (then (call $deeper (i32.const 0))))))
        (core instance $dtors (instantiate $dtors))
        (type $r' (resource (rep i32)))
        (type $s' (resource (rep i32) (dtor (core func $dtors "s"))))
        (export $r "r" (type $r'))
        (export $s "s" (type $s'))
        (core func $new (canon resource.new $r'))
        (core func $rep (canon resource.rep $r'))
        (core func $drop (canon resource.drop $r'))
        (core func $new-s (canon resource.new $s'))
        (core func $drop-s (canon resource.drop $s'))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "rep" (func $rep (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "new-s" (func $new-s (param i32) (result i32)))
            (import "" "drop-s" (func $drop-s (param i32)))
            (memory (export "mem") 1)
            (func (export "run") {results} (local i32) {body}))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))
            (export "new-s" (func $new-s)) (export "drop-s" (func $drop-s))))))
        (func (export "run") {lift}))"#
    )
}

/// Returns a component that defines `r` and accepts it in every way; another one has `$make`, `$look` (borrows), `$take`
/// (owns), `$both` (borrows and owns), `$both2` (owns and borrows), `$drop`, and `$make-s` of a second type.
pub(super) fn composed_text(body: &str) -> String {
    format!(
        r#"(component
        (component $provider
            (type $r' (resource (rep i32)))
            (type $s' (resource (rep i32)))
            (export $r "r" (type $r'))
            (export $s "s" (type $s'))
            (core func $new (canon resource.new $r'))
            (core func $new-s (canon resource.new $s'))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (import "" "new-s" (func $new-s (param i32) (result i32)))
                (func (export "make") (result i32) (call $new (i32.const 70)))
                (func (export "make-s") (result i32) (call $new-s (i32.const 80)))
                (func (export "one") (param i32))
                (func (export "two") (param i32 i32)))
            (core instance $i (instantiate $m
                (with "" (instance (export "new" (func $new)) (export "new-s" (func $new-s))))))
            (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
            (func (export "make-s") (result (own $s)) (canon lift (core func $i "make-s")))
            (func (export "look") (param "x" (borrow $r)) (canon lift (core func $i "one")))
            (func (export "take") (param "x" (own $r)) (canon lift (core func $i "one")))
            (func (export "both") (param "x" (borrow $r)) (param "y" (own $r)) (canon lift (core func $i "two")))
            (func (export "both2") (param "x" (own $r)) (param "y" (borrow $r)) (canon lift (core func $i "two"))))
        (component $caller
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "s" (type $s (sub resource)))
                (export "make" (func (result (own $r))))
                (export "make-s" (func (result (own $s))))
                (export "look" (func (param "x" (borrow $r))))
                (export "take" (func (param "x" (own $r))))
                (export "both" (func (param "x" (borrow $r)) (param "y" (own $r))))
                (export "both2" (func (param "x" (own $r)) (param "y" (borrow $r))))))
            (alias export $host "r" (type $r))
            (core func $make (canon lower (func $host "make")))
            (core func $make-s (canon lower (func $host "make-s")))
            (core func $look (canon lower (func $host "look")))
            (core func $take (canon lower (func $host "take")))
            (core func $both (canon lower (func $host "both")))
            (core func $both2 (canon lower (func $host "both2")))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "make" (func $make (result i32)))
                (import "" "make-s" (func $make-s (result i32)))
                (import "" "look" (func $look (param i32)))
                (import "" "take" (func $take (param i32)))
                (import "" "both" (func $both (param i32 i32)))
                (import "" "both2" (func $both2 (param i32 i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "run") (local i32) {body}))
            (core instance $i (instantiate $m (with "" (instance
                (export "make" (func $make)) (export "make-s" (func $make-s)) (export "look" (func $look))
                (export "take" (func $take)) (export "both" (func $both)) (export "both2" (func $both2))
                (export "drop" (func $drop))))))
            (func (export "run") (canon lift (core func $i "run"))))
        (instance $p (instantiate $provider))
        (instance $c (instantiate $caller (with "host" (instance $p))))
        (export "run" (func $c "run")))"#
    )
}

/// Returns a composition: `provider` defines `r`; `$middle` borrows one for the call that runs `body`. `$look`, `$take` and
/// `$drop` are available, local 0 is the borrow, and the global `$kept` is 0 at first. `run` calls it twice.
pub(super) fn borrowed_text(body: &str) -> String {
    format!(
        r#"(component
        (component $provider
            (type $r' (resource (rep i32)))
            (export $r "r" (type $r'))
            (core func $new (canon resource.new $r'))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (func (export "make") (result i32) (call $new (i32.const 70)))
                (func (export "one") (param i32)))
            (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
            (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
            (func (export "look") (param "x" (borrow $r)) (canon lift (core func $i "one")))
            (func (export "take") (param "x" (own $r)) (canon lift (core func $i "one"))))
        (component $middle
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "look" (func (param "x" (borrow $r))))
                (export "take" (func (param "x" (own $r))))))
            (alias export $host "r" (type $r))
            (core func $look (canon lower (func $host "look")))
            (core func $take (canon lower (func $host "take")))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "look" (func $look (param i32)))
                (import "" "take" (func $take (param i32)))
                (import "" "drop" (func $drop (param i32)))
                (global $kept (mut i32) (i32.const 0))
                (func (export "use") (param i32) {body}))
            (core instance $i (instantiate $m (with "" (instance
                (export "look" (func $look)) (export "take" (func $take)) (export "drop" (func $drop))))))
            (func (export "use") (param "x" (borrow $r)) (canon lift (core func $i "use"))))
        (component $caller
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "make" (func (result (own $r))))))
            (alias export $host "r" (type $r))
            (import "use" (func $use (param "x" (borrow $r))))
            (core func $make (canon lower (func $host "make")))
            (core func $use (canon lower (func $use)))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "make" (func $make (result i32)))
                (import "" "use" (func $use (param i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "run") (local i32)
                    (local.set 0 (call $make))
                    (call $use (local.get 0))
                    (call $use (local.get 0))
                    (call $drop (local.get 0))))
            (core instance $i (instantiate $m (with "" (instance
                (export "make" (func $make)) (export "use" (func $use)) (export "drop" (func $drop))))))
            (func (export "run") (canon lift (core func $i "run"))))
        (instance $p (instantiate $provider))
        (instance $q (instantiate $middle (with "host" (instance $p))))
        (instance $c (instantiate $caller (with "host" (instance $p)) (with "use" (func $q "use"))))
        (export "run" (func $c "run")))"#
    )
}

/// Returns a guest of host resources, with `$make`, `$look`, `$take`, `$drop`.
pub(super) fn of_the_host(body: &str) -> String {
    format!(
        r#"(component
        (import "host" (instance $host
            (export "resource1" (type $r (sub resource)))
            (export "[constructor]resource1" (func (param "rep" u32) (result (own $r))))
            (export "[method]resource1.simple" (func (param "self" (borrow $r)) (param "rep" u32)))
            (export "[method]resource1.take-own" (func (param "self" (borrow $r)) (param "b" (own $r))))))
        (alias export $host "resource1" (type $r))
        (core func $make (canon lower (func $host "[constructor]resource1")))
        (core func $look (canon lower (func $host "[method]resource1.simple")))
        (core func $take (canon lower (func $host "[method]resource1.take-own")))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "" "make" (func $make (param i32) (result i32)))
            (import "" "look" (func $look (param i32 i32)))
            (import "" "take" (func $take (param i32 i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "run") (local i32) {body}))
        (core instance $i (instantiate $m (with "" (instance
            (export "make" (func $make)) (export "look" (func $look)) (export "take" (func $take))
            (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $i "run"))))"#
    )
}
