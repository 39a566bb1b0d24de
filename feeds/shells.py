"""Pages that come instead of content: a wall against bots, an empty shell that only a script can fill.

Told by marks that these pages carry, so that an operator knows whom to write to; must rather say that it is
a page than accuse a site of a wall.
"""

import re

LOOK_AT = 60_000
FEW_WORDS = 40
_WALL = re.compile(
    r"<title>\s*(?:Just a moment|Attention Required!|Access denied|DDoS-Guard|Checking your browser"
    r"|Making sure you(?:'|&#39;|’)re not a bot|Security check|Sucuri WebSite Firewall|Robot check)"
    r"|/cdn-cgi/challenge-platform/|_Incapsula_Resource|captcha-delivery\.com|id=[\"']px-captcha"
    r"|/\.within\.website/x/cmd/anubis|window\.awsWafCookieDomainList|/_sec/cp_challenge/",
    re.IGNORECASE,
)
_SHELL = re.compile(
    r"<div[^<>]{0,200}\bid=[\"']?(?:root|app|__next|__nuxt|main-app|q-app)\b[^<>]{0,200}>\s{0,50}</div>"
    r"|<app-root[^<>]{0,200}>|<noscript>[^<>]{0,200}JavaScript",
    re.IGNORECASE,
)
_UNSEEN = re.compile(r"<(script|style|noscript|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


def looks_of(text: str) -> str:
    """`wall`, `shell`, or `html` for any other page."""
    start = text[:LOOK_AT]
    if _WALL.search(start):
        return "wall"
    if _SHELL.search(start) and len(_TAG.sub(" ", _UNSEEN.sub(" ", start)).split()) < FEW_WORDS:
        return "shell"
    return "html"
