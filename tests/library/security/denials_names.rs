//! Denials of the domains `host-function`, `messaging` and `config`.

use super::Block;

pub(super) const BLOCKS: &[Block] = &[
    (
        &["allow host-function:call:math.add"],
        &[
            (
                "host-function:call:math",
                "no-rule",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:math.add.x",
                "no-rule",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:math.addition",
                "no-rule",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:Math.add",
                "no-rule",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:math.ad",
                "no-rule",
                "host-function:call:math.add",
            ),
            ("host-function:call:*", "no-rule", "host-function:call:math.add"),
            (
                "host-function:call:m\u{430}th.add",
                "no-rule",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:",
                "invalid-request",
                "host-function:call:math.add",
            ),
            (
                "host-function:call: math.add",
                "invalid-request",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:math.add ",
                "invalid-request",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:math.add\0",
                "invalid-request",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:math.add\n",
                "invalid-request",
                "host-function:call:math.add",
            ),
            (
                "host-function:call:math\u{200d}.add",
                "invalid-request",
                "host-function:call:math.add",
            ),
            (
                "messaging:send:math.add",
                "no-rule",
                "host-function:call:math.add",
            ),
        ],
    ),
    (
        &["allow host-function:call", "deny host-function:call:shutdown"],
        &[
            (
                "host-function:call:shutdown",
                "deny host-function:call:shutdown",
                "host-function:call:shutdown2",
            ),
            (
                "host-function:call:shutdown\r",
                "invalid-request",
                "host-function:call:Shutdown",
            ),
        ],
    ),
    (
        &[
            "allow messaging:send:store",
            "allow messaging:receive:topic/prices",
        ],
        &[
            ("messaging:send:store-2", "no-rule", "messaging:send:store"),
            ("messaging:send:stor", "no-rule", "messaging:send:store"),
            ("messaging:send:store/x", "no-rule", "messaging:send:store"),
            ("messaging:receive:store", "no-rule", "messaging:send:store"),
            (
                "messaging:send:topic/prices",
                "no-rule",
                "messaging:receive:topic/prices",
            ),
            (
                "messaging:receive:topic",
                "no-rule",
                "messaging:receive:topic/prices",
            ),
            (
                "messaging:receive:topic/prices/x",
                "no-rule",
                "messaging:receive:topic/prices",
            ),
            ("messaging:send:", "invalid-request", "messaging:send:store"),
            (
                "messaging:send:store\u{2028}",
                "invalid-request",
                "messaging:send:store",
            ),
        ],
    ),
    (
        &[
            "allow config:read:db",
            "deny config:read:db.password",
            "allow config:write:ui/theme",
        ],
        &[
            ("config:read:dbx", "no-rule", "config:read:db"),
            ("config:read:db-host", "no-rule", "config:read:db.host"),
            ("config:read:d", "no-rule", "config:read:db/host"),
            ("config:read:DB", "no-rule", "config:read:db:host"),
            ("config:read:x.db", "no-rule", "config:read:db.x.db"),
            (
                "config:read:db.password",
                "deny config:read:db.password",
                "config:read:db.passwords",
            ),
            (
                "config:read:db.password.old",
                "deny config:read:db.password",
                "config:read:db.pass",
            ),
            (
                "config:read:db.password/old",
                "deny config:read:db.password",
                "config:read:db/password",
            ),
            ("config:write:db", "no-rule", "config:read:db"),
            ("config:write:ui", "no-rule", "config:write:ui/theme"),
            ("config:write:ui.theme", "no-rule", "config:write:ui/theme/x"),
            ("config:read:ui/theme", "no-rule", "config:write:ui/theme.x"),
            ("config:read:", "invalid-request", "config:read:db"),
            ("config:read:db\0", "invalid-request", "config:read:db"),
            ("config:read:db\u{202d}", "invalid-request", "config:read:db"),
        ],
    ),
    (
        &["allow host-function:call:f"],
        &[
            ("ai:model:load", "invalid-request", "host-function:call:f"),
            ("host-function:run:f", "invalid-request", "host-function:call:f"),
            ("hostfunction:call:f", "invalid-request", "host-function:call:f"),
        ],
    ),
];
