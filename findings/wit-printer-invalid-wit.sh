#!/usr/bin/env bash
# The WIT that wit-component prints for a valid component need not be valid WIT.
#
# Versions: wit-component and wit-parser 0.263.0, wat 1.263.0
# Behavior: a component may use a type of an imported interface in a function at its root through an alias, without declaring it there. WIT
#   has no such function: a world needs `use` for the type. The component validates and is decoded and printed without an error, but the
#   text lacks the `use`, and the parser of the same release refuses it. With a declared type the text is read back.
# Output seen:
#   undeclared: import move: func(to: point); read back: name `point` does not exist
#   declared: import move: func(to: point); read back: ok
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
wat = "=1.263.0"
wit-component = "=0.263.0"
wit-parser = "=0.263.0"
END
cat > src/main.rs <<'END'
use wit_component::{WitPrinter, decode};

fn main() {
    for (name, declaration) in [("undeclared", ""), ("declared", r#"(import "point" (type $declared (eq $point)))"#)] {
        let used = if declaration.is_empty() { "$point" } else { "$declared" };
        let component = wat::parse_str(format!(
            r#"(component
                (import "a:b/kinds" (instance $kinds
                    (type $record (record (field "x" u8)))
                    (export "point" (type (eq $record)))))
                (alias export $kinds "point" (type $point))
                {declaration}
                (import "move" (func (param "to" {used}))))"#
        ))
        .unwrap();
        let decoded = decode(&component).unwrap();
        let (resolve, main) = (decoded.resolve(), decoded.package());
        let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != main).collect();
        let mut printer = WitPrinter::default();
        printer.print(resolve, main, &others).unwrap();
        let text = printer.output.to_string();
        let function = text.lines().find(|line| line.contains("move")).unwrap().trim();
        let outcome = match wit_parser::Resolve::default().push_str("printed.wit", &text) {
            Ok(_) => "ok".to_string(),
            Err(error) => error.to_string(),
        };
        println!("{name}: {function} read back: {}", outcome.lines().next().unwrap());
    }
}
END
expected='undeclared: import move: func(to: point); read back: name `point` does not exist
declared: import move: func(to: point); read back: ok'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
