"""The report as one HTML page that opens offline: inline style and pictures, no script."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from delivery.charts import figure_svg
from delivery.facts import ReportFacts
from delivery.pieces import Figure


def render_report(facts: ReportFacts) -> str:
    """Report as self-contained HTML: same facts, same text.

    Parameters
    ----------
    facts : ReportFacts
        See `delivery.facts.report_facts`.
    """
    pages = Environment(
        loader=PackageLoader("delivery"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["svg"] = _svg
    return pages.get_template("report.html.j2").render(facts=facts)


def _svg(figure: Figure) -> Markup:
    # Safe to trust: Vega escapes the text of marks, and `figure_svg` the label.
    return Markup(figure_svg(figure))
