//! Answers requests with their method and path.

use spin_sdk::http::{IntoResponse, Request, StatusCode};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let path = request.uri().path();
    if path == "/nowhere" {
        return (StatusCode::NOT_FOUND, String::new());
    }
    (StatusCode::OK, format!("{} {path}", request.method()))
}
