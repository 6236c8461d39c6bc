"""Our words in the reader's language: GNU gettext catalogues in locale/*.po, read by Babel (docs/decisions/0015)."""

from __future__ import annotations

import gettext
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).with_name("locale")
# The words in the code are English; each file beside is another language.
LANGUAGES = ("en", *sorted(path.stem for path in CATALOGUES.glob("*.po")))


def language_of(locale: str | None) -> str:
    """The language we have that suits a phone's locale (`pt-BR`, `de_AT`, `zh-Hant`), English where none does."""
    found = negotiate_locale([(locale or "").replace("-", "_")], LANGUAGES, sep="_") or "en"
    # Babel answers in the asker's capitals.
    return next(language for language in LANGUAGES if language.lower() == found.lower())


@lru_cache(maxsize=len(LANGUAGES))
def phrases(language: str) -> gettext.NullTranslations:
    """The catalogue of one of LANGUAGES. Compiled when first used: about 5 ms, and no compiled file can be stale."""
    if language == "en":
        return gettext.NullTranslations()
    compiled = BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
