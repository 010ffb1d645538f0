//! Interface to the instance on the other side of a crossing, for lifting and lowering.

use crate::error::AbiError;
use crate::types::{ResourceType, TransmitType};
use crate::val::Val;

/// The `string-encoding` of a function's canonical options.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StringEncoding {
    Utf8,
    /// UTF-16, little-endian.
    Utf16,
    /// `latin1+utf16`: each string is one or the other, distinguished by [`UTF16_TAG`](crate::UTF16_TAG).
    CompactUtf16,
}

/// The instance on the other side of a crossing, with the canonical options of one function ("Lifting and Lowering
/// Context"). The embedder implements it; this crate checks all values that come from the guest.
pub trait Guest {
    /// A resource as the host holds it.
    type Resource: Clone;
    /// The readable end of a stream as the host holds it; [`Never`](crate::Never) if it holds none.
    type Stream: Clone;
    /// The readable end of a future, likewise.
    type Future: Clone;
    /// The embedder's error: traps of `realloc`, failures of the resource tables, and violations found here.
    type Error: From<AbiError>;

    /// Returns the guest's string encoding.
    fn string_encoding(&self) -> StringEncoding;

    /// Returns linear memory.
    ///
    /// # Errors
    /// If the canonical options name no memory.
    fn memory(&self) -> Result<&[u8], Self::Error>;
}

/// A value as the host of this guest has it.
pub(crate) type GuestVal<G> = Val<<G as Guest>::Resource, <G as Guest>::Stream, <G as Guest>::Future>;

/// Requirements of lifting beyond reading memory. The guest does not run meanwhile.
pub trait LiftGuest: Guest {
    /// Removes an owned handle from the guest's table ("Loading", `lift_own`).
    ///
    /// # Errors
    /// If the handle is unknown, of another type, lent out, or not owned.
    fn lift_own(&mut self, ty: ResourceType, handle: u32) -> Result<Self::Resource, Self::Error>;

    /// Borrows the resource of a handle in the guest's table ("Loading", `lift_borrow`).
    ///
    /// # Errors
    /// If the handle is unknown or of another type.
    fn lift_borrow(&mut self, ty: ResourceType, handle: u32) -> Result<Self::Resource, Self::Error>;

    /// Removes the readable end of a stream from the guest's table ("Loading", `lift_stream`).
    ///
    /// # Errors
    /// If the handle is unknown, of another type, or the end is in use.
    fn lift_stream(&mut self, ty: &TransmitType, handle: u32) -> Result<Self::Stream, Self::Error>;

    /// Removes the readable end of a future from the guest's table ("Loading", `lift_future`).
    ///
    /// # Errors
    /// As [`lift_stream`](LiftGuest::lift_stream).
    fn lift_future(&mut self, ty: &TransmitType, handle: u32) -> Result<Self::Future, Self::Error>;

    /// Consumes budget for bytes that the host is about to allocate for the guest's values. Stops a guest that refers
    /// to one big string a million times from exhausting the host.
    ///
    /// # Errors
    /// If the budget of this crossing is spent.
    fn consume_lift_budget(&mut self, bytes: u64) -> Result<(), Self::Error>;
}

/// Requirements of lowering beyond reading memory.
pub trait LowerGuest: Guest {
    /// Returns linear memory, for writing. Fetched anew after every [`realloc`](LowerGuest::realloc), which may have
    /// grown it.
    ///
    /// # Errors
    /// If the canonical options name no memory.
    fn memory_mut(&mut self) -> Result<&mut [u8], Self::Error>;

    /// Calls the guest's `realloc` and returns its unchecked result. Sizes and alignment are bytes.
    ///
    /// # Errors
    /// If the canonical options name no `realloc`, or if it trapped.
    fn realloc(&mut self, old_ptr: u32, old_size: u32, align: u32, new_size: u32)
    -> Result<u32, Self::Error>;

    /// Adds an owned resource to the guest's table; returns its handle ("Storing", `lower_own`).
    ///
    /// # Errors
    /// If the resource is of another type or no longer the host's to give, or if the table is full.
    fn lower_own(&mut self, ty: ResourceType, resource: &Self::Resource) -> Result<u32, Self::Error>;

    /// Lends a resource to the guest; returns its handle, or its representation if the guest defines the type
    /// ("Storing", `lower_borrow`).
    ///
    /// # Errors
    /// If the resource is of another type or gone, or if the table is full.
    fn lower_borrow(&mut self, ty: ResourceType, resource: &Self::Resource) -> Result<u32, Self::Error>;

    /// Adds the readable end of a stream to the guest's table; returns its handle ("Storing", `lower_stream`).
    ///
    /// # Errors
    /// If the stream has elements of another type or is no longer the host's to give, or if the table is full.
    fn lower_stream(&mut self, ty: &TransmitType, stream: &Self::Stream) -> Result<u32, Self::Error>;

    /// Adds the readable end of a future to the guest's table; returns its handle ("Storing", `lower_future`).
    ///
    /// # Errors
    /// As [`lower_stream`](LowerGuest::lower_stream).
    fn lower_future(&mut self, ty: &TransmitType, future: &Self::Future) -> Result<u32, Self::Error>;
}
