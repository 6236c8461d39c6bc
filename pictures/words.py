"""What a status is called in English: short in a list, and in words on the match's own page and picture. The twin of
the words in api/static/clock.js."""

from __future__ import annotations

# In a list, and on the match's own page.
_WORDS = {
    "scheduled": ("", "Not started"),
    "time_tbd": ("TBD", "Time to be decided"),
    "delayed": ("Delayed", "Delayed"),
    "live": ("Live", "Live"),
    "pause": ("Break", "Break"),
    "first_half": ("1st", "First half"),
    "half_time": ("HT", "Half-time"),
    "second_half": ("2nd", "Second half"),
    "break_before_et": ("ET next", "Extra time next"),
    "et_first": ("ET", "Extra time, first half"),
    "et_half_time": ("ET HT", "Half-time of extra time"),
    "et_second": ("ET", "Extra time, second half"),
    "break_before_pens": ("Pens next", "Penalty shoot-out next"),
    "shootout": ("Pens", "Penalty shoot-out"),
    "interrupted": ("Int.", "Interrupted"),
    "suspended": ("Susp.", "Suspended"),
    "ended": ("FT", "Full time"),
    "finished": ("FT", "Full time"),
    "postponed": ("Postp.", "Postponed"),
    "cancelled": ("Canc.", "Cancelled"),
    "abandoned": ("Aband.", "Abandoned"),
    "awarded": ("Awd.", "Awarded"),
    "walkover": ("W/O", "Walkover"),
    "removed": ("Removed", "Removed"),
    "replaced": ("Moved", "Replaced by another match"),
}
_ENDINGS = {"extra_time": ("AET", "After extra time"), "penalties": ("Pens", "After penalties")}
_ENDINGS_ELSEWHERE = {
    "extra_time": ("Final/OT", "Final, after overtime"),
    "penalties": ("Final/SO", "Final, after shoot-out"),
}
_FINAL = ("Final", "Final")
PERIOD_LETTERS = {"basketball": "Q", "american_football": "Q", "ice_hockey": "P"}


def status_words(status: str, decided_by: str | None, sport: str, period: int | None) -> tuple[str, str]:
    """In a list, and on the match's own page."""
    if status in ("finished", "ended"):
        endings = _ENDINGS if sport == "football" else _ENDINGS_ELSEWHERE
        return endings.get(decided_by or "", _WORDS[status] if sport == "football" else _FINAL)
    if status == "pause" and period is not None:
        return _pause_words(sport, period)
    return _WORDS.get(status) or (sentence(status), sentence(status))


def _pause_words(sport: str, period: int) -> tuple[str, str]:
    letter = PERIOD_LETTERS.get(sport, "P")
    if letter == "Q" and period == 2:
        return _WORDS["half_time"]
    return f"End {letter}{period}", f"End {letter}{period}"


def sentence(name: str) -> str:
    """`second_yellow` → `Second yellow`."""
    spaced = name.replace("_", " ")
    return spaced[:1].upper() + spaced[1:]
