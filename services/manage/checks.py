"""Is what people typed acceptable? Each check gives it back in its one spelling, or says what is wrong."""

import re
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email

from services.domain import addresses, cadence, places, topics
from services.errors import BadInput
from services.interests import language

LOCALES = ("pl", "en")
MAX_QUERY = 2_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def email_address(text: str) -> str:
    """An address in lower case, as it is stored; nothing is asked of its domain."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as exc:
        raise BadInput("This is not an e-mail address that mail can be sent to.", field="email") from exc


def one_line(text: str, what: str, *, limit: int) -> str:
    """Text on one line, without control characters, neither empty nor too long."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    if not line:
        raise BadInput(f"{what} is empty.")
    if len(line) > limit:
        raise BadInput(f"{what} is longer than {limit} characters.", limit=limit)
    return line


def web_address(text: str, what: str) -> str:
    """An http or https address, as text alone: whether it may be dialled is asked of `rt.http`."""
    target = addresses.read_target(text)
    if not urlsplit(target.url).netloc:
        raise BadInput(f"{what} is not a web address.")
    return target.url


def locale(text: str) -> str:
    if text not in LOCALES:
        raise BadInput(f"“{text[:20]}” is no language of Goniec; use pl or en.", field="locale")
    return text


def timezone(text: str) -> str:
    """The name of a zone in the tz database."""
    try:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", text):
            raise ValueError("not a name")
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise BadInput(
            f"“{text[:40]}” is no time zone; write it like Europe/Warsaw.", field="timezone"
        ) from exc
    return text


def cadence_text(text: str) -> str:
    """A cadence in its one spelling."""
    return str(cadence.parse(text))


def query(text: str) -> tuple[str, str]:
    """A query as typed (on one line), and its canonical form. Raises QueryError with the place."""
    if len(text) > MAX_QUERY:
        raise BadInput(f"The query is longer than {MAX_QUERY} characters.", field="query")
    return " ".join(text.split()), language.canonical(language.parse(text))


def topic(name: str) -> str:
    """The slug of a topic given by slug or label."""
    slug = topics.resolve(name)
    if slug is None:
        raise BadInput(f"“{name[:40]}” is no topic; use one of: {', '.join(topics.TOPICS)}.", field="topics")
    return slug


def place(text: str) -> str:
    """The TERYT code of a place given by code or name."""
    return places.get(text).code


def language_code(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise BadInput(f"“{text[:20]}” is no language code; use one such as pl or en.", field="language")
    return text
