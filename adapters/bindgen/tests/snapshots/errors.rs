#[allow(dead_code)]
type WithFixtureErrorsFilesError = my::Other;

/// The host's implementation of the world `errors`.
pub trait ErrorsImports {
    fn log(&mut self, text: String) -> ::airssys_wasm::component::HostResult<bool>;
}

impl<H: ErrorsImports + ?Sized> ErrorsImports for &mut H {
    fn log(&mut self, text: String) -> ::airssys_wasm::component::HostResult<bool> {
        ErrorsImports::log(*self, text)
    }
}

/// An instance of the world `errors`.
#[derive(Clone, Debug)]
pub struct Errors {}

impl Errors {
    /// Instantiates `component`, and finds its exports.
    pub fn instantiate<T: Send + 'static>(
        mut store: impl ::airssys_wasm::component::AsContextMut<Data = T>,
        component: &::airssys_wasm::component::Component,
        linker: &::airssys_wasm::component::Linker<T>,
    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
        let instance = linker.instantiate(&mut store, component)?;
        Self::new(&mut store, &instance)
    }

    /// Finds the exports of `instance`, and checks their types.
    pub fn new(
        _store: impl ::airssys_wasm::component::AsContextMut,
        _instance: &::airssys_wasm::component::Instance,
    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
        Ok(Self {})
    }

    /// Defines everything that the world imports in `linker`. `host` finds the host's part in a store's
    /// data: `|data| data` with `HasSelf<_>` for `D` if that is the host.
    pub fn add_to_linker<T, D>(
        linker: &mut ::airssys_wasm::component::Linker<T>,
        host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error>
    where
        T: Send + 'static,
        D: ::airssys_wasm::component::HasData,
        for<'a> D::Data<
            'a,
        >: self::fixture::errors::kinds::Host + self::fixture::errors::files::Host
            + ErrorsImports,
    {
        self::fixture::errors::files::add_to_linker::<T, D>(linker, host)?;
        let mut root = linker.root();
        root.func_wrap(
            "log",
            move |mut cx, (text,): (String,)| {
                Ok((ErrorsImports::log(&mut host(cx.data_mut()), text)?,))
            },
        )?;
        Ok(())
    }
}

pub mod fixture {
    pub mod errors {
        pub mod kinds {
            use ::airssys_wasm::component::{ComponentType, HostResult, Lift, Lower};

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum ErrorCode {
                #[component(name = "access")]
                Access,
                #[component(name = "exist")]
                Exist,
                #[component(name = "io")]
                Io,
            }

            impl ::core::fmt::Display for ErrorCode {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for ErrorCode {}

            #[derive(Clone, Debug, PartialEq, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Details {
                #[component(name = "code")]
                pub code: ErrorCode,
                #[component(name = "text")]
                pub text: String,
            }

            /// The host's implementation of `fixture:errors/kinds`.
            pub trait Host {
                /// Converts an error of the host to the component's; an `Err` is a trap.
                fn convert_error_code(
                    &mut self,
                    error: crate::FileError,
                ) -> HostResult<ErrorCode>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn convert_error_code(
                    &mut self,
                    error: crate::FileError,
                ) -> HostResult<ErrorCode> {
                    Host::convert_error_code(*self, error)
                }
            }
        }

        pub mod files {
            use ::airssys_wasm::component::{
                ComponentType, HasData, HostResult, Lift, Linker, Lower, Resource,
                ResourceType,
            };

            pub type ErrorCode = super::kinds::ErrorCode;

            #[derive(Debug)]
            pub enum File {}

            #[derive(Clone, Debug, PartialEq, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Error {
                #[component(name = "closed")]
                Closed,
                #[component(name = "other")]
                Other(String),
            }

            impl ::core::fmt::Display for Error {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for Error {}

            /// The host's implementation of the resource `file` of `fixture:errors/files`.
            pub trait HostFile {
                fn open(
                    &mut self,
                    path: String,
                ) -> Result<Resource<File>, crate::FileError>;

                fn read(
                    &mut self,
                    self_: Resource<File>,
                    count: u32,
                ) -> Result<Vec<u8>, crate::FileError>;

                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<File>) -> HostResult<()>;
            }

            impl<H: HostFile + ?Sized> HostFile for &mut H {
                fn open(
                    &mut self,
                    path: String,
                ) -> Result<Resource<File>, crate::FileError> {
                    HostFile::open(*self, path)
                }

                fn read(
                    &mut self,
                    self_: Resource<File>,
                    count: u32,
                ) -> Result<Vec<u8>, crate::FileError> {
                    HostFile::read(*self, self_, count)
                }

                fn drop(&mut self, rep: Resource<File>) -> HostResult<()> {
                    HostFile::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:errors/files`.
            pub trait Host: HostFile + super::kinds::Host {
                fn remove(&mut self, path: String) -> Result<(), crate::FileError>;

                fn rename(
                    &mut self,
                    a: String,
                    b: String,
                ) -> Result<u32, super::super::super::WithFixtureErrorsFilesError>;

                fn size(&mut self, path: String) -> HostResult<u64>;

                fn touch(&mut self, path: String);

                /// Converts an error of the host to the component's; an `Err` is a trap.
                fn convert_error(
                    &mut self,
                    error: super::super::super::WithFixtureErrorsFilesError,
                ) -> HostResult<Error>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn remove(&mut self, path: String) -> Result<(), crate::FileError> {
                    Host::remove(*self, path)
                }

                fn rename(
                    &mut self,
                    a: String,
                    b: String,
                ) -> Result<u32, super::super::super::WithFixtureErrorsFilesError> {
                    Host::rename(*self, a, b)
                }

                fn size(&mut self, path: String) -> HostResult<u64> {
                    Host::size(*self, path)
                }

                fn touch(&mut self, path: String) {
                    Host::touch(*self, path)
                }

                fn convert_error(
                    &mut self,
                    error: super::super::super::WithFixtureErrorsFilesError,
                ) -> HostResult<Error> {
                    Host::convert_error(*self, error)
                }
            }

            /// Defines `fixture:errors/files` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), ::airssys_wasm::Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:errors/files")?;
                interface
                    .resource(
                        "file",
                        ResourceType::host::<File>(),
                        move |mut cx, rep| {
                            HostFile::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap(
                        "remove",
                        move |mut cx, (path,): (String,)| {
                            let mut host = host(cx.data_mut());
                            let result = match Host::remove(&mut host, path) {
                                Ok(value) => Ok(value),
                                Err(error) => {
                                    Err(
                                        super::kinds::Host::convert_error_code(&mut host, error)?,
                                    )
                                }
                            };
                            Ok((result,))
                        },
                    )?;
                interface
                    .func_wrap(
                        "rename",
                        move |mut cx, (a, b): (String, String)| {
                            let mut host = host(cx.data_mut());
                            let result = match Host::rename(&mut host, a, b) {
                                Ok(value) => Ok(value),
                                Err(error) => Err(Host::convert_error(&mut host, error)?),
                            };
                            Ok((result,))
                        },
                    )?;
                interface
                    .func_wrap(
                        "size",
                        move |mut cx, (path,): (String,)| {
                            Ok((Host::size(&mut host(cx.data_mut()), path)?,))
                        },
                    )?;
                interface
                    .func_wrap(
                        "touch",
                        move |mut cx, (path,): (String,)| {
                            Host::touch(&mut host(cx.data_mut()), path);
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "[static]file.open",
                        move |mut cx, (path,): (String,)| {
                            let mut host = host(cx.data_mut());
                            let result = match HostFile::open(&mut host, path) {
                                Ok(value) => Ok(value),
                                Err(error) => {
                                    Err(
                                        super::kinds::Host::convert_error_code(&mut host, error)?,
                                    )
                                }
                            };
                            Ok((result,))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]file.read",
                        move |mut cx, (self_, count): (Resource<File>, u32)| {
                            let mut host = host(cx.data_mut());
                            let result = match HostFile::read(&mut host, self_, count) {
                                Ok(value) => Ok(value),
                                Err(error) => {
                                    Err(
                                        super::kinds::Host::convert_error_code(&mut host, error)?,
                                    )
                                }
                            };
                            Ok((result,))
                        },
                    )?;
                Ok(())
            }
        }
    }
}
