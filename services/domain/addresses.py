"""Which addresses may be dialled for a stranger, and how a web address is read: the rule against SSRF.

Pure: it never looks a name up and never dials. An address that cannot be placed is refused.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, quote, urlsplit

from services.errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_LENGTH = 8192
KEPT = "/?%:@!$&'()*+,;=-._~[]|"  # what a path and a query may hold as they are
DEFAULT_PORTS = {"http": 80, "https": 443}


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# Not public by IANA's special-purpose registries (RFC 6890 and its updates); `allow_networks` may open them.
NOT_PUBLIC_V4 = _networks(
    *("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"),
    *("192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"),
    *("192.88.99.0/24",),
)
PUBLIC_V6 = ip_network("2000::/3")
NOT_PUBLIC_V6 = _networks("2001::/23", "2001:db8::/32", "3ffe::/16", "3fff::/20")
TEREDO = ip_network("2001::/32")
SIX_TO_FOUR = ip_network("2002::/16")
NAT64 = ip_network("64:ff9b::/96")

# The machine itself, and what tells secrets to whoever asks from it. A wide allowed network (0.0.0.0/0)
# does not open them, only one that lies inside the network listed here: a metadata address by its name alone.
ONLY_BY_NAME = _networks(
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::/127", "fe80::/10"),
    *("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "168.63.129.16/32"),
    *("100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128"),
)
NEVER = _networks("0.0.0.0/32", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8")


def is_dialable(ip: str | Address, allow_networks: Iterable[Network] = ()) -> bool:
    """Whether a connection to `ip` may be opened on a stranger's wish.

    IPv4 addresses carried inside IPv6 (mapped, NAT64, 6to4, Teredo, ISATAP) are judged as well.
    """
    try:
        address = ip_address(ip) if isinstance(ip, str) else ip
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return is_dialable(address.ipv4_mapped, allow_networks)
    allowed = tuple(allow_networks)
    return _is_open(address, allowed) and all(_is_open(inner, allowed) for inner in _carried(address))


def _is_open(address: Address, allowed: tuple[Network, ...]) -> bool:
    if _within(address, NEVER):
        return False
    naming = [network for network in allowed if _within(address, (network,))]
    for guarded in ONLY_BY_NAME:
        if address in guarded:
            naming = [network for network in naming if _is_inside(network, guarded)]
            if not naming:
                return False
    return bool(naming) or _is_public(address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, NOT_PUBLIC_V4)
    if address in NAT64 or address in TEREDO:
        return True  # as public as what it carries
    return address in PUBLIC_V6 and not _within(address, NOT_PUBLIC_V6)


def _carried(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses at which a packet to this IPv6 address may come out of a tunnel."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address in NAT64:
        yield IPv4Address(number & 0xFFFF_FFFF)
    if address in SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFF_FFFF)
    if address in TEREDO:
        yield IPv4Address(number >> 64 & 0xFFFF_FFFF)
        yield IPv4Address(~number & 0xFFFF_FFFF)
    if number >> 32 & 0xFDFF_FFFF == 0x0000_5EFE:  # ISATAP, RFC 5214 section 6.1, either u bit
        yield IPv4Address(number & 0xFFFF_FFFF)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _is_inside(network: Network, outer: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(outer, IPv4Network) and network.subnet_of(outer)
    return isinstance(outer, IPv6Network) and network.subnet_of(outer)


@dataclass(frozen=True, slots=True)
class Target:
    """A web address, read: `url` is its one spelling in ASCII; `literal` is set when the host is a number."""

    url: str
    scheme: str
    host: str
    port: int
    literal: Address | None

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)


@functools.lru_cache(maxsize=1024)
def read_target(url: str) -> Target:
    """Read a web address that a stranger gave. Raises AddressRefused with the reason.

    Numeric hosts in any spelling inet_aton knows (decimal, octal, hexadecimal, short) become dotted
    addresses, so that what is checked is what is dialled.
    """
    url = url.strip(" \t\r\n")
    if len(url) > MAX_URL_LENGTH:
        raise AddressRefused("The address is too long.", reason="length")
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused(
            "The address holds a space, a backslash or a control character.", reason="characters"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise AddressRefused("The address cannot be read.", reason="syntax") from exc
    if parts.scheme not in DEFAULT_PORTS:
        raise AddressRefused("Only http and https addresses can be used.", reason="scheme")
    if "@" in parts.netloc:
        raise AddressRefused("An address must not hold a user name or a password.", reason="userinfo")
    if port == 0:
        raise AddressRefused("The port must be from 1 to 65535.", reason="port")
    return _target(parts, port or DEFAULT_PORTS[parts.scheme])


def _target(parts: SplitResult, port: int) -> Target:
    literal = _literal(parts)
    host = str(literal) if literal is not None else _name(parts.hostname or "")
    netloc = f"[{host}]" if isinstance(literal, IPv6Address) else host
    if port != DEFAULT_PORTS[parts.scheme]:
        netloc = f"{netloc}:{port}"
    path = quote(parts.path or "/", safe=KEPT)
    query = f"?{quote(parts.query, safe=KEPT)}" if parts.query else ""
    return Target(f"{parts.scheme}://{netloc}{path}{query}", parts.scheme, host, port, literal)


def _literal(parts: SplitResult) -> Address | None:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        if not re.fullmatch(r"\[[^\[\]]*\](:[0-9]*)?", parts.netloc):
            raise AddressRefused("The IPv6 address cannot be read.", reason="host")
        try:
            address = IPv6Address(host)
        except ValueError as exc:
            raise AddressRefused("The IPv6 address cannot be read.", reason="host") from exc
        if address.scope_id is not None:
            raise AddressRefused("An address must not name a network card.", reason="host")
        return address
    labels = _to_ascii(host).removesuffix(".").split(".")
    if not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        return None
    return _read_numbers(labels)


def _read_numbers(labels: list[str]) -> IPv4Address:
    """One to four numbers, each in base 8, 10 or 16, the last filling what is left (inet_aton)."""
    try:
        numbers = [_read_number(label) for label in labels]
        *heads, last = numbers
        room = 256 ** (4 - len(heads))
        if len(numbers) > 4 or any(head > 255 for head in heads) or last >= room:
            raise ValueError("out of range")
    except ValueError as exc:
        raise AddressRefused("The numeric address cannot be read.", reason="host") from exc
    return IPv4Address(sum(head << 24 - 8 * place for place, head in enumerate(heads)) + last)


def _read_number(label: str) -> int:
    if re.fullmatch(r"0x[0-9a-f]+", label):
        return int(label[2:], 16)
    if re.fullmatch(r"0[0-7]*", label):
        return int(label, 8)
    if re.fullmatch(r"[1-9][0-9]*", label) and len(label) <= 10:
        return int(label)
    raise ValueError("not a number")


def _name(host: str) -> str:
    name = _to_ascii(host).removesuffix(".")
    is_sound = all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in name.split("."))
    if not is_sound or len(name) > 253:
        raise AddressRefused("The host name cannot be read.", reason="host")
    return name


def _to_ascii(host: str) -> str:
    """The host in ASCII (IDNA 2003: full-width digits and dots become plain ones)."""
    if host.isascii():
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as exc:
        raise AddressRefused("The host name cannot be read.", reason="host") from exc
