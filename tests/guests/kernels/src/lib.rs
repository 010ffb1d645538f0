//! Computations that the benchmark has each compiler's code do; `wit/world.wit` says what each function does.

mod kernels;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "kernels", generate_all });
    use super::Kernels;
    export!(Kernels);
}

struct Kernels;

macro_rules! exports {
    ($($name:ident)*) => {
        impl bindings::exports::fixtures::kernels::compute::Guest for Kernels {
            $(fn $name(size: u32) -> u64 {
                kernels::$name(size)
            })*
        }
    };
}

exports! { fib matrix sha256 quicksort sieve base64 mandelbrot memory hash_table tree text bodies }
