"""Every table that one step writes and another reads, declared once.

``docs/tables.md`` is generated from this module.
"""

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

LABELS = Table(
    "labels",
    ("customer_id", "as_of"),
    (
        CUSTOMER,
        AS_OF,
        Column("in_population", "boolean", "had a value event in the look-back: churn is defined"),
        Column("churned", "boolean", "no value event in the label window"),
        Column("stage_next", "text", "stage at the end of the label window"),
        Column("level_next", "text", "level at the end of the label window"),
        Column("value_next_cents", "integer", "money received in the label window [cents]"),
    ),
    "What happened next, for each past as-of date; censored dates are absent.",
)

SCORES = Table(
    "scores",
    ("customer_id", "as_of"),
    (
        CUSTOMER,
        AS_OF,
        Column("stage", "text", "engagement stage now"),
        Column("stage_because", "text", "the rule that fired and the values that fired it"),
        Column("level", "text", "level of the relationship now"),
        Column("level_because", "text", "the rule that fired and the values that fired it"),
        Column("activity", "text", "new, active, at_risk, lapsed or won_back"),
        *(Column(f"{t}_score", "float", f"{t} engagement, 0-100") for t in ENGAGEMENT_TYPES),
        *(Column(f"p_stage_{s}", "float", f"P(stage '{s}' one horizon on)") for s in STAGES),
        Column("stage_next", "text", "the most probable stage one horizon on"),
        *(Column(f"p_level_{s}", "float", f"P(level '{s}' one horizon on)") for s in LEVELS),
        Column("level_next", "text", "the most probable level one horizon on"),
        Column("churn_risk", "float", "P(no value event in the horizon); null: not at risk", True),
        Column("p_value", "float", "P(at least one value event in the horizon)"),
        Column("order_value_cents", "integer", "what the next value event would bring [cents]"),
        Column("expected_value_cents", "integer", "money expected in the horizon [cents]"),
        Column("reason_1", "text", "strongest reason for the risk, in words", True),
        Column("reason_2", "text", "second reason", True),
        Column("reason_3", "text", "third reason", True),
        Column("score_source", "text", "model, rule, or none where churn is not defined"),
        Column("churn_model", "text", "registered model, or 'rule'"),
        Column("stage_model", "text", "registered model, or 'transition_table'"),
        Column("level_model", "text", "registered model, or 'transition_table'"),
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
        Column("arm", "text", "holdout or policy"),
        Column("propensity", "float", "probability with which the arm was assigned"),
        Column("basis", "text", "assumed, measured or randomised; null: no action", True),
        Column("uplift", "float", "expected change of P(success); null: no action", True),
        Column("expected_net_value_cents", "integer", "net of contact and incentive [cents]"),
        Column("cost_cents", "integer", "contact cost plus expected incentive [cents]"),
        Column("expires_on", "date", "do not act on it from this date on", True),
        Column("run_id", "text", "run that decided"),
        Column("data_hash", "text", "SHA-256 of the scores that it read"),
        Column("model_version", "text", "churn model and version"),
        Column("catalogue_hash", "text", "SHA-256 of the catalogue that it followed"),
    ),
    "One decision for everybody scored, 'no action' included; append-only.",
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
    ("source", "row_number"),
    (
        Column("source", "text", "id in catalogue/sources.yaml"),
        Column("row_number", "integer", "1 for the first row of data"),
        Column("reason", "text", "reason code"),
        Column("raw", "text", "the row as it was read, as JSON"),
    ),
    "Every row that was rejected, with its reason.",
)

TABLES = (
    EVENTS, CUSTOMERS, IDENTITIES, CONSENTS, SUPPRESSIONS, SENDS, LABELS, SCORES, DECISIONS,
    QUARANTINE,
)  # fmt: skip
