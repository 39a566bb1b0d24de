"""What a form must show before it is believed: it came from our own page, and it is of a sane size.

There are no sessions and no cookies that grant anything; a private link is a right by itself.
"""

from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from services.errors import BadInput, Forbidden, TooLarge

MAX_FORM_BYTES = 64_000
MAX_FIELDS = 300
FORM_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a submitted form; a name may come many times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def all(self, name: str) -> tuple[str, ...]:
        """Every value given for `name`, without those left empty."""
        values = (clean(value) for key, value in self._pairs if key == name)
        return tuple(value for value in values if value)

    def one(self, name: str) -> str:
        """The first value given for `name`, or an empty text."""
        return next(iter(self.all(name)), "")


def clean(value: str) -> str:
    """A value without control characters and spaces around it."""
    return "".join(char if char.isprintable() else " " for char in value).strip()


async def form_of(request: Request) -> Form:
    """The form in the request's body. Raises TooLarge, BadInput, and Forbidden for another site's form."""
    refuse_other_sites(request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise TooLarge("The form is too long.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and media_type != FORM_TYPE:
        raise BadInput("A form is expected here.")
    try:
        return Form(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise BadInput("The form cannot be read.") from error


def refuse_other_sites(request: Request) -> None:
    """Refuse a form that another site's page sent, by Sec-Fetch-Site, else by Origin.

    An Origin of `null` is what browsers send from our own private pages, which tell no referrer; it is
    believed there alone, because whoever knows such an address has the right already.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site in ("same-origin", "none"):
        return
    if site is not None:
        raise Forbidden("This form came from another site.")
    if origin is None or (origin == "null" and "token" in request.path_params):
        return
    if urlsplit(origin).netloc not in _own_names(request):
        raise Forbidden("This form came from another site.")


def _own_names(request: Request) -> set[str]:
    base_url: str = request.app.state.rt.settings.base_url
    return {urlsplit(base_url).netloc, request.headers.get("host", "")}
