"""Which language a visitor reads: their own choice, else what their browser asks for, else the default.

Never guesses from an address or a place.
"""

from collections.abc import Iterator

from fastapi import Request

CHOICE = "lang"  # the name of the parameter and of the cookie that remembers it
NAMES = {"pl": "Polski", "en": "English"}


def spoken(request: Request, *, known: tuple[str, ...], default: str) -> str:
    """The language to answer in, one of `known`."""
    asked = (request.query_params.get(CHOICE), request.cookies.get(CHOICE), *_accepted(request))
    return next((language for language in asked if language in known), default)


def chosen(request: Request, *, known: tuple[str, ...]) -> str | None:
    """The language a visitor has just picked by the switch, to be remembered."""
    choice = request.query_params.get(CHOICE)
    return choice if choice in known else None


def _accepted(request: Request) -> Iterator[str]:
    """Languages of Accept-Language, best first (RFC 9110, 12.5.4), without their regions."""
    weighted = [_weighed(part) for part in request.headers.get("accept-language", "")[:500].split(",")]
    for language, weight in sorted(weighted, key=lambda pair: -pair[1]):
        if weight > 0:
            yield language.partition("-")[0]


def _weighed(part: str) -> tuple[str, float]:
    language, _, quality = part.partition(";")
    try:
        weight = float(quality.partition("=")[2]) if quality else 1.0
    except ValueError:
        weight = 0.0
    return language.strip().lower(), weight
