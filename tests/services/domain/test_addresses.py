"""No spelling of an inner address gets past the rule, and every odd web address has a clear end."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.addresses import is_dialable, read_target
from services.errors import AddressRefused

LOOPBACK = (ip_network("127.0.0.0/8"),)
EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize(
    "ip", ["8.8.8.8", "158.75.0.1", "2a00:1450:4001::1", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_are_dialled(ip: str) -> None:
    assert is_dialable(ip)


@pytest.mark.parametrize(
    "ip",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
        *(
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.9",
        ),
        *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200"),
        *(
            "::",
            "::1",
            "::127.0.0.1",
            "fe80::1",
            "fe80::1%eth0",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
        ),
        *("2001:db8::1", "3fff::1", "100::1", "5f00::1", "64:ff9b:1::7f00:1"),
        *("not an address", "", "127.1"),
    ],
)
def test_addresses_that_are_not_public_are_refused(ip: str) -> None:
    assert not is_dialable(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::",
        "2001:0:7f00:1:0:0:f7f7:f7f7",  # Teredo, server inside
        "2001:0:808:808:0:0:80ff:fffe",  # Teredo, client inside
        "2a00:1450:4001::5efe:127.0.0.1",
        "2a00:1450:4001::200:5efe:192.168.0.1",
    ],
)
def test_an_inner_address_carried_inside_ipv6_is_refused(ip: str) -> None:
    assert not is_dialable(ip)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_what_it_maps(ip: IPv4Address) -> None:
    assert is_dialable(IPv6Address(f"::ffff:{ip}")) == is_dialable(ip)


@given(st.ip_addresses())
def test_what_is_dialled_is_what_the_registries_call_global(ip: IPv4Address | IPv6Address) -> None:
    if is_dialable(ip):
        assert not any((ip.is_private, ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_unspecified))


def test_an_allowed_network_opens_private_addresses() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert is_dialable("10.1.2.3", allowed)
    assert is_dialable("::ffff:10.1.2.3", allowed)
    assert is_dialable("64:ff9b::10.1.2.3", allowed)
    assert is_dialable("fd12::1", allowed)
    assert not is_dialable("10.2.0.1", allowed)


def test_a_wide_allowed_network_opens_neither_the_machine_itself_nor_metadata() -> None:
    assert is_dialable("192.168.1.1", EVERYTHING)
    for ip in (
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "fd00:ec2::254",
        "fe80::1",
    ):
        assert not is_dialable(ip, EVERYTHING)


def test_loopback_and_metadata_are_opened_by_their_own_names() -> None:
    assert is_dialable("127.0.0.1", LOOPBACK)
    assert is_dialable("::1", (ip_network("::1/128"),))
    assert is_dialable("169.254.1.1", (ip_network("169.254.0.0/16"),))
    assert not is_dialable("169.254.169.254", (ip_network("169.254.0.0/16"),))
    assert is_dialable("169.254.169.254", (ip_network("169.254.169.254/32"),))


def test_nobody_can_allow_the_unspecified_address_or_multicast() -> None:
    for ip in ("0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1"):
        assert not is_dialable(ip, (*EVERYTHING, ip_network(f"{ip}/128" if ":" in ip else f"{ip}/32")))


@pytest.mark.parametrize(
    ("url", "reads"),
    [
        ("http://Example.PL", "http://example.pl/"),
        ("HTTPS://example.pl:443/a?b=c#d", "https://example.pl/a?b=c"),
        ("https://example.pl:80/", "https://example.pl:80/"),
        ("http://example.pl./feed", "http://example.pl/feed"),
        ("http://żółw.pl/kanał?q=ą", "http://xn--w-uga1v8h.pl/kana%C5%82?q=%C4%85"),
        ("http://example.pl/a%20b%C5%82", "http://example.pl/a%20b%C5%82"),
        ("  http://example.pl/\n", "http://example.pl/"),
        ("http://under_score.example.pl/", "http://under_score.example.pl/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2A00:1450::0:1]:8080/x", "http://[2a00:1450::1]:8080/x"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://0177.0.0.01/", "http://127.0.0.1/"),
        ("http://0x7F000001/", "http://127.0.0.1/"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://0/", "http://0.0.0.0/"),
        ("http://①②⑦。０.0.1/", "http://127.0.0.1/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    ],
)
def test_an_address_gets_its_one_spelling(url: str, reads: str) -> None:
    assert read_target(url).url == reads


def test_a_number_is_known_as_a_number_however_it_is_spelled() -> None:
    for url in ("http://2130706433/", "http://0x7f.1/", "http://0177.1/", "http://127.0.0.1./"):
        assert read_target(url).literal == IPv4Address("127.0.0.1")
    assert read_target("http://localhost/").literal is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "scheme"),
        ("example.pl/feed", "scheme"),
        ("ftp://example.pl/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("http:example.pl", "host"),
        ("http:///feed", "host"),
        ("http://user:secret@example.pl/", "userinfo"),
        ("http://example.pl@127.0.0.1/", "userinfo"),
        ("http://@example.pl/", "userinfo"),
        ("http://example.pl:0/", "port"),
        ("http://example.pl:65536/", "syntax"),
        ("http://example.pl:80:80/", "syntax"),
        ("http://example.pl:eighty/", "syntax"),
        ("http://exa mple.pl/", "characters"),
        ("http://example.pl/\r\nHost: other", "characters"),
        ("http://example.pl\\@127.0.0.1/", "characters"),
        ("http://example.pl\x00.evil/", "characters"),
        ("http://example..pl/", "host"),
        ("http://example.pl../", "host"),
        ("http://127.0.0.1../", "host"),
        ("http://-example.pl/", "host"),
        ("http://127%2e0.0.1/", "host"),
        ("http://1.2.3.4.5/", "host"),
        ("http://256.1.1.1/", "host"),
        ("http://4294967296/", "host"),
        ("http://089.0.0.1/", "host"),
        ("http://[::1", "syntax"),
        ("http://[::1]x/", "host syntax"),  # what is wrong first depends on the patch release of Python
        ("http://x[::1]/", "host syntax"),
        ("http://[fe80::1%25eth0]/", "host"),
        ("http://" + "a" * 64 + ".pl/", "host"),
        ("http://" + "a." * 130 + "pl/", "host"),
        ("http://" + "ą" * 80 + ".pl/", "host"),
        ("http://example.pl/" + "a" * 9000, "length"),
    ],
)
def test_an_address_that_cannot_be_asked_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        read_target(url)
    assert caught.value.data["reason"] in reason.split()


@given(st.text(max_size=60).map(lambda text: f"http://{text}") | st.text(max_size=60))
def test_any_text_is_read_or_refused_and_what_was_read_stays_as_it_is(url: str) -> None:
    try:
        target = read_target(url)
    except AddressRefused:
        return
    assert target.url.isascii()
    assert read_target(target.url) == target
