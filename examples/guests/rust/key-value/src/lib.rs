//! Shopping carts, stored in buckets of the host; `wit/world.wit` documents each function.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "key-value" });
    use super::Carts;
    export!(Carts);
}

use bindings::exports::guests::key_value::carts;
use bindings::guests::key_value::store::Bucket;

/// The key of the number of all items.
const PIECES: &str = "pieces";

struct Carts;

impl carts::Guest for Carts {
    type Cart = Cart;

    fn checkout(cart: carts::Cart) -> u32 {
        cart.get::<Cart>().count(PIECES)
    }
}

/// A customer's cart: the bucket with its numbers, closed with the cart.
struct Cart {
    bucket: Bucket,
}

impl Cart {
    /// Returns the number of a key; zero if there is none.
    fn count(&self, key: &str) -> u32 {
        let count = self.bucket.get(key);
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    fn raise(&self, key: &str, by: u32) -> u32 {
        let count = self.count(key).saturating_add(by);
        self.bucket.set(key, &count.to_string());
        count
    }
}

impl carts::GuestCart for Cart {
    fn new(customer: String) -> Cart {
        Cart {
            bucket: Bucket::new(&customer),
        }
    }

    fn add(&self, item: String, count: u32) -> u32 {
        self.raise(PIECES, count);
        self.raise(&format!("item:{item}"), count)
    }
}
