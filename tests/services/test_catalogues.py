"""Every word that people read is there in every language, with its plural forms."""

from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.catalogues import Catalogues
from services.errors import SettingsError

TEMPLATES = Path(__file__).parents[2] / "templates"
KINDS = [("**.html", "jinja2.ext:babel_extract"), ("**.txt", "jinja2.ext:babel_extract")]


def strings_of_templates() -> set[str | tuple[str, ...]]:
    options = {pattern: {"trimmed": "true", "silent": "false"} for pattern, _ in KINDS}
    found = extract_from_dir(TEMPLATES, KINDS, options)
    return {message for _, _, message, _, _ in found}


def entries(locale: str) -> list[Message]:
    with (TEMPLATES / "locale" / locale / "LC_MESSAGES" / "goniec.po").open("rb") as source:
        return [entry for entry in read_po(source, locale=locale) if entry.id]


@pytest.mark.parametrize("locale", ["pl", "en"])
def test_every_string_of_the_templates_is_translated(locale: str) -> None:
    translated = {entry.id for entry in entries(locale) if not entry.fuzzy and all(_forms(entry))}
    assert strings_of_templates() <= translated


@pytest.mark.parametrize("locale", ["pl", "en"])
def test_translations_keep_the_placeholders(locale: str) -> None:
    broken = [entry.id for entry in entries(locale) if list(entry.check())]
    assert broken == []


def test_polish_has_its_three_plural_forms() -> None:
    polish = Catalogues(TEMPLATES / "locale").translations("pl")
    counted = [
        polish.ngettext("%(count)s notice for you", "%(count)s notices for you", number) % {"count": number}
        for number in (1, 3, 5, 12, 22)
    ]
    assert counted == [
        "1 ogłoszenie dla Ciebie",
        "3 ogłoszenia dla Ciebie",
        "5 ogłoszeń dla Ciebie",
        "12 ogłoszeń dla Ciebie",
        "22 ogłoszenia dla Ciebie",
    ]


def test_a_language_with_a_region_finds_its_catalogue_and_an_unknown_one_the_default() -> None:
    catalogues = Catalogues(TEMPLATES / "locale")
    assert [catalogues.nearest(locale) for locale in ("pl_PL", "en-GB", "pl", "de")] == [
        "pl",
        "en",
        "pl",
        "pl",
    ]


def test_a_default_without_a_catalogue_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="catalogue"):
        Catalogues(tmp_path)


def _forms(entry: Message) -> tuple[str, ...]:
    return (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())
