"""Figures as Vega-Lite specifications, and those as inline SVG: no script, no network.

Every chart is at most 360 units wide, so that its text stays readable on a telephone, and has fixed
margins, so that its bytes do not depend on the fonts of the machine. Colours are CSS variables
of the page, so that light, dark and print each have their own.
"""

import re
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

import vl_convert

from delivery import formats
from delivery.curves import curve_layers, range_layers
from delivery.flows import flow_spec
from delivery.pieces import Figure, Mark

Spec = dict[str, Any]

WIDTH = 360
INK, SOFT, LINE = "currentColor", "var(--soft, #5b6675)", "var(--line, #c8d0d9)"
ACCENT, TRACK = "var(--accent, #2f6fb3)", "var(--track, #e3e8ee)"
BAND_COLOURS = ["var(--low, #5a87ad)", "var(--medium, #b7791f)", "var(--high, #b3261e)"]
TOOLTIP = [
    {"field": "row", "type": "nominal", "title": " "},
    {"field": "part", "type": "nominal", "title": "  "},
    {"field": "text", "type": "nominal", "title": "   "},
]
PLAIN_AXIS = {"title": None, "grid": False, "ticks": False, "domain": False}


class Drawing(NamedTuple):
    """A specification and its language: ``vega`` or ``vega-lite``."""

    spec: Spec
    mode: str


def drawing(figure: Figure) -> Drawing:
    """Specification of a figure, for a still picture or a live one."""
    if figure.kind == "flow":
        return Drawing(flow_spec(figure), "vega")
    return Drawing(SPECS[figure.kind](figure), "vega-lite")


def figure_svg(figure: Figure) -> str:
    """Figure as SVG text with a role and a label, to be put into a page as it is.

    Parameters
    ----------
    figure : Figure
        With at least one mark.
    """
    drawn = _svg(figure, formats.chosen())
    inner = drawn[drawn.index(">") + 1 :]
    sizes = re.search(r'viewBox="0 0 (\d+) (\d+)"', drawn)
    assert sizes is not None, "vl_convert always writes a view box"
    width, height = sizes.groups()
    label = escape(figure.label, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{label}" '
        f'viewBox="0 0 {width} {height}" style="max-width: {1.25 * int(width):.0f}px">{inner}'
    )


@lru_cache(maxsize=64)
def _svg(figure: Figure, code: str) -> str:
    """Picture of a figure, its axes in a locale."""
    with formats.written_in(code):
        spec, mode = drawing(figure)
        settings = {"allowed_base_urls": [], "format_locale": formats.axis_locale()}
    draw = vl_convert.vega_to_svg if mode == "vega" else vl_convert.vegalite_to_svg
    return draw(spec, **settings)


def _bars(figure: Figure) -> Spec:
    height, left, right = 26 * len(figure.marks), 88, 54
    rows = _rows(figure.marks)
    rows["axis"] |= {"labelFontSize": 13}
    bar = {"type": "bar", "color": ACCENT, "height": 16, "cornerRadiusEnd": 2}
    layers = [
        _layer(bar, y=rows, x=_length(figure)),
        _layer(_text(align="left", dx=5, size=13), y=rows, x=_length(figure), text="text"),
    ]
    return _page(figure.marks, layers, height=height, left=left, right=right, width=300)


def _long_bars(figure: Figure) -> Spec:
    """Bars with the label above, for labels too long to stand beside."""
    rows = {**_rows(figure.marks), "axis": None}
    bar = {"type": "bar", "color": ACCENT, "height": 10, "yOffset": 8, "cornerRadiusEnd": 2}
    start = {"value": 0}
    layers = [
        _layer(bar, y=rows, x=_length(figure)),
        _layer(
            _text(align="left", dx=5, dy=8, bold=True, size=13),
            y=rows,
            x=_length(figure),
            text="text",
        ),
        _layer(_text(align="left", dy=-8, size=13), y=rows, x=start, text="short"),
    ]
    room = max(62, 8 * max(len(mark.text) for mark in figure.marks) + 10)
    return _page(figure.marks, layers, height=42 * len(figure.marks), left=2, right=room)


def _stacks(figure: Figure) -> Spec:
    """Shares of one line, end to end, in the colours of the bands."""
    parts = list(dict.fromkeys(mark.part for mark in figure.marks))
    colours = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": parts, "range": BAND_COLOURS[: len(parts)]},
        "legend": _legend(130),
    }
    lines = len({mark.row for mark in figure.marks})
    bar = {"type": "bar", "height": 18}
    share: Spec = {"field": "value", "type": "quantitative", "stack": "zero"}
    share["axis"] = _percent_axis() | {"values": [0, 0.25, 0.5, 0.75, 1]}
    share["scale"] = {"domain": [0, 1]}
    layer = _layer(bar, y=_rows(figure.marks), x=share)
    layer["encoding"] |= {"color": colours, "order": {"field": "place", "type": "quantitative"}}
    return _page(figure.marks, [layer], height=30 * lines, left=130, right=22, top=28, bottom=24)


def _pairs(figure: Figure) -> Spec:
    """Two dots a line, joined: the first series hollow, the second filled."""
    parts = list(dict.fromkeys(mark.part for mark in figure.marks))
    length = _length(figure) | {"axis": _percent_axis() | {"grid": True}}
    rows = _rows(figure.marks)
    joined = _layer({"type": "line", "color": SOFT, "strokeWidth": 2}, y=rows, x=length)
    joined["encoding"]["detail"] = {"field": "row", "type": "nominal"}
    dot = {"type": "point", "opacity": 1, "stroke": ACCENT, "strokeWidth": 2}
    dots = _layer(dot, y=rows, x=length)
    # The hollow dot is the larger one, so that both show where they agree.
    dots["encoding"]["size"] = {
        "field": "part",
        "type": "ordinal",
        "sort": parts,
        "scale": {"domain": parts, "range": [130, 36]},
        "legend": None,
    }
    dots["encoding"]["fill"] = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": parts, "range": ["var(--card, #fff)", ACCENT]},
        "legend": None,
    }
    lines = len({mark.row for mark in figure.marks})
    page = {"height": 22 * lines, "left": 118, "right": 16, "top": 4, "bottom": 24}
    return _page(figure.marks, [joined, dots], **page)


def _budget(figure: Figure) -> Spec:
    """Draw what is spent over what may be spent."""
    track = {"type": "bar", "color": TRACK, "height": 26, "cornerRadius": 3}
    spent = {"type": "bar", "color": ACCENT, "height": 26, "cornerRadius": 3}
    whole = {"datum": figure.limit, "type": "quantitative"}
    layers = [
        _layer(track, x=_length(figure)),
        _layer(spent, x=_length(figure)),
        _layer(_text(align="left", dy=-26, bold=True, size=13), x={"value": 0}, text="text"),
    ]
    layers[0]["encoding"]["x"] = _length(figure) | whole
    del layers[0]["encoding"]["x"]["field"]
    return _page(figure.marks, layers, height=40, left=2, right=2, top=22)


def _ranges(figure: Figure) -> Spec:
    values, layers = range_layers(figure)
    page = _page(figure.marks, layers, height=42 * len(values), left=4, right=6)
    return page | {"data": {"values": values}}


def _curve(figure: Figure) -> Spec:
    values, layers = curve_layers(figure)
    page = _page(figure.marks, layers, height=190, left=52, right=10, top=8, bottom=44)
    params = [{"name": "budget", "value": figure.limit / 100}]
    return page | {"data": {"values": values}, "params": params}


SPECS = {
    "bars": _bars,
    "long_bars": _long_bars,
    "stacks": _stacks,
    "pairs": _pairs,
    "budget": _budget,
    "ranges": _ranges,
    "promises": _ranges,
    "curve": _curve,
}


def _page(
    marks: tuple[Mark, ...],
    layers: list[Spec],
    *,
    height: int,
    left: int,
    right: int,
    top: int = 4,
    bottom: int = 4,
    width: int = WIDTH,
) -> Spec:
    return {
        "background": None,
        "autosize": "none",
        "padding": {"left": left, "right": right, "top": top, "bottom": bottom},
        "width": width - left - right,
        "height": height,
        "data": {"values": _values(marks)},
        "layer": layers,
        "config": _config(),
    }


def _values(marks: tuple[Mark, ...]) -> list[Spec]:
    largest = max(mark.value for mark in marks) or 1
    parts = list(dict.fromkeys(mark.part for mark in marks))
    return [
        mark._asdict()
        | {"short": _short(mark.row), "shade": mark.value / largest}
        | {"place": parts.index(mark.part)}
        for mark in marks
    ]


def _short(text: str, limit: int = 54) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def _config() -> Spec:
    """Without Vega's own descriptions: the label of the whole picture says it better."""
    text = {"labelColor": INK, "labelFontSize": 12, "titleColor": INK, "labelLimit": 0}
    axis = text | {"gridColor": LINE, "labelOverlap": False, "titleFontSize": 12}
    return {
        "aria": False,
        "view": {"stroke": None},
        "axis": axis,
        "legend": text,
        "style": {"cell": {"stroke": "transparent"}},
    }


def _layer(mark: Spec, *, x: Spec, y: Spec | None = None, text: str | None = None) -> Spec:
    encoding = {"x": x, "tooltip": TOOLTIP} | ({"y": y} if y else {})
    if text:
        encoding["text"] = {"field": text, "type": "nominal"}
    return {"mark": mark, "encoding": encoding}


def _text(
    *, align: str = "center", dx: int = 0, dy: int = 0, bold: bool = False, size: int = 12
) -> Spec:
    weight = "bold" if bold else "normal"
    style = {"color": INK, "fontSize": size, "fontWeight": weight, "baseline": "middle"}
    return {"type": "text", "align": align, "dx": dx, "dy": dy, **style}


def _rows(marks: tuple[Mark, ...]) -> Spec:
    order = list(dict.fromkeys(mark.row for mark in marks))
    axis = PLAIN_AXIS | {"labelPadding": 6}
    return {"field": "row", "type": "nominal", "sort": order, "title": None, "axis": axis}


def _length(figure: Figure) -> Spec:
    end = figure.limit or max(mark.value for mark in figure.marks) or 1
    scale = {"domain": [0, end], "nice": False}
    return {
        "field": "value",
        "type": "quantitative",
        "stack": None,
        "scale": scale,
        "title": None,
        "axis": None,
    }


def _percent_axis() -> Spec:
    return PLAIN_AXIS | {"format": ".0%", "tickCount": 4, "labelFlush": False}


def _legend(left: int) -> Spec:
    place = {"orient": "none", "legendX": 2 - left, "legendY": -26, "direction": "horizontal"}
    return place | {"title": None}
