//! The resource `fields`.

use airssys_wasm_component::component::{HostResult, Resource};

use crate::WasiCtx;
use crate::bindings::wasi::http::types::HostFields as Fields2;
use crate::http::{FieldError, Fields};
use crate::p3::bindings::wasi::http::types::{HeaderError, HostFields};

/// Converts to the interface's error.
fn answer<R>(result: Result<R, FieldError>) -> HostResult<Result<R, HeaderError>> {
    Ok(result.map_err(|error| match error {
        FieldError::Syntax => HeaderError::InvalidSyntax,
        FieldError::Forbidden => HeaderError::Forbidden,
        FieldError::Immutable => HeaderError::Immutable,
        FieldError::TooLarge => HeaderError::SizeExceeded,
    }))
}

impl HostFields for WasiCtx {
    fn new(&mut self) -> HostResult<Resource<Fields>> {
        Fields2::new(self)
    }

    fn from_list(
        &mut self,
        entries: Vec<(String, Vec<u8>)>,
    ) -> HostResult<Result<Resource<Fields>, HeaderError>> {
        match Fields::of_list(entries, &self.http) {
            Ok(fields) => Ok(Ok(self.table.push(fields)?)),
            Err(error) => answer(Err(error)),
        }
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> HostResult<Vec<Vec<u8>>> {
        Fields2::get(self, fields, name)
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> HostResult<bool> {
        Fields2::has(self, fields, name)
    }

    fn set(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        values: Vec<Vec<u8>>,
    ) -> HostResult<Result<(), HeaderError>> {
        let fields = self.table.get_mut(&fields)?;
        answer(fields.set(&name, values, &self.http.limits))
    }

    fn delete(&mut self, fields: Resource<Fields>, name: String) -> HostResult<Result<(), HeaderError>> {
        let fields = self.table.get_mut(&fields)?;
        answer(fields.delete(&name, &self.http.limits))
    }

    fn get_and_delete(
        &mut self,
        fields: Resource<Fields>,
        name: String,
    ) -> HostResult<Result<Vec<Vec<u8>>, HeaderError>> {
        let fields = self.table.get_mut(&fields)?;
        let values = fields.get(&name);
        answer(fields.delete(&name, &self.http.limits).map(|()| values))
    }

    fn append(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        value: Vec<u8>,
    ) -> HostResult<Result<(), HeaderError>> {
        let fields = self.table.get_mut(&fields)?;
        answer(fields.append(&name, value, &self.http.limits))
    }

    fn copy_all(&mut self, fields: Resource<Fields>) -> HostResult<Vec<(String, Vec<u8>)>> {
        Fields2::entries(self, fields)
    }

    fn clone(&mut self, fields: Resource<Fields>) -> HostResult<Resource<Fields>> {
        Fields2::clone(self, fields)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> HostResult<()> {
        Fields2::drop(self, fields)
    }
}
