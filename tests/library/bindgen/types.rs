//! The `types` fixture, a real guest, with its generated bindings.

use airssys_wasm::component::{Component, HasSelf, HostResult, Linker, Resource, ResourceTable, Store};
use airssys_wasm::engine::Engine;

use crate::bindgen::common::{engines, fixture};

airssys_wasm::component::bindgen!({
    path: "guests/types/wit",
    with: { "fixtures:types/host-logger/logger": Log },
    additional_derives: [PartialEq],
    trappable_imports: ["fixtures:types/host-logger/logger.log", "fixtures:types/host-functions/host-add"],
});

use exports::fixtures::types::{counters, echoes};
use fixtures::types::{host_functions, host_logger};

/// The host's representation of a logger.
pub(crate) struct Log {
    name: String,
    lines: u32,
}

#[derive(Default)]
struct Host {
    logs: ResourceTable,
    lines: Vec<String>,
    dropped: u32,
    nothings: u32,
}

impl host_logger::HostLogger for Host {
    fn new(&mut self, name: String) -> Resource<Log> {
        self.logs.push(Log { name, lines: 0 }).expect("there is room")
    }

    fn log(&mut self, self_: Resource<Log>, message: String) -> HostResult<u32> {
        let log = self.logs.get_mut(&self_)?;
        log.lines += 1;
        self.lines.push(format!("{}: {message}", log.name));
        Ok(log.lines)
    }

    fn drop(&mut self, rep: Resource<Log>) -> HostResult<()> {
        self.dropped += 1;
        self.logs.delete(rep)?;
        Ok(())
    }
}

impl host_logger::Host for Host {
    fn take(&mut self, logger: Resource<Log>) -> u32 {
        assert!(logger.owned());
        self.logs.delete(logger).map_or(0, |log| log.lines)
    }

    fn count(&mut self, logger: Resource<Log>) -> u32 {
        assert!(!logger.owned());
        self.logs.get(&logger).map_or(0, |log| log.lines)
    }
}

impl host_functions::Host for Host {
    fn host_add(&mut self, a: u32, b: u32) -> HostResult<u32> {
        a.checked_add(b).ok_or_else(|| "too much".into())
    }

    fn host_concat(&mut self, parts: Vec<String>) -> String {
        parts.concat()
    }

    fn host_fail(&mut self, message: Option<String>) -> Result<u32, String> {
        message.map_or(Ok(7), Err)
    }

    fn host_nothing(&mut self) {
        self.nothings += 1;
    }
}

/// Store data that contains the host.
#[derive(Default)]
struct Data {
    host: Host,
}

fn start(engine: &Engine) -> (Store<Data>, Types) {
    let component = Component::from_binary(engine, &fixture("types.wasm")).expect("the fixture loads");
    let mut linker = Linker::new(engine);
    Types::add_to_linker::<_, HasSelf<_>>(&mut linker, |data: &mut Data| &mut data.host)
        .expect("defined once");
    let mut store = Store::new(engine, Data::default());
    let types = Types::instantiate(&mut store, &component, &linker).expect("it fits");
    (store, types)
}

fn person(name: &str) -> echoes::Person {
    echoes::Person {
        name: name.into(),
        age: 30,
        email: None,
    }
}

#[test]
fn values_come_back_as_they_were() {
    for engine in engines() {
        let (mut store, types) = start(&engine);
        let (s, echo) = (&mut store, types.fixtures_types_echoes());
        assert!(echo.call_echo_bool(&mut *s, true).unwrap());
        assert_eq!(echo.call_echo_s64(&mut *s, i64::MIN).unwrap(), i64::MIN);
        assert_eq!(echo.call_echo_char(&mut *s, '🦀').unwrap(), '🦀');
        assert_eq!(echo.call_echo_string(&mut *s, "grüße").unwrap(), "grüße");
        assert_eq!(echo.call_echo_bytes(&mut *s, &[1, 2, 255]).unwrap(), [1, 2, 255]);
        let strings = ["a".to_owned(), String::new()];
        assert_eq!(echo.call_echo_strings(&mut *s, &strings).unwrap(), strings);
        let people = [person("Ada"), person("Grace")];
        assert_eq!(echo.call_echo_people(&mut *s, &people).unwrap(), people);
        assert_eq!(
            echo.call_echo_option_string(&mut *s, Some("x")).unwrap(),
            Some("x".into())
        );
        assert_eq!(
            echo.call_echo_nested_option(&mut *s, Some(None)).unwrap(),
            Some(None)
        );
        assert_eq!(
            echo.call_echo_result(&mut *s, Err("no")).unwrap(),
            Err("no".into())
        );
        assert_eq!(echo.call_echo_result_empty(&mut *s, Ok(())).unwrap(), Ok(()));
        assert_eq!(echo.call_echo_one_tuple(&mut *s, (9,)).unwrap(), (9,));
        assert_eq!(
            echo.call_echo_tuple(&mut *s, (1, "t", -1)).unwrap(),
            (1, "t".into(), -1)
        );
        let colour = echoes::Colour::Green;
        assert_eq!(echo.call_echo_colour(&mut *s, colour).unwrap(), colour);
        let rights = echoes::Permissions::READ | echoes::Permissions::EXECUTE;
        assert_eq!(echo.call_echo_permissions(&mut *s, rights).unwrap(), rights);
        let all = echoes::ManyFlags::all();
        assert_eq!(echo.call_echo_many_flags(&mut *s, all).unwrap(), all);
        for shape in [
            echoes::Shape::Circle(0.5),
            echoes::Shape::Labelled(("l".into(), 3)),
            echoes::Shape::At(echoes::Point { x: -1, y: 2 }),
            echoes::Shape::None,
        ] {
            assert_eq!(echo.call_echo_shape(&mut *s, &shape).unwrap(), shape);
        }
        let group = echoes::Group {
            title: "g".into(),
            members: people.into(),
            centre: Some(echoes::Point { x: 0, y: 0 }),
            shapes: vec![echoes::Shape::Square(2.0)],
            colours: vec![vec![], vec![echoes::Colour::Blue, echoes::Colour::Red]],
            outcome: Err(Some("why".into())),
            rights,
        };
        assert_eq!(echo.call_echo_group(&mut *s, &group).unwrap(), group);
        let sum = echo.call_sum_sixteen(&mut *s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        assert_eq!(sum.unwrap(), 136);
        let sum = echo.call_sum_many(
            &mut *s, 1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0.25, false, '\0', 1, 1, 1, 1, 1,
        );
        assert!((sum.unwrap() - 5.75).abs() < 1e-9);
        assert_eq!(echo.call_divide(&mut *s, 7, 2).unwrap(), (3, 1));
        echo.call_nothing(&mut *s).unwrap();
        assert_eq!(echo.call_nothings(&mut *s).unwrap(), 1);
    }
}

#[test]
fn the_guests_resources() {
    for engine in engines() {
        let (mut store, types) = start(&engine);
        let s = &mut store;
        let interface: &counters::Guest = types.fixtures_types_counters();
        let counter = interface.counter();
        let first = counter.call_constructor(&mut *s, 5).unwrap();
        assert_eq!(counter.call_increment(&mut *s, first).unwrap(), 6);
        assert_eq!(interface.call_peek(&mut *s, first).unwrap(), 6);
        let second = counter.call_constructor(&mut *s, 10).unwrap();
        assert_eq!(interface.call_total(&mut *s, &[first, second]).unwrap(), 16);
        let merged = counter.call_merge(&mut *s, first, second).unwrap();
        assert_eq!(interface.call_drops(&mut *s).unwrap(), 2);
        assert_eq!(interface.call_finish(&mut *s, merged).unwrap(), 16);
        assert!(counter.call_value(&mut *s, merged).is_err(), "it is gone");
        for counter in interface.call_make(&mut *s, 3).unwrap() {
            counter.resource_drop(&mut *s).unwrap();
        }
        assert_eq!(interface.call_perhaps(&mut *s, 0).unwrap(), None);
    }
}

#[test]
fn the_hosts_resources_and_functions() {
    for engine in engines() {
        let (mut store, types) = start(&engine);
        let (s, logging) = (&mut store, types.fixtures_types_logging());
        let messages = ["one".to_owned(), "two".to_owned()];
        assert_eq!(logging.call_use_logger(&mut *s, "l", &messages).unwrap(), 2);
        assert_eq!(s.data().host.lines, ["l: one", "l: two"]);
        assert_eq!(s.data().host.dropped, 1);
        assert_eq!(logging.call_give_logger(&mut *s, "m", &messages).unwrap(), 2);
        let log = s
            .data_mut()
            .host
            .logs
            .push(Log {
                name: "own".into(),
                lines: 0,
            })
            .unwrap();
        let lent = Resource::new_borrow(log.rep());
        assert_eq!(logging.call_borrow_logger(&mut *s, lent).unwrap(), 1);
        assert_eq!(logging.call_keep_logger(&mut *s, log).unwrap(), 1);
        let back = logging.call_return_kept(&mut *s).unwrap().expect("it was kept");
        assert!(back.owned());
        s.data_mut().host.logs.delete(back).unwrap();

        let calling = types.fixtures_types_calling();
        assert_eq!(calling.call_call_add(&mut *s, 2, 3).unwrap(), 5);
        assert_eq!(calling.call_call_concat(&mut *s, &messages).unwrap(), "onetwo");
        assert_eq!(calling.call_call_fail(&mut *s, None).unwrap(), Ok(7));
        assert_eq!(
            calling.call_call_fail(&mut *s, Some("no")).unwrap(),
            Err("no".into())
        );
        calling.call_call_nothing(&mut *s).unwrap();
        assert_eq!(s.data().host.nothings, 1);
        let error = calling.call_call_add(&mut *s, u32::MAX, 1).unwrap_err();
        assert!(
            error.to_string().contains("too much") || format!("{error:?}").contains("too much"),
            "{error:?}"
        );
    }
}

#[test]
fn one_interface_of_an_instance_whose_world_is_not_known() {
    for engine in engines() {
        let (mut store, instance) = crate::bindgen::common::types_instance(&engine);
        let counters = counters::Guest::new(&mut store, &instance).expect("it is there");
        let counter = counters.counter().call_constructor(&mut store, 1).unwrap();
        assert_eq!(counters.call_finish(&mut store, counter).unwrap(), 1);
    }
}

#[test]
fn a_component_of_another_world_is_refused_before_any_call() {
    for engine in engines() {
        let component =
            Component::from_binary(&engine, &fixture("checksum.wasm")).expect("the fixture loads");
        let mut linker: Linker<Data> = Linker::new(&engine);
        linker
            .define_unknown_imports_as_traps(&component)
            .expect("defined");
        let mut store = Store::new(&engine, Data::default());
        let error = Types::instantiate(&mut store, &component, &linker).unwrap_err();
        assert!(
            matches!(error, airssys_wasm::Error::MissingExport { .. }),
            "{error}"
        );
    }
}
