"""How each of the ten classes looks: one function a class.

`SKETCHES` maps a class name to its function, which picks a pose, colours and proportions.
The numbers are corners and radii in the pen's units, about -50 to 50, y downwards; side views
face right.
"""

from __future__ import annotations

from collections.abc import Callable

from .pen import (
    COATS,
    GLASS,
    INK,
    LAMP,
    PAINTS,
    ROSE,
    WHITE,
    Colour,
    Dice,
    Pen,
    dark,
    light,
)

# --- animals ---------------------------------------------------------------------------------


def legs(pen: Pen, dice: Dice, coat: Colour, reach: float, foot: float, width: float) -> None:
    """Four legs seen from the side in some phase of a stride, the far pair darker."""
    stride = dice.between(-9, 9)
    for tone, near in ((38, -5), (12, 0)):
        for x, swing in ((-reach - near, -stride), (reach + near, stride)):
            swing = swing if near else -swing
            pen.limb(dark(coat, tone), width, x, 3, x + swing * 0.3, foot / 2, x + swing, foot)


def pet(
    pen: Pen, dice: Dice, coat: Colour, face: Callable[[Pen], None], profile: Callable[[Pen], None]
) -> None:
    """A cat's or a dog's body; `face` and `profile` draw the head, some 30 units in radius."""
    pose, tip = dice.pick(("face", "sit", "walk", "walk")), dice.between(-34, 0)
    if pose == "face":
        pen.ball(dark(coat, 15), 0, 48, 34, 26)
        face(pen)
    elif pose == "sit":
        pen.limb(dark(coat), 8, 8, 42, 30, 39, 36, 22, 30, tip + 20)
        pen.ball(coat, 0, 20, 19, 27)
        pen.oval(light(coat), 0, 14, 9, 16)
        pen.pair(dark(coat, 12), 3, 16, 12, 16, 11, 46, 4, 46)
        face(pen.at(dice.between(-4, 4), -20, 0.56))
    else:
        pen.limb(dark(coat, 20), 7, -26, 0, -38, tip / 2, -42, tip)
        legs(pen, dice, coat, 20, 35, 7)
        pen.ball(coat, 0, 1, 30, 13)
        profile(pen.at(31, dice.between(-20, -6), 0.46))


def cat(pen: Pen, dice: Dice) -> None:
    coat = dice.near(*COATS)
    iris = dice.pick(((196, 190, 70), (120, 170, 90), (90, 140, 180)))
    stripes = (-11, 0, 11) if dice.chance(0.5) else ()

    def face(pen: Pen) -> None:
        pen.pair(dark(coat, 18), 6, -18, 27, -47, 31, -10)
        pen.pair(ROSE, 13, -20, 25, -38, 26, -16)
        pen.ball(coat, 0, 0, 31, 27)
        for x in stripes:
            pen.poly(dark(coat, 50), x - 2, -27, x + 3, -27, x * 0.7, -11)
        pen.ovals(iris, 13, -4, 7.5, 6.5)
        pen.ovals(INK, 13, -4, 3, 5.5)
        pen.oval(light(coat, 45), 0, 13, 13, 8)
        pen.twin(ROSE, 4, 6, 0, 12)
        pen.pair(light(coat, 60), 10, 13, 42, 8, 42, 9, 10, 14)
        pen.pair(light(coat, 60), 10, 15, 40, 21, 40, 22, 10, 16)

    pet(pen, dice, coat, face, face)


def dog(pen: Pen, dice: Dice) -> None:
    coat, flap, pants = dice.near(*COATS), dice.between(15, 55), dice.chance(0.4)

    def face(pen: Pen) -> None:
        pen.ball(coat, 0, -2, 27, 31)
        pen.pair(dark(coat, flap), 12, -29, 28, -26, 40, 6, 32, 24, 22, 2)
        pen.ovals(INK, 12, -8, 4, 4.5)
        pen.ball(light(coat, 35), 0, 14, 15, 14)
        if pants:
            pen.oval(ROSE, 0, 29, 6, 10)
        pen.oval(INK, 0, 7, 7, 5)

    def profile(pen: Pen) -> None:
        pen.poly(coat, -20, -14, 14, 4, -14, 46, -46, 30)
        pen.ball(coat, 0, 0, 24, 21)
        pen.ball(light(coat, 12), 26, 9, 20, 12)
        pen.oval(INK, 42, 4, 6, 5)
        pen.oval(INK, 10, -7, 4, 4)
        pen.poly(dark(coat, flap), -20, -20, 0, -18, -4, 26, -16, 30, -25, 6)

    pet(pen, dice, coat, face, profile)


def hoofed(pen: Pen, dice: Dice, coat: Colour, girth: float) -> Pen:
    """A deer's or a horse's body from the side; returns the pen for its head."""
    legs(pen, dice, coat, 20, 44, girth * 0.55)
    pen.ball(coat, -2, 0, 26 + girth / 5, girth)
    low = dice.chance(0.2)
    x, y = (38.0, 22.0) if low else (dice.between(29, 36), dice.between(-33, -23))
    pen.poly(coat, 8, -girth * 0.7, x - 6, y - 2, x + 5, y + 5, 24, girth * 0.4)
    return pen.at(x, y)


def deer(pen: Pen, dice: Dice) -> None:
    coat, horn, stag = dice.near(*COATS), dice.near((190, 166, 128)), dice.chance(0.8)

    def antlers(pen: Pen) -> None:
        for s in (-1, 1) if stag else ():
            pen.limb(horn, 3.4, s * 2, 0, s * 14, -12, s * 13, -28)
            pen.limb(horn, 2.6, s * 14, -12, s * 23, -22)
            pen.limb(horn, 2.6, s * 8, -6, s * 5, -18)

    if dice.chance(0.3):
        pen.twin(dark(coat, 15), 12, 4, 16, 50)
        antlers(pen.at(0, -20, 1.1))
        pen.pair(dark(coat, 12), 7, -17, 26, -27, 30, -20, 11, -9)
        pen.twin(coat, 7, -24, 13, -14, 8, 14, 6, 22)
        pen.oval(INK, 0, 18, 6, 5)
        pen.ovals(INK, 9, -8, 2.8, 3.4)
        pen.oval(light(coat, 45), 0, 40, 8, 12)
        return
    pen.ball(light(coat, 65), -27, -2, 6, 8)
    head = hoofed(pen, dice, coat, 11)
    antlers(head.at(-1, -4, 0.85))
    head.limb(dark(coat), 5, -2, -3, -13, -10)
    head.ball(coat, 5, 1, 11, 5.5, 3)
    head.oval(INK, 14, 4, 2.4, 2.4)
    head.oval(INK, 3, -1, 1.6, 1.6)


def horse(pen: Pen, dice: Dice) -> None:
    coat = dice.near(*COATS)
    mane = dice.near(INK, dark(coat, 60), light(coat, 50))
    if dice.chance(0.3):
        pen.twin(dark(coat, 15), 15, 0, 24, 50)
        pen.poly(mane, 8, -26, 20, -16, 24, 34, 12, 40, 12, 0)
        pen.pair(dark(coat, 15), 5, -22, 11, -40, 14, -20)
        pen.twin(coat, 10, -27, 16, -14, 13, 6, 12, 32, 7, 38)
        pen.twin(light(coat, 70), 3, -18, 3, 20)
        pen.oval(dark(coat, 45), 0, 31, 11, 8)
        pen.ovals(INK, 5, 30, 2.4, 2)
        pen.ovals(INK, 13, -8, 2.8, 4)
        pen.poly(mane, -8, -30, 8, -30, 6, -14, 0, -8, -6, -16)
        return
    pen.limb(mane, 9, -26, -6, -37, dice.between(0, 8), -39, dice.between(16, 30))
    head = hoofed(pen, dice, coat, 14)
    head.poly(dark(coat), -3, -4, 0, -13, 4, -4)
    head.ball(coat, 7, 5, 14, 6.5, 8)
    head.oval(dark(coat, 45), 18, 12, 4.5, 4)
    head.oval(INK, 5, 0, 1.8, 1.8)
    head.poly(mane, -4, -9, 2, -5, -8, 10, -15, 22, -24, 18, -12, 0)


def frog(pen: Pen, dice: Dice) -> None:
    skin = dice.near((92, 140, 52), (70, 108, 44), (120, 128, 60), (146, 152, 74), *COATS)
    belly, iris = light(skin, 45), dice.pick(((220, 190, 60), (200, 120, 50), (230, 226, 190)))

    def eye(x: float, y: float, r: float) -> None:
        pen.ball(skin, x, y, r, r)
        pen.oval(iris, x, y, r * 0.68, r * 0.68)
        pen.oval(INK, x, y, r * 0.42, r * 0.38)

    pose = dice.pick(("front", "side", "above"))
    if pose == "front":
        pen.ovals(dark(skin, 15), 29, 18, 15, 18)
        pen.ovals(dark(skin), 33, 36, 14, 5)
        pen.ball(skin, 0, 8, 31, 25)
        pen.oval(belly, 0, 18, 21, 14)
        pen.pair(skin, 11, 14, 21, 14, 19, 38, 11, 38)
        pen.twin(dark(skin, 60), 22, 1, 0, 7, 0, 10)
        eye(-17, -16, 11)
        eye(17, -16, 11)
    elif pose == "side":
        pen.ball(skin, 2, 4, 34, 17, -13)
        pen.oval(belly, 16, 8, 16, 9, -6)
        pen.limb(dark(skin, 12), 9, 18, 8, 22, 32, 32, 34)
        pen.ball(dark(skin, 10), -18, 16, 20, 13, -5)
        pen.limb(dark(skin), 8, -30, 28, 4, 32)
        pen.poly(dark(skin, 60), 20, 0, 38, -6, 37, -3, 20, 3)
        eye(22, -19, 10)
    else:
        for s in (-1, 1):
            pen.limb(dark(skin, 15), 9, s * 12, 18, s * 34, 8, s * 22, 32, s * 38, 44)
            pen.limb(dark(skin, 15), 7, s * 14, -10, s * 32, -8, s * 36, -28)
        pen.ball(skin, 0, 6, 20, 27)
        pen.ball(skin, 0, -20, 17, 14)
        eye(-13, -24, 8)
        eye(13, -24, 8)


def bird(pen: Pen, dice: Dice) -> None:
    coat, beak = dice.near(*COATS, *COATS, *PAINTS), dice.pick(((226, 160, 50), (60, 54, 50)))
    wing, pose = dark(coat, dice.between(20, 55)), dice.pick(("perch", "fly", "soar", "wade"))
    if pose == "soar":
        bend = dice.between(-10, 6)
        pen.pair(wing, 0, -9, 24, -18 + bend, 48, bend, 24, -4 + bend, 0, 10)
        pen.twin(wing, 4, 12, 10, 32)
        pen.ball(coat, 0, 2, 8, 20)
        pen.ball(coat, 0, -19, 6, 7)
        pen.twin(beak, 0, -33, 3, -24)
    elif pose == "fly":
        up = dice.between(-44, -26)
        pen.poly(dark(wing, 20), -4, 0, 12, -2, 14, up + 8, 0, up + 2)
        pen.poly(wing, -18, 4, -46, -2, -44, 12, -18, 12)
        pen.ball(coat, 0, 6, 25, 10, -2)
        pen.ball(coat, 25, 0, 9, 8)
        pen.poly(beak, 32, -3, 45, 2, 32, 4)
        pen.poly(wing, -14, 4, 12, 2, -8, up, -30, up - 2, -22, up + 16)
        pen.oval(INK, 28, -2, 1.8, 1.8)
    else:
        wades = pose == "wade"
        for x in (-4, 5):
            pen.limb(dark(beak, 20), 2.6, x, 14, x + 2, 47 if wades else 38)
        if not wades:
            pen.limb((86, 66, 48), 5, -50, 39, 50, dice.between(36, 42))
        pen.poly(wing, -16, 2, -46, dice.between(12, 28), -42, 28, -10, 18)
        pen.ball(coat, 0, 4, 24, 15, -7)
        pen.oval(light(coat, 50), 8, 10, 14, 8, -4)
        pen.poly(wing, 10, -4, -12, -6, -34, 18, -4, 14)
        if wades:
            pen.limb(coat, 8, 16, -2, 21, -16, 16, -26, 21, -36)
        head = pen.at(22, -37, 0.75) if wades else pen.at(20, -16)
        head.ball(coat, 0, 0, 12, 11)
        head.poly(beak, 9, -5, 28, 3, 9, 6)
        head.oval(INK, 4, -2, 2.4, 2.4)


# --- machines --------------------------------------------------------------------------------


def airplane(pen: Pen, dice: Dice) -> None:
    paint = dice.near(light(dice.pick(PAINTS), dice.between(0, 70)))
    trim, shade = dice.near(*PAINTS), dark(paint, dice.between(15, 45))
    pose = dice.pick(("side", "above", "front", "light"))
    if pose == "side":
        pen.poly(trim, -30, -3, -48, -26, -38, -26, -20, -4)
        pen.ball(paint, 0, 0, 48, 7, 1)
        pen.poly(shade, -34, 0, -50, -6, -44, -6, -24, 0)
        pen.rect(GLASS, -28, -3, 34, -1)
        pen.poly(shade, 8, 2, -22, dice.between(16, 26), -28, 18, -12, 2)
        pen.poly(dark(shade, 15), 4, -5, -14, -18, -19, -17, -8, -5)
        pen.oval(dark(shade, 40), 2, 10, 7, 3.4)
    elif pose == "above":
        sweep = dice.between(2, 26)
        pen.pair(shade, 0, -10, 46, sweep, 46, sweep + 7, 0, 10)
        pen.pair(trim, 0, 30, 17, 40, 17, 45, 0, 40)
        pen.ovals(dark(shade), 18, sweep * 0.3 - 3, 2.5, 7)
        pen.ball(paint, 0, 0, 7, 46)
        pen.oval(GLASS, 0, -36, 4, 4)
    elif pose == "front":
        lift = dice.between(0, 10)
        pen.pair(shade, 0, 2, 48, -lift, 48, 2 - lift, 0, 9)
        pen.pair(shade, 0, -10, 18, -13, 18, -11, 0, -7)
        pen.ovals(dark(paint, 40), 21, 9 - lift / 2, 5.5, 5.5)
        pen.ovals(INK, 21, 9 - lift / 2, 3.5, 3.5)
        pen.pair(INK, 7, 10, 9, 10, 10, 20, 6, 20)
        pen.twin(trim, 0, -32, 2, -10)
        pen.ball(paint, 0, 0, 12, 13)
        pen.twin(GLASS, 6, -8, 8, -4)
    else:  # one propeller, fixed wheels
        pen.poly(trim, -36, -2, -46, -20, -36, -20, -24, -4)
        pen.poly(paint, -46, -2, 18, -10, 34, -7, 38, 0, 34, 8, 8, 10, -46, 2)
        pen.poly(GLASS, -2, -9, 4, -17, 14, -17, 22, -9)
        pen.limb(shade, 5, -22, dice.pick((-18, 3)), 31, -15)
        for x in (6, 24):
            pen.limb(INK, 2, x, 8, x + 2, 18)
            pen.oval(INK, x + 2, 20, 5, 5)
        pen.limb((60, 60, 60), 2, 40, -16, 40, 16)


def wheels(pen: Pen, radius: float, y: float, *xs: float) -> None:
    for x in xs:
        pen.oval(INK, x, y, radius, radius)
        pen.oval((150, 150, 154), x, y, radius * 0.5, radius * 0.5)


def automobile(pen: Pen, dice: Dice) -> None:
    paint, glass = dice.near(*PAINTS), dice.near(GLASS, spread=30)
    roof = dice.between(-24, -14)
    if dice.chance(0.6):
        nose, rear = dice.between(14, 24), dice.between(-42, -24)
        pen.oval((56, 56, 58), 0, 20, 48, 5)
        pen.poly(dark(paint, 8), rear, -2, rear + 12, roof, nose - 16, roof, nose + 6, -2)
        pen.poly(glass, rear + 6, -2, rear + 14, roof + 3, nose - 18, roof + 3, nose, -2)
        pen.rect(paint, (rear + nose) / 2 - 4, roof, (rear + nose) / 2 - 1, 0)
        pen.poly(paint, -47, 0, -40, -4, nose, -4, 42, 1, 48, 7, 47, 16, -47, 16)
        pen.poly(light(paint, 22), -44, 0, nose, -2, 40, 2, 40, 4, -46, 3)
        pen.rect(dark(paint, 40), -47, 12, 47, 16)
        pen.oval(LAMP, 44, 6, 3, 2.4)
        wheels(pen, 9.5, 15, -27, 28)
    else:
        pen.oval((56, 56, 58), 0, 30, 42, 6)
        pen.pair(INK, 24, 16, 36, 16, 36, 32, 24, 32)
        pen.twin(dark(paint, 8), 22, roof, 34, 0)
        pen.twin(glass, 20, roof + 4, 29, 0)
        pen.twin(paint, 32, -2, 40, 4, 39, 24)
        pen.twin(light(paint, 22), 30, -1, 34, 3)
        pen.rect(dark(paint, 65), -17, 9, 17, 17)
        pen.ovals(dice.pick((LAMP, (200, 44, 44))), 29, 9, 7, 4)
        pen.rect(dark(paint, 35), -39, 20, 39, 25)
        pen.rect(WHITE, -7, 19, 7, 23)


def truck(pen: Pen, dice: Dice) -> None:
    paint, glass = dice.near(*PAINTS), dice.near(GLASS, spread=30)
    box, top = dice.near(*PAINTS, WHITE, WHITE), dice.between(-10, -2)
    pose = dice.pick(("box", "box", "tank", "pickup", "front"))
    if pose == "front":
        pen.oval((56, 56, 58), 0, 43, 36, 5)
        pen.pair(INK, 18, 26, 30, 26, 30, 45, 18, 45)
        pen.rect(box, -33, -44, 33, 20)
        pen.rect(paint, -29, -30, 29, 36)
        pen.twin(glass, 23, -25, 25, -4)
        pen.rect(dark(paint, 65), -16, 4, 16, 22)
        pen.ovals(LAMP, 23, 26, 4, 3)
        pen.pair(INK, 32, -18, 36, -18, 36, -6, 32, -6)
        pen.rect(dark(paint, 40), -30, 30, 30, 37)
        return
    pen.oval((56, 56, 58), 0, 28, 50, 5)
    pen.rect((52, 52, 56), -48, 16, 46, 22)
    if pose == "pickup":
        pen.poly(dark(paint, 8), -8, 0, -6, -18, 14, -18, 26, 0)
        pen.poly(glass, -3, 0, -2, -14, 12, -14, 20, 0)
        pen.poly(paint, -48, 0, 26, 0, 44, 3, 48, 9, 47, 19, -48, 19)
        pen.rect(dark(paint, 55), -46, -1, -10, 3)
        pen.oval(LAMP, 44, 9, 3, 2.6)
        wheels(pen, 10, 20, -30, 29)
        return
    pen.poly(paint, 20, 18, 20, top - 8, 36, top - 8, 44, top + 8, 49, top + 11, 49, 18)
    pen.poly(glass, 26, top + 8, 26, top - 4, 35, top - 4, 41, top + 8)
    pen.oval(LAMP, 47, 12, 2.6, 2.6)
    if pose == "tank":
        pen.ball(box, -16, 2, 33, 15)
    else:
        high = dice.between(-34, -14)
        pen.rect(box, -49, high, 17, 16)
        pen.rect(light(box, 25), -49, high, 17, high + 4)
        pen.rect(dark(box), -49, 11, 17, 16)
    wheels(pen, 8.5, 21, -38, -19, 35)


def ship(pen: Pen, dice: Dice) -> None:
    hull, upper = dice.near(*PAINTS), dice.near(WHITE, WHITE, *PAINTS)
    pose, deck = dice.pick(("liner", "cargo", "sail", "bow")), dice.between(2, 10)
    if pose == "bow":
        pen.rect(upper, -14, -34, 14, 0)
        pen.rect(GLASS, -12, -28, 12, -23)
        pen.limb(INK, 2, 0, -48, 0, -32)
        pen.twin(hull, 0, -14, 25, -8, 10, 30)
        pen.poly(light(hull, 25), -25, -8, 0, -14, 0, 30, -10, 30)
    elif pose == "sail":
        pen.limb((96, 76, 56), 2.4, 0, -48, 0, 20)
        pen.poly(light(upper, 50), 3, -46, dice.between(28, 38), 12, 3, 12)
        pen.poly(dark(light(upper, 50), 10), -3, -40, dice.between(-34, -22), 12, -3, 12)
        pen.poly(hull, -38, 16, 40, 14, 28, 30, -28, 30)
    else:
        if pose == "liner":
            pen.rect(upper, -34, deck - 12, 26, deck + 2)
            pen.rect(upper, -24, deck - 22, 16, deck - 10)
            for y in (deck - 18, deck - 8):
                pen.rect(GLASS, -22, y, 16, y + 2.5)
            for x in (-14, 2):
                pen.rect(dark(hull, 15), x, deck - 36, x + 8, deck - 22)
        else:
            pen.rect(upper, -42, deck - 26, -28, deck + 2)
            pen.rect(GLASS, -41, deck - 22, -29, deck - 18)
            for x in range(-24, 30, 9):
                pen.rect(dice.near(*PAINTS), x, deck - dice.pick((6, 12, 18)), x + 8, deck + 2)
        pen.poly(hull, -47, deck, 50, deck - 4, 40, 28, -42, 28)
        pen.poly(light(hull, 25), -47, deck, 50, deck - 4, 48, deck, -46, deck + 4)
    foam = dice.near((176, 196, 206))
    for x in range(-44, 40, 12):  # the waterline
        pen.poly(foam, x - 4, 30, x + 6, dice.between(25, 28), x + 16, 30, x + 6, 33)


SKETCHES: dict[str, Callable[[Pen, Dice], None]] = {
    f.__name__: f for f in (airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck)
}
