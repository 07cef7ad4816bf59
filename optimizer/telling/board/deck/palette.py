"""Colours by what they are for: taken from a theme by how they look on the slide's own background, never by position.

A gain is the theme's colour nearest to green and a loss the one nearest to red; where a theme has none, a fixed one.
Letters and lines are what reads on the background that the layout really has.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optimizer.ground.errors import HouseFault

Rgb = str
"""RRGGBB."""

OWN = (
    "1F4E79", "E0A030", "3E9C8F", "7B5EA7", "94A0AD", "B23A2E", "C2378F", "5C6B34", "6FB1E0", "F2C879", "8FD3C8",
    "C3A6E8", "D5DCE4", "F08A7E",
)  # fmt: skip
"""Colours for what a theme has none for; those on dark backgrounds come last."""
GREENS, REDS = ("1A7F4B", "63D297"), ("C0392B", "FF8578")
"""Gains and losses where the theme has no such hue: on a light background, on a dark one."""
GREEN, RED, REACH = 135.0, 2.0, {135.0: 48.0, 2.0: 16.0}
"""Hues in degrees, and how far from them a colour still goes by their names."""
SERIES = {
    "product 0": "accent1", "mining": "accent2", "product 1": "accent3", "product 2": "accent4", "product 3": "accent6",
    "unlisted 0": "", "unlisted 1": "",
}  # fmt: skip
"""What stands in one chart: each takes its accent, or where that is not told apart from the others a colour of ours."""
SAME_AS = {"other 0": "mining", "middle": "product 1"}
READS, SEEN, APART = 4.5, 1.35, 110.0
"""Contrast at which letters read, at which a filled shape is seen, and how far two fills of one chart are apart."""


@dataclass(frozen=True)
class Colour:
    """A colour of the theme by its slot, or one of its own where that is blank; lighter or darker by `brightness`."""

    slot: str
    rgb: Rgb
    brightness: float = 0.0

    @property
    def shown(self) -> Rgb:
        """What is seen of it."""
        hue, light, saturation = colorsys.rgb_to_hls(*_parts(self.rgb))
        light = light + (1 - light) * self.brightness if self.brightness > 0 else light * (1 + self.brightness)
        return "".join(f"{round(part * 255):02X}" for part in colorsys.hls_to_rgb(hue, light, saturation))

    def put(self, format_: Any) -> None:
        """Give this colour to a fill, a line or letters of python-pptx."""
        from pptx.dml.color import RGBColor

        if self.slot:
            format_.theme_color = _slots()[self.slot]
        else:
            format_.rgb = RGBColor.from_string(self.rgb)
        if self.brightness:
            format_.brightness = self.brightness

    @property
    def xml(self) -> str:
        """The same for what python-pptx has no words for."""
        tag, value = ("schemeClr", self.slot) if self.slot else ("srgbClr", self.rgb)
        share = round((1 - abs(self.brightness)) * 100_000)
        tint = f'<a:lumMod val="{share}"/>' if self.brightness else ""
        tint += f'<a:lumOff val="{100_000 - share}"/>' if self.brightness > 0 else ""
        return f'<a:{tag} val="{value}">{tint}</a:{tag}>'


def _slots() -> Mapping[str, Any]:
    from pptx.enum.dml import MSO_THEME_COLOR as T

    return {
        "tx1": T.TEXT_1, "bg1": T.BACKGROUND_1, "tx2": T.TEXT_2, "bg2": T.BACKGROUND_2,
        **{f"accent{n}": getattr(T, f"ACCENT_{n}") for n in range(1, 7)},
    }  # fmt: skip


@dataclass(frozen=True)
class Palette:
    """The colours of a layout by their slots (`tx1`, `bg1`, `tx2`, `bg2`, `accent1` ...), and its background."""

    slots: Mapping[str, Rgb]
    background: Rgb

    def of(self, role: str) -> Colour:
        """The colour of a role. Raises HouseFault for a role that nobody has."""
        known = SAME_AS.get(role, role)
        if known not in self._roles:
            raise HouseFault(f"{role!r} is no colour of a deck before it is one of the roles of {__name__}.")
        return self._roles[known]

    def ink(self, role: str) -> str:
        """The role of the text that reads best on a fill of this role."""
        fill = self.of(role).shown
        return max(("text", "lt1"), key=lambda ink: contrast(fill, self.of(ink).shown))

    @property
    def dark(self) -> bool:
        return luminance(self.background) < 0.18

    @cached_property
    def _roles(self) -> dict[str, Colour]:
        text = self._letters()
        series = self._series()
        grid = self._slot("bg2")
        if not 1.08 <= contrast(grid.rgb, self.background) <= 1.7:
            grid = self._tint(text, 0.85)
        quiet = self._quiet(text)
        lead = series["product 0"]
        strength = -0.45 if self.dark else 0.55
        return {
            **series, "idle": self._idle(series["mining"], strength),
            **{f"{role} later": Colour(c.slot, c.rgb, strength) for role, c in series.items() if "product" in role},
            "text": text, "lt1": self._paper(), "grid": grid, "quiet": quiet,
            "dk2": self._reading("tx2", text), "level": self._reading("tx2", text),
            "strong": lead if contrast(lead.rgb, self.background) >= 3 else text,
            "building": Colour(quiet.slot, quiet.rgb, -0.6 if self.dark else 0.6),
            "good": self._by_hue(GREEN, GREENS), "bad": self._by_hue(RED, REDS),
        }  # fmt: skip

    def _slot(self, slot: str) -> Colour:
        return Colour(slot, self.slots[slot])

    def _letters(self) -> Colour:
        """The theme's letters where they read on the background, else what reads best."""
        choices = [self._slot("tx1"), self._slot("bg1"), Colour("", "000000"), Colour("", "FFFFFF")]
        reads = [one for one in choices if contrast(one.rgb, self.background) >= READS]
        return reads[0] if reads else max(choices, key=lambda one: contrast(one.rgb, self.background))

    def _paper(self) -> Colour:
        return next((self._slot(slot) for slot in ("bg1", "tx1") if self.slots[slot] == self.background),
                    Colour("", self.background))  # fmt: skip

    def _reading(self, slot: str, otherwise: Colour) -> Colour:
        return self._slot(slot) if contrast(self.slots[slot], self.background) >= READS else otherwise

    def _tint(self, text: Colour, share: float) -> Colour:
        """Letters faded towards the background by a share."""
        return Colour(text.slot, text.rgb, share if luminance(text.rgb) < 0.5 else -share)

    def _quiet(self, text: Colour) -> Colour:
        """A grey of the theme, or faded letters."""
        greys = (self._slot(f"accent{n}") for n in (5, 3, 4, 6))
        return next((grey for grey in greys if _saturation(grey.rgb) < 0.2
                     and 1.8 <= contrast(grey.rgb, self.background) <= 6), self._tint(text, 0.5))  # fmt: skip

    def _idle(self, mining: Colour, strength: float) -> Colour:
        """A grey of the theme, or mining's own colour faded."""
        grey = self._slot("accent5")
        plain = _saturation(grey.rgb) < 0.2 and distance(grey.rgb, mining.rgb) >= APART
        return grey if plain else Colour(mining.slot, mining.rgb, strength)

    def _series(self) -> dict[str, Colour]:
        """Colours that are seen on the background and told apart from each other."""
        taken: dict[str, Colour] = {}
        for role, accent in SERIES.items():
            own = [Colour("", rgb) for rgb in OWN]
            choices = [self._slot(accent), *own] if accent else own
            fit = (one for one in choices if self._stands_out(one, taken.values()))
            taken[role] = next(fit, max(choices, key=lambda one: contrast(one.rgb, self.background)))
        return taken

    def _stands_out(self, colour: Colour, others: Iterable[Colour]) -> bool:
        seen = contrast(colour.rgb, self.background) >= SEEN
        return seen and all(distance(colour.rgb, other.rgb) >= APART for other in others)

    def _by_hue(self, hue: float, fixed: tuple[Rgb, Rgb]) -> Colour:
        """The accent nearest to a hue that is clearly of it and seen, else a fixed colour."""
        fit = [
            one for one in map(self._slot, (f"accent{n}" for n in range(1, 7)))
            if hue_gap(one.rgb, hue) <= REACH[hue] and _saturation(one.rgb) >= 0.2
            and contrast(one.rgb, self.background) >= 1.8
        ]  # fmt: skip
        nearest: Callable[[Colour], float] = lambda one: hue_gap(one.rgb, hue)  # noqa: E731
        return min(fit, key=nearest, default=Colour("", fixed[self.dark]))


# ---- how colours look -----------------------------------------------------------------------------------------------


def _parts(rgb: Rgb) -> tuple[float, float, float]:
    red, green, blue = (int(rgb[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def luminance(rgb: Rgb) -> float:
    """From 0 (black) to 1 (white), as the eye weighs light."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(rgb))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """From 1 (the same lightness) to 21 (black on white)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def distance(one: Rgb, other: Rgb) -> float:
    """How far apart two colours look, 0 to about 765: differences of red, green and blue as the eye weighs them."""
    (r, g, b), (s, h, c) = (tuple(part * 255 for part in _parts(rgb)) for rgb in (one, other))
    red = (r + s) / 2
    whole = (2 + red / 256) * (r - s) ** 2 + 4 * (g - h) ** 2 + (2 + (255 - red) / 256) * (b - c) ** 2
    return float(whole**0.5)


def hue_gap(rgb: Rgb, hue: float) -> float:
    """Degrees between the hue of a colour and another on the circle."""
    own = colorsys.rgb_to_hls(*_parts(rgb))[0] * 360
    return min(abs(own - hue), 360 - abs(own - hue))


def _saturation(rgb: Rgb) -> float:
    return colorsys.rgb_to_hls(*_parts(rgb))[2]
