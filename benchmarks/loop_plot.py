"""The closed loop as a picture: cumulated true value by cycle, with the range over seeds."""

from typing import Any

import polars as pl
import vl_convert

NAMES = {
    "oracle_all": "knows everything",
    "oracle_observable": "knows all that shows",
    "keepwell": "Keepwell",
    "risk": "riskiest first",
    "random": "at random",
}
COLOURS = ["#9aa5b1", "#5b6675", "#2f6fb3", "#b7791f", "#b3261e"]


def plot_svg(rows: pl.DataFrame) -> str:
    """Cumulated value of each policy as SVG.

    Parameters
    ----------
    rows : frame with the columns of `benchmarks.closed_loop.Cycle`
    """
    known = rows.filter(pl.col("policy").is_in(list(NAMES))).sort("seed", "policy", "cycle")
    running = known.with_columns(
        total=pl.col("value_cents").cum_sum().over("seed", "policy") / 100,
        name=pl.col("policy").replace_strict(NAMES),
        month=pl.col("cycle") + 1,
    )
    by_month = running.group_by("name", "month").agg(
        pl.col("total").mean(), low=pl.col("total").min(), high=pl.col("total").max()
    )
    return vl_convert.vegalite_to_svg(_spec(by_month.sort("name", "month")), allowed_base_urls=[])


def _spec(rows: pl.DataFrame) -> dict[str, Any]:
    last = rows.filter(pl.col("month") == rows["month"].max())
    months = {"field": "month", "type": "quantitative", "title": "cycle (30 days)"}
    colour = {
        "field": "name", "type": "nominal", "legend": None,
        "scale": {"domain": list(NAMES.values()), "range": COLOURS},
    }  # fmt: skip
    total = {"field": "total", "type": "quantitative", "title": "value of all sends so far"}
    return {
        "width": 480, "height": 300,
        "padding": {"left": 5, "right": 5, "top": 5, "bottom": 5},
        "config": {"view": {"stroke": None}, "axis": {"grid": False}},
        "layer": [
            {"data": {"values": rows.to_dicts()}, "mark": {"type": "area", "opacity": 0.15},
             "encoding": {"x": months, "y": {**total, "field": "low"}, "y2": {"field": "high"},
                          "color": colour}},
            {"data": {"values": rows.to_dicts()}, "mark": {"type": "line", "strokeWidth": 2},
             "encoding": {"x": months, "y": total, "color": colour}},
            {"data": {"values": last.to_dicts()},
             "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 12},
             "encoding": {"x": months, "y": total, "text": {"field": "name"}, "color": colour}},
        ],
    }  # fmt: skip
