//! A guest without code: a memory, a bump allocator that moves on every call, and a handle table.

use airssys_wasm_abi::{AbiError, Guest, LiftGuest, LowerGuest, ResourceType, StringEncoding, TransmitType};

/// The representation of a handle's resource.
pub(crate) type Rep = u32;

#[derive(Clone, Debug)]
pub(crate) struct TestGuest {
    pub(crate) memory: Vec<u8>,
    pub(crate) encoding: StringEncoding,
    /// The address from which on the next allocation may start.
    pub(crate) next: u32,
    /// The result of `realloc`, if it is to fail.
    pub(crate) bad_realloc: Option<u32>,
    /// Every call of `realloc`: alignment, size.
    pub(crate) allocations: Vec<(u32, u32)>,
    pub(crate) handles: Vec<Option<(ResourceType, Rep)>>,
    pub(crate) budget: u64,
}

impl TestGuest {
    pub(crate) fn new() -> TestGuest {
        TestGuest::with_memory(&[])
    }

    pub(crate) fn with_memory(memory: &[u8]) -> TestGuest {
        TestGuest {
            memory: memory.to_vec(),
            encoding: StringEncoding::Utf8,
            next: u32::try_from(memory.len()).unwrap(),
            bad_realloc: None,
            allocations: Vec::new(),
            handles: Vec::new(),
            budget: 1 << 30,
        }
    }

    pub(crate) fn encoding(mut self, encoding: StringEncoding) -> TestGuest {
        self.encoding = encoding;
        self
    }
}

impl Guest for TestGuest {
    type Resource = Rep;
    type Stream = Rep;
    type Future = Rep;
    type Error = AbiError;

    fn string_encoding(&self) -> StringEncoding {
        self.encoding
    }

    fn memory(&self) -> Result<&[u8], AbiError> {
        Ok(&self.memory)
    }
}

impl LiftGuest for TestGuest {
    fn lift_own(&mut self, ty: ResourceType, handle: u32) -> Result<Rep, AbiError> {
        let rep = self.lift_borrow(ty, handle)?;
        self.handles[handle as usize] = None;
        Ok(rep)
    }

    fn lift_borrow(&mut self, ty: ResourceType, handle: u32) -> Result<Rep, AbiError> {
        let cases = u32::try_from(self.handles.len()).unwrap();
        match self.handles.get(handle as usize) {
            Some(Some((found, rep))) if *found == ty => Ok(*rep),
            _ => Err(AbiError::InvalidDiscriminant { got: handle, cases }),
        }
    }

    // The ends of streams are in the same table, by the number of their type.
    fn lift_stream(&mut self, ty: &TransmitType, handle: u32) -> Result<Rep, AbiError> {
        self.lift_own(ResourceType(ty.table), handle)
    }

    fn lift_future(&mut self, ty: &TransmitType, handle: u32) -> Result<Rep, AbiError> {
        self.lift_own(ResourceType(ty.table), handle)
    }

    fn consume_lift_budget(&mut self, bytes: u64) -> Result<(), AbiError> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(AbiError::HostAllocation { bytes }),
        }
    }
}

impl LowerGuest for TestGuest {
    fn memory_mut(&mut self) -> Result<&mut [u8], AbiError> {
        Ok(&mut self.memory)
    }

    fn realloc(&mut self, old_ptr: u32, old_size: u32, align: u32, new_size: u32) -> Result<u32, AbiError> {
        assert_eq!((old_ptr, old_size), (0, 0), "lowering measures first");
        self.allocations.push((align, new_size));
        if let Some(bad) = self.bad_realloc {
            return Ok(bad);
        }
        let ptr = self.next.next_multiple_of(align);
        self.next = ptr + new_size;
        // Memory grows and, as a vector, moves.
        let mut grown = vec![0xaa; (self.next as usize).max(self.memory.len())];
        grown[..self.memory.len()].copy_from_slice(&self.memory);
        self.memory = grown;
        Ok(ptr)
    }

    fn lower_own(&mut self, ty: ResourceType, resource: &Rep) -> Result<u32, AbiError> {
        self.handles.push(Some((ty, *resource)));
        Ok(u32::try_from(self.handles.len()).unwrap() - 1)
    }

    fn lower_borrow(&mut self, ty: ResourceType, resource: &Rep) -> Result<u32, AbiError> {
        self.lower_own(ty, resource)
    }

    fn lower_stream(&mut self, ty: &TransmitType, stream: &Rep) -> Result<u32, AbiError> {
        self.lower_own(ResourceType(ty.table), stream)
    }

    fn lower_future(&mut self, ty: &TransmitType, future: &Rep) -> Result<u32, AbiError> {
        self.lower_own(ResourceType(ty.table), future)
    }
}
