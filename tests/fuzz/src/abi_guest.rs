//! A guest without code: memory from the input, and a `realloc` that is honest or takes its answers from the input.

use airssys_wasm_abi::{
    AbiError, Guest, LiftGuest, LowerGuest, Never, ResourceType, StringEncoding, TransmitType,
};

/// Bytes that lifting may allocate for one crossing.
const BUDGET: u64 = 1 << 20;
/// Bytes that memory may grow to.
const MAX_MEMORY: u32 = 16 << 20;

#[derive(Clone, Debug)]
pub(crate) struct AbiGuest {
    pub(crate) memory: Vec<u8>,
    pub(crate) encoding: StringEncoding,
    pub(crate) handles: Vec<(ResourceType, u32)>,
    /// Bytes granted to lifting.
    pub(crate) granted: u64,
    /// Result of `realloc`, after which it fails; honest if there is none.
    pub(crate) hostile: Option<std::vec::IntoIter<u32>>,
}

impl AbiGuest {
    pub(crate) fn new(memory: Vec<u8>, encoding: StringEncoding) -> AbiGuest {
        AbiGuest {
            memory,
            encoding,
            handles: Vec::new(),
            granted: 0,
            hostile: None,
        }
    }

    /// With a few handles of the types that inputs have.
    pub(crate) fn with_handles(mut self) -> AbiGuest {
        self.handles = (0..8).map(|n| (ResourceType(n % 2), 100 + n)).collect();
        self
    }
}

impl Guest for AbiGuest {
    type Resource = u32;
    // The inputs have no types of streams and futures.
    type Stream = Never;
    type Future = Never;
    type Error = AbiError;

    fn string_encoding(&self) -> StringEncoding {
        self.encoding
    }

    fn memory(&self) -> Result<&[u8], AbiError> {
        Ok(&self.memory)
    }
}

impl LiftGuest for AbiGuest {
    fn lift_own(&mut self, ty: ResourceType, handle: u32) -> Result<u32, AbiError> {
        self.lift_borrow(ty, handle)
    }

    fn lift_borrow(&mut self, ty: ResourceType, handle: u32) -> Result<u32, AbiError> {
        let handles = self.handles.len();
        match self.handles.get(handle as usize) {
            Some((found, rep)) if *found == ty => Ok(*rep),
            _ => Err(AbiError::InvalidDiscriminant {
                got: handle,
                cases: handles as u32,
            }),
        }
    }

    fn lift_stream(&mut self, _: &TransmitType, handle: u32) -> Result<Never, AbiError> {
        Err(AbiError::InvalidDiscriminant {
            got: handle,
            cases: 0,
        })
    }

    fn lift_future(&mut self, _: &TransmitType, handle: u32) -> Result<Never, AbiError> {
        Err(AbiError::InvalidDiscriminant {
            got: handle,
            cases: 0,
        })
    }

    fn consume_lift_budget(&mut self, bytes: u64) -> Result<(), AbiError> {
        let granted = self.granted.checked_add(bytes);
        match granted.filter(|granted| *granted <= BUDGET) {
            Some(granted) => {
                self.granted = granted;
                Ok(())
            }
            None => Err(AbiError::HostAllocation { bytes }),
        }
    }
}

impl LowerGuest for AbiGuest {
    fn memory_mut(&mut self) -> Result<&mut [u8], AbiError> {
        Ok(&mut self.memory)
    }

    fn realloc(&mut self, old_ptr: u32, old_size: u32, align: u32, new_size: u32) -> Result<u32, AbiError> {
        assert_eq!((old_ptr, old_size), (0, 0), "lowering measures first");
        assert!(align.is_power_of_two() && align <= 8, "alignment {align}");
        let no_memory = AbiError::HostAllocation {
            bytes: u64::from(new_size),
        };
        if let Some(answers) = &mut self.hostile {
            return answers.next().ok_or(no_memory);
        }
        let end = u32::try_from(self.memory.len()).map_err(|_| no_memory.clone())?;
        let ptr = end.next_multiple_of(align);
        match ptr.checked_add(new_size) {
            Some(end) if end <= MAX_MEMORY => {
                self.memory.resize(end as usize, 0xaa);
                Ok(ptr)
            }
            _ => Err(no_memory),
        }
    }

    fn lower_own(&mut self, ty: ResourceType, resource: &u32) -> Result<u32, AbiError> {
        self.handles.push((ty, *resource));
        Ok(self.handles.len() as u32 - 1)
    }

    fn lower_borrow(&mut self, ty: ResourceType, resource: &u32) -> Result<u32, AbiError> {
        self.lower_own(ty, resource)
    }

    fn lower_stream(&mut self, _: &TransmitType, stream: &Never) -> Result<u32, AbiError> {
        match *stream {}
    }

    fn lower_future(&mut self, _: &TransmitType, future: &Never) -> Result<u32, AbiError> {
        match *future {}
    }
}
