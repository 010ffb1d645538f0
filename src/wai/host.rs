//! Implementations of the glue's traits: the host functions that components have, too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::glue::airssys_host_capabilities_v1 as capabilities;
use super::glue::airssys_host_services_v1 as services;
use super::glue::airssys_multicodec_v1 as multicodec;
use super::values;
use crate::error::Error;
use crate::host::bindings::airssys::host_core::host_capabilities::Host as _;
use crate::host::bindings::airssys::host_core::host_services::Host as _;
use crate::host::bindings::airssys::multicodec_core::multicodec_utilities::Host as _;
use crate::host::{CallScope, HostContext};
use airssys_wasm_component::internal::own;

/// The host's side of one instance. Clones share one state.
#[derive(Clone, Debug)]
pub(super) struct Host(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    context: HostContext,
    /// Error of a function that cannot return one. Its guard reports it.
    failure: Option<Error>,
}

impl Host {
    pub(super) fn new(context: HostContext) -> Host {
        let failure = None;
        Host(Arc::new(Mutex::new(State { context, failure })))
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        self.lock().context.deadline = deadline;
    }

    pub(super) fn set_call(&self, call: CallScope) {
        self.lock().context.call = call;
    }

    pub(super) fn take_failure(&self) -> Option<Error> {
        self.lock().failure.take()
    }

    /// Never blocks: only the thread in the guest's call gets here.
    fn lock(&self) -> MutexGuard<'_, State> {
        // Host functions leave a consistent state behind at each step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the embedder's functions. Their panics must not count as panics of the surrounding glue.
    fn with<R>(&self, call: impl FnOnce(&mut HostContext) -> R) -> R {
        own(|| call(&mut self.lock().context))
    }
}

impl services::AirssysHostServicesV1 for Host {
    fn log(&mut self, level: services::LogLevel, message: &str, pairs: Option<Vec<(&str, &str)>>) {
        let pairs = pairs.map(values::owned_pairs);
        self.with(|context| context.log(values::log_level(level), message.to_owned(), pairs));
    }

    fn send_message(&mut self, target: &str, message: &[u8]) -> Result<(), services::MessagingError> {
        self.with(|context| context.send_message(target.to_owned(), message.to_vec()))
            .map_err(values::messaging_error)
    }

    fn receive_message(&mut self) -> Result<Option<services::IncomingMessage>, services::MessagingError> {
        match self.with(|context| context.receive_message()) {
            Ok(message) => Ok(message.map(values::incoming_message)),
            Err(error) => Err(values::messaging_error(error)),
        }
    }

    fn get_config(&mut self, key: &str) -> Result<Option<String>, services::ConfigError> {
        self.with(|context| context.get_config(key.to_owned()))
            .map_err(values::config_error)
    }

    fn set_config(&mut self, key: &str, value: &str) -> Result<(), services::ConfigError> {
        self.with(|context| context.set_config(key.to_owned(), value.to_owned()))
            .map_err(values::config_error)
    }

    fn current_time_millis(&mut self) -> u64 {
        self.with(|context| context.current_time_millis())
    }

    fn sleep_millis(&mut self, duration: u64) {
        let mut state = self.lock();
        if let Err(error) = state.context.sleep_millis(duration) {
            state.failure = Some(match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(source) => Error::Host {
                    name: "sleep-millis".to_owned(),
                    source,
                },
            });
        }
    }

    fn list_components(&mut self) -> Vec<String> {
        self.with(|context| context.list_components())
    }

    fn get_component_metadata(
        &mut self,
        id: &str,
    ) -> Result<services::ComponentMetadata, services::ComponentError> {
        match self.with(|context| context.get_component_metadata(id.to_owned())) {
            Ok(metadata) => Ok(values::metadata_of_another(metadata)),
            Err(error) => Err(values::component_error(error)),
        }
    }
}

impl capabilities::AirssysHostCapabilitiesV1 for Host {
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, capabilities::FileError> {
        self.with(|context| context.read_file(path.to_owned()))
            .map_err(values::file_error)
    }

    fn write_file(&mut self, path: &str, data: &[u8]) -> Result<(), capabilities::FileError> {
        self.with(|context| context.write_file(path.to_owned(), data.to_vec()))
            .map_err(values::file_error)
    }

    fn http_request(
        &mut self,
        request: capabilities::Request<'_>,
    ) -> Result<capabilities::Response, capabilities::HttpError> {
        match self.with(|context| context.http_request(values::request(request))) {
            Ok(response) => Ok(values::response(response)),
            Err(error) => Err(values::http_error(error)),
        }
    }

    fn call_host_function(
        &mut self,
        name: &str,
        args: &[u8],
    ) -> Result<Vec<u8>, capabilities::HostFunctionError> {
        self.with(|context| context.call_host_function(name.to_owned(), args.to_vec()))
            .map_err(values::host_function_error)
    }
}

impl multicodec::AirssysMulticodecV1 for Host {
    fn encode(&mut self, codec: u64, data: &[u8]) -> Vec<u8> {
        self.with(|context| context.encode(codec, data.to_vec()))
    }

    fn decode(&mut self, encoded: &[u8]) -> Result<multicodec::DecodedData, multicodec::MulticodecError> {
        match self.with(|context| context.decode(encoded.to_vec())) {
            Ok(decoded) => Ok(multicodec::DecodedData {
                codec: decoded.codec,
                data: decoded.data,
            }),
            Err(error) => Err(values::multicodec_error(error)),
        }
    }

    fn is_codec_supported(&mut self, codec: u64) -> bool {
        self.with(|context| context.is_codec_supported(codec))
    }

    fn get_codec_info(&mut self, codec: u64) -> Result<multicodec::CodecInfo, multicodec::MulticodecError> {
        match self.with(|context| context.get_codec_info(codec)) {
            Ok(info) => Ok(multicodec::CodecInfo {
                id: info.id,
                name: info.name,
                description: info.description,
                self_describing: info.self_describing,
            }),
            Err(error) => Err(values::multicodec_error(error)),
        }
    }
}
