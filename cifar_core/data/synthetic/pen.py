"""A pen, dice and colours: what the built-in image set is drawn with.

Chosen so that the same seed gives the same bytes everywhere: every choice comes from PCG64,
every shape is a filled polygon of whole-number corners, every colour is whole-number
arithmetic. Only Pillow's own way to fill a polygon is left: checked the same from 11.3 to
13.0 (11.0 filled other edge pixels), and a test pins the bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from PIL import ImageDraw

Colour = tuple[int, int, int]
T = TypeVar("T")

BLACK, WHITE, INK = (0, 0, 0), (255, 255, 255), (26, 24, 28)
# Animals share these coats, and machines these paints: colour must not tell the class.
COATS: tuple[Colour, ...] = (
    *((122, 84, 52), (62, 46, 36), (150, 116, 76), (186, 154, 112), (128, 126, 122)),
    *((40, 38, 38), (222, 214, 200), (168, 98, 50), (96, 98, 70), (104, 112, 60)),
)
PAINTS: tuple[Colour, ...] = (
    *((186, 36, 36), (40, 70, 160), (232, 232, 230), (48, 50, 56), (156, 160, 166)),
    *((214, 176, 40), (44, 110, 76), (120, 36, 52), (90, 140, 190)),
)
GLASS, LAMP, ROSE = (70, 92, 112), (244, 230, 170), (206, 110, 110)
# Rounded, so that the last digit of a C library's sine decides no pixel.
_CIRCLE = [
    (round(math.cos(k * math.pi / 8), 4), round(math.sin(k * math.pi / 8), 4)) for k in range(16)
]


def stream(*entropy: int) -> np.random.Generator:
    """The random stream of that name."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


class Dice:
    """The random choices of one image; takes only doubles from PCG64, its stablest output."""

    def __init__(self, *entropy: int) -> None:
        self._next = stream(*entropy).random

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._next()

    def chance(self, probability: float) -> bool:
        return self._next() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._next() * len(options))]

    def near(self, *colours: Colour, spread: int = 22) -> Colour:
        """A colour like one of those given, a little lighter or darker, a little off in hue."""
        colour, shift = self.pick(colours), self.between(-spread, spread)
        r, g, b = (int(c + shift + self.between(-spread, spread) / 2) for c in colour)
        return _clip(r), _clip(g), _clip(b)


def _clip(value: int) -> int:
    return 0 if value < 0 else 255 if value > 255 else value


def mix(a: Colour, b: Colour, percent: float) -> Colour:
    """The colour `percent` of the way from `a` to `b`."""
    p = int(percent)
    r, g, b_ = ((x * (100 - p) + y * p) // 100 for x, y in zip(a, b, strict=True))
    return r, g, b_


def dark(colour: Colour, percent: float = 25) -> Colour:
    return mix(colour, BLACK, percent)


def light(colour: Colour, percent: float = 30) -> Colour:
    return mix(colour, WHITE, percent)


class Pen:
    """Draws filled polygons in the subject's own units: about -50 to 50, y downwards.

    Args:
        canvas: what is drawn on; `width` pixels square.
        size: 1 fills the canvas.
        degrees: turned clockwise by so much.
        stretch: wider than high by this factor; negative mirrors.
        x, y: the subject's middle, in units of the whole canvas.
    """

    def __init__(
        self,
        canvas: ImageDraw.ImageDraw,
        width: int,
        size: float = 1,
        degrees: float = 0,
        stretch: float = 1,
        x: float = 0,
        y: float = 0,
    ) -> None:
        unit = size * width / 100
        cos, sin = (round(f(math.radians(degrees)), 4) for f in (math.cos, math.sin))
        self._canvas = canvas
        self._matrix = (cos * unit * stretch, -sin * unit, sin * unit * stretch, cos * unit)
        self._origin = ((50 + x) * width / 100 + 0.5, (50 + y) * width / 100 + 0.5)

    def at(self, x: float, y: float, size: float = 1) -> Pen:
        """A pen whose origin is this one's (x, y) and whose unit is `size` of this one's."""
        a, b, c, d = self._matrix
        e, f = self._origin
        pen = object.__new__(Pen)
        pen._canvas = self._canvas
        pen._matrix = (a * size, b * size, c * size, d * size)
        pen._origin = (a * x + b * y + e, c * x + d * y + f)
        return pen

    def poly(self, colour: Colour, *xy: float) -> None:
        """A polygon; `xy` is x, y, x, y and so on."""
        corners = zip(xy[::2], xy[1::2], strict=True)
        self._fill(colour, self._matrix, self._origin, corners)

    def _fill(
        self,
        colour: Colour,
        matrix: tuple[float, float, float, float],
        origin: tuple[float, float],
        corners: Iterable[tuple[float, float]],
    ) -> None:
        (a, b, c, d), (e, f), floor = matrix, origin, math.floor
        pixels = [floor(v) for x, y in corners for v in (a * x + b * y + e, c * x + d * y + f)]
        self._canvas.polygon(pixels, fill=colour)

    def pair(self, colour: Colour, *xy: float) -> None:
        """A polygon and its mirror image about x = 0."""
        self.poly(colour, *xy)
        self.poly(colour, *(v if k % 2 else -v for k, v in enumerate(xy)))

    def twin(self, colour: Colour, *xy: float) -> None:
        """One polygon from its right half, given from top to bottom."""
        points = list(zip(xy[::2], xy[1::2], strict=True))
        self.poly(colour, *xy, *(v for x, y in reversed(points) for v in (-x, y)))

    def rect(self, colour: Colour, x0: float, y0: float, x1: float, y1: float) -> None:
        self.poly(colour, x0, y0, x1, y0, x1, y1, x0, y1)

    def oval(
        self, colour: Colour, x: float, y: float, rx: float, ry: float, lean: float = 0
    ) -> None:
        """An ellipse; sheared so that its right end lies `lean` lower."""
        # The circle's corners through one matrix: twice as quick as working them out first.
        (a, b, c, d), (e, f) = self._matrix, self._origin
        matrix = (a * rx + b * lean, b * ry, c * rx + d * lean, d * ry)
        self._fill(colour, matrix, (a * x + b * y + e, c * x + d * y + f), _CIRCLE)

    def ovals(self, colour: Colour, x: float, y: float, rx: float, ry: float) -> None:
        """An ellipse and its mirror image about x = 0."""
        self.oval(colour, x, y, rx, ry)
        self.oval(colour, -x, y, rx, ry)

    def ball(
        self, colour: Colour, x: float, y: float, rx: float, ry: float, lean: float = 0
    ) -> None:
        """An oval lit from above."""
        self.oval(dark(colour), x, y, rx, ry, lean)
        self.oval(colour, x, y - ry * 0.12, rx * 0.93, ry * 0.84, lean)
        self.oval(light(colour, 14), x, y - ry * 0.4, rx * 0.66, ry * 0.4, lean * 0.7)

    def limb(self, colour: Colour, width: float, *xy: float) -> None:
        """A stroke through the points given, a tenth narrower and round at each joint."""
        for x0, y0, x1, y1 in zip(xy[:-2:2], xy[1:-2:2], xy[2::2], xy[3::2], strict=True):
            length = math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2) or 1.0
            u, v = (y0 - y1) / length * width / 2, (x1 - x0) / length * width / 2
            width *= 0.9
            start, end = (x0 - u, y0 - v, x0 + u, y0 + v), (u * 0.9, v * 0.9)
            self.poly(colour, *start, x1 + end[0], y1 + end[1], x1 - end[0], y1 - end[1])
            self.oval(colour, x1, y1, width * 0.45, width * 0.45)
