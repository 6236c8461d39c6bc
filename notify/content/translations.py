"""Our words in the reader's language: gettext catalogues in locale/*.po, read by Babel (docs/decisions/0015)."""

from __future__ import annotations

import gettext
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from db.domain import LANGUAGES

CATALOGUES = Path(__file__).with_name("locale")


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> gettext.NullTranslations:
    """The catalogue of one of LANGUAGES, compiled at first use (about 5 ms), so no compiled file can be stale. Words
    in the code are English."""
    if language == "en":
        return gettext.NullTranslations()
    compiled = BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
