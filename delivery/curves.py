"""Charts of money: net value by action with its interval, and net value against budget."""

from typing import Any

from delivery.pieces import Figure

Spec = dict[str, Any]
ACCENT, LINE = "var(--accent)", "var(--line)"
LOW, MIDDLE, HIGH, PROMISED = "low", "value", "high", "promised"
TIPS = {
    "ranges": {"row": "Action", MIDDLE: "Net value", LOW: "Low (80%)", HIGH: "High (80%)"},
    "promises": {"row": "Run", PROMISED: "Promised", MIDDLE: "Realised", LOW: "Low (95%)",
                 HIGH: "High (95%)"},
}  # fmt: skip


def range_layers(figure: Figure) -> tuple[list[Spec], list[Spec]]:
    """Values and layers: a dot on a line from the low to the high end, and what was promised."""
    rows: dict[str, Spec] = {}
    for mark in figure.marks:
        row = rows.setdefault(mark.row, {"row": mark.row})
        row[mark.part] = mark.value
        row[f"{mark.part}_text"] = mark.text
    values = list(rows.values())
    order = {"field": "row", "type": "nominal", "sort": list(rows), "title": None, "axis": None}
    money: Spec = {"type": "quantitative", "title": None, "axis": None}
    tip = [
        {"field": part if part == "row" else f"{part}_text", "title": title}
        for part, title in TIPS[figure.kind].items()
    ]
    line = {
        "mark": {"type": "rule", "strokeWidth": 3, "color": ACCENT, "opacity": 0.45, "yOffset": 8},
        "encoding": {
            "y": order,
            "x": {"field": LOW, **money},
            "x2": {"field": HIGH},
            "tooltip": tip,
        },
    }
    dot = {
        "mark": {"type": "point", "filled": True, "size": 80, "color": ACCENT, "opacity": 1,
                 "yOffset": 8},
        "encoding": {"y": order, "x": {"field": MIDDLE, **money}, "tooltip": tip},
    }  # fmt: skip
    zero = {
        "mark": {"type": "rule", "color": LINE, "strokeWidth": 2},
        "encoding": {"x": {"datum": 0, **money}},
    }
    name = {
        "mark": {"type": "text", "align": "left", "dy": -9, "fontSize": 13, "color": "currentColor",
                 "baseline": "middle"},
        "encoding": {"y": order, "x": {"value": 0}, "text": {"field": "row", "type": "nominal"}},
    }  # fmt: skip
    hollow = {"filled": False, "shape": "diamond", "size": 110, "strokeWidth": 2}
    promise = {
        "mark": {**dot["mark"], **hollow, "color": "var(--medium)"},
        "encoding": {"y": order, "x": {"field": PROMISED, **money}, "tooltip": tip},
    }
    promised = [promise] if figure.kind == "promises" else []
    return values, [zero, line, dot, *promised, name]


def curve_layers(figure: Figure) -> tuple[list[Spec], list[Spec]]:
    """Values and layers of net value against budget, with a line that the slider moves.

    Marks have the budget [cents] as ``row`` and the net value [cents] as ``value``.
    """
    values = [
        {"budget": int(mark.row) / 100, "net": mark.value / 100, "text": mark.text, "of": mark.part}
        for mark in figure.marks
    ]
    axis: Spec = {"grid": True, "gridColor": LINE, "domain": False, "ticks": False}
    axis["labelExpr"] = "format(datum.value, '~s')"
    x = {
        "field": "budget",
        "type": "quantitative",
        "title": "Budget",
        "axis": {**axis, "tickCount": 5},
    }
    y = {"field": "net", "type": "quantitative", "title": None, "axis": {**axis, "tickCount": 4}}
    tip = [{"field": "of", "title": "Budget"}, {"field": "text", "title": "Net value"}]
    line = {
        "mark": {"type": "line", "color": ACCENT, "strokeWidth": 2.5},
        "encoding": {"x": x, "y": y},
    }
    dots = {
        "mark": {"type": "point", "filled": True, "size": 46, "color": ACCENT, "opacity": 1},
        "encoding": {"x": x, "y": y, "tooltip": tip},
    }
    chosen = {
        "mark": {"type": "rule", "color": "currentColor", "strokeDash": [4, 3], "strokeWidth": 1.5},
        "encoding": {"x": {"datum": {"expr": "budget"}, "type": "quantitative"}},
    }
    return values, [line, dots, chosen]
