//! Streams in both directions.

use std::sync::{Arc, Mutex};

use airssys_wasm_component::component::{StreamReader, TypedFunc, Val};

use airssys_wasm_component::error::{Error, ResourceError};

use crate::support::{Chunks, Collect, NOTHING, call, collect, engines, func, new, run_until, settle};

#[test]
fn a_guest_reads_a_stream_of_the_host() {
    for engine in engines() {
        let chunks: [(&[Option<&[u32]>], u32); 5] = [
            (&[], 0),
            (&[Some(&[1, 2, 3, 4, 5, 6, 7])], 28),
            (&[Some(&[1]), Some(&[2, 3]), Some(&[4])], 10),
            (&[None, Some(&[1, 2, 3, 4]), Some(&[5])], 15),
            (&[Some(&[1, 2, 3, 4]), None, Some(&[5])], 15),
        ];
        for (chunks, wanted) in chunks {
            let (mut store, instance) = new(&engine);
            store.data().gate.open_soon();
            let chunks = chunks.iter().map(|chunk| chunk.map(<[u32]>::to_vec));
            let producer = Chunks::new(store.data(), chunks);
            let stream = StreamReader::new(&mut store, producer);
            let (sum,): (u32,) = call(&mut store, &instance, "sum", (stream,)).unwrap();
            assert_eq!(sum, wanted);
            assert_eq!(store.data().living.count(), 0);
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_host_reads_a_stream_of_a_guest() {
    for engine in engines() {
        for (count, room) in [(0, 1), (1, 1), (5, 1), (5, 1000), (999, 7)] {
            let (mut store, instance) = new(&engine);
            let (stream,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (count,)).unwrap();
            let (mut consumer, items) = collect(store.data());
            consumer.room = room;
            stream.pipe(&mut store, consumer).unwrap();
            let living = store.data().living.clone();
            run_until(&mut store, || living.count() == 0);
            assert_eq!(*items.lock().unwrap(), (0..count).collect::<Vec<u32>>());
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_consumer_that_has_enough_ends_the_stream() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let (stream,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (1000u32,)).unwrap();
        let items = Arc::new(Mutex::new(Vec::new()));
        let consumer = Collect {
            items: Arc::clone(&items),
            room: 4,
            most: 5,
            gate: Some(store.data().gate.clone()),
            _lives: store.data().living.one(),
        };
        stream.pipe(&mut store, consumer).unwrap();
        store.data().gate.open_soon();
        let living = store.data().living.clone();
        run_until(&mut store, || living.count() == 0);
        assert_eq!(*items.lock().unwrap(), [0, 1, 2, 3, 4]);
        // The guest learns of it, and its task ends.
        settle(&mut store);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn bytes_pass_through_a_guest() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let bytes: Vec<u8> = (0..1_000_000u32).map(|index| (index % 251) as u8).collect();
        let chunks = bytes.chunks(150_000).map(|chunk| Some(chunk.to_vec()));
        let producer = Chunks::new(store.data(), chunks);
        let stream = StreamReader::new(&mut store, producer);
        let (echoed,): (StreamReader<u8>,) = call(&mut store, &instance, "echo", (stream,)).unwrap();
        let (mut consumer, items) = collect(store.data());
        consumer.room = 100_000;
        echoed.pipe(&mut store, consumer).unwrap();
        let living = store.data().living.clone();
        run_until(&mut store, || living.count() == 0);
        assert!(*items.lock().unwrap() == bytes);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn strings_pass_through_a_guest() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let names: Vec<String> = (0..500).map(|index| format!("name {index}")).collect();
        let producer = Chunks::new(store.data(), names.chunks(37).map(|chunk| Some(chunk.to_vec())));
        let stream = StreamReader::new(&mut store, producer);
        let (renamed,): (StreamReader<String>,) = call(&mut store, &instance, "rename", (stream,)).unwrap();
        let (consumer, items) = collect(store.data());
        renamed.pipe(&mut store, consumer).unwrap();
        let living = store.data().living.clone();
        run_until(&mut store, || living.count() == 0);
        assert_eq!(*items.lock().unwrap(), names);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_stream_without_values_is_counted() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let producer = Chunks::new(store.data(), [Some(vec![(); 250]), None, Some(vec![(); 5])]);
        let stream = StreamReader::new(&mut store, producer);
        store.data().gate.open_soon();
        let (count,): (u32,) = call(&mut store, &instance, "ticks", (stream,)).unwrap();
        assert_eq!(count, 255);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_host_reads_its_own_stream_before_and_after_a_guest_had_it() {
    for engine in engines() {
        for passed in [false, true] {
            let (mut store, instance) = new(&engine);
            let chunks = (0..200)
                .map(|index| Some(vec![index; 3]))
                .chain([None, Some(vec![7])]);
            let producer = Chunks::new(store.data(), chunks);
            let mut stream = StreamReader::<u32>::new(&mut store, producer);
            if passed {
                (stream,) = call(&mut store, &instance, "pass", (stream,)).unwrap();
            }
            let (mut consumer, items) = collect(store.data());
            consumer.room = 2;
            stream.pipe(&mut store, consumer).unwrap();
            store.data().gate.open_soon();
            let living = store.data().living.clone();
            run_until(&mut store, || living.count() == 0);
            let mut wanted: Vec<u32> = (0..200).flat_map(|index| [index; 3]).collect();
            wanted.push(7);
            assert_eq!(*items.lock().unwrap(), wanted);
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn dynamic_values_carry_streams() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let producer = Chunks::new(store.data(), [Some(vec![1u32, 2, 3])]);
        let stream = StreamReader::new(&mut store, producer).into_stream_any();
        let pass = instance.get_func(&mut store, "pass").unwrap();
        let passed = pass
            .call_dynamic(&mut store, &[Val::Stream(stream.clone())])
            .unwrap();
        let Some(Val::Stream(passed)) = passed else {
            panic!("no stream: {passed:?}");
        };
        assert_ne!(stream, passed);
        let sum = instance.get_func(&mut store, "sum").unwrap();
        let total = sum
            .call_dynamic(&mut store, &[Val::Stream(passed.clone())])
            .unwrap();
        assert_eq!(total, Some(Val::U32(6)));
        let again = sum.call_dynamic(&mut store, &[Val::Stream(passed)]).unwrap_err();
        assert!(matches!(again, Error::Resource(ResourceError::Stale)), "{again}");
        assert!(!instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_read_of_nothing_asks_whether_there_is_something() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        store.data().gate.open_soon();
        let producer = Chunks::new(store.data(), [None, Some(vec![1u32])]);
        let stream = StreamReader::new(&mut store, producer);
        let (result,): (u32,) = call(&mut store, &instance, "ready", (stream,)).unwrap();
        assert_eq!(result, 0, "completed, with no number");
        assert_eq!(store.data().living.count(), 0, "its reader was dropped");
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn a_stream_goes_from_one_guest_to_another_through_the_host() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let other = crate::support::guest(&mut store);
        let (stream,): (StreamReader<u32>,) = call(&mut store, &instance, "count", (100u32,)).unwrap();
        let sum: TypedFunc<_, (u32,)> = func(&mut store, &other, "sum");
        assert_eq!(sum.call(&mut store, (stream,)).unwrap(), (4950,));
        settle(&mut store);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}
