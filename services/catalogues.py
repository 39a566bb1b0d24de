"""The interface's words in each language: gettext catalogues, read from their sources once at start.

Compiled in memory, so that no built file can be older than its source. Never decides which language
a reader gets.
"""

import gettext
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from services.errors import SettingsError

DOMAIN = "goniec"


class Catalogues:
    """Every language under a folder `<locale>/LC_MESSAGES/goniec.po`."""

    def __init__(self, folder: Path, default: str = "pl") -> None:
        sources = sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
        self._by_locale = {source.parents[1].name: _compile(source) for source in sources}
        if default not in self._by_locale:
            raise SettingsError(f"There is no catalogue for the language “{default}” under {folder}.")
        self.default = default

    @property
    def locales(self) -> tuple[str, ...]:
        return tuple(self._by_locale)

    def nearest(self, locale: str) -> str:
        """`locale` itself, its language without the region, or the default."""
        language = locale.replace("_", "-").partition("-")[0].lower()
        return next((known for known in (locale, language) if known in self._by_locale), self.default)

    def translations(self, locale: str) -> gettext.NullTranslations:
        return self._by_locale[self.nearest(locale)]


def _compile(source: Path) -> gettext.GNUTranslations:
    with source.open("rb") as lines:
        catalogue = read_po(lines, locale=source.parents[1].name, domain=DOMAIN, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
