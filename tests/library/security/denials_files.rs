//! Denials of the domain `filesystem`.

use super::Block;

pub(super) const BLOCKS: &[Block] = &[
    (
        &["allow filesystem:read:/data"],
        &[
            (
                "filesystem:read:/database",
                "no-rule",
                "filesystem:read:/data/base",
            ),
            (
                "filesystem:read:/data.txt",
                "no-rule",
                "filesystem:read:/data/.txt",
            ),
            (
                "filesystem:read:/data-old/x",
                "no-rule",
                "filesystem:read:/data/-old/x",
            ),
            ("filesystem:read:/dat", "no-rule", "filesystem:read:/data"),
            ("filesystem:read:/", "no-rule", "filesystem:read:/data/"),
            ("filesystem:read:/DATA/x", "no-rule", "filesystem:read:/data/X"),
            ("filesystem:read:/Data", "no-rule", "filesystem:read:/data/Data"),
            (
                "filesystem:read:/x/data",
                "no-rule",
                "filesystem:read:/data/x/data",
            ),
            ("filesystem:read:/data ", "no-rule", "filesystem:read:/data/ "),
            ("filesystem:read:/ data", "no-rule", "filesystem:read:/data/ data"),
            (
                "filesystem:read:/d\u{430}ta",
                "no-rule",
                "filesystem:read:/data/d\u{430}ta",
            ),
            (
                "filesystem:read:/data\u{301}",
                "no-rule",
                "filesystem:read:/data/\u{301}",
            ),
            ("filesystem:read:/ｄata", "no-rule", "filesystem:read:/data/ｄata"),
            ("filesystem:read:/data:x", "no-rule", "filesystem:read:/data/:x"),
            ("filesystem:read:/data*", "no-rule", "filesystem:read:/data/*"),
            ("filesystem:read:/*", "no-rule", "filesystem:read:/data/?"),
            ("filesystem:read:/data~", "no-rule", "filesystem:read:/data/~"),
            (
                "filesystem:read:/etc/passwd",
                "no-rule",
                "filesystem:read:/data/etc/passwd",
            ),
            (
                "filesystem:read:/proc/self/mem",
                "no-rule",
                "filesystem:read:/data/proc",
            ),
            ("filesystem:read://etc", "no-rule", "filesystem:read://data//x"),
            ("filesystem:read:/./etc", "no-rule", "filesystem:read:/./data/./x"),
            (
                "filesystem:read:/.../data",
                "no-rule",
                "filesystem:read:/data/...",
            ),
            (
                "filesystem:read:/data%20",
                "no-rule",
                "filesystem:read:/data/a%20b",
            ),
            ("filesystem:write:/data/x", "no-rule", "filesystem:read:/data/x"),
            ("filesystem:list:/data", "no-rule", "filesystem:read:/data/y"),
            ("filesystem:delete:/data/x", "no-rule", "filesystem:read:/data/z"),
            ("filesystem:read:", "invalid-request", "filesystem:read:/data"),
            ("filesystem:read:data", "invalid-request", "filesystem:read:/data"),
            (
                "filesystem:read:./data",
                "invalid-request",
                "filesystem:read:/data/.",
            ),
            (
                "filesystem:read:data/x",
                "invalid-request",
                "filesystem:read:/data/x",
            ),
            (
                "filesystem:read:~/data",
                "invalid-request",
                "filesystem:read:/data/~/data",
            ),
            (
                "filesystem:read:C:/data",
                "invalid-request",
                "filesystem:read:/data/C:",
            ),
            (
                "filesystem:read:file:///data",
                "invalid-request",
                "filesystem:read:/data/file:",
            ),
            (
                "filesystem:read:/data/..",
                "invalid-request",
                "filesystem:read:/data/...",
            ),
            (
                "filesystem:read:/data/../etc",
                "invalid-request",
                "filesystem:read:/data/..etc",
            ),
            (
                "filesystem:read:/data/x/../y",
                "invalid-request",
                "filesystem:read:/data/x/y",
            ),
            (
                "filesystem:read:/data/../data/x",
                "invalid-request",
                "filesystem:read:/data/data/x",
            ),
            (
                "filesystem:read:/../data",
                "invalid-request",
                "filesystem:read:/data/..a",
            ),
            (
                "filesystem:read:/data/./../x",
                "invalid-request",
                "filesystem:read:/data/./x",
            ),
            (
                "filesystem:read:/data//..//x",
                "invalid-request",
                "filesystem:read:/data////x",
            ),
            (
                "filesystem:read:/data/%2e%2e/x",
                "invalid-request",
                "filesystem:read:/data/%2/x",
            ),
            (
                "filesystem:read:/data/%2E%2E/x",
                "invalid-request",
                "filesystem:read:/data/%E2/x",
            ),
            (
                "filesystem:read:/data/.%2e/x",
                "invalid-request",
                "filesystem:read:/data/%ff/x",
            ),
            (
                "filesystem:read:/data%2fx",
                "invalid-request",
                "filesystem:read:/data/2fx",
            ),
            (
                "filesystem:read:/data%2F..%2Fetc",
                "invalid-request",
                "filesystem:read:/data/%",
            ),
            (
                "filesystem:read:/data/x%00.txt",
                "invalid-request",
                "filesystem:read:/data/x%01.txt",
            ),
            (
                "filesystem:read:/data%5c..%5cx",
                "invalid-request",
                "filesystem:read:/data/%5b",
            ),
            (
                "filesystem:read:/data\\..\\x",
                "invalid-request",
                "filesystem:read:/data/x",
            ),
            (
                "filesystem:read:\\data",
                "invalid-request",
                "filesystem:read:/data",
            ),
            (
                "filesystem:read:/data/x\0",
                "invalid-request",
                "filesystem:read:/data/x",
            ),
            (
                "filesystem:read:/data/x\0/y",
                "invalid-request",
                "filesystem:read:/data/x/y",
            ),
            (
                "filesystem:read:/data/\n",
                "invalid-request",
                "filesystem:read:/data/n",
            ),
            (
                "filesystem:read:/data/\u{1b}[2J",
                "invalid-request",
                "filesystem:read:/data/[2J",
            ),
            (
                "filesystem:read:/data/\u{7f}",
                "invalid-request",
                "filesystem:read:/data/7f",
            ),
            (
                "filesystem:read:/data/\u{202e}txt",
                "invalid-request",
                "filesystem:read:/data/ü",
            ),
            (
                "filesystem:read:/data/\u{200b}",
                "invalid-request",
                "filesystem:read:/data/漢",
            ),
            (
                "filesystem:read:/data/\u{feff}x",
                "invalid-request",
                "filesystem:read:/data/x",
            ),
            (
                "filesystem:read:/data/\u{e0041}",
                "invalid-request",
                "filesystem:read:/data/😀",
            ),
        ],
    ),
    (
        &[
            "allow filesystem:read:/data",
            "deny filesystem:read:/data/keys",
            "allow filesystem:read:/data/keys/public",
        ],
        &[
            (
                "filesystem:read:/data/keys",
                "deny filesystem:read:/data/keys",
                "filesystem:read:/data/keys2",
            ),
            (
                "filesystem:read:/data/keys/a",
                "deny filesystem:read:/data/keys",
                "filesystem:read:/data/key",
            ),
            (
                "filesystem:read:/data/keys/public",
                "deny filesystem:read:/data/keys",
                "filesystem:read:/data/public",
            ),
            (
                "filesystem:read:/data/keys/public/x",
                "deny filesystem:read:/data/keys",
                "filesystem:read:/data/public/x",
            ),
            (
                "filesystem:read:/data//keys",
                "deny filesystem:read:/data/keys",
                "filesystem:read:/data//x",
            ),
            (
                "filesystem:read:/data/./keys/",
                "deny filesystem:read:/data/keys",
                "filesystem:read:/data/./x/",
            ),
            (
                "filesystem:read://data/keys/.",
                "deny filesystem:read:/data/keys",
                "filesystem:read://data/.",
            ),
            (
                "filesystem:read:/data/x/../keys",
                "invalid-request",
                "filesystem:read:/data/x/keys",
            ),
            (
                "filesystem:read:/data/%6b/../keys",
                "invalid-request",
                "filesystem:read:/data/%6b/keys",
            ),
        ],
    ),
    (
        &[
            "allow filesystem:read",
            "deny filesystem:read:/etc",
            "allow filesystem:list:/",
        ],
        &[
            (
                "filesystem:read:/etc",
                "deny filesystem:read:/etc",
                "filesystem:list:/etc",
            ),
            (
                "filesystem:read:/etc/shadow",
                "deny filesystem:read:/etc",
                "filesystem:read:/etcetera",
            ),
            (
                "filesystem:read:///etc///shadow",
                "deny filesystem:read:/etc",
                "filesystem:read:///x",
            ),
            ("filesystem:write:/tmp/x", "no-rule", "filesystem:read:/tmp/x"),
            ("filesystem:delete:/", "no-rule", "filesystem:list:/"),
            ("filesystem:read:tmp", "invalid-request", "filesystem:read:/tmp"),
            ("filesystem:list:/a/..", "invalid-request", "filesystem:list:/a"),
        ],
    ),
    (
        &[
            "allow filesystem:read:/data",
            "allow filesystem:write:/data",
            "deny filesystem:write",
        ],
        &[
            (
                "filesystem:write:/data/x",
                "deny filesystem:write",
                "filesystem:read:/data/x",
            ),
            (
                "filesystem:write:/other",
                "deny filesystem:write",
                "filesystem:read:/data",
            ),
        ],
    ),
    (
        &["allow filesystem:write:/a b/ü", "allow filesystem:delete:/x/y/"],
        &[
            ("filesystem:write:/a", "no-rule", "filesystem:write:/a b/ü"),
            ("filesystem:write:/a b", "no-rule", "filesystem:write:/a b/ü/z"),
            (
                "filesystem:write:/a b/u\u{308}",
                "no-rule",
                "filesystem:write:/a b/ü/u\u{308}",
            ),
            (
                "filesystem:write:/a%20b/ü",
                "no-rule",
                "filesystem:write:/a b/ü/%20",
            ),
            ("filesystem:delete:/x", "no-rule", "filesystem:delete:/x/y"),
            ("filesystem:delete:/x/yy", "no-rule", "filesystem:delete:/x/y/y"),
        ],
    ),
];
