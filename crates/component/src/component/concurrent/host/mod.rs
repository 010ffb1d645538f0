//! The host's part in concurrency: its asynchronous functions and calls, and its ends of streams and futures.
//!
//! | module | content |
//! |---|---|
//! | `accessor` | access to a store from the host's futures |
//! | `activity` | futures that the loop polls |
//! | `drive` | the loop: guests' threads and activities in turns |
//! | `call`, `import` | the host calls, and is called |
//! | `ends`, `guest_buffer` | the host's ends of streams and futures, and copies with guests |
//! | `held` | readable ends that the host holds |
//! | `stream`, `future`, `buffers` | producers and consumers |
//! | `reader` | readable ends as values |

mod accessor;
mod activity;
mod buffers;
mod call;
mod drive;
mod ends;
mod future;
mod guest_buffer;
mod held;
mod import;
mod reader;
mod stream;

pub use accessor::{Access, Accessor, AccessorTask, AsAccessor, JoinHandle};
pub use buffers::{ReadBuffer, VecBuffer, WriteBuffer};
pub use call::CallTask;
pub use future::{FutureConsumer, FutureProducer};
pub use reader::{FutureAny, FutureReader, StreamAny, StreamReader};
pub use stream::{
    Destination, DirectDestination, DirectSource, Source, StreamConsumer, StreamProducer, StreamResult,
};

pub(in crate::component) use activity::Wakes;
pub(super) use activity::{Activity, poll};
pub(super) use call::{Caller, HostCall, Returns};
pub(in crate::component) use call::{Calling, Lift, start};
pub(super) use drive::{park, turn};
pub(super) use ends::{Gone, HostSide};
pub use held::Aborts;
pub(in crate::component) use held::{Closing, HostEnd};
pub(in crate::component) use import::{Imported, begin};
