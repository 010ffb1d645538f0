//! The glue that wai-bindgen-wasmer generates from `wit/wai`: a client for a module's exports, traits for its imports, and
//! functions that define these imports.
#![allow(
    dead_code,
    missing_debug_implementations,
    unreachable_pub,
    reason = "the text is generated"
)]

wai_glue::import!("wit/wai/airssys-component-v1.wai");
wai_glue::export!("wit/wai/airssys-host-services-v1.wai");
wai_glue::export!("wit/wai/airssys-host-capabilities-v1.wai");
wai_glue::export!("wit/wai/airssys-multicodec-v1.wai");
