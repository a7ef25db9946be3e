"""A company of six customers, decided on by rules alone, with the shipped stages and levels."""

import shutil
from datetime import date

import pytest

from pipelines.project import Project
from pipelines.run import run
from pipelines.settings import with_values

EVENTS = """\
customer_id,event_id,occurred_at,event_type,value
001,e01,2025-01-10T10:00:00Z,order_completed,40.00
001,e02,2025-03-10T10:00:00Z,order_completed,60.00
001,e03,2025-05-10T10:00:00Z,order_completed,50.00
001,e04,2025-07-10T10:00:00Z,order_completed,50.00
001,e05,2025-11-20T10:00:00Z,page_view,
002,e06,2025-11-25T10:00:00Z,order_completed,25.00
003,e07,2025-06-01T10:00:00Z,order_completed,30.00
003,e08,2025-10-01T10:00:00Z,order_completed,35.00
003,e09,2025-10-05T10:00:00Z,order_refunded,5.00
004,e10,2025-11-28T10:00:00Z,product_added,
005,e11,2025-11-30T10:00:00Z,page_view,
NA,e12,2025-10-15T10:00:00Z,order_completed,80.00
"""
CONTACTS = """\
customer_id,email,phone,first_name
001,ada@example.org,+441632960001,Ada
003,"=HYPERLINK(""http://example.org"")",,"Böse, ""B"" "
NA,noor@example.org,,Noor
"""
CONSENTS = """\
customer_id,channel,purpose,status,basis,since
001,email,marketing,granted,opt_in,2025-01-01
003,email,marketing,granted,opt_in,2025-01-01
005,any,profiling,denied,none,2025-01-01
NA,email,marketing,granted,opt_in,2025-01-01
"""
SOURCES = """\
business: {name: Golden, timezone: UTC, currency: EUR}
sources:
  shop:
    table: events
    path: events.csv
    columns:
      customer_id: {column: customer_id}
      event_id: {column: event_id}
      occurred_at: {column: occurred_at}
      event_type: {column: event_type}
      value: {column: value}
  contacts:
    table: identities
    path: contacts.csv
    columns:
      customer_id: {column: customer_id}
      email: {column: email}
      phone: {column: phone}
      first_name: {column: first_name}
  allowed:
    table: consents
    path: consents.csv
    columns:
      customer_id: {column: customer_id}
      channel: {column: channel}
      purpose: {column: purpose}
      status: {column: status}
      basis: {column: basis}
      since: {column: since}
"""
ACTIONS = """\
channels:
  email: {consent: true, cap: {count: 2, days: 7}}
  web: {consent: false}
all_channels: {count: 4, days: 30}
actions:
  - id: come_back
    name: Come back
    tactic: targeted_email
    goal: retain
    stages: [retention, engagement]
    levels: [awareness, interest, engagement, loyalty, advocacy]
    activities: [new, active, at_risk, lapsed, won_back]
    channels: {email: 1}
    incentive_cents: 100
    take_up: 0.1
    cooldown_days: 30
    capacity: null
    expires_days: 14
    effect: {points: 5, sd: 2, source: assumption}
    brief: "Say what is new; no discount."
  - id: welcome
    name: Welcome
    tactic: content_marketing
    goal: next_value
    stages: [acquisition, engagement]
    levels: [awareness, interest, engagement, loyalty, advocacy]
    activities: [new, active, at_risk, lapsed, won_back]
    channels: {web: 0}
    cooldown_days: 30
    capacity: 1
    expires_days: 7
    effect: {points: 3, sd: 2, source: assumption}
    brief: "Show how others use it."
"""
SETTINGS = {
    "recommend.random_share": 0.0,
    "churn.horizon_days": 30,
    "churn.lookback_days": 180,
    "recommend.budget_cents": 1000,
    "recommend.holdout_share": 0.0,
    "recommend.margin_rate": 0.5,
    "recommend.kept_value_days": 365,
}


@pytest.fixture(scope="session")
def delivered(tmp_path_factory, request):
    """The folder that a run of the six customers delivers."""
    root = tmp_path_factory.mktemp("golden")
    shutil.copytree(request.config.rootpath / "catalogue", root / "catalogue")
    files = {
        "events.csv": EVENTS,
        "contacts.csv": CONTACTS,
        "consents.csv": CONSENTS,
        "catalogue/sources.yaml": SOURCES,
        "catalogue/actions.yaml": ACTIONS,
    }
    for name, content in files.items():
        (root / name).write_text(content, encoding="utf-8")
    text = (request.config.rootpath / "params.yaml").read_text("utf-8")
    (root / "params.yaml").write_text(with_values(text, SETTINGS), encoding="utf-8")
    run(Project(root), date(2025, 12, 1), training="never", say=lambda _: None)
    return root / "outbox" / "latest"
