//! The resource `fields`.

use super::{FieldError, Fields};
use crate::WasiCtx;
use crate::bindings::wasi::http::types::{HeaderError, HostFields};
use airssys_wasm_component::component::{HostResult, Resource};

impl HostFields for WasiCtx {
    fn new(&mut self) -> HostResult<Resource<Fields>> {
        let fields = Fields::empty(&self.http.room);
        Ok(self.table.push(fields)?)
    }

    fn from_list(
        &mut self,
        entries: Vec<(String, Vec<u8>)>,
    ) -> HostResult<Result<Resource<Fields>, HeaderError>> {
        match FieldError::told(Fields::of_list(entries, &self.http))? {
            Ok(fields) => Ok(Ok(self.table.push(fields)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> HostResult<Vec<Vec<u8>>> {
        Ok(self.table.get(&fields)?.get(&name))
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> HostResult<bool> {
        Ok(self.table.get(&fields)?.has(&name))
    }

    fn set(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        values: Vec<Vec<u8>>,
    ) -> HostResult<Result<(), HeaderError>> {
        let fields = self.table.get_mut(&fields)?;
        FieldError::told(fields.set(&name, values, &self.http.limits))
    }

    fn delete(&mut self, fields: Resource<Fields>, name: String) -> HostResult<Result<(), HeaderError>> {
        let fields = self.table.get_mut(&fields)?;
        FieldError::told(fields.delete(&name, &self.http.limits))
    }

    fn append(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        value: Vec<u8>,
    ) -> HostResult<Result<(), HeaderError>> {
        let fields = self.table.get_mut(&fields)?;
        FieldError::told(fields.append(&name, value, &self.http.limits))
    }

    fn entries(&mut self, fields: Resource<Fields>) -> HostResult<Vec<(String, Vec<u8>)>> {
        Ok(self.table.get(&fields)?.entries())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> HostResult<Resource<Fields>> {
        let copy = self.table.get(&fields)?.copy(&self.http.limits)?;
        Ok(self.table.push(copy)?)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> HostResult<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}
