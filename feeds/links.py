"""Addresses found in documents: made absolute, http or https only, fit to be shown.

Must never pass on another scheme (javascript:, data:, file:), an address with a user name in it, or one
that cannot be taken apart.
"""

import html
import re
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

MAX_URL_CHARS = 2_000
_SAFE = "%/:=&?~#+!$,;'@()*[]"
_QUOTED = re.compile(r"[A-Za-z0-9._~%/:=&?#+!$,;'@()*-]*", re.ASCII)
_SLASHES = re.compile(r"^(https?:)/{3,}", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_ENDS = r"(?:(?<!;)\?[A-Za-z0-9._~%/:=&?+!$,;@*-]+)?(?:(?<!;)#[A-Za-z0-9._~%/:=&?+!$,;@*-]+)?"
_PLAIN = re.compile(
    r"(https?://[a-z0-9][a-z0-9.-]{0,250}(?::[1-9]\d{1,3})?)(?:/[A-Za-z0-9._~/%=&+,;:@!$-]*)?" + _ENDS,
    re.ASCII,
)
_NEAR = re.compile(r"(/(?!/)|(?:\.\./)?(?=[A-Za-z0-9_~%]))([A-Za-z0-9._~/%=&+,@!$-]*)" + _ENDS, re.ASCII)
_NAME = re.compile(r"\s(?:href|src)\s*$", re.IGNORECASE)
_VALUE = re.compile(r"""=(?<=[fFcC\s]=)\s*(?:"(?!https?://)([^"<>]*)"|'(?!https?://)([^'<>]*)')""")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|#")


def web_link(raw: object, base: str | None = None) -> str | None:
    """The absolute http(s) address that `raw` means on a page at `base`, as an ASCII URI; else None."""
    if not isinstance(raw, str) or not raw.strip():
        return None
    if len(raw) <= MAX_URL_CHARS and _PLAIN.fullmatch(raw):
        return raw  # nothing in it could be mended
    if base and (near := _NEAR.fullmatch(raw)) and (url := _beside(base, near)):
        return url
    try:
        bare = raw.strip() if raw.isprintable() else _UNSEEN.sub("", raw).strip()
        bare = _SLASHES.sub(r"\1//", bare)
        if bare[:4].lower() == "www.":
            bare = f"http://{bare}"  # who writes this means a host, whatever the standard says
        parts = urlsplit(urljoin(base, bare) if base else bare)
        host = parts.hostname or ""
        port = parts.port
        if parts.scheme not in ("http", "https") or "@" in parts.netloc:
            return None
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        if not _HOST.fullmatch(host):
            return None
    except (ValueError, UnicodeError):
        return None
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    path, query, fragment = (
        part if _QUOTED.fullmatch(part) else quote(part, safe=_SAFE) for part in parts[2:]
    )
    url = urlunsplit((parts.scheme, netloc, path, query, fragment))
    return url if len(url) <= MAX_URL_CHARS and " " not in url else None


def _beside(base: str, near: re.Match[str]) -> str | None:
    """What RFC 3986 (section 5.2) makes of a plain relative address, where that is mere gluing; else None."""
    where, starts, rest = near[1], _starts(base), near[0][near.end(1) :]
    if rest[:1] == "." or "/." in rest or (where != "/" and ("//" in rest or rest[:4].lower() == "www.")):
        return None
    url = starts.get(where, "") + rest
    return url if len(rest) < len(url) <= MAX_URL_CHARS else None


@lru_cache(1024)
def _starts(base: str) -> dict[str, str]:
    """What a plain base puts before an address that begins with `/`, with `../`, or with neither."""
    plain = _PLAIN.fullmatch(base)
    if not plain:
        return {}
    origin, path = plain[1], re.split("[?#]", base[plain.end(1) :], maxsplit=1)[0]
    if "/." in path or "//" in path or ";" in path:
        return {"/": f"{origin}/"}
    folder = path[: path.rfind("/") + 1] or "/"
    above = {"../": origin + folder[: folder.rfind("/", 0, -1) + 1]} if folder != "/" else {}
    return {"/": f"{origin}/", "": origin + folder, **above}


@lru_cache(4096)
def same_page(url: str) -> str:
    """The address without what sites flip at will: the scheme's s, a leading www., a trailing slash."""
    bare = re.sub(r"^https?://(www\.)?", "", url.strip(), flags=re.IGNORECASE)
    host, slash, rest = bare.partition("/")
    return (host.lower() + slash + rest).rstrip("/")


def absolute_links(markup: str, base: str | None) -> str:
    """The markup with its relative `href` and `src` made absolute; what cannot be is left as it is."""
    if not base:
        return markup

    def absolute(match: re.Match[str]) -> str:
        value, at = match[1] or match[2] or "", match.start()
        value = (html.unescape(value) if "&" in value else value).strip()
        if not value or _ABSOLUTE.match(value):
            return match[0]
        if not markup.endswith((" href", " src"), 0, at) and not _NAME.search(markup[max(0, at - 12) : at]):
            return match[0]
        url = web_link(value, base)
        return f'="{html.escape(url)}"' if url else match[0]

    return _VALUE.sub(absolute, markup)
