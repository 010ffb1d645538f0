//! Requests that clients send. Hosts are those of the requests: they are not resolved.

use super::Exchange;
use super::Step::{Await, End, Send};

/// All cases. The guest's answers are in `tests/guests/wasi-cases/src/http/served.rs`.
pub(super) const CASES: &[Exchange] = &[
    Exchange {
        name: "the request that the guest sees",
        steps: &[Send(
            "GET /describe?a=b&c HTTP/1.1\r\nhost: example.test:8080\r\nconnection: close\r\nX-A: 1\r\nx-a: 2\r\nx-b:\r\n\r\n",
        )],
    },
    Exchange {
        name: "a method of the client's own",
        steps: &[Send(
            "LIST /describe HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "no target but the server",
        steps: &[Send(
            "OPTIONS * HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "a target with its host",
        steps: &[Send(
            "PUT http://other.test:81/describe HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody",
        )],
    },
    Exchange {
        name: "a head alone",
        steps: &[Send(
            "HEAD /head HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "a body of known length",
        steps: &[Send(
            "POST /echo HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 9\r\n\r\nsome text",
        )],
    },
    Exchange {
        name: "a body in chunks, with trailers",
        steps: &[Send(
            "POST /echo HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ntransfer-encoding: chunked\r\ntrailer: x-end\r\n\r\n4\r\nsome\r\n5\r\n text\r\n0\r\nx-end: 1\r\n\r\n",
        )],
    },
    Exchange {
        name: "a body that is waited for",
        steps: &[
            Send(
                "POST /describe HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n",
            ),
            Await("100 Continue\r\n\r\n"),
            Send("some"),
        ],
    },
    Exchange {
        name: "a body with an answer to each part",
        steps: &[
            Send(
                "POST /duplex HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
            ),
            Await("begin"),
            Send("3\r\none\r\n"),
            Await("1 one"),
            Send("3\r\ntwo\r\n"),
            Await("2 two"),
            Send("0\r\n\r\n"),
        ],
    },
    Exchange {
        name: "a body that nobody reads, and its trailers",
        steps: &[Send(
            "POST /skip HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\nx-end: 1\r\n\r\n",
        )],
    },
    Exchange {
        name: "a body with a chunk that is none",
        steps: &[Send(
            "POST /echo HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\nnone\r\n",
        )],
    },
    Exchange {
        name: "two requests over one connection",
        steps: &[
            Send("POST /echo HTTP/1.1\r\nhost: example.test\r\ncontent-length: 3\r\n\r\none"),
            Await("one"),
            Send(
                "POST /echo HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 3\r\n\r\ntwo",
            ),
        ],
    },
    Exchange {
        name: "a status, fields and no body",
        steps: &[Send(
            "GET /status?404 HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "a status that has no body",
        steps: &[Send(
            "GET /status?204 HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "a redirection",
        steps: &[Send(
            "GET /status?302 HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "trailers",
        steps: &[Send(
            "GET /trailers HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\nte: trailers\r\n\r\n",
        )],
    },
    Exchange {
        name: "trailers that the client does not take",
        steps: &[Send(
            "GET /trailers HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "an error for an answer",
        steps: &[Send(
            "GET /error?internal HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "an error that has a status of its own",
        steps: &[Send(
            "GET /error?denied HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "an outparam that is dropped",
        steps: &[Send(
            "GET /dropped HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "an outparam that is never set",
        steps: &[Send(
            "GET /kept HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "an outparam that is set twice",
        steps: &[Send(
            "GET /twice HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "a trap before the answer",
        steps: &[Send(
            "GET /trap HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "a trap after the answer",
        steps: &[
            Send(
                "POST /trap-after HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
            ),
            Await("part"),
            Send("go"),
        ],
    },
    Exchange {
        name: "a trap within the body",
        steps: &[
            Send(
                "POST /trap-later HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
            ),
            Await("part"),
            Send("go"),
        ],
    },
    Exchange {
        name: "a body that is not finished",
        steps: &[
            Send(
                "POST /unfinished HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
            ),
            Await("part"),
            Send("go"),
        ],
    },
    Exchange {
        name: "a body that ends with its guest",
        steps: &[
            Send(
                "POST /abandoned HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
            ),
            Await("part"),
            Send("go"),
        ],
    },
    Exchange {
        name: "a body shorter than it says",
        steps: &[
            Send(
                "POST /short HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
            ),
            Await("part"),
            Send("go"),
        ],
    },
    Exchange {
        name: "a body longer than it says",
        steps: &[
            Send(
                "POST /long HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
            ),
            Await("part"),
            Send("go"),
        ],
    },
    Exchange {
        name: "an informational response",
        steps: &[Send(
            "GET /informational HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\r\n",
        )],
    },
    Exchange {
        name: "a request's body that breaks off",
        steps: &[
            Send(
                "POST /skip HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\ncontent-length: 10\r\n\r\nsome",
            ),
            End,
        ],
    },
];
