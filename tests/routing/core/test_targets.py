"""The guard's table: what a webhook may never reach, and what an operator can open."""

import pytest

from services.routing.core.targets import (
    Openings,
    Refused,
    address_refusal,
    addresses_refusal,
    opened_networks,
    target_of,
)

SHUT = Openings()
WAN = Openings(
    networks=opened_networks(["10.20.0.0/16", "fd12:3456::/32"]), hosts=frozenset({"sbt.internal"})
)
TRIAL = Openings(loopback=True)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "103.10.65.1", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1"]
)
def test_a_public_address_is_allowed(address: str) -> None:
    assert address_refusal(address, "host", SHUT) is None


FORBIDDEN = (
    *("0.0.0.0", "0.1.2.3", "10.254.0.0", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
    *("168.63.129.16", "169.254.169.254", "169.254.45.1", "172.16.10.65", "172.31.0.1", "192.0.0.0"),
    *(
        "192.0.0.192",
        "192.0.0.255",
        "192.0.2.255",
        "192.88.99.1",
        "192.168.10.65",
        "198.18.0.1",
        "198.19.255.255",
    ),
    *("198.51.100.65", "203.0.113.6", "224.0.0.1", "239.255.255.255", "240.0.0.1", "250.10.20.30"),
    "255.255.255.255",
    *(
        "::",
        "::1",
        "::a9fe:a9fe",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
    ),
    *(
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:a9fe:a9fe::",
        "3fff::1",
    ),
    *("5f00::1", "fc02::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%1"),
    *("fec0::1", "ff02::1", "ff0e::1", "nonsense", ""),
)
NEVER = [
    a
    for a in FORBIDDEN
    if a not in ("10.254.0.0", "100.64.0.1", "172.16.10.65", "172.31.0.1", "192.168.10.65")
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert address_refusal(address, "host", SHUT)


def test_the_refusal_of_a_private_address_names_the_setting() -> None:
    assert "NETRAL_WEBHOOK_PRIVATE_NETWORKS" in (address_refusal("10.1.2.3", "host", SHUT) or "")


def test_an_opened_range_and_an_opened_host_let_private_addresses_pass_and_nothing_else() -> None:
    assert address_refusal("10.20.1.1", "any.go.id", WAN) is None
    assert address_refusal("::ffff:10.20.1.1", "any.go.id", WAN) is None
    assert address_refusal("fd12:3456::1", "any.go.id", WAN) is None
    assert address_refusal("192.168.1.1", "sbt.internal", WAN) is None
    assert address_refusal("10.21.0.1", "any.go.id", WAN)


@pytest.mark.parametrize("address", [a for a in NEVER if a not in ("fc02::1", "::ffff:10.0.0.1")])
@pytest.mark.parametrize("openings", [WAN, Openings(networks=opened_networks(["100.64.0.0/10", "fc00::/7"]))])
def test_no_opening_reaches_loopback_link_local_or_metadata(address: str, openings: Openings) -> None:
    assert address_refusal(address, "sbt.internal", openings)


@pytest.mark.parametrize(
    "network",
    [
        "0.0.0.0/0",
        "::/0",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "169.254.169.254/32",
        "8.8.8.0/24",
        "10.0.0.0/7",
        "fe80::/10",
    ],
)
def test_only_private_ranges_can_be_opened(network: str) -> None:
    with pytest.raises(ValueError, match="not within a private range"):
        opened_networks([network])


def test_one_bad_address_among_good_ones_spoils_the_host() -> None:
    assert addresses_refusal(["8.8.8.8", "1.1.1.1"], "host", SHUT) is None
    assert addresses_refusal(["8.8.8.8", "127.0.0.1"], "host", SHUT)
    assert addresses_refusal([], "host", SHUT)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://sbt.bkn.go.id/netral", "https://sbt.bkn.go.id/netral"),
        ("HTTPS://SBT.BKN.go.id:443", "https://sbt.bkn.go.id/"),
        ("https://sbt.bkn.go.id.:8443/a?b=c", "https://sbt.bkn.go.id:8443/a?b=c"),
        ("https://Bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"),
    ],
)
def test_a_good_address_gets_its_normal_form(url: str, normal: str) -> None:
    assert target_of(url, SHUT).url == normal


TRICKS = (
    "http://sbt.bkn.go.id/",
    "ftp://sbt.bkn.go.id/",
    "file:///etc/passwd",
    "https://",
    "//sbt.bkn.go.id/",
    "sbt.bkn.go.id",
    "",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://lｏcalhost/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/",
    "https://router/",
    "https://sbt.bkn.go.id@127.0.0.1/",
    "https://user:pass@sbt.bkn.go.id/",
    "https://127.0.0.1#@sbt.bkn.go.id/",
    "https://sbt.bkn.go.id/#x",
    "https://127.0.0.1\\@sbt.bkn.go.id/",
    "https://sbt.bkn.go.id\\.evil.example/",
    "https://127.0.0.1%2f@sbt.bkn.go.id/",
    "https://sbt.bkn.go%2eid/",
    "https://sbt.bkn.go.id:22/",
    "https://sbt.bkn.go.id:80/",
    "https://sbt.bkn.go.id:0/",
    "https://sbt.bkn.go.id:99999/",
    "https://sbt.bkn.go.id:443x/",
    "https://sbt.bkn.go.id /",
    "https://sbt.bkn.go.id/a\r\nHost: evil",
    "https://sbt\t.bkn.go.id/",
    "https://-a.example/",
    "https://a_b.example/",
    "https://sbt.bkn.go.id/é",
    "https://sbt.bkn.go.id/" + "a" * 2000,
    "gopher://sbt.bkn.go.id:443/",
    "https://224.0.0.1/",
    "https://10.0.0.1/",
)


@pytest.mark.parametrize("url", TRICKS)
@pytest.mark.parametrize("openings", [SHUT, WAN])
def test_every_trick_is_refused_with_a_reason(url: str, openings: Openings) -> None:
    with pytest.raises(Refused) as refusal:
        target_of(url, openings)
    assert refusal.value.reason


def test_an_opened_name_of_a_private_network_is_a_target() -> None:
    assert target_of("https://sbt.internal/netral", WAN).host == "sbt.internal"
    with pytest.raises(Refused, match="NETRAL_WEBHOOK_PRIVATE_HOSTS"):
        target_of("https://sbt.internal/netral", SHUT)
    assert target_of("https://10.20.0.9:8443/", WAN).port == 8443


def test_a_trial_on_one_machine_opens_loopback_and_nothing_else() -> None:
    for url in (
        "http://127.0.0.1:9000/hook",
        "http://localhost:9000/hook",
        "https://[::1]:9/",
        "https://8.8.8.8/",
    ):
        assert target_of(url, TRIAL)
    for url in ("http://8.8.8.8/", "http://10.0.0.1/", "https://169.254.169.254/", "https://8.8.8.8:9000/"):
        with pytest.raises(Refused):
            target_of(url, TRIAL)
    assert address_refusal("127.0.0.1", "localhost", TRIAL) is None
    assert address_refusal("169.254.169.254", "localhost", TRIAL)
    assert address_refusal("10.0.0.1", "localhost", TRIAL)
