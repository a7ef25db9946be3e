"""The report as one HTML page that opens offline: style, pictures and scripts are within it.

The scripts are Vega, Vega-Lite and Vega-Embed as their package bundles them, and a short one of our
own. The page's policy lets these two run and nothing else, and lets nothing be fetched.
"""

import base64
import hashlib
import json
from functools import cache

import vl_convert
from jinja2 import Environment
from markupsafe import Markup

from delivery import formats
from delivery.charts import drawing, figure_svg
from delivery.facts import ReportFacts
from delivery.pages import environment
from delivery.pieces import Figure

EMBED = "window.vegaEmbed = vegaEmbed;"


def render_report(facts: ReportFacts) -> str:
    """Report as self-contained HTML: same facts, same text.

    Parameters
    ----------
    facts : ReportFacts
        See `delivery.facts.report_facts`.
    """
    pages = environment()
    drawn: list[dict[str, object]] = []

    def live(figure: Figure) -> int:
        """Number of the figure in the list that the script reads."""
        drawn.append(drawing(figure)._asdict())
        return len(drawn) - 1

    pages.filters.update(svg=_svg, json=_json, live=live)
    scripts = [_library(), _source(pages, "report.js")]
    return pages.get_template("report.html.j2").render(
        facts=facts,
        drawn=drawn,
        numbers={"locale": formats.chosen(), "axes": formats.axis_locale()},
        scripts=[Markup(text) for text in scripts],
        allowed=" ".join(_digest(text) for text in scripts),
    )


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the package that draws still pictures."""
    return _inline(vl_convert.javascript_bundle(EMBED))


def _source(pages: Environment, name: str) -> str:
    assert pages.loader is not None
    return _inline(pages.loader.get_source(pages, name)[0])


def _inline(script: str) -> str:
    """Script that no text within it can end."""
    return "\n" + script.replace("</script", "<\\/script") + "\n"


def _digest(script: str) -> str:
    """Source expression of Content Security Policy Level 3 for exactly this script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(content: object) -> Markup:
    # In a data block only the end of the block means something.
    return Markup(json.dumps(content, sort_keys=True).replace("<", "\\u003c"))


def _svg(figure: Figure) -> Markup:
    # Safe to trust: Vega escapes the text of marks, and `figure_svg` the label.
    return Markup(figure_svg(figure))
