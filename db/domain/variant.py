"""In which form alerts are written: the language, whether spoiler-free, and by which payload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# The languages alerts are written in. Spanish is that of Spain; `es_419` is Latin America's.
LANGUAGES = ("en", "ar", "de", "es", "es_419", "fr", "it", "nl", "pl", "pt", "pt_BR", "tr")
# Where the Spanish of `es_419` is spoken (CLDR, parent locales of `es-419`).
_LATIN_AMERICA = frozenset(
    re.findall("[A-Z0-9]+", "419 AR BO BR BZ CL CO CR CU DO EC GT HN MX NI PA PE PR PY SV US UY VE")
)
_SPOILER_FREE, _DATA = "-calm", "-data"


class Payload(StrEnum):
    """notification: the system shows it. data: the app builds the notification, and can compare versions before."""

    NOTIFICATION = "notification"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of an alert. As text it is part of topic names: `pt_BR-calm-data`."""

    language: str = "en"
    spoiler_free: bool = False
    payload: Payload = Payload.NOTIFICATION

    def __str__(self) -> str:
        manner = _SPOILER_FREE if self.spoiler_free else ""
        return self.language + manner + (_DATA if self.payload is Payload.DATA else "")

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Of one of VARIANTS."""
        rest = text.removesuffix(_DATA)
        payload = Payload.DATA if rest != text else Payload.NOTIFICATION
        language = rest.removesuffix(_SPOILER_FREE)
        return cls(language, language != rest, payload)


VARIANTS = tuple(
    str(Variant(language, spoiler_free, payload))
    for payload in Payload
    for language in LANGUAGES
    for spoiler_free in (False, True)
)


def language_of(locale: str | None) -> str:
    """The language of ours that fits a locale (BCP 47 or POSIX: `pt-BR`, `de_AT`, `zh-Hant`), English if none does."""
    language, *rest = (locale or "").replace("-", "_").split("_")
    language, regions = language.lower(), [part.upper() for part in rest if len(part) in (2, 3)]
    if language == "es" and any(region in _LATIN_AMERICA for region in regions):
        return "es_419"
    regional = [f"{language}_{region}" for region in regions]
    return next((name for name in [*regional, language] if name in LANGUAGES), "en")
