"""Draws a card: 1200 by 630 pixels (developers.facebook.com, "Sharing", "Images"), in the colours of the dark page."""

from __future__ import annotations

import colorsys
import io
from dataclasses import replace

from PIL import Image, ImageDraw

from pictures import text
from pictures.card import Card
from pictures.emblem import HUES, hue, monogram

WIDTH, HEIGHT = 1200, 630
# Colours of a picture. 256 look the same and take a tenth more: 15.9 KB instead of 14.1 for Argentina 3–1 France.
COLOURS = 64
# Of zlib. Level 9 takes 12.3 KB and twice the time, 18 ms more.
LEVEL = 6

# Of the page in the dark (api/static/style.css).
_PAPER, _CARD, _RAISED, _LINE = "#10151b", "#171e26", "#1f2831", "#26303a"
_INK, _SOFT, _LIVE, _LIVE_WASH = "#eef2f5", "#98a4b0", "#3ddc84", "#12291f"

_MIDDLE, _SIDES = WIDTH // 2, (262, WIDTH - 262)
_NAME_WIDTH, _SCORE_WIDTH, _LINE_WIDTH = 380, 400, 960
# Sizes of letters (px), the largest that fit.
_NAME_SIZES, _SCORE_SIZES, _MONOGRAM_SIZES = (
    (54, 48, 42, 36, 30),
    (170, 150, 130, 112, 96, 80, 56, 40, 28),
    (58, 46, 38),
)
_NAME_LINES = 2


def png(card: Card) -> bytes | None:
    """None where the font lacks a letter of it: a picture with holes is worse than the one that all share."""
    written = _written(card)
    return _encoded(_drawn(written)) if written else None


def preview_png() -> bytes:
    """The picture of what has none of its own."""
    image, draw = _empty()
    _brand(image, draw, 260, 84)
    _line(draw, "Shown the moment they change", 400, 44, _SOFT)
    return _encoded(image)


def _written(card: Card) -> Card | None:
    home, away = (text.writable(name or "To be decided") for name in (card.home, card.away))
    competition = text.writable(card.competition)
    if not home or not away or competition is None:
        return None
    return replace(card, home=home, away=away, competition=competition)


def _drawn(card: Card) -> Image.Image:
    image, draw = _empty()
    _line(draw, card.competition, 96, 36, _SOFT)
    for name, middle in zip((card.home, card.away), _SIDES, strict=True):
        _badge(image, name, middle, 228)
        _name(draw, name, middle, 368)
    px = text.largest(card.score, _SCORE_SIZES, _SCORE_WIDTH)
    score = text.cut(card.score, px, _SCORE_WIDTH)
    draw.text((_MIDDLE, 250), score, _LIVE if card.is_live else _INK, text.font(px), "mm")
    if card.kicks:
        kicks = text.cut(f"({card.kicks} pens)", 40, _SCORE_WIDTH)
        draw.text((_MIDDLE, 368), kicks, _INK, text.font(40), "mm")
    _status(draw, card, 462)
    _brand(image, draw, 548, 26)
    return image


def _empty() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((30, 30, WIDTH - 30, HEIGHT - 30), 36, _CARD, _LINE, 3)
    return image, draw


def _line(draw: ImageDraw.ImageDraw, words: str, y: int, px: int, colour: str) -> None:
    draw.text((_MIDDLE, y), text.cut(words, px, _LINE_WIDTH), colour, text.font(px), "mm")


def _name(draw: ImageDraw.ImageDraw, name: str, x: int, y: int) -> None:
    """In the largest letters in which it fits; what fits in none is cut."""
    px, lines = text.paragraph(name, _NAME_SIZES, _NAME_WIDTH, _NAME_LINES)
    height = round(px * 1.15)
    top = y - (len(lines) - 1) * height // 2
    for index, line in enumerate(lines):
        draw.text((x, top + index * height), line, _INK, text.font(px), "mm")


def _status(draw: ImageDraw.ImageDraw, card: Card, y: int) -> None:
    px, pad = 36, 28
    words = text.cut(card.status, px, _LINE_WIDTH)
    half = text.length(words, px) / 2 + pad
    ground, ink = (_LIVE_WASH, _LIVE) if card.is_live else (_RAISED, _SOFT)
    draw.rounded_rectangle((_MIDDLE - half, y - 30, _MIDDLE + half, y + 30), 30, ground)
    draw.text((_MIDDLE, y), words, ink, text.font(px), "mm")


def _brand(image: Image.Image, draw: ImageDraw.ImageDraw, y: int, px: int) -> None:
    """A dot and the name of the site."""
    name, dot, gap = "Live scores", px * 2 // 3, px // 3
    left = round(_MIDDLE - (dot + gap + text.length(name, px)) / 2)
    _paste_round(image, Image.new("RGB", (dot, dot), _LIVE), left, y - dot // 2)
    draw.text((left + dot + gap, y), name, _INK, text.font(px), "lm")


# Each shape is drawn so many times as large, and made smaller: Pillow's own edges have steps.
_FINER = 4
_BADGE, _MONOGRAM_WIDTH = 132, 104


def _badge(image: Image.Image, name: str, x: int, y: int) -> None:
    """As the page's: two colours and a monogram."""
    side, tone = _BADGE * _FINER, hue(name)
    badge = Image.new("RGB", (side, side), _colour(tone, 0.42))
    ImageDraw.Draw(badge).polygon(
        [(side * 0.75, 0), (side, 0), (side, side), (side * 0.35, side)], _colour(tone + _HUES_APART, 0.32)
    )
    _paste_round(image, badge.resize((_BADGE, _BADGE), Image.Resampling.BOX), x - _BADGE // 2, y - _BADGE // 2)
    letters = monogram(name)
    px = text.largest(letters, _MONOGRAM_SIZES, _MONOGRAM_WIDTH)
    ImageDraw.Draw(image).text((x, y), letters, "#ffffff", text.font(px), "mm")


def _paste_round(image: Image.Image, square: Image.Image, left: int, top: int) -> None:
    side = square.width
    shape = Image.new("L", (side * _FINER, side * _FINER), 0)
    ImageDraw.Draw(shape).ellipse((0, 0, side * _FINER - 1, side * _FINER - 1), 255)
    image.paste(square, (left, top), shape.resize((side, side), Image.Resampling.BOX))


# Of 36, between the two colours of a badge: as on the page (api/static/colours.css).
_HUES_APART = 3.5


def _colour(tone: float, lightness: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hls_to_rgb(tone % HUES / HUES, lightness, 0.45)
    return round(red * 255), round(green * 255), round(blue * 255)


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    few = image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(file, "PNG", compress_level=LEVEL)
    return file.getvalue()
