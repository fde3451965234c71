//! Addresses as attackers write them.

use std::net::IpAddr;

use crate::notify::address::{Network, Rules, Target, is_public};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What the rules of the open internet make of an address whose host is what it says.
fn is_let_through(text: &str) -> bool {
    let rules = Rules::default();
    let Ok(target) = Target::parse(text, &rules) else {
        return false;
    };
    let host = target.host().trim_matches(['[', ']']);
    host.parse().map_or(true, |address| rules.may_reach(&target, address))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_is_not_for_certain_public_is_refused() {
    for (text, reason) in [
        ("0.0.0.0", "this host"),
        ("0.1.2.3", "this network"),
        ("10.0.0.1", "private"),
        ("10.255.255.255", "private"),
        ("100.64.0.1", "carriers"),
        ("100.100.100.200", "metadata of a cloud"),
        ("100.127.255.255", "carriers"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "platform of a cloud"),
        ("169.254.169.254", "metadata of clouds"),
        ("169.254.170.2", "credentials of containers"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "metadata of a cloud"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "benchmarks"),
        ("198.19.255.255", "benchmarks"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.9", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "mapped"),
        ("::ffff:8.8.8.8", "mapped, whatever it maps"),
        ("::127.0.0.1", "compatible"),
        ("64:ff9b::7f00:1", "translated"),
        ("64:ff9b:1::1", "translated locally"),
        ("100::1", "discarded"),
        ("2001::1", "Teredo"),
        ("2001:10::1", "ORCHID"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4 of loopback"),
        ("3fff::1", "documentation"),
        ("3fff:fff::1", "documentation"),
        ("4000::1", "not given out"),
        ("5f00::1", "segment routing"),
        ("fc00::1", "ULA"),
        ("fd00:ec2::254", "metadata of a cloud"),
        ("fe80::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
    ] {
        assert!(!is_public(ip(text)), "{text}: {reason}");
    }
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "3fff:1000::1",
    ] {
        assert!(is_public(ip(text)), "{text}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn an_address_is_written_in_one_way_or_not_at_all() {
    for (text, reason) in [
        ("", "nothing"),
        ("example.org", "no scheme"),
        ("//example.org/", "no scheme"),
        ("http://example.org/", "not encrypted"),
        ("HTTPS://example.org/", "another spelling"),
        ("ftp://example.org/", "another scheme"),
        ("file:///etc/passwd", "a file"),
        ("gopher://example.org/", "another scheme"),
        ("javascript:alert(1)", "a script"),
        ("https:/example.org/", "one slash"),
        ("https:\\\\example.org/", "backslashes"),
        ("https://", "no host"),
        ("https:///example.org", "no host"),
        ("https://user@example.org/", "a user"),
        ("https://user:word@example.org/", "a user and a word"),
        ("https://example.org@127.0.0.1/", "the host is behind the sign"),
        ("https://127.0.0.1:443@example.org/", "an address as user"),
        ("https://example.org#@127.0.0.1/", "a fragment"),
        ("https://example.org\\@127.0.0.1/", "a backslash"),
        ("https://127.0.0.1\\.example.org/", "a backslash"),
        ("https://example.org /", "a space"),
        ("https://example.org\t/", "a tab"),
        ("https://exa\nmple.org/", "a line"),
        ("https://example.org/\u{e9}", "not ASCII"),
        ("https://b\u{fc}cher.example/", "not ASCII"),
        ("https://\u{2460}\u{2461}\u{2466}.0.0.1/", "digits in circles"),
        ("https://127\u{3002}0.0.1/", "another full stop"),
        ("https://example%2eorg/", "encoded"),
        ("https://%31%32%37.0.0.1/", "encoded"),
        ("https://localhost/", "one label"),
        ("https://metadata/", "one label"),
        ("https://127.1/", "short"),
        ("https://127.0.1/", "short"),
        ("https://2130706433/", "one number"),
        ("https://0x7f000001/", "hexadecimal"),
        ("https://0x7f.0.0.1/", "hexadecimal"),
        ("https://127.0.0.0x1/", "hexadecimal"),
        ("https://0177.0.0.1/", "octal"),
        ("https://127.0.0.01/", "octal"),
        ("https://017700000001/", "octal"),
        ("https://256.0.0.1/", "too large"),
        ("https://1.2.3.4.5/", "five numbers"),
        ("https://127.0.0.1./", "a stop at the end"),
        ("https://example.org./", "a stop at the end"),
        ("https://.example.org/", "an empty label"),
        ("https://exa..mple.org/", "an empty label"),
        ("https://-example.org/", "a hyphen at the edge"),
        ("https://exa_mple.org/", "an underscore"),
        ("https://example.org:/", "no port"),
        ("https://example.org:0/", "port 0"),
        ("https://example.org:+443/", "a sign"),
        ("https://example.org:65536/", "too large"),
        ("https://example.org:443:443/", "two ports"),
        ("https://::1/", "no brackets"),
        ("https://[::1/", "half a bracket"),
        ("https://[::1]x/", "more behind the bracket"),
        ("https://[fe80::1%25eth0]/", "a zone"),
        ("https://[127.0.0.1]/", "no IPv6"),
        ("https://[v1.x]/", "of the future"),
    ] {
        assert!(Target::parse(text, &Rules::default()).is_err(), "{text}: {reason}");
    }
    assert!(
        Target::parse(&format!("https://example.org/{}", "x".repeat(2_000)), &Rules::default())
            .is_err()
    );
    assert!(Target::parse(&format!("https://{}.org/", "x".repeat(64)), &Rules::default()).is_err());
}

#[test]
fn addresses_that_are_written_out_are_looked_at() {
    for (text, is_right) in [
        ("https://127.0.0.1/", false),
        ("https://10.0.0.1/hook", false),
        ("https://169.254.169.254/latest/meta-data/", false),
        ("https://0.0.0.0/", false),
        ("https://[::1]/", false),
        ("https://[::ffff:127.0.0.1]/", false),
        ("https://[::ffff:7f00:1]/", false),
        ("https://[64:ff9b::a9fe:a9fe]/", false),
        ("https://[fd00:ec2::254]/", false),
        ("https://93.184.215.14:22/", false),
        ("https://93.184.215.14:6379/", false),
        ("https://93.184.215.14:8443/", false),
        ("https://93.184.215.14/", true),
        ("https://93.184.215.14:443/", true),
        ("https://[2606:4700::1111]/", true),
    ] {
        assert_eq!(is_let_through(text), is_right, "{text}");
    }
}

#[test]
fn what_is_plainly_written_is_kept_with_its_port() {
    for (text, right) in [
        ("https://Hooks.Example.org", "https://hooks.example.org/"),
        ("https://example.org/a/b?c=d&e=%20", "https://example.org/a/b?c=d&e=%20"),
        ("https://example.org?c=d", "https://example.org/?c=d"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
    ] {
        let target = Target::parse(text, &Rules::default()).unwrap();
        assert_eq!(target.as_str(), right, "{text}");
    }
}

#[test]
fn an_operator_may_allow_a_network_and_a_port() {
    let rules = Rules { networks: vec![Network::parse("127.0.0.0/8").unwrap()], ports: vec![8443] };
    let may = |text: &str, address: &str| {
        Target::parse(text, &rules).is_ok_and(|target| rules.may_reach(&target, ip(address)))
    };

    assert!(may("http://127.0.0.1:9000/", "127.0.0.1"));
    assert!(may("https://example.org:8443/", "93.184.215.14"));
    assert!(!may("http://example.org/", "93.184.215.14"), "http is for the network alone");
    assert!(!may("http://example.org/", "10.0.0.1"));
    assert!(!may("http://example.org/", "::1"), "another family");
    assert!(!may("https://example.org:9000/", "93.184.215.14"));
    for wrong in ["", "127.0.0.1", "127.0.0.0/33", "::/129", "x/8", "127.0.0.0/-1"] {
        assert!(Network::parse(wrong).is_err(), "{wrong}");
    }
    let all = Network::parse("0.0.0.0/0").unwrap();
    assert!(all.contains(ip("8.8.8.8")) && !all.contains(ip("::1")));
    let one = Network::parse("fd00::1/128").unwrap();
    assert!(one.contains(ip("fd00::1")) && !one.contains(ip("fd00::2")));
}
