"""The canonical action file: one row for every customer who gets an action, as safe CSV text.

A cell that a spreadsheet would run as a formula is made text by a leading apostrophe
(OWASP, CSV injection, owasp.org/www-community/attacks/CSV_Injection).
"""

import polars as pl
import polars.selectors as cs

from actions.catalogue import ActionCatalogue
from delivery.bands import BANDS, BandLimits, churn_band
from features.errors import DataError
from features.schemas import Column

CONTACTS = ("email", "phone", "first_name")
MONEY = ("expected_net_value", "cost")
STANDING = (
    "stage", "level", "activity", "churn_risk", "churn_band", "reason_1", "reason_2", "reason_3",
)  # fmt: skip
# The full-width forms are included because some spreadsheets fold them to the plain ones.
FORMULA = r"^\s*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
UNSEEN_LEAD = r"^[\t\r\x00]"
BREAKS = r"[\t\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]+"
CONTROLS = r"[\x00-\x1f\x7f-\x{9f}]"
E164 = r"^\+[1-9]\d{1,14}$"
DECIMAL = r"^-?\d+\.\d{2}$"


def action_columns(*, identities: bool = False, bands: BandLimits = BANDS) -> tuple[Column, ...]:
    """Columns of the action file, in order, with what they mean.

    Parameters
    ----------
    identities : bool
        Whether the file says how to reach the customer.
    bands : BandLimits
    """
    return (
        Column("decision_id", "text", "stable id of the decision; send it back with the outcome"),
        Column("customer_id", "text", "the company's own id, as text: zeros in front count"),
        Column("as_of", "date", "the first day that was not seen"),
        *(_contact_columns() if identities else ()),
        *_standing_columns(bands),
        *_action_columns(),
        Column("arm", "text", "policy: chosen because it is expected to be worth the most"),
        Column("propensity", "float", "probability (0-1) with which the arm was drawn"),
        Column("run_id", "text", "run that decided"),
        Column("model_version", "text", "churn model and version"),
        Column("catalogue_version", "text", "first 12 characters of the catalogue's SHA-256"),
    )


def _contact_columns() -> tuple[Column, ...]:
    return (
        Column("email", "text", "e-mail address", True),
        Column("phone", "text", "telephone number, E.164", True),
        Column("first_name", "text", "given name", True),
    )


def _standing_columns(bands: BandLimits) -> tuple[Column, ...]:
    limits = f"low below {bands.medium:g}, medium below {bands.high:g}, high from there on"
    return (
        Column("stage", "text", "awareness, acquisition, engagement or retention"),
        Column("level", "text", "awareness, interest, engagement, loyalty or advocacy"),
        Column("activity", "text", "new, active, at_risk, lapsed or won_back"),
        Column("churn_risk", "float", "P(no value event in the horizon), 4 decimals", True),
        Column("churn_band", "text", f"{limits}; empty where there is no churn risk", True),
        Column("reason_1", "text", "strongest reason for the risk", True),
        Column("reason_2", "text", "second reason", True),
        Column("reason_3", "text", "third reason", True),
    )


def _action_columns() -> tuple[Column, ...]:
    return (
        Column("action_id", "text", "id in the catalogue of actions"),
        Column("action_name", "text", "the action's name"),
        Column("tactic", "text", "kind of tactic that the action uses"),
        Column("channel", "text", "channel to use"),
        Column("brief", "text", "brief for copy and design, on one line"),
        Column("send_after", "date", "do not act before this date"),
        Column("expires_on", "date", "do not act on it from this date on"),
        Column("expected_net_value", "text", "expected net of contact and incentive, decimal"),
        Column("cost", "text", "contact cost plus expected incentive, decimal"),
        Column("basis", "text", "where the effect comes from: assumed, measured or randomised"),
    )


def action_rows(
    scores: pl.DataFrame,
    decisions: pl.DataFrame,
    *,
    catalogue: ActionCatalogue,
    identities: pl.DataFrame | None = None,
    bands: BandLimits = BANDS,
) -> pl.DataFrame:
    """One row for every exported decision, sorted by customer.

    Parameters
    ----------
    scores : table of schemas.SCORES
    decisions : table of schemas.DECISIONS
    catalogue : ActionCatalogue
        The one that the decisions followed.
    identities : table of schemas.IDENTITIES, optional
        Adds e-mail, phone and first name; null where a customer is not in it.
    bands : BandLimits

    Returns
    -------
    table of `action_columns`
        Empty where nothing was exported.

    Raises
    ------
    DataError
        If an exported decision has no score or an action that the catalogue lacks, or if a
        customer is twice in a table.
    """
    exported = decisions.filter(pl.col("outcome") == "exported").drop(STANDING, strict=False)
    standing = scores.with_columns(churn_band(bands), pl.col("churn_risk").round(4))
    rows = exported.join(
        standing.select("customer_id", "as_of", *STANDING), on=["customer_id", "as_of"], how="left"
    ).join(_catalogue_frame(catalogue), on="action_id", how="left")
    if identities is not None:
        rows = rows.join(identities.select("customer_id", *CONTACTS), on="customer_id", how="left")
    _check(rows, len(exported))
    names = [column.name for column in action_columns(identities=identities is not None)]
    return rows.with_columns(*_derived()).select(names).sort("customer_id", "decision_id")


def _catalogue_frame(catalogue: ActionCatalogue) -> pl.DataFrame:
    rows = [(a.id, a.name, a.tactic, " ".join(a.brief.split())) for a in catalogue.actions]
    names = ["action_id", "action_name", "tactic", "brief"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _derived() -> list[pl.Expr]:
    return [
        pl.col("as_of").alias("send_after"),
        _decimal("expected_net_value_cents").alias("expected_net_value"),
        _decimal("cost_cents").alias("cost"),
        pl.col("catalogue_hash").str.slice(0, 12).alias("catalogue_version"),
    ]


def _decimal(cents: str) -> pl.Expr:
    size = pl.col(cents).abs()
    sign = pl.when(pl.col(cents) < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    rest = (size % 100).cast(pl.String).str.zfill(2)
    return pl.concat_str(sign, (size // 100).cast(pl.String), pl.lit("."), rest)


def _check(rows: pl.DataFrame, expected: int) -> None:
    if len(rows) != expected:
        raise DataError(
            f"actions: a customer is twice in scores or identities. Got {len(rows)} rows. "
            f"Expected {expected}. Remove the duplicates."
        )
    for column, lacks in (("stage", "score"), ("action_name", "action of the catalogue")):
        if missing := rows[column].null_count():
            raise DataError(
                f"decisions: {missing} exported without a {lacks}. Got {expected} exported. "
                f"Expected a {lacks} for each. Score and decide again with one catalogue."
            )


def csv_text(rows: pl.DataFrame) -> str:
    r"""Table as CSV text that no spreadsheet runs: same rows, same bytes.

    UTF-8, a header, ``\n`` at the end of each line, quotes only where needed (RFC 4180), null
    and empty text both blank. Line breaks and tabs within a cell become one space, other
    control characters go. Text that starts like a formula gets an apostrophe in front, except
    E.164 numbers in the column ``phone`` and plain decimals in the columns of money.
    """
    texts = rows.select(cs.string()).columns
    return rows.with_columns(_safe(name) for name in texts).write_csv(
        line_terminator="\n",
        quote_style="necessary",
        null_value="",
        date_format="%Y-%m-%d",
        float_scientific=False,
    )


def _safe(name: str) -> pl.Expr:
    raw = pl.col(name)
    clean = raw.str.strip_chars("\t\n\r\x0b\x0c\x00").str.replace_all(BREAKS, " ")
    clean = clean.str.replace_all(CONTROLS, "")
    runs = raw.str.contains(UNSEEN_LEAD) | clean.str.contains(FORMULA)
    if name == "phone":
        runs &= ~clean.str.contains(E164)
    elif name in MONEY:
        runs &= ~clean.str.contains(DECIMAL)
    safe = pl.when(runs).then(pl.lit("'") + clean).otherwise(clean)
    # Polars writes empty text as two quotes and null as nothing: blank is blank.
    return pl.when(safe != "").then(safe).alias(name)
