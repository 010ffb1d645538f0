//! Denials of the domain `network`.

use super::Block;

pub(super) const BLOCKS: &[Block] = &[
    (
        &["allow network:outbound:example.com"],
        &[
            (
                "network:outbound:https://example.com.evil.test/",
                "no-rule",
                "network:outbound:https://example.com/",
            ),
            (
                "network:outbound:https://evil.test/example.com",
                "no-rule",
                "network:outbound:https://example.com/x",
            ),
            (
                "network:outbound:https://evil.test?example.com",
                "no-rule",
                "network:outbound:https://example.com?x",
            ),
            (
                "network:outbound:https://evil.test#example.com",
                "no-rule",
                "network:outbound:https://example.com#x",
            ),
            (
                "network:outbound:https://notexample.com/",
                "no-rule",
                "network:outbound:http://example.com",
            ),
            (
                "network:outbound:https://www.example.com/",
                "no-rule",
                "network:outbound:https://EXAMPLE.com",
            ),
            (
                "network:outbound:https://example.co/",
                "no-rule",
                "network:outbound:https://example.com:8443",
            ),
            (
                "network:outbound:https://example.comm/",
                "no-rule",
                "network:outbound:https://example.com./",
            ),
            (
                "network:outbound:https://examp1e.com/",
                "no-rule",
                "network:outbound:https://ｅxample.com/",
            ),
            (
                "network:outbound:https://ex\u{430}mple.com/",
                "no-rule",
                "network:outbound:https://ex%61mple.com/",
            ),
            (
                "network:outbound:https://example-com/",
                "no-rule",
                "network:outbound:https://example。com/",
            ),
            (
                "network:outbound:https://com/",
                "no-rule",
                "network:outbound:https:example.com",
            ),
            (
                "network:outbound:https://xn--exmple-cua.com/",
                "no-rule",
                "network:outbound:https:////example.com",
            ),
            (
                "network:outbound:http://93.184.216.34/",
                "no-rule",
                "network:outbound:http://example.com:1",
            ),
            (
                "network:outbound:http://localhost/",
                "no-rule",
                "network:outbound:example.com 80",
            ),
            (
                "network:outbound:evil.test 443",
                "no-rule",
                "network:outbound:example.com 443",
            ),
            (
                "network:outbound:https://example_com/",
                "no-rule",
                "network:outbound:EXAMPLE.COM. 22",
            ),
        ],
    ),
    (
        &["allow network:outbound:*.example.com:443"],
        &[
            (
                "network:outbound:https://example.com/",
                "no-rule",
                "network:outbound:https://a.example.com/",
            ),
            (
                "network:outbound:https://xexample.com/",
                "no-rule",
                "network:outbound:https://x.example.com/",
            ),
            (
                "network:outbound:https://a.example.com:444/",
                "no-rule",
                "network:outbound:https://a.example.com:443/",
            ),
            (
                "network:outbound:http://a.example.com/",
                "no-rule",
                "network:outbound:http://a.example.com:443/",
            ),
            (
                "network:outbound:https://a.example.com.evil.test/",
                "no-rule",
                "network:outbound:https://a.b.example.com/",
            ),
            (
                "network:outbound:https://example.com.a/",
                "no-rule",
                "network:outbound:https://A.EXAMPLE.COM./",
            ),
            (
                "network:outbound:a.example.com 80",
                "no-rule",
                "network:outbound:a.example.com 443",
            ),
            (
                "network:outbound:https://com/",
                "no-rule",
                "network:outbound:https://_a.example.com",
            ),
        ],
    ),
    (
        &[
            "allow network:outbound:https://api.example.com",
            "allow network:outbound:http://api.example.com:8080",
        ],
        &[
            (
                "network:outbound:http://api.example.com/",
                "no-rule",
                "network:outbound:https://api.example.com/",
            ),
            (
                "network:outbound:https://api.example.com:8443/",
                "no-rule",
                "network:outbound:https://api.example.com:443/",
            ),
            (
                "network:outbound:http://api.example.com:443/",
                "no-rule",
                "network:outbound:http://api.example.com:8080/",
            ),
            (
                "network:outbound:https://api.example.com:8080/",
                "no-rule",
                "network:outbound:http://API.example.com:8080/",
            ),
            // A plain connection is no HTTPS.
            (
                "network:outbound:api.example.com 443",
                "no-rule",
                "network:outbound:https://api.example.com./",
            ),
            (
                "network:outbound:https://x.api.example.com/",
                "no-rule",
                "network:outbound:https://api.example.com/x",
            ),
        ],
    ),
    (
        &[
            "allow network:outbound:bücher.example",
            "allow network:outbound:*.рф",
        ],
        &[
            (
                "network:outbound:http://bucher.example/",
                "no-rule",
                "network:outbound:http://bücher.example/",
            ),
            (
                "network:outbound:http://xn--bucher-kva.example/",
                "no-rule",
                "network:outbound:http://xn--bcher-kva.example/",
            ),
            (
                "network:outbound:http://bücher.example.test/",
                "no-rule",
                "network:outbound:http://BÜCHER.example/",
            ),
            (
                "network:outbound:http://b\u{fc}\u{63}her.examp1e/",
                "no-rule",
                "network:outbound:http://bu\u{308}cher.example/",
            ),
            (
                "network:outbound:http://рф/",
                "no-rule",
                "network:outbound:http://а.рф/",
            ),
            (
                "network:outbound:http://pф/",
                "no-rule",
                "network:outbound:http://а.xn--p1ai/",
            ),
        ],
    ),
    (
        &[
            "allow network:outbound:*",
            "deny network:outbound:evil.test",
            "deny network:outbound:*.bad.test:80",
        ],
        &[
            (
                "network:outbound:http://evil.test/",
                "deny network:outbound:evil.test",
                "network:outbound:http://www.evil.test/",
            ),
            (
                "network:outbound:https://EVIL.test./",
                "deny network:outbound:evil.test",
                "network:outbound:https://evil.test.x/",
            ),
            (
                "network:outbound:evil.test 22",
                "deny network:outbound:evil.test",
                "network:outbound:good.test 22",
            ),
            (
                "network:outbound:http://%65vil.test/",
                "deny network:outbound:evil.test",
                "network:outbound:http://devil.test/",
            ),
            (
                "network:outbound:http://a.bad.test/",
                "deny network:outbound:*.bad.test:80",
                "network:outbound:http://bad.test/",
            ),
            (
                "network:outbound:a.bad.test 80",
                "deny network:outbound:*.bad.test:80",
                "network:outbound:https://a.bad.test/",
            ),
            // `*` covers names only.
            (
                "network:outbound:http://127.0.0.1/",
                "no-rule",
                "network:outbound:http://localhost/",
            ),
            (
                "network:outbound:http://169.254.169.254/latest",
                "no-rule",
                "network:outbound:http://metadata.test/",
            ),
            (
                "network:outbound:http://[::1]/",
                "no-rule",
                "network:outbound:http://a.test/",
            ),
            (
                "network:outbound:http://2130706433/",
                "no-rule",
                "network:outbound:http://a2130706433/",
            ),
            (
                "network:outbound:http://0x7f000001/",
                "no-rule",
                "network:outbound:http://0x7f000001.test/",
            ),
            (
                "network:outbound:http://1.1.1.1/",
                "no-rule",
                "network:outbound:http://1.1.1.1.test/",
            ),
        ],
    ),
    (
        &[
            "allow network:outbound:10.0.0.0/8",
            "deny network:outbound:10.1.0.0/16",
            "allow network:outbound:127.0.0.1:8080",
        ],
        &[
            (
                "network:outbound:http://11.0.0.1/",
                "no-rule",
                "network:outbound:http://10.0.0.1/",
            ),
            (
                "network:outbound:http://9.255.255.255/",
                "no-rule",
                "network:outbound:http://10.255.255.255/",
            ),
            (
                "network:outbound:http://10.1.2.3/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:http://10.2.2.3/",
            ),
            (
                "network:outbound:http://167838211/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:http://167903747/",
            ),
            (
                "network:outbound:http://0xa.0x1.2.3/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:http://0xa.0x2.2.3/",
            ),
            (
                "network:outbound:http://012.01.2.3/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:http://012.02.2.3/",
            ),
            (
                "network:outbound:http://10.66051/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:http://10.131587/",
            ),
            (
                "network:outbound:http://[::ffff:10.1.2.3]/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:http://[::ffff:10.2.2.3]/",
            ),
            (
                "network:outbound:::ffff:a01:203 80",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:::ffff:a02:203 80",
            ),
            (
                "network:outbound:http://[64:ff9b::10.1.2.3]/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:10.2.2.3 80",
            ),
            (
                "network:outbound:http://[2002:a01:203::1]/",
                "deny network:outbound:10.1.0.0/16",
                "network:outbound:10.3.2.3 80",
            ),
            (
                "network:outbound:http://[64:ff9b::10.2.2.3]/",
                "no-rule",
                "network:outbound:http://10.2.2.3/",
            ),
            (
                "network:outbound:http://[::10.2.2.3]/",
                "no-rule",
                "network:outbound:http://10.2.2.3:81/",
            ),
            (
                "network:outbound:http://10.test/",
                "no-rule",
                "network:outbound:http://10.0/",
            ),
            (
                "network:outbound:http://127.0.0.1/",
                "no-rule",
                "network:outbound:http://127.0.0.1:8080/",
            ),
            (
                "network:outbound:http://127.0.0.2:8080/",
                "no-rule",
                "network:outbound:http://127.1:8080/",
            ),
            (
                "network:outbound:http://localhost:8080/",
                "no-rule",
                "network:outbound:127.0.0.1 8080",
            ),
        ],
    ),
    (
        &[
            "allow network:outbound:[2001:db8::]/32",
            "deny network:outbound:[2001:db8::bad]",
            "allow network:outbound:[::1]:80",
        ],
        &[
            (
                "network:outbound:http://[2001:db9::1]/",
                "no-rule",
                "network:outbound:http://[2001:db8::1]/",
            ),
            (
                "network:outbound:http://[2001:db8::bad]/",
                "deny network:outbound:[2001:db8::bad]",
                "network:outbound:http://[2001:db8::bae]/",
            ),
            (
                "network:outbound:http://[2001:0DB8:0:0::0:BAD]/",
                "deny network:outbound:[2001:db8::bad]",
                "network:outbound:http://[2001:0DB8:0:0::0:BAE]/",
            ),
            (
                "network:outbound:http://[::1]:81/",
                "no-rule",
                "network:outbound:http://[::1]/",
            ),
            (
                "network:outbound:http://[::2]/",
                "no-rule",
                "network:outbound:http://[0::1]:80/",
            ),
            (
                "network:outbound:http://0.0.0.1/",
                "no-rule",
                "network:outbound:::1 80",
            ),
        ],
    ),
    (
        &[
            "allow network:outbound",
            "deny network:outbound:https://a.test",
            "deny network:outbound:[fd00::]/8",
        ],
        &[
            (
                "network:outbound:https://a.test/",
                "deny network:outbound:https://a.test",
                "network:outbound:http://a.test/",
            ),
            // A plain connection could carry HTTPS.
            (
                "network:outbound:a.test 443",
                "deny network:outbound:https://a.test",
                "network:outbound:a.test 80",
            ),
            (
                "network:outbound:https://A.TEST.:443/",
                "deny network:outbound:https://a.test",
                "network:outbound:https://a.test:444/",
            ),
            (
                "network:outbound:http://[fd12::1]/",
                "deny network:outbound:[fd00::]/8",
                "network:outbound:http://[fe12::1]/",
            ),
        ],
    ),
];
