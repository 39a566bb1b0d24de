"""Whose machines stand behind a host name: the name under which it was registered.

Who asks one of them to wait means all of its names. It must never join two publishers: on hosting platforms
and under regional suffixes every name is somebody else's.
"""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

# Second levels under which the public registers names, as far as Polish publishers use them
# (publicsuffix.org has them all).
_GENERIC = """
    ac co com edu gov info mil net org biz art aid agro auto gmina media miasta pc powiat
"""
_POLISH = """
    bialystok bydgoszcz czest elblag gda gdansk gdynia gorzow grajewo grudziadz inowroclaw katowice kalisz
    krakow kujawy lodz lublin mazowsze mazury naklo olsztyn opole pila podlasie polkowice pomorze poznan
    rybnik rzeszow sejny slask slupsk sopot szczecin swinoujscie torun turystyka tychy walbrzych warmia
    warszawa waw wloclawek wroc wroclaw zgora
"""
_PLATFORMS = """
    wordpress.com blogspot.com github.io gitlab.io tumblr.com substack.com wixsite.com weebly.com
    netlify.app pages.dev vercel.app herokuapp.com web.app medium.com azurewebsites.net cloudfront.net
"""
_EVERYWHERE = frozenset(_GENERIC.split())
_IN_POLAND = frozenset(_POLISH.split())
_OF_MANY = frozenset(_PLATFORMS.split())


@lru_cache(maxsize=50_000)
def site_of(url: str) -> str:
    """The registered name of the host of `url`; of an address in numbers, itself with its port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    labels = host.split(".")
    if _is_number(host) or len(labels) == 1:
        return parts.netloc.rpartition("@")[2].lower()
    return ".".join(labels[-3:] if _is_suffix(labels[-2:]) else labels[-2:])


def _is_suffix(labels: list[str]) -> bool:
    second, top = labels
    if ".".join(labels) in _OF_MANY:
        return True
    return len(top) == 2 and (second in _EVERYWHERE or (top == "pl" and second in _IN_POLAND))


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
