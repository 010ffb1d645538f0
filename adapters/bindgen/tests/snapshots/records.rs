/// An instance of the world `records`.
#[derive(Clone, Debug)]
pub struct Records {
    fixture_records_shapes: self::exports::fixture::records::shapes::Guest,
}

impl Records {
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
        mut store: impl ::airssys_wasm::component::AsContextMut,
        instance: &::airssys_wasm::component::Instance,
    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
        Ok(Self {
            fixture_records_shapes: self::exports::fixture::records::shapes::Guest::new(
                &mut store,
                instance,
            )?,
        })
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
        for<'a> D::Data<'a>: self::fixture::records::shapes::Host,
    {
        self::fixture::records::shapes::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:records/shapes`.
    pub fn fixture_records_shapes(
        &self,
    ) -> &self::exports::fixture::records::shapes::Guest {
        &self.fixture_records_shapes
    }
}

pub mod fixture {
    pub mod records {
        pub mod shapes {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            /// A place.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Point {
                /// To the right.
                #[component(name = "x")]
                pub x: i32,
                /// Upwards.
                #[component(name = "y")]
                pub y: i32,
            }

            impl ::core::fmt::Display for Point {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for Point {}

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Shape {
                #[component(name = "name")]
                pub name: String,
                #[component(name = "outline")]
                pub outline: Vec<Point>,
                #[component(name = "centre")]
                pub centre: Option<Point>,
                #[component(name = "tags")]
                pub tags: (String, u8),
            }

            /// The host's implementation of `fixture:records/shapes`.
            pub trait Host {
                fn move_(&mut self, shape: Shape, by: Point) -> Shape;

                fn corners(&mut self, shape: Shape) -> (Point, Point);

                fn both(
                    &mut self,
                    pair: (Point, String),
                    maybe: Option<Shape>,
                ) -> Result<Shape, Point>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn move_(&mut self, shape: Shape, by: Point) -> Shape {
                    Host::move_(*self, shape, by)
                }

                fn corners(&mut self, shape: Shape) -> (Point, Point) {
                    Host::corners(*self, shape)
                }

                fn both(
                    &mut self,
                    pair: (Point, String),
                    maybe: Option<Shape>,
                ) -> Result<Shape, Point> {
                    Host::both(*self, pair, maybe)
                }
            }

            /// Defines `fixture:records/shapes` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:records/shapes")?;
                interface
                    .func_wrap(
                        "move",
                        move |mut cx, (shape, by): (Shape, Point)| {
                            Ok((Host::move_(&mut host(cx.data_mut()), shape, by),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "corners",
                        move |mut cx, (shape,): (Shape,)| {
                            Ok((Host::corners(&mut host(cx.data_mut()), shape),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "both",
                        move |mut cx, (pair, maybe): ((Point, String), Option<Shape>)| {
                            Ok((Host::both(&mut host(cx.data_mut()), pair, maybe),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod records {
            pub mod shapes {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList,
                };

                /// A place.
                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Point {
                    /// To the right.
                    #[component(name = "x")]
                    pub x: i32,
                    /// Upwards.
                    #[component(name = "y")]
                    pub y: i32,
                }

                impl ::core::fmt::Display for Point {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        write!(f, "{self:?}")
                    }
                }

                impl ::core::error::Error for Point {}

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Shape {
                    #[component(name = "name")]
                    pub name: String,
                    #[component(name = "outline")]
                    pub outline: Vec<Point>,
                    #[component(name = "centre")]
                    pub centre: Option<Point>,
                    #[component(name = "tags")]
                    pub tags: (String, u8),
                }

                /// The functions of `fixture:records/shapes`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    move_: Func,
                    corners: Func,
                    both: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            move_: Self::find::<
                                (&Shape, &Point),
                                (Shape,),
                            >(&mut store, instance, "move")?,
                            corners: Self::find::<
                                (&Shape,),
                                ((Point, Point),),
                            >(&mut store, instance, "corners")?,
                            both: Self::find::<
                                ((&Point, &str), Option<&Shape>),
                                (Result<Shape, Point>,),
                            >(&mut store, instance, "both")?,
                        })
                    }

                    pub fn call_move_(
                        &self,
                        store: impl AsContextMut,
                        shape: &Shape,
                        by: &Point,
                    ) -> Result<Shape, Error> {
                        let (result,): (Shape,) = self
                            .move_
                            .call_typed(store, (shape, by))?;
                        Ok(result)
                    }

                    pub fn call_corners(
                        &self,
                        store: impl AsContextMut,
                        shape: &Shape,
                    ) -> Result<(Point, Point), Error> {
                        let (result,): ((Point, Point),) = self
                            .corners
                            .call_typed(store, (shape,))?;
                        Ok(result)
                    }

                    pub fn call_both(
                        &self,
                        store: impl AsContextMut,
                        pair: (&Point, &str),
                        maybe: Option<&Shape>,
                    ) -> Result<Result<Shape, Point>, Error> {
                        let (result,): (Result<Shape, Point>,) = self
                            .both
                            .call_typed(store, (pair, maybe))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:records/shapes", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
