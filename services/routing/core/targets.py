"""Which addresses a webhook may go to: the guard against requests that are turned on our own network (SSRF).

A URL is judged when it is registered, and every address its name resolves to each time a connection is made. What is
not plainly public is refused. Private networks open only by name or range; loopback, link-local, metadata services and
addresses that wrap another one never open.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import idna

Network = IPv4Network | IPv6Network
PORTS = frozenset({443, 8443})
LONGEST_URL = 2000
OPENABLE = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""The only ranges an operator can open: private ones (RFC 1918, RFC 6598, RFC 4193)."""
NEVER = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4"),
        *("240.0.0.0/4", "100.100.100.200/32", "168.63.129.16/32", "::/96", "64:ff9b::/96", "64:ff9b:1::/48"),
        *(
            "100::/64",
            "2001::/23",
            "2002::/16",
            "3fff::/20",
            "5f00::/16",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ),
        *("fd00:ec2::/32", "fd20:ce::/32"),
    )
)
"""Loopback, link-local, multicast, reserved, tunnels (6to4, Teredo, NAT64) and the metadata services of the clouds."""
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_HOME = ("localhost", "local", "internal", "localdomain", "lan", "home", "intranet", "arpa", "onion", "test")
CURE = "name its range in NETRAL_WEBHOOK_PRIVATE_NETWORKS or its name in NETRAL_WEBHOOK_PRIVATE_HOSTS"


class Refused(Exception):
    """The guard says no; `reason` names the cause and, where there is one, the setting that opens it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Openings:
    """What an operator opened. `loopback` is for tests and trials on one machine, and opens nothing else."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = field(default=PORTS)
    loopback: bool = False


@dataclass(frozen=True)
class Target:
    """A URL that may be tried: `url` is its normal form."""

    url: str
    host: str
    port: int


def opened_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The ranges an operator wrote. Raises ValueError for one that is not private, with the reason."""
    found: list[Network] = []
    for text in filter(None, (text.strip() for text in texts)):
        network = ip_network(text)
        if not any(_within(network, openable) for openable in OPENABLE):
            raise ValueError(
                f"{text} is not within a private range; only {', '.join(map(str, OPENABLE))} open"
            )
        found.append(network)
    return tuple(found)


def target_of(url: str, openings: Openings) -> Target:
    """The target a URL names. Raises Refused; the names of hosts are not resolved here."""
    parts = _split(url)
    loopback = openings.loopback and _is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise Refused("a webhook is an https address")
    host = parts.hostname or "" if loopback else _host(parts.hostname or "", openings)
    port = _port(parts)
    if port not in openings.ports and not loopback:
        raise Refused(f"port {port} is closed; {_listed(openings.ports)} are open (NETRAL_WEBHOOK_PORTS)")
    literal = _literal(host)
    if literal and (reason := address_refusal(host, host, openings)):
        raise Refused(reason)
    shown = f"[{host}]" if isinstance(literal, IPv6Address) else host
    where = shown if port == {"https": 443, "http": 80}[parts.scheme] else f"{shown}:{port}"
    rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(f"{parts.scheme}://{where}{rest}", host, port)


def address_refusal(address: str, host: str, openings: Openings) -> str | None:
    """Why a connection to `address` for `host` must not be made; None if it may."""
    try:
        found = ip_address(address)
    except ValueError:
        return f"{host} has an address that cannot be read"
    if isinstance(found, IPv6Address):
        if found.scope_id:
            return f"{host} is an address of one link"
        found = found.ipv4_mapped or found
    if openings.loopback and any(
        found in network for network in _LOOPBACK if network.version == found.version
    ):
        return None
    if _in(found, NEVER):
        return f"{host} leads to loopback, link-local, metadata or a reserved range, which never opens"
    if _in(found, OPENABLE):
        opened = host in openings.hosts or _in(found, openings.networks)
        return None if opened else f"{host} leads to a private network; to open it, {CURE}"
    if not found.is_global or found.is_multicast or found.is_reserved:
        return f"{host} leads to an address that is not public"
    return None


def addresses_refusal(addresses: Iterable[str], host: str, openings: Openings) -> str | None:
    """Why none of a host's addresses may be used: a single bad one spoils all, and so does having none."""
    found = list(addresses)
    if not found:
        return f"{host} has no address"
    return next(filter(None, (address_refusal(address, host, openings) for address in found)), None)


def _split(url: str) -> SplitResult:
    """The parts of a URL in which nothing can be read in two ways. Raises Refused."""
    if len(url) > LONGEST_URL or "\\" in url or any(c.isspace() or not c.isprintable() for c in url):
        raise Refused(
            f"a webhook is one address of at most {LONGEST_URL} characters without blanks or backslashes"
        )
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Refused("this is no address; write https://host/path") from None
    if "#" in url or "@" in parts.netloc or "%" in parts.netloc:
        raise Refused("an address has no user, password, fragment or percent signs in its host")
    if not parts.hostname or not (parts.path + parts.query).isascii():
        raise Refused("an address has a host, and its path is percent-encoded ASCII")
    return parts


def _host(host: str, openings: Openings) -> str:
    """The host in its normal form: an address as it is, a name in lower-case ASCII (IDNA 2008). Raises Refused."""
    if ":" in host:
        if _literal(host) is None:
            raise Refused("the host is no address")
        return host
    try:
        name = idna.encode(host.rstrip("."), uts46=True).decode().lower()
    except idna.IDNAError:
        raise Refused("the host is no name of the domain name system") from None
    last = name.rsplit(".", 1)[-1]
    if last.isdigit() or last.startswith("0x"):
        if _literal(name) is None:
            raise Refused("write an IPv4 address as four decimal numbers")
        return name
    if name == "localhost" or name.endswith(".localhost"):
        raise Refused(f"{name} is this machine, which never opens")
    if name not in openings.hosts and ("." not in name or last in _HOME):
        raise Refused(f"{name} is a name of a private network; to open it, {CURE}")
    return name


def _port(parts: SplitResult) -> int:
    return parts.port if parts.port is not None else {"https": 443, "http": 80}[parts.scheme]


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _within(network: Network, wider: Network) -> bool:
    return network.version == wider.version and network.subnet_of(wider)  # type: ignore[arg-type]


def _in(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _listed(ports: Iterable[int]) -> str:
    return " and ".join(str(port) for port in sorted(ports))
