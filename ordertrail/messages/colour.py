"""Brand colours made readable: WCAG 2.2 contrast, for emails and pages alike."""

from dataclasses import dataclass
from functools import lru_cache

from ordertrail.domain.brand import Brand

AA = 4.5
"""WCAG 2.2, success criterion 1.4.3: contrast of normal text."""
_LIGHT_SURFACE, _DARK_SURFACE = "#f6f8fa", "#1e242b"
"""The least contrasting surfaces of the pages and emails."""


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours as '#rrggbb'. Each pair named here has a contrast of at least 4.5 to 1.

    `on_brand` is text on `brand`; `ink` is the brand's colour as text on a light page, and
    `ink_dark` the same on a dark one.
    """

    brand: str
    on_brand: str
    ink: str
    ink_dark: str


def palette(brand: Brand) -> Palette:
    """The brand's own colours where they can be read, the nearest readable ones where not."""
    return _palette(brand.colour, brand.colour_text)


@lru_cache(maxsize=1024)
def _palette(colour: str, text: str) -> Palette:
    on_brand = text
    if contrast(colour, text) < AA:
        on_brand = max("#ffffff", "#111111", key=lambda other: contrast(colour, other))
    return Palette(
        brand=colour,
        on_brand=on_brand,
        ink=_readable(colour, _LIGHT_SURFACE, toward=0),
        ink_dark=_readable(colour, _DARK_SURFACE, toward=255),
    )


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two '#rrggbb' colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _readable(colour: str, surface: str, *, toward: int) -> str:
    """The colour mixed with black (0) or white (255) in twentieths until it can be read on the surface."""
    channels = _channels(colour)
    for step in range(21):
        mixed = "#" + "".join(f"{round(value + (toward - value) * step / 20):02x}" for value in channels)
        if contrast(mixed, surface) >= AA:
            return mixed
    return "#000000" if toward == 0 else "#ffffff"


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))


def _luminance(colour: str) -> float:
    linear = []
    for value in _channels(colour):
        share = value / 255
        linear.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
