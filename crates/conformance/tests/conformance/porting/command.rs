// Runs a WASI program with arguments, an environment, streams in memory and a folder.

struct Host {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

pub(crate) fn run() -> Result<Vec<String>> {
    let engine = Engine::default();
    let component = Component::from_file(&engine, "../../tests/fixtures/wasi-program.wasm")?;
    let mut linker = Linker::<Host>::new(&engine);
    add_to_linker_sync(&mut linker)?;

    let mut seen = Vec::new();
    for args in [
        &["program", "surroundings", "one", "two"][..],
        &["program", "cat"],
        &["program", "fail"],
    ] {
        let stdout = MemoryOutputPipe::new(4096);
        let mut builder = WasiCtxBuilder::new();
        builder
            .args(args)
            .env("LANG", "en")
            .envs(&[("TERM", "dumb"), ("HOME", "/")])
            .stdin(MemoryInputPipe::new("some input"))
            .stdout(stdout.clone())
            .inherit_stderr()
            .preopened_dir(std::env::temp_dir(), "/tmp", FsPerms::ReadOnly)?;
        let host = Host {
            ctx: builder.build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&engine, host);
        let command = Command::instantiate(&mut store, &component, &linker)?;
        let ended = command.wasi_cli_run().call_run(&mut store)?;
        seen.push(format!("{ended:?}"));
        seen.push(String::from_utf8(stdout.contents().to_vec())?);
    }
    assert!(
        seen[1].contains("argument two") && seen[1].contains("variable TERM=dumb"),
        "{seen:?}"
    );
    assert!(seen[3].contains("some input"), "{seen:?}");
    assert_eq!(seen[4], "Err(())");
    Ok(seen)
}
