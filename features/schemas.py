"""Every table that one step writes and another reads, declared once.

``docs/tables.md`` is generated from this module.
"""

from collections.abc import Collection
from typing import Literal, NamedTuple

Kind = Literal["text", "integer", "float", "boolean", "date", "timestamp"]

STAGES = ("awareness", "acquisition", "engagement", "retention")
LEVELS = ("awareness", "interest", "engagement", "loyalty", "advocacy")
ACTIVITIES = ("new", "active", "at_risk", "lapsed", "won_back")
ENGAGEMENT_TYPES = ("transactional", "emotional", "social", "experiential")
ROLES = (
    "exposure",
    "visit",
    "intent",
    "value",
    "feedback",
    "advocacy",
    "service",
    "opt_out",
    "cancel",
)


class Column(NamedTuple):
    """A column: its name, kind, meaning with the unit, and whether it may be null."""

    name: str
    kind: Kind
    meaning: str
    nullable: bool = False


class Table(NamedTuple):
    """A table: its name, the key that makes a row unique, its columns, what a row is."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def part(self, names: Collection[str]) -> "Table":
        """The key and some of the other columns, in order."""
        kept = tuple(c for c in self.columns if c.name in names or c.name in self.key)
        return self._replace(columns=kept)


CUSTOMER = Column("customer_id", "text", "the company's own id, as text, never inferred")
AS_OF = Column("as_of", "date", "the first day that was not seen")

EVENTS = Table(
    "events",
    ("event_id",),
    (
        Column("event_id", "text", "the source's id, or a stable hash of the row's content"),
        CUSTOMER,
        Column("occurred_at", "timestamp", "when it happened [UTC]"),
        Column("loaded_at", "timestamp", "when the source first had it [UTC]; null: at once", True),
        Column("on", "date", "business date, in the company's time zone"),
        Column("day", "integer", "`on` as days since 1970-01-01, for integer arithmetic"),
        Column(
            "visible_day", "integer", "first day on which it was known: the later of `on` and load"
        ),
        Column("event_type", "text", "id in catalogue/taxonomy.yaml"),
        Column("role", "text", "what it means: one of the roles of the taxonomy"),
        Column("engagement_type", "text", "one of the four engagement types, or null", True),
        Column("channel", "text", "where it happened, or null where unknown", True),
        Column("value_cents", "integer", "money received [cents]; negative for refunds; 0 without"),
        Column("campaign", "text", "campaign that it belongs to, or null", True),
        Column(
            "hour", "integer", "hour of the day, 0-23; null where a source knows only days", True
        ),
        Column("discount_cents", "integer", "discount on the money received [cents]; 0 without"),
    ),
    "What customers did and what was done to them: one row an event.",
)

CUSTOMERS = Table(
    "customers",
    ("customer_id",),
    (
        CUSTOMER,
        Column("known_since", "date", "business date on which the company first knew of them"),
    ),
    "Everybody who is known: listed by a source, or seen in an event.",
)

IDENTITIES = Table(
    "identities",
    ("customer_id",),
    (
        CUSTOMER,
        Column("email", "text", "e-mail address", True),
        Column("phone", "text", "telephone number, E.164", True),
        Column("first_name", "text", "given name", True),
        Column("last_name", "text", "family name", True),
        Column("country", "text", "ISO 3166-1 alpha-2", True),
    ),
    "How to reach them: read by delivery alone, never by features, models, MLflow or logs.",
)

CONSENTS = Table(
    "consents",
    ("customer_id", "channel", "purpose", "since"),
    (
        CUSTOMER,
        Column("channel", "text", "channel that it is for, or 'any' (refusals only)"),
        Column("purpose", "text", "'marketing', or 'profiling' (a refusal of it is an objection)"),
        Column("status", "text", "granted, denied, revoked or unknown"),
        Column("basis", "text", "opt_in, soft_opt_in, contract or none"),
        Column("since", "date", "first business date on which it holds"),
        Column("until", "date", "first business date on which it no longer holds", True),
    ),
    "What each customer allowed, by channel and purpose, over time.",
)

SENDS = Table(
    "sends",
    ("customer_id", "action_id", "sent_at"),
    (
        CUSTOMER,
        Column("action_id", "text", "id in catalogue/actions.yaml, or the tool's own"),
        Column("channel", "text", "channel that it went out by"),
        Column("sent_at", "timestamp", "when it went out [UTC]"),
    ),
    "What the marketing tool says that it sent; optional.",
)

STAGE_LABELS = Table(
    "stage_labels",
    ("customer_id", "valid_from"),
    (
        CUSTOMER,
        Column("valid_from", "date", "first business date on which the stage holds"),
        Column("stage", "text", f"one of {', '.join(STAGES)}"),
    ),
    "Stages as the company itself says them, over time; optional (`stages.label_source`).",
)

LABELS = Table(
    "labels",
    ("customer_id", "as_of"),
    (
        CUSTOMER,
        AS_OF,
        Column("in_population", "boolean", "had a value event in the look-back: churn is defined"),
        Column("churned", "boolean", "no value event in the label window"),
        Column("value_days_next", "integer", "days with a value event in the label window"),
        Column("stage_next", "text", "stage at the end of the label window"),
        Column("level_next", "text", "level at the end of the label window"),
        Column("value_next_cents", "integer", "money received in the label window [cents]"),
    ),
    "What happened next, for each past as-of date; censored dates are absent.",
)


def _margin_columns(days: int) -> list[Column]:
    """Expected margin of a window and the ends of its interval; both null without a model."""
    kept = f"margin_{days}d"
    return [
        Column(f"{kept}_cents", "integer", f"margin expected in the next {days} days [cents]"),
        Column(f"{kept}_low_cents", "integer", "lower end of its 80 % interval [cents]", True),
        Column(f"{kept}_high_cents", "integer", "upper end; 0 where most bring nothing", True),
    ]


SCORES = Table(
    "scores",
    ("customer_id", "as_of"),
    (
        CUSTOMER,
        AS_OF,
        Column(
            "reported_stage", "text", "engagement stage; a demotion shows at the second snapshot"
        ),
        Column("reported_level", "text", "level of the relationship; a demotion shows likewise"),
        Column("stage", "text", "what the rules alone say of the stage now; models read this one"),
        Column("stage_because", "text", "the rule that fired and the values that fired it"),
        Column("level", "text", "what the rules alone say of the level now"),
        Column("level_because", "text", "the rule that fired and the values that fired it"),
        Column("activity", "text", "new, active, at_risk, lapsed or won_back"),
        Column("activity_because", "text", "the rule that fired and the values that fired it"),
        *(Column(f"{t}_score", "float", f"{t} engagement, 0-100") for t in ENGAGEMENT_TYPES),
        *(Column(f"p_stage_{s}", "float", f"P(stage '{s}' one horizon on)") for s in STAGES),
        Column("stage_next", "text", "the most probable stage one horizon on"),
        *(Column(f"p_level_{s}", "float", f"P(level '{s}' one horizon on)") for s in LEVELS),
        Column("level_next", "text", "the most probable level one horizon on"),
        Column("churn_risk", "float", "P(no value event in the horizon); null: not at risk", True),
        Column(
            "p_alive",
            "float",
            "P(still a customer at all) by the purchase history: unlike the risk it knows no "
            "horizon; no action is chosen by it; null: never bought, or no model",
            True,
        ),
        Column("p_value", "float", "P(at least one value event in the horizon)"),
        Column("order_value_cents", "integer", "what the next value event would bring [cents]"),
        Column("expected_value_cents", "integer", "money expected in the horizon [cents]"),
        *(column for days in (90, 365) for column in _margin_columns(days)),
        Column(
            "next_value_on",
            "date",
            "by then a next value event is as likely as not; null: not within a year, or no model",
            True,
        ),
        Column("reason_1", "text", "strongest reason for the risk, in words", True),
        Column("reason_2", "text", "second reason", True),
        Column("reason_3", "text", "third reason", True),
        Column("risk_start", "float", "risk that everybody starts from; null: no model", True),
        *(
            Column(f"reason_{k}_effect", "float", f"what reason {k} adds to the risk", True)
            for k in (1, 2, 3)
        ),
        Column(
            "risk_rest",
            "float",
            "what all else adds; with risk_start and the effects it makes up churn_risk",
            True,
        ),
        Column("score_source", "text", "model, rule, or none where churn is not defined"),
        Column("churn_model", "text", "registered model, or 'rule'"),
        Column("stage_model", "text", "registered model, or 'transition_table'"),
        Column("level_model", "text", "registered model, or 'transition_table'"),
        Column("value_model", "text", "registered model, or 'rule'"),
    ),
    "Where each known customer stands, and what is expected next.",
)

DECISIONS = Table(
    "decisions",
    ("decision_id",),
    (
        Column("decision_id", "text", "stable hash of customer, as-of date and catalogue"),
        CUSTOMER,
        AS_OF,
        Column("outcome", "text", "exported, held_out, suppressed or no_action"),
        Column("exit_reason", "text", "why there is no action; null where there is one", True),
        Column("action_id", "text", "id in catalogue/actions.yaml; null: no action", True),
        Column("channel", "text", "channel to use; null: no action", True),
        Column("planned_action_id", "text", "what the policy would give, whatever the arm", True),
        Column("planned_channel", "text", "channel of the planned action", True),
        Column("arm", "text", "holdout, policy, random or business_as_usual"),
        Column("propensity", "float", "probability with which the arm was assigned"),
        Column(
            "action_propensity",
            "float",
            "probability, over the arms, of this action or of none; null: business as usual",
            True,
        ),
        Column("basis", "text", "assumed, measured or randomised; null: no action", True),
        Column("uplift", "float", "expected change of P(success); null: no action", True),
        Column(
            "sensitivity",
            "float",
            "further successes by an effect that changes a toss-up by 1; null: no action",
            True,
        ),
        Column("expected_net_value_cents", "integer", "net of contact and incentive [cents]"),
        Column("cost_cents", "integer", "contact cost plus expected incentive [cents]"),
        Column("expires_on", "date", "do not act on it from this date on", True),
        Column(
            "eligible_options",
            "text",
            "what the funnel let through: action:channel, with a space between",
        ),
        Column("stage", "text", "reported stage when it was decided"),
        Column("level", "text", "reported level when it was decided"),
        Column("activity", "text", "activity when it was decided"),
        Column("p_value", "float", "P(at least one value event in the horizon) without action"),
        Column("p_alive", "float", "P(still a customer at all); null as in the scores", True),
        Column("order_value_cents", "integer", "what the next value event would bring [cents]"),
        Column("expected_value_cents", "integer", "money expected in the horizon [cents]"),
        *(Column(f"{t}_score", "float", f"{t} engagement, 0-100") for t in ENGAGEMENT_TYPES),
        Column("horizon_days", "integer", "days from the as-of date in which success counts"),
        Column("run_id", "text", "run that decided"),
        Column("data_hash", "text", "SHA-256 of the file of scores that it read"),
        Column("model_version", "text", "churn model and version"),
        Column("catalogue_hash", "text", "SHA-256 of the catalogue that it followed"),
    ),
    "One decision for everybody scored, 'no action' included; append-only.",
)

EFFECTS = Table(
    "effects",
    ("action_id", "stage"),
    (
        Column("action_id", "text", "id in catalogue/actions.yaml"),
        Column("stage", "text", "engagement stage"),
        Column("basis", "text", "measured where there are outcomes, else assumed"),
        Column("points", "float", "change of P(success) at a toss-up [percentage points]"),
        Column("sd", "float", "standard deviation of that belief [percentage points]"),
        Column("measured_points", "float", "the same from outcomes alone", True),
        Column("measured_se", "float", "its standard error", True),
        Column("treated", "integer", "customers of the policy arm behind it"),
        Column("control", "integer", "customers of the holdout behind it"),
    ),
    "What is believed of each action in each stage: the catalogue's prior and what was measured.",
)

MEASURED = Table(
    "measured",
    ("scope", "action_id", "stage"),
    (
        Column("scope", "text", "overall, action, stage or action_stage"),
        Column("action_id", "text", "planned action; 'all' where all are taken together"),
        Column("stage", "text", "stage when decided; 'all' where all are taken together"),
        Column("treated", "integer", "decisions of the policy arm"),
        Column("control", "integer", "decisions of the holdout, with the same planned action"),
        Column("treated_rate", "float", "share with a value event in the window, policy arm"),
        Column("control_rate", "float", "the same, holdout"),
        Column("difference", "float", "treated minus control"),
        Column("low", "float", "lower end of its 95 % interval"),
        Column("high", "float", "upper end of its 95 % interval"),
        Column("p", "float", "two-sided p-value, corrected for the rows of this scope (Holm)"),
        Column("value_cents", "float", "difference of money in the window a customer [cents]"),
        Column("value_low_cents", "float", "lower end of its 95 % interval"),
        Column("value_high_cents", "float", "upper end of its 95 % interval"),
        Column("detectable", "float", "smallest difference of rates that these numbers can find"),
        Column(
            "needed", "integer", "decisions needed to find the difference seen; null: none", True
        ),
        Column("verdict", "text", "raises, lowers, none (not detectable) or too_few"),
        Column("words", "text", "the same in a sentence"),
    ),
    "What the actions changed, by intention to treat, over all matured runs.",
)

LEDGER = Table(
    "ledger",
    ("as_of",),
    (
        Column("as_of", "date", "date of the run"),
        Column("exported", "integer", "actions of the policy arm"),
        Column("cost_cents", "integer", "what they cost by the catalogue [cents]"),
        Column("promised_successes", "float", "further customers who would buy, as promised"),
        Column(
            "realised_successes", "float", "as measured against the holdout; null: no control", True
        ),
        Column("realised_low", "float", "lower end of its 95 % interval", True),
        Column("realised_high", "float", "upper end of its 95 % interval", True),
        Column("realised_value_cents", "float", "further money in the window [cents]", True),
        Column("sent", "integer", "of the actions, those that the tool says it sent"),
        Column("unmatched_sends", "integer", "sends of this time that no decision asked for"),
    ),
    "What each matured run promised, and what came of it.",
)

BUDGET_CURVE = Table(
    "budget_curve",
    ("budget_cents",),
    (
        Column("budget_cents", "integer", "money that the run might spend [cents]"),
        Column("spent_cents", "integer", "what the best plan would spend of it"),
        Column("net_value_cents", "integer", "expected net value of that plan [cents]"),
        Column("actions", "integer", "customers with an action"),
        Column("shadow_price", "float", "what one more cent would bring, in cents"),
        Column("marginal_action_id", "text", "action of the last customer who is worth it", True),
        Column("marginal_net_cents", "integer", "expected net value of that customer", True),
        Column("is_current", "boolean", "whether this is the budget of the run"),
    ),
    "Expected net value against money spent.",
)

COST_OF_RULES = Table(
    "cost_of_rules",
    ("rule",),
    (
        Column("rule", "text", "step of the funnel, limit or arm, and what it is for"),
        Column(
            "kind",
            "text",
            "consent, rule (its own conditions), fit (stage, level, activity), cap, limit or arm",
        ),
        Column("customers", "integer", "customers whose plan would change"),
        Column("forgone_cents", "integer", "expected net value that it forgoes [cents]"),
    ),
    "What each rule, cap, limit, consent gap and arm forgoes, left out one at a time.",
)

POLICY_VALUE = Table(
    "policy_value",
    ("outcome", "policy", "estimator"),
    (
        Column("outcome", "text", "success (share of customers) or value (cents a customer)"),
        Column("policy", "text", "new, current (what was planned then), or difference"),
        Column("estimator", "text", "ips, snips or dr; differences are dr"),
        Column("value", "float", "mean outcome under the policy"),
        Column("low", "float", "lower end of its 95 % interval"),
        Column("high", "float", "upper end of its 95 % interval"),
        Column("decisions", "integer", "past decisions that it is based on"),
        Column("effective", "float", "as many as these count for, given their weights", True),
        Column("supported", "float", "share of decisions whose action had a chance then"),
    ),
    "What another policy would have brought on past decisions.",
)

SUPPRESSIONS = Table(
    "suppressions",
    ("kind", "identifier", "channel"),
    (
        Column(
            "kind",
            "text",
            "customer_id, email or phone, or one of these with _sha256: what it identifies by",
        ),
        Column("identifier", "text", "the id or address, or its SHA-256 in lower-case hex"),
        Column("channel", "text", "channel that must not be used, or 'any'"),
        Column("listed_on", "date", "business date on which the list was exported"),
    ),
    "Who must not be written to, as the marketing tool lists them; read by delivery alone.",
)

QUARANTINE = Table(
    "quarantine",
    ("source", "file", "row_number"),
    (
        Column("source", "text", "id in catalogue/sources.yaml"),
        Column("file", "text", "file, address or relation that the row is in"),
        Column("row_number", "integer", "1 for the first row of data"),
        Column("reason", "text", "reason code"),
        Column("raw", "text", "the row as it was read: JSON, or the line itself"),
    ),
    "Every row that was rejected, with its reason.",
)

TABLES = (
    EVENTS, CUSTOMERS, IDENTITIES, CONSENTS, SUPPRESSIONS, SENDS, STAGE_LABELS, LABELS, SCORES,
    DECISIONS, EFFECTS, MEASURED, LEDGER, BUDGET_CURVE, COST_OF_RULES, POLICY_VALUE, QUARANTINE,
)  # fmt: skip
