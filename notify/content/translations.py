"""Our words in the reader's language: gettext catalogues in locale/*.po, read by Babel (docs/decisions/0015)."""

from __future__ import annotations

import gettext
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).with_name("locale")
# The words in the code are English; each catalogue is another language.
LANGUAGES = ("en", *sorted(path.stem for path in CATALOGUES.glob("*.po")))


def language_of(locale: str | None) -> str:
    """The language of ours that fits a phone's locale (`pt-BR`, `de_AT`, `zh-Hant`), English if none does."""
    negotiated = negotiate_locale([(locale or "").replace("-", "_")], LANGUAGES, sep="_") or "en"
    # Babel keeps the letter case of the locale.
    return next(language for language in LANGUAGES if language.lower() == negotiated.lower())


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> gettext.NullTranslations:
    """The catalogue of one of LANGUAGES, compiled at first use (about 5 ms), so no compiled file can be stale."""
    if language == "en":
        return gettext.NullTranslations()
    compiled = BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
