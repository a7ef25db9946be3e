"""Model card: what a model is for, what it learned from, how it did and where not to trust it.

Counts, rates and means of groups only: no customer is in it.

References
----------
Mitchell et al., 2019, Model Cards for Model Reporting, https://arxiv.org/abs/1810.03993
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from delivery import formats, words
from delivery.pages import environment
from delivery.pieces import TextTable

OURS = "keepwell"
TITLES = {
    "churn": "Churn risk",
    "stage": "Next stage",
    "level": "Next level",
    "value": "Expected money",
}
LABELS = {
    "churn": "no value event in {window}: 1, else 0",
    "stage": "the stage at the end of {window}",
    "level": "the level at the end of {window}",
    "value": "money of the value events in {window}, at least 0",
}
USES = {
    "churn": "Who is about to leave: an order of customers and a probability for each.",
    "stage": "How the numbers of customers in the stages are going to change.",
    "level": "How the numbers of customers in the levels are going to change.",
    "value": "What a customer is worth if nothing is done: the weight of an action's effect.",
}
METRICS = words.METRICS | {
    "top_decile_lift": "Lift of the tenth at highest risk",
    "mae": "Mean absolute error",
    "rmse": "Root mean square error",
    "spearman": "Rank correlation",
    "bias": "Expected total over actual",
    "coverage": "Share within the 80% intervals",
    "coverage_all": "Share within, those without an interval too",
}
CENTS = ("mae", "rmse")
HEADS = {
    "churn": ("Churned", "Expected", "Log-loss"),
    "stage": ("Left their stage", "Expected", "Log-loss"),
    "level": ("Left their level", "Expected", "Log-loss"),
    "value": ("Money that came", "Expected", "Mean absolute error"),
}
GROUPS = {"stage": words.STAGES, "level": words.LEVELS, "activity": words.ACTIVITIES}
LIMITS = (
    "It was tested at one date. A season, a campaign or a crisis unlike those before it is not in "
    "the figures; an interval shows the chance of the draw of customers alone.",
    "It learned while the company's usual marketing went on, and expects it to go on. It says what "
    "is going to happen, not what an action would change.",
    "Groups of fewer than 20 customers are left out. A difference between groups is not a cause.",
    "It is for marketing. It is not made for decisions about credit, price, insurance, work or "
    "anything else of legal effect.",
)
OWN_LIMITS = {
    "churn": "Customers without a value event in the look-back get no risk from it.",
    "stage": "A stage that nobody moved to in the past is given no chance.",
    "level": "A level that nobody moved to in the past is given no chance.",
    "value": "A customer without any order is expected to bring nothing. Few customers bring much "
    "of the money, so means of small groups vary greatly.",
}


class Card(NamedTuple):
    """A card in words: `facts` are names with what they stand for."""

    title: str
    use: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[TextTable, ...]
    limits: tuple[str, ...]


def model_card(kind: str, name: str, test: Mapping[str, Any]) -> Card:
    """Card of a model that was judged.

    Parameters
    ----------
    kind : str
        ``churn``, ``stage``, ``level`` or ``value``.
    name : str
        Name and fingerprint of the model.
    test : mapping
        Section of the evaluation for this kind, with ``rows`` and ``card``.
    """
    return Card(
        f"Model card: {TITLES[kind].lower()}",
        USES[kind],
        _facts(kind, name, test),
        (_metrics(test), _rivals(test), _calibration(kind, test), _groups(kind, test)),
        (*LIMITS, OWN_LIMITS[kind]),
    )


def card_markdown(card: Card) -> str:
    """The card as Markdown with tables."""
    lines = [f"# {card.title}", "", card.use, ""]
    lines += [f"- **{name}**: {meaning}" for name, meaning in card.facts]
    for table in card.tables:
        rows = [table.heads, ("---",) * len(table.heads), *table.rows]
        lines += ["", f"## {table.caption}", ""]
        lines += [f"| {' | '.join(_in_cell(cell) for cell in row)} |" for row in rows]
    lines += ["", "## Limits", "", *(f"- {limit}" for limit in card.limits)]
    return "\n".join(lines) + "\n"


def card_html(card: Card) -> str:
    """The card as a page that opens offline."""
    return environment().get_template("card.html.j2").render(card=card)


def _in_cell(text: str) -> str:
    # A bar in the text would end the table's cell.
    return text.replace("|", r"\|")


def _facts(kind: str, name: str, test: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    gap = f", from {formats.plural(test['gap_days'], 'day')} on" if test["gap_days"] else ""
    window = f"the {test['horizon_days']} days after a date{gap}"
    learned = [formats.day(day) for day in sorted(test["train_as_of"])]
    outcome = "passed its test" if test["promoted"] else "did not replace what is in use"
    return (
        ("Model", name),
        ("Population", test.get("population") or "every customer known at the date"),
        ("Label", LABELS[kind].format(window=window)),
        ("Learned from", f"customers as they were on {formats.listing(learned)}"),
        ("Tested on", f"{formats.plural(test['n'], 'customer')} as they were on "
                      f"{formats.day(test['test_as_of'])}, after all that it had learned from"),
        ("Data span", _span(test)),
        ("Outcome", f"{outcome}: {words.sentence(test['why'])}"),
    )  # fmt: skip


def _span(test: Mapping[str, Any]) -> str:
    """The days whose outcomes were seen; what lies before them was read for the features."""
    first = date.fromisoformat(min(test["train_as_of"])) + timedelta(days=test["gap_days"])
    end = date.fromisoformat(test["test_as_of"]) + timedelta(
        days=test["gap_days"] + test["horizon_days"] - 1
    )
    return (
        f"outcomes from {formats.day(first)} to {formats.day(end)}; features read everything "
        "before their date"
    )


def _metrics(test: Mapping[str, Any]) -> TextTable:
    ours = next(row for row in test["rows"] if row["model"] == OURS)
    ends = test["card"]["intervals"]
    rows = tuple(
        (METRICS[key], _metric(key, ours[key]), _interval(key, ends.get(key)))
        for key in METRICS
        if key in ours
    )
    heads = ("Metric", "On the test", "95% interval")
    return TextTable("Metrics of the model", heads, rows)


def _rivals(test: Mapping[str, Any]) -> TextTable:
    shown = [key for key in METRICS if any(key in row for row in test["rows"])]
    rows = tuple(
        (words.model(row["model"]), *(_metric(key, row.get(key)) for key in shown))
        for row in test["rows"]
    )
    heads = ("Model or rule", *(METRICS[key] for key in shown))
    return TextTable("Beside the rules that it has to beat", heads, rows)


def _calibration(kind: str, test: Mapping[str, Any]) -> TextTable:
    rows = tuple(
        (str(place), formats.count(row["n"]), *_amounts(kind, row["predicted"], row["observed"]))
        for place, row in enumerate(test["card"]["by_expected"], 1)
    )
    heads = ("Tenth", "Customers", "Expected", HEADS[kind][0])
    return TextTable("Calibration: tenths of the customers, lowest expectation first", heads, rows)


def _groups(kind: str, test: Mapping[str, Any]) -> TextTable:
    rows = tuple(
        (
            f"{words.plain(row['by'])}: {GROUPS[row['by']].get(row['group'], row['group'])}",
            formats.count(row["customers"]),
            *_amounts(kind, row["actual"], row["expected"]),
            _metric("mae" if kind == "value" else "log_loss", row["loss"]),
        )
        for row in test["card"]["groups"]
    )
    return TextTable("Groups of customers", ("Group", "Customers", *HEADS[kind]), rows)


def _amounts(kind: str, *values: float) -> tuple[str, ...]:
    if kind == "value":
        return tuple(_metric("mae", value) for value in values)
    return tuple(formats.percent(value) for value in values)


def _metric(key: str, value: float | None) -> str:
    """Money in units of the currency; a dash where there is no value, or none can be measured."""
    if value is None or value != value:
        return formats.number(None, 3)
    return formats.number(value / 100, 2) if key in CENTS else formats.number(value, 3)


def _interval(key: str, ends: list[float] | None) -> str:
    return " to ".join(_metric(key, end) for end in ends) if ends else formats.number(None, 3)
