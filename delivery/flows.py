"""A flow diagram of moves: bands from where customers were to where they are, as a Vega spec."""

from typing import Any

from delivery.pieces import Figure, Mark

WIDTH, HEIGHT, TOP, GAP, BAR = 360, 250, 20, 12, 10
LEFT, RIGHT = 106, WIDTH - 106
COLOURS = ("var(--flow1)", "var(--flow2)", "var(--flow3)", "var(--flow4)")


def flow_spec(figure: Figure) -> dict[str, Any]:
    """Vega specification of a flow diagram.

    Parameters
    ----------
    figure : Figure
        Marks go from ``row`` to ``part``, ``value`` customers wide.
    """
    marks = [mark for mark in figure.marks if mark.value]
    names = list(dict.fromkeys(mark.row for mark in figure.marks))
    total = sum(mark.value for mark in marks) or 1
    scale = (HEIGHT - GAP * (len(names) - 1)) / total
    before = _places(marks, names, scale, side="row")
    after = _places(marks, names, scale, side="part")
    bands = _bands(marks, names, scale, before, after)
    ends = _ends(before, names, at=LEFT - BAR, label=LEFT - BAR - 6, align="right")
    ends += _ends(after, names, at=RIGHT, label=RIGHT + BAR + 6, align="left")
    return {
        "width": WIDTH,
        "height": HEIGHT + TOP,
        "padding": 2,
        "autosize": "none",
        "background": None,
        "config": {"aria": False},
        "data": [{"name": "bands", "values": bands}, {"name": "ends", "values": ends}],
        "marks": [_path_mark(), _bar_mark(), _label_mark(), *_titles()],
    }


def _places(
    marks: list[Mark], names: list[str], scale: float, *, side: str
) -> dict[str, tuple[float, float, float]]:
    """Stage -> top and height of its bar, and its customers."""
    places, top = {}, float(TOP)
    for name in names:
        customers = sum(mark.value for mark in marks if getattr(mark, side) == name)
        places[name] = (top, customers * scale, customers)
        top += customers * scale + GAP
    return places


def _bands(
    marks: list[Mark],
    names: list[str],
    scale: float,
    before: dict[str, tuple[float, float, float]],
    after: dict[str, tuple[float, float, float]],
) -> list[dict[str, Any]]:
    left = {name: before[name][0] for name in names}
    right = {name: after[name][0] for name in names}
    bands = []
    for mark in sorted(marks, key=lambda m: (names.index(m.row), names.index(m.part))):
        thick = mark.value * scale
        path = _path(left[mark.row], right[mark.part], thick)
        left[mark.row] += thick
        right[mark.part] += thick
        said = {"From": mark.row, "To": mark.part, "Customers": mark.text}
        colour = COLOURS[names.index(mark.row) % len(COLOURS)]
        bands.append({"path": path, "colour": colour, "tip": said, "stays": mark.row == mark.part})
    return bands


def _path(left: float, right: float, thick: float) -> str:
    half = (LEFT + RIGHT) / 2
    return (
        f"M{LEFT},{left:.2f}C{half},{left:.2f} {half},{right:.2f} {RIGHT},{right:.2f}"
        f"L{RIGHT},{right + thick:.2f}C{half},{right + thick:.2f} {half},{left + thick:.2f} "
        f"{LEFT},{left + thick:.2f}Z"
    )


def _ends(
    places: dict[str, tuple[float, float, float]],
    names: list[str],
    *,
    at: int,
    label: int,
    align: str,
) -> list[dict[str, Any]]:
    return [
        {
            "x": at, "y": top, "height": max(height, 1), "middle": top + height / 2,
            "label": label, "align": align, "name": name,
            "colour": COLOURS[names.index(name) % len(COLOURS)],
        }
        for name, (top, height, customers) in places.items()
        if customers
    ]  # fmt: skip


def _path_mark() -> dict[str, Any]:
    return {
        "type": "path",
        "from": {"data": "bands"},
        "encode": {
            "enter": {
                "path": {"field": "path"},
                "fill": {"field": "colour"},
                "tooltip": {"field": "tip"},
            },
            "update": {"fillOpacity": [{"test": "datum.stays", "value": 0.25}, {"value": 0.6}]},
            "hover": {"fillOpacity": {"value": 0.9}},
        },
    }


def _bar_mark() -> dict[str, Any]:
    numbers = {name: {"field": name} for name in ("x", "y", "height")}
    return {
        "type": "rect",
        "from": {"data": "ends"},
        "encode": {"enter": {**numbers, "width": {"value": BAR}, "fill": {"field": "colour"}}},
    }


def _label_mark() -> dict[str, Any]:
    return {
        "type": "text",
        "from": {"data": "ends"},
        "encode": {
            "enter": {
                "x": {"field": "label"},
                "y": {"field": "middle"},
                "text": {"field": "name"},
                "align": {"field": "align"},
                "baseline": {"value": "middle"},
                "fontSize": {"value": 12},
                "fill": {"value": "currentColor"},
            }
        },
    }


def _titles() -> list[dict[str, Any]]:
    return [
        {
            "type": "text",
            "encode": {
                "enter": {
                    "x": {"value": x}, "y": {"value": 8}, "text": {"value": text},
                    "align": {"value": align}, "fontSize": {"value": 12},
                    "fontWeight": {"value": "bold"}, "fill": {"value": "currentColor"},
                }
            },
        }
        for x, text, align in ((LEFT, "Then", "right"), (RIGHT, "Now", "left"))
    ]  # fmt: skip
