"""National teams in the reader's language: CLDR's names of territories, by Babel."""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale

# Names that providers and FIFA use where CLDR's English name is another.
_ALIASES = {
    "usa": "US",
    "united states of america": "US",
    "korea republic": "KR",
    "republic of korea": "KR",
    "korea dpr": "KP",
    "ivory coast": "CI",
    "cote d'ivoire": "CI",
    "côte d'ivoire": "CI",
    "czech republic": "CZ",
    "turkey": "TR",
    "turkiye": "TR",
    "bosnia and herzegovina": "BA",
    "bosnia-herzegovina": "BA",
    "dr congo": "CD",
    "congo dr": "CD",
    "congo": "CG",
    "cape verde islands": "CV",
    "cabo verde": "CV",
    "ir iran": "IR",
    "china pr": "CN",
    "chinese taipei": "",
    "hong kong": "HK",
    "macau": "MO",
    "palestine": "PS",
    "trinidad and tobago": "TT",
    "antigua and barbuda": "AG",
    "st kitts and nevis": "KN",
    "saint kitts and nevis": "KN",
    "st lucia": "LC",
    "saint lucia": "LC",
    "st vincent and the grenadines": "VC",
    "sao tome and principe": "ST",
    "curacao": "CW",
    "eswatini": "SZ",
    "kyrgyz republic": "KG",
    "brunei darussalam": "BN",
    "the gambia": "GM",
    "republic of ireland": "IE",
    "syrian arab republic": "SY",
    "myanmar": "MM",
    "timor leste": "TL",
    "us virgin islands": "VI",
}
# The United Kingdom plays as four, which are no territories of CLDR.
_HOME_NATIONS = {
    "england": {"de": "England", "es": "Inglaterra", "fr": "Angleterre", "it": "Inghilterra", "nl": "Engeland",
                "pl": "Anglia", "pt": "Inglaterra", "tr": "İngiltere", "ar": "إنجلترا"},
    "scotland": {"de": "Schottland", "es": "Escocia", "fr": "Écosse", "it": "Scozia", "nl": "Schotland",
                 "pl": "Szkocja", "pt": "Escócia", "tr": "İskoçya", "ar": "اسكتلندا"},
    "wales": {"de": "Wales", "es": "Gales", "fr": "Pays de Galles", "it": "Galles", "nl": "Wales",
              "pl": "Walia", "pt": "País de Gales", "tr": "Galler", "ar": "ويلز"},
    "northern ireland": {"de": "Nordirland", "es": "Irlanda del Norte", "fr": "Irlande du Nord",
                         "it": "Irlanda del Nord", "nl": "Noord-Ierland", "pl": "Irlandia Północna",
                         "pt": "Irlanda do Norte", "tr": "Kuzey İrlanda", "ar": "أيرلندا الشمالية"},
}  # fmt: skip
# A team of women or of an age bears its country's name with an ending, which every language reads.
_ENDING = re.compile(r"(?P<country>.+?)(?P<ending> (?:U-?\d\d|W|Women|Olympic)(?: (?:W|Women))?)?")


def localized(name: str, language: str) -> str:
    """A national team's name in a language of ours; any other name as it is. English readers get the provider's."""
    parts = _ENDING.fullmatch(name)
    if language == "en" or parts is None:
        return name
    country = parts["country"].strip()
    translated = _country(country.casefold().replace("’", "'"), language)
    return translated + (parts["ending"] or "") if translated else name


@lru_cache(maxsize=4096)
def _country(country: str, language: str) -> str | None:
    if nation := _HOME_NATIONS.get(country):
        return nation.get(language) or nation.get(language.partition("_")[0])
    code = _codes().get(country)
    return str(Locale.parse(language).territories[code]) if code else None


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """English names of countries, folded, to their codes. `GB` does not play; continents have numbers for codes."""
    english = Locale("en").territories
    names = {str(name).casefold().replace("’", "'"): code for code, name in english.items() if len(code) == 2}
    return {name: code for name, code in (names | _ALIASES).items() if code not in ("", "GB", "ZZ", "EU", "EZ", "UN")}
