"""The picture itself: its size, that what it says is in it, and that no name breaks it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from db.live.pictures import BYTES_MAX
from pictures import drawing, text
from pictures.card import Card
from tests.support.paths import ROOT

CARD = Card("Argentina", "France", "3–1", "", "Second half", True, "World Cup")
ATTACK = "</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
joined = pytest.mark.skipif(not text.is_shaped(), reason="no FriBidi (apt-get install libfribidi0)")

Box = tuple[int, int, int, int]
LEFT, MIDDLE, RIGHT, TOP = (60, 300, 470, 430), (400, 150, 800, 340), (740, 300, 1140, 430), (60, 60, 1140, 130)
STATUS = (300, 420, 900, 500)


def image(card: Card) -> Image.Image:
    png = drawing.png(card)
    assert png
    assert len(png) < BYTES_MAX
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    return picture.convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> Box | None:
    """Where they differ by more than a shade: each has 64 colours of its own."""
    shades = ImageChops.difference(one, other).convert("L")
    return shades.point(lambda value: 255 if value > 32 else 0).getbbox()


def column(mask: Image.core.ImagingCore, x: int) -> int:
    """How much ink it has, of 255."""
    return sum(mask.getpixel((x, y)) for y in range(mask.size[1])) % 256


def is_within(inner: Box | None, outer: Box) -> bool:
    if not inner:
        return False
    left, top, right, bottom = inner
    return left >= outer[0] and top >= outer[1] and right <= outer[2] and bottom <= outer[3]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"score": "3–2"}, MIDDLE),
        ({"status": "Half-time"}, STATUS),
        ({"competition": "Copa América"}, TOP),
        ({"kicks": "4–2"}, (400, 330, 800, 410)),
    ],
)
def test_each_text_is_in_its_place(changed: dict[str, str], place: Box) -> None:
    assert is_within(difference(image(CARD), image(replace(CARD, **changed))), place)


def test_the_same_card_is_the_same_bytes() -> None:
    assert drawing.png(CARD) == drawing.png(replace(CARD))


def test_home_is_on_the_left() -> None:
    changed = difference(image(CARD), image(replace(CARD, home="Brazil")))
    assert changed
    assert changed[2] < 600
    changed = difference(image(CARD), image(replace(CARD, away="Brazil")))
    assert changed
    assert changed[0] > 600


@pytest.mark.parametrize("name", ["M" * 80, "Borussia Verein für Leibesübungen 1900 " * 2, ATTACK, "i", "W W W"])
def test_a_name_of_any_length_stays_on_its_side(name: str) -> None:
    changed = difference(image(replace(CARD, home="Borussia")), image(replace(CARD, home=name[:80])))
    assert changed
    assert changed[0] > 33
    assert changed[2] < 480


@pytest.mark.parametrize("score", ["113–108", "9" * 19 + "–" + "9" * 19])
def test_a_score_of_any_length_stays_in_the_middle(score: str) -> None:
    assert is_within(difference(image(CARD), image(replace(CARD, score=score))), MIDDLE)


@joined
@pytest.mark.parametrize("name", ["الهلال", "מכבי תל אביב"])
def test_names_are_written_from_right_to_left(name: str) -> None:
    """A name begins on the right, whatever its last letters are."""
    whole, shorter = (text.font(48).getmask(some) for some in (name, name[:-2]))
    width = shorter.size[0] // 3
    first, first_of_shorter = ([column(mask, mask.size[0] - x) for x in range(1, width)] for mask in (whole, shorter))
    assert first == first_of_shorter
    last, last_of_shorter = ([column(mask, x) for x in range(width)] for mask in (whole, shorter))
    assert last != last_of_shorter


@joined
def test_arabic_letters_are_joined() -> None:
    """Joined they are narrower than side by side."""
    name = "الهلال"
    assert text.length(name, 48) < sum(text.length(letter, 48) for letter in name)


def test_without_fribidi_such_names_have_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "is_shaped", lambda: False)
    assert drawing.png(replace(CARD, home="الهلال")) is None
    assert drawing.png(CARD)


@pytest.mark.parametrize("name", ["日本", "ทีมชาติไทย", "日本 Japan"])
def test_a_name_with_letters_that_the_font_lacks_has_no_picture(name: str) -> None:
    assert drawing.png(replace(CARD, away=name)) is None
    assert drawing.png(replace(CARD, competition=name)) is None


def test_symbols_that_the_font_lacks_are_left_out() -> None:
    assert text.writable("🏆\U0001fae0 Cup 2026") == "Cup 2026"
    assert drawing.png(replace(CARD, home="\U0001fae0")) is None


@pytest.mark.parametrize("name", ["Санкт-Петербург", "Παναθηναϊκός", "Łódź", "Đà Nẵng", "Հայաստան", "საქართველო"])
def test_the_scripts_of_most_of_europe_are_written(name: str) -> None:
    assert text.writable(name) == name


def test_nobody_named_yet_is_to_be_decided() -> None:
    unnamed = image(replace(CARD, home=""))
    assert not is_within(difference(unnamed, image(CARD)), MIDDLE)


def test_the_shared_picture_is_as_drawn() -> None:
    kept = Image.open(ROOT / "api" / "static" / "preview.png").convert("RGB")
    drawn = Image.open(io.BytesIO(drawing.preview_png())).convert("RGB")
    assert difference(kept, drawn) is None, "python -m dev.preview"
