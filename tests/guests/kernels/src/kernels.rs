//! The computations. The benchmark compiles this file too, so that it knows the answers: they are the same where a
//! pointer has 32 bits and where it has 64.

use std::hint::black_box;

/// Numbers that look random, the same each time (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn new() -> Numbers {
        Numbers(0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 32) as u8).collect()
    }
}

/// One number of many, in which their order counts.
fn digest(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, number| {
            (hash ^ number).wrapping_mul(0x0100_0000_01b3)
        })
}

pub(super) fn fib(size: u32) -> u64 {
    #[inline(never)]
    fn fib(n: u32) -> u32 {
        if n < 2 {
            n
        } else {
            fib(n - 1).wrapping_add(fib(n - 2))
        }
    }
    u64::from(fib(size))
}

pub(super) fn matrix(size: u32) -> u64 {
    let n = size as usize;
    let mut numbers = Numbers::new();
    let mut fill = || -> Vec<f64> {
        (0..n * n)
            .map(|_| (numbers.next() >> 40) as f64 / 1024.0)
            .collect()
    };
    let (a, b) = (fill(), fill());
    let mut product = vec![0.0; n * n];
    for (row, out) in a.chunks_exact(n).zip(product.chunks_exact_mut(n)) {
        for (factor, line) in row.iter().zip(b.chunks_exact(n)) {
            for (out, value) in out.iter_mut().zip(line) {
                *out += factor * value;
            }
        }
    }
    digest(product.iter().map(|value| value.to_bits()))
}

pub(super) fn sha256(size: u32) -> u64 {
    let message = Numbers::new().bytes(size as usize * 1024);
    let mut state: [u32; 8] = std::array::from_fn(|index| root_bits(prime(index), f64::sqrt));
    let constants: [u32; 64] = std::array::from_fn(|index| root_bits(prime(index), f64::cbrt));
    let mut rest = message.chunks_exact(64);
    for block in &mut rest {
        compress(&mut state, block, &constants);
    }
    // The length in kibibytes leaves no part of a block: what follows is padding alone.
    let mut last = [0; 64];
    last[0] = 0x80;
    last[56..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    compress(&mut state, &last, &constants);
    digest(state.iter().map(|word| u64::from(*word)))
}

/// The prime number with that index.
fn prime(index: usize) -> u32 {
    let mut primes = (2u32..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    primes.nth(index).unwrap_or_default()
}

/// The first 32 bits behind the point of a number's root.
fn root_bits(number: u32, root: impl Fn(f64) -> f64) -> u32 {
    (root(f64::from(number)).fract() * 4_294_967_296.0) as u32
}

fn compress(state: &mut [u32; 8], block: &[u8], constants: &[u32; 64]) {
    let mut w = [0u32; 64];
    for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for i in 16..64 {
        let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
        let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, constant) in w.iter().zip(constants) {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = e & f ^ !e & g;
        let one = h
            .wrapping_add(s1)
            .wrapping_add(choice)
            .wrapping_add(*constant)
            .wrapping_add(*word);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = a & b ^ a & c ^ b & c;
        let two = s0.wrapping_add(majority);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
    }
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.wrapping_add(new);
    }
}

pub(super) fn quicksort(size: u32) -> u64 {
    fn sort(numbers: &mut [u32]) {
        if numbers.len() <= 16 {
            for end in 1..numbers.len() {
                let mut at = end;
                while at > 0 && numbers[at - 1] > numbers[at] {
                    numbers.swap(at - 1, at);
                    at -= 1;
                }
            }
            return;
        }
        let last = numbers.len() - 1;
        let (first, middle, end) = (numbers[0], numbers[last / 2], numbers[last]);
        let pivot = first.max(middle).min(first.min(middle).max(end));
        let (mut low, mut high) = (0, last);
        loop {
            while numbers[low] < pivot {
                low += 1;
            }
            while numbers[high] > pivot {
                high -= 1;
            }
            if low >= high {
                break;
            }
            numbers.swap(low, high);
            low += 1;
            high -= 1;
        }
        let (left, right) = numbers.split_at_mut(low);
        sort(left);
        sort(right);
    }
    let mut source = Numbers::new();
    let mut numbers: Vec<u32> = (0..size).map(|_| source.next() as u32).collect();
    sort(&mut numbers);
    let sorted = numbers.windows(2).all(|pair| pair[0] <= pair[1]);
    digest(numbers.iter().map(|number| u64::from(*number))) ^ u64::from(!sorted)
}

pub(super) fn sieve(size: u32) -> u64 {
    let size = size as usize;
    let mut composite = vec![false; size];
    let (mut count, mut last) = (0u64, 0);
    for number in 2..size {
        if composite[number] {
            continue;
        }
        (count, last) = (count + 1, number);
        let mut multiple = number.saturating_mul(number);
        while multiple < size {
            composite[multiple] = true;
            multiple += number;
        }
    }
    digest([count, last as u64])
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn base64(size: u32) -> u64 {
    // A whole number of groups of three bytes, so that nothing is padded.
    let bytes = Numbers::new().bytes(size as usize * 1024 / 3 * 3);
    let mut text = Vec::with_capacity(bytes.len() / 3 * 4);
    for group in bytes.chunks_exact(3) {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        for shift in [18, 12, 6, 0] {
            text.push(ALPHABET[(bits >> shift & 63) as usize]);
        }
    }
    let mut values = [0u8; 256];
    for (value, letter) in ALPHABET.iter().enumerate() {
        values[usize::from(*letter)] = value as u8;
    }
    let mut back = Vec::with_capacity(bytes.len());
    for group in text.chunks_exact(4) {
        let bits = group.iter().fold(0, |bits, letter| {
            bits << 6 | u32::from(values[usize::from(*letter)])
        });
        back.extend([(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
    }
    digest(text.chunks(61).map(|line| u64::from(line[0]))) ^ u64::from(back != bytes)
}

pub(super) fn mandelbrot(size: u32) -> u64 {
    const STEPS: u32 = 100;
    let mut total = 0u64;
    for row in 0..size {
        let y0 = f64::from(row) * 2.0 / f64::from(size) - 1.0;
        for column in 0..size {
            let x0 = f64::from(column) * 3.0 / f64::from(size) - 2.0;
            let (mut x, mut y, mut step) = (0.0, 0.0, 0);
            while step < STEPS && x * x + y * y <= 4.0 {
                (x, y) = (x * x - y * y + x0, 2.0 * x * y + y0);
                step += 1;
            }
            total = total.wrapping_mul(31).wrapping_add(u64::from(step));
        }
    }
    total
}

pub(super) fn memory(size: u32) -> u64 {
    const BLOCK: usize = 64 << 10;
    let mut numbers = Numbers::new();
    let mut room = numbers.bytes(4 * BLOCK);
    for _ in 0..size {
        let number = numbers.next();
        let length = (number >> 48) as usize % BLOCK + 1;
        let from = (number >> 16) as usize % (2 * BLOCK);
        let to = number as usize % BLOCK + 2 * BLOCK;
        black_box(&mut room).copy_within(from..from + length, to);
        black_box(&mut room)[from..from + length / 16].fill(number as u8);
    }
    digest(
        room.chunks_exact(8)
            .map(|bytes| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    )
}

pub(super) fn hash_table(size: u32) -> u64 {
    /// Open addressing with linear probing; a count of 0 is an empty slot.
    struct Table {
        slots: Vec<(u32, u32)>,
        used: usize,
    }
    impl Table {
        fn slot(&mut self, key: u32) -> &mut (u32, u32) {
            let mask = self.slots.len() - 1;
            let mut at = (u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
            while self.slots[at].1 != 0 && self.slots[at].0 != key {
                at = (at + 1) & mask;
            }
            &mut self.slots[at]
        }

        fn count(&mut self, key: u32) {
            let slot = self.slot(key);
            let is_new = slot.1 == 0;
            *slot = (key, slot.1 + 1);
            self.used += usize::from(is_new);
            if self.used * 4 > self.slots.len() * 3 {
                let twice = vec![(0, 0); self.slots.len() * 2];
                let old = std::mem::replace(&mut self.slots, twice);
                for (key, count) in old.into_iter().filter(|(_, count)| *count != 0) {
                    *self.slot(key) = (key, count);
                }
            }
        }
    }
    let mut table = Table {
        slots: vec![(0, 0); 16],
        used: 0,
    };
    let mut numbers = Numbers::new();
    for _ in 0..size {
        // Half of the keys are among few, half among many.
        let number = numbers.next();
        let among = if number >> 63 == 0 { 1 << 10 } else { 1 << 17 };
        table.count((number >> 20) as u32 % among);
    }
    let most = table.slots.iter().map(|(_, count)| u64::from(*count)).max();
    digest([table.used as u64, most.unwrap_or_default()])
}

pub(super) fn tree(size: u32) -> u64 {
    struct Node {
        key: u32,
        left: Option<Box<Node>>,
        right: Option<Box<Node>>,
    }
    fn walk(node: Option<&Node>, depth: u64, visit: &mut impl FnMut(u32, u64)) {
        if let Some(node) = node {
            walk(node.left.as_deref(), depth + 1, visit);
            visit(node.key, depth);
            walk(node.right.as_deref(), depth + 1, visit);
        }
    }
    let mut root: Option<Box<Node>> = None;
    let mut numbers = Numbers::new();
    for _ in 0..size {
        let key = (numbers.next() >> 16) as u32;
        let mut place = &mut root;
        while let Some(node) = place {
            let Node {
                key: here,
                left,
                right,
            } = &mut **node;
            place = if key < *here { left } else { right };
        }
        *place = Some(Box::new(Node {
            key,
            left: None,
            right: None,
        }));
    }
    let mut hash = 0u64;
    walk(root.as_deref(), 0, &mut |key, depth| {
        hash = hash.wrapping_mul(31).wrapping_add(u64::from(key) ^ depth);
    });
    hash
}

pub(super) fn text(size: u32) -> u64 {
    const WORDS: [&str; 8] = [
        "komponent",
        "größer",
        "λόγος",
        "メモリ",
        "a",
        "🦀🦀",
        "boundary",
        "naïve",
    ];
    let length = size as usize * 1024;
    let mut numbers = Numbers::new();
    let mut bytes = Vec::with_capacity(length + 32);
    while bytes.len() < length {
        bytes.extend_from_slice(WORDS[(numbers.next() >> 61) as usize].as_bytes());
        bytes.push(b" \n"[usize::from(numbers.next() >> 60 == 0)]);
    }
    let Some((words, characters, lines)) = count(black_box(&bytes)) else {
        return 0;
    };
    digest([words, characters, lines])
}

/// Words, characters and lines; nothing if a character is malformed.
fn count(bytes: &[u8]) -> Option<(u64, u64, u64)> {
    let (mut words, mut characters, mut lines, mut within) = (0, 0, 0, false);
    let mut rest = bytes;
    while let Some((first, mut after)) = rest.split_first() {
        let (more, mut code) = match *first {
            byte @ 0..0x80 => (0, u32::from(byte)),
            byte @ 0xc2..0xe0 => (1, u32::from(byte & 0x1f)),
            byte @ 0xe0..0xf0 => (2, u32::from(byte & 0x0f)),
            byte @ 0xf0..0xf5 => (3, u32::from(byte & 0x07)),
            _ => return None,
        };
        for _ in 0..more {
            let (byte, further) = after.split_first()?;
            if byte & 0xc0 != 0x80 {
                return None;
            }
            code = code << 6 | u32::from(byte & 0x3f);
            after = further;
        }
        let character = char::from_u32(code).filter(|char| char.len_utf8() == more + 1)?;
        let space = matches!(character, ' ' | '\n' | '\t');
        characters += 1;
        words += u64::from(!space && !within);
        lines += u64::from(character == '\n');
        within = !space;
        rest = after;
    }
    Some((words, characters, lines))
}

pub(super) fn bodies(size: u32) -> u64 {
    #[derive(Clone, Copy)]
    struct Body {
        place: [f64; 3],
        speed: [f64; 3],
        mass: f64,
    }
    const STEP: f64 = 0.001;
    let mut bodies: [Body; 5] = std::array::from_fn(|index| {
        let at = index as f64;
        Body {
            place: [at * 2.0, at * at * 0.5, -at],
            speed: [0.1 - at * 0.05, at * 0.1, 0.02],
            mass: 10.0 / (1.0 + at),
        }
    });
    for _ in 0..size {
        for i in 0..bodies.len() {
            for j in i + 1..bodies.len() {
                let (a, b) = (bodies[i], bodies[j]);
                let away: [f64; 3] = std::array::from_fn(|axis| a.place[axis] - b.place[axis]);
                let square = away.iter().map(|d| d * d).sum::<f64>() + 0.01;
                let pull = STEP / (square * square.sqrt());
                for (axis, away) in away.iter().enumerate() {
                    bodies[i].speed[axis] -= away * b.mass * pull;
                    bodies[j].speed[axis] += away * a.mass * pull;
                }
            }
        }
        for body in &mut bodies {
            for axis in 0..3 {
                body.place[axis] += STEP * body.speed[axis];
            }
        }
    }
    digest(bodies.iter().flat_map(|body| body.place).map(f64::to_bits))
}
