"""Mails and pages from templates: the one home of Jinja2.

A mail's body is rendered once for all readers of the same content, with slots for what is personal.
Everything in a context is untrusted and escaped; a name missing from it is an error, never an empty place.
"""

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_datetime, format_interval
from jinja2.runtime import Context
from markupsafe import Markup

from services.catalogues import Catalogues
from services.domain import slots
from services.errors import GoniecError
from services.inlining import Inliner

MAX_HTML_BYTES = 90_000
"""Gmail clips a mail at 102,400 bytes, and the unsubscribe link with it."""

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_STYLES = "email/styles.css"
_DATES_OF = {"en": "en_GB"}


class RenderError(GoniecError):
    """A template is missing or broken, or its context lacks a name: a fault of Goniec, not of a reader."""

    code = "render"


@dataclass(frozen=True, slots=True)
class Rendered:
    """One mail's content for all its readers; `salt` names the slots of `text` and `html`."""

    subject: str
    text: str
    html: str
    salt: str

    @property
    def is_clipped_by_gmail(self) -> bool:
        """Whether the HTML is past the budget; slots, once filled, come on top."""
        return len(self.html.encode()) > MAX_HTML_BYTES


class Renderer:
    """Renders `email/<name>/…` and `web/<name>.html` in each language there is a catalogue for."""

    def __init__(
        self,
        templates: Path,
        *,
        base_url: str,
        operator_name: str,
        contact_url: str,
        default_locale: str = "pl",
    ) -> None:
        self.catalogues, self._environments = _read(templates, default_locale)
        self._shared = {
            "base_url": base_url.rstrip("/"),
            "operator_name": operator_name,
            "contact_url": contact_url,
            "zone": "Europe/Warsaw",
        }

    def email(self, name: str, locale: str, context: Mapping[str, object]) -> Rendered:
        """The content of mail `name`, to be filled by `services.domain.slots` for each reader."""
        salt = slots.new_salt()
        text_slots = {"slot": lambda slot: slots.text_marker(slot, salt)}
        html_slots = {"slot": lambda slot: Markup(slots.html_marker(slot, salt))}
        return Rendered(
            subject=" ".join(self._render(f"email/{name}/subject.txt", locale, context).split()),
            text=_tidy(self._render(f"email/{name}/body.txt", locale, {**context, **text_slots})),
            html=self._render(f"email/{name}/body.html", locale, {**context, **html_slots}),
            salt=salt,
        )

    def page(self, name: str, locale: str, context: Mapping[str, object]) -> str:
        """The page `web/<name>.html`."""
        return self._render(f"web/{name}.html", locale, context)

    def _render(self, name: str, locale: str, context: Mapping[str, object]) -> str:
        spoken = self.catalogues.nearest(locale)
        try:
            template = self._environments[spoken].get_template(name)
            rendered = template.render({**self._shared, "locale": spoken, **context})
        except jinja2.TemplateError as exc:
            raise RenderError(f"The template {name} cannot be rendered: {exc}", template=name) from exc
        return _UNPRINTABLE.sub("", rendered)


@cache
def _read(templates: Path, default_locale: str) -> tuple[Catalogues, dict[str, jinja2.Environment]]:
    """What is made of a folder's files, once in a process, whoever renders."""
    catalogues, loader = Catalogues(templates / "locale", default_locale), _Loader(templates)
    return catalogues, {locale: _environment(loader, locale, catalogues) for locale in catalogues.locales}


class _Loader(jinja2.FileSystemLoader):
    """Reads templates; those of mails come with their styles inlined, each only once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._inliner = Inliner((folder / _STYLES).read_text(encoding="utf-8"))
        self._styled: dict[str, str] = {}

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, filename, uptodate = super().get_source(environment, template)
        if template.startswith("email/") and template.endswith(".html"):
            if template not in self._styled:
                self._styled[template] = self._inliner.inline(source, template)
            source = self._styled[template]
        return source, filename, uptodate


def _environment(loader: jinja2.BaseLoader, locale: str, catalogues: Catalogues) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=loader,
        autoescape=lambda name: name is not None and name.endswith((".html", ".xml")),
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    translations = catalogues.translations(locale)
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(_date_filters(locale), wrapped=_wrapped, web_address=_web_address)
    return environment


def _date_filters(locale: str) -> dict[str, Callable[..., str]]:
    """`moment`, `day` and `span`, in the environment's language and in the context's `zone`."""
    dates = _DATES_OF.get(locale, locale)

    @jinja2.pass_context
    def moment(context: Context, at: datetime) -> str:
        return format_datetime(at, "d MMMM y, HH:mm", _zone(context), locale=dates)

    @jinja2.pass_context
    def day(context: Context, at: datetime) -> str:
        return format_datetime(at, "EEEE, d MMMM y", _zone(context), locale=dates)

    @jinja2.pass_context
    def span(context: Context, start: datetime, end: datetime) -> str:
        zone = _zone(context)
        return format_interval(start.astimezone(zone), end.astimezone(zone), "yMMMMd", locale=dates)

    return {"moment": moment, "day": day, "span": span}


def _zone(context: Context) -> ZoneInfo:
    zone = context["zone"]
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo(str(zone))


def _wrapped(text: str, indent: str = "") -> str:
    """Plain text in lines of 72 characters; addresses are never broken."""
    return textwrap.fill(
        " ".join(text.split()), 72, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _web_address(url: str | None) -> str:
    """An address that a reader may be sent to; empty for any other (`javascript:` and its kin)."""
    return url if url and re.match(r"https?://", url, re.IGNORECASE) else ""


def _tidy(text: str) -> str:
    """No trailing spaces but the one of a signature's “-- ” (RFC 3676, section 4.3), no two blank lines
    together, one newline at the end."""
    lines = (line if line == "-- " else line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
