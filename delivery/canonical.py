"""The canonical action file: one row for every customer who gets an action."""

import polars as pl

from actions.catalogue import ActionCatalogue
from delivery.bands import BANDS, BandLimits, churn_band
from delivery.csv_cells import MARGINS, MONEY
from delivery.intervals import NO_BELIEFS, with_interval
from features.errors import DataError
from features.schemas import Column

CONTACTS = ("email", "phone", "first_name")
STANDING = (
    "stage", "level", "activity", "churn_risk", "churn_band", "reason_1", "reason_2", "reason_3",
    "margin_90d_cents", "margin_90d_low_cents", "margin_90d_high_cents", "next_value_on",
)  # fmt: skip
NOT_NEEDED = "not_needed"
REACH_COLUMNS = {"customer_id": pl.String, "best_weekday": pl.Int64, "best_hour": pl.Int64}
NO_GRANTS = pl.DataFrame(
    schema={"customer_id": pl.String, "channel": pl.String, "basis": pl.String}
)
NO_REACH = pl.DataFrame(schema=REACH_COLUMNS)


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
        Column("margin_90d", "text", "margin expected in the next 90 days, decimal"),
        Column("margin_90d_low", "text", "lower end of its 80 % interval, decimal", True),
        Column("margin_90d_high", "text", "upper end; both blank where there is no model", True),
        Column("next_value_on", "date", "by then a next order is as likely as not", True),
    )


def _action_columns() -> tuple[Column, ...]:
    return (
        Column("action_id", "text", "id in the catalogue of actions"),
        Column("action_name", "text", "the action's name"),
        Column("tactic", "text", "kind of tactic that the action uses"),
        Column("channel", "text", "channel to use"),
        Column(
            "consent_basis", "text", "opt_in, soft_opt_in or contract; not_needed: they come to us"
        ),
        Column("brief", "text", "brief for copy and design, on one line"),
        Column("send_after", "date", "do not act before this date"),
        Column("expires_on", "date", "do not act on it from this date on"),
        Column("best_weekday", "integer", "day they act most, 1 Monday to 7 Sunday", True),
        Column("best_hour", "integer", "hour they act most, 0 to 23, business time zone", True),
        Column("expected_net_value", "text", "expected net of contact and incentive, decimal"),
        Column("net_value_low", "text", "lower end of its 80% interval, decimal", True),
        Column("net_value_high", "text", "upper end; both blank where none is known", True),
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
    granted: pl.DataFrame = NO_GRANTS,
    reach: pl.DataFrame = NO_REACH,
    effects: pl.DataFrame = NO_BELIEFS,
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
    granted : table of customer_id, channel, basis
        Consents that hold now.
    reach : table of customer_id, best_weekday, best_hour
        When they act most, as integers.
    effects : table of schemas.EFFECTS
        What is believed of each action in each stage; where it says nothing, the catalogue holds.

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
    chosen = with_interval(decisions.filter(pl.col("outcome") == "exported"), catalogue, effects)
    exported = chosen.drop(STANDING, strict=False)
    told = scores.with_columns(stage="reported_stage", level="reported_level")
    standing = told.with_columns(churn_band(bands), pl.col("churn_risk").round(4))
    rows = exported.join(
        standing.select("customer_id", "as_of", *STANDING), on=["customer_id", "as_of"], how="left"
    ).join(_catalogue_frame(catalogue), on="action_id", how="left")
    basis = granted.select("customer_id", "channel", consent_basis="basis")
    rows = rows.join(basis, on=["customer_id", "channel"], how="left")
    rows = rows.join(reach.select(*REACH_COLUMNS), on="customer_id", how="left")
    if identities is not None:
        rows = rows.join(identities.select("customer_id", *CONTACTS), on="customer_id", how="left")
    _check(rows, len(exported))
    names = [column.name for column in action_columns(identities=identities is not None)]
    return rows.with_columns(*_derived()).select(names).sort("customer_id", "decision_id")


def typed_actions(rows: pl.DataFrame) -> pl.DataFrame:
    """The action rows with money as decimals, for files that keep types."""
    return rows.with_columns(pl.col(MONEY).str.to_decimal(scale=2).cast(pl.Decimal(18, 2)))


def _catalogue_frame(catalogue: ActionCatalogue) -> pl.DataFrame:
    rows = [(a.id, a.name, a.tactic, " ".join(a.brief.split())) for a in catalogue.actions]
    names = ["action_id", "action_name", "tactic", "brief"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _derived() -> list[pl.Expr]:
    return [
        pl.col("as_of").alias("send_after"),
        *(_decimal(pl.col(f"{name}_cents")).alias(name) for name in MARGINS),
        pl.col("consent_basis").fill_null(NOT_NEEDED),
        _decimal(pl.col("expected_net_value_cents")).alias("expected_net_value"),
        _decimal(pl.col("net_low_cents")).alias("net_value_low"),
        _decimal(pl.col("net_high_cents")).alias("net_value_high"),
        _decimal(pl.col("cost_cents")).alias("cost"),
        pl.col("catalogue_hash").str.slice(0, 12).alias("catalogue_version"),
    ]


def _decimal(cents: pl.Expr) -> pl.Expr:
    size = cents.abs()
    sign = pl.when(cents < 0).then(pl.lit("-")).otherwise(pl.lit(""))
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
