"""Where bytes may be sent: every address there is, in every form it can take."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.addresses import Forbidden, Guard, Rules, networks
from shared.identity.series import Environment

OPEN = Rules(Environment.PRODUCTION)
TEST = Rules(Environment.TEST)
OPENED = Rules(Environment.PRODUCTION, networks("10.20.0.0/16 fd12:3456::/32"))
EVERYTHING = Rules(Environment.TEST, networks("0.0.0.0/0 ::/0"))
RULES = st.sampled_from([OPEN, TEST, OPENED, EVERYTHING])

NOWHERE = [
    "0.0.0.1", "10.0.0.4", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "192.0.0.1",
    "192.168.1.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "100.100.100.200", "192.88.99.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fd00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2002:0808:0808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1", "", "localhost",
    "127.1", "0x7f000001", "2130706433", "017700000001", "1.2.3.4 ", "1.2.3",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fe80::1", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "224.0.0.1", "ff02::1", "::", "::127.0.0.1",
]  # fmt: skip
ANYWHERE = ["8.8.8.8", "91.186.80.1", "2a00:1450:400f:80b::200e", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NOWHERE)
def test_nothing_is_sent_to_where_only_the_hub_can_reach(address: str) -> None:
    assert not OPEN.fit(address, 443, plain=False)


@pytest.mark.parametrize("address", ANYWHERE)
def test_what_is_open_to_all_is_open_to_the_hub_by_tls_alone(address: str) -> None:
    for rules in (OPEN, TEST, OPENED):
        assert rules.fit(address, 443, plain=False)
        assert rules.fit(address, 8443, plain=False)
        assert not rules.fit(address, 80, plain=True)
        assert not rules.fit(address, 8080, plain=True)


@pytest.mark.parametrize("address", NEVER)
def test_no_setting_opens_what_is_the_clouds_own(address: str) -> None:
    assert not EVERYTHING.fit(address, 443, plain=False)
    assert not EVERYTHING.fit(address, 443, plain=True)


@pytest.mark.parametrize("port", [22, 23, 25, 53, 80, 110, 143, 445, 587, 993, 1023])
def test_ports_of_other_services_are_shut(port: int) -> None:
    assert not OPEN.fit("8.8.8.8", port, plain=False)


def test_this_machine_is_for_tests_alone() -> None:
    for address in ("127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"):
        for plain in (True, False):
            assert TEST.fit(address, 80, plain=plain)
            assert not OPEN.fit(address, 443, plain=plain)
            assert not OPENED.fit(address, 443, plain=plain)


def test_a_network_that_the_operator_has_opened_is_reached_by_tls() -> None:
    for address in ("10.20.1.4", "::ffff:10.20.1.4", "fd12:3456::4"):
        assert OPENED.fit(address, 443, plain=False)
        assert not OPENED.fit(address, 80, plain=True)
        assert Rules(Environment.TEST, OPENED.opened).fit(address, 80, plain=True)
    assert not OPENED.fit("10.21.0.1", 443, plain=False)


@given(st.ip_addresses(), st.integers(0, 65_535), st.booleans(), RULES)
def test_no_form_of_an_address_is_judged_otherwise_than_the_address_itself(
    address: IPv4Address | IPv6Address, port: int, plain: bool, rules: Rules
) -> None:
    if isinstance(address, IPv4Address):
        fit = rules.fit(str(address), port, plain=plain)
        for form in (f"::ffff:{address}", f"64:ff9b::{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"):
            assert rules.fit(form, port, plain=plain) == fit
        in_the_old_forms = [
            f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1", f"2a00::5efe:{address}",
        ]  # fmt: skip
        assert not any(rules.fit(form, port, plain=plain) for form in in_the_old_forms)
        assert int(address) <= 1 or not rules.fit(f"::{address}", port, plain=plain)


PRIVATE = [ip_network(each) for each in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "198.18.0.0/15", "224.0.0.0/3", "::/8", "100::/64", "fc00::/7", "fe80::/9", "ff00::/8", "2001:db8::/32",
)]  # fmt: skip


@given(st.data())
def test_no_address_of_a_private_network_is_ever_fit(data: st.DataObject) -> None:
    network = data.draw(st.sampled_from(PRIVATE))
    address = data.draw(st.ip_addresses(network=network))
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return
    assert not OPEN.fit(str(address), 443, plain=False)


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_without_tls_nothing_leaves_this_machine(address: IPv4Address | IPv6Address, port: int) -> None:
    for rules in (OPEN, OPENED):
        assert not rules.fit(str(address), port, plain=True)
    if TEST.fit(str(address), port, plain=True):
        meant = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
        assert meant.is_loopback or str(address).startswith("64:ff9b::7f")


@given(st.text())
def test_what_is_no_address_is_not_fit(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        assert not EVERYTHING.fit(text, 443, plain=False)


def test_a_socket_is_made_only_for_a_fit_address() -> None:
    guard = Guard(TEST, plain=True)
    guard((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))).close()
    with pytest.raises(Forbidden):
        guard((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 80)))


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "epj.example.no", "10.0.0.0/8,11.0.0.0/8"])
def test_a_network_with_a_slip_in_it_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        networks(text)
