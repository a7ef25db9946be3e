"""A new user's files, in an empty folder: what init takes them for."""

import json
import os
import pty
import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from features.errors import KeepwellError
from pipelines.cli import commands
from pipelines.project import Project

DAYS = [datetime.fromisoformat("2024-01-01 09:00") + timedelta(17 * k) for k in range(40)]
CUSTOMERS = ("001", "NA", "007")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def orders(
    time="%Y-%m-%d %H:%M", sep=",", head="Order No,Customer ID,Order Date,Amount", amount="5.00"
):
    """Forty orders of three customers."""
    rows = [
        sep.join((f"{100 + k}", CUSTOMERS[k % 3], day.strftime(time), amount))
        for k, day in enumerate(DAYS)
    ]
    return "\n".join((head, *rows)) + "\n"


def init(*words):
    done = CliRunner().invoke(commands, ["init", "--yes", *map(str, words)])
    if isinstance(done.exception, KeepwellError):
        raise done.exception
    assert done.exception is None, done.exception
    return done.output


def source_of(folder, name="orders"):
    return Project(folder).catalogue.sources.sources[name]


def ingested(folder):
    done = CliRunner().invoke(commands, ["ingest"], catch_exceptions=False)
    assert done.exit_code == 0
    events = pl.read_parquet(folder / "data" / "tables" / "events" / "*" / "*.parquet")
    return events, json.loads((folder / "data" / "tables" / "accounting.json").read_text())


def test_empty_folder_becomes_a_project_that_passes_check(folder):
    (folder / "orders.csv").write_text(orders())
    shown = init("--events", "orders.csv")
    assert re.search(r"customer_id +Customer ID", shown)
    assert shown.endswith("Next: keepwell run\n")
    assert CliRunner().invoke(commands, ["check"]).exit_code == 0
    assert Project(folder).params.run.as_of == DAYS[-1].date() + timedelta(days=1)


def test_ids_stay_text(folder):
    (folder / "orders.csv").write_text(orders())
    init("--events", "orders.csv")
    events, _ = ingested(folder)
    assert set(events["customer_id"]) == set(CUSTOMERS)


def test_every_decision_stands_in_the_catalogue_with_its_reason(folder):
    (folder / "orders.csv").write_text(orders())
    init("--events", "orders.csv")
    text = (folder / "catalogue" / "sources.yaml").read_text("utf-8")
    assert re.search(r"customer_id: \{column: Customer ID\}  # sure: by its name", text)
    assert yaml.safe_load(text)["sources"]["orders"]["columns"]["value"] == {"column": "Amount"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_german_export_with_semicolons_and_decimal_commas(folder, encoding):
    head = "Bestell-Nr.;KUNDENNUMMER; Bestelldatum ;Betrag €"
    text = orders(time="%d.%m.%Y %H:%M", sep=";", head=head, amount="1.234,50")
    (folder / "Bestellungen.csv").write_bytes(text.encode(encoding))
    shown = init("--events", "Bestellungen.csv")
    assert "day first" in shown
    source = source_of(folder, "bestellungen")
    assert (source.delimiter, source.decimal) == (";", ",")
    business = Project(folder).catalogue.sources.business
    assert (business.timezone, business.currency) == ("Europe/Berlin", "EUR")
    events, accounting = ingested(folder)
    assert accounting[0]["accepted"] == 40
    assert set(events["value_cents"]) == {123_450}
    assert events["on"].max() == DAYS[-1].date()


@pytest.mark.parametrize(("form", "says"), [("%d/%m/%Y", "day first"), ("%m/%d/%Y", "month first")])
def test_data_decide_between_day_and_month_and_init_says_so(folder, form, says):
    (folder / "orders.csv").write_text(orders(time=form))
    assert says in init("--events", "orders.csv")
    assert source_of(folder).columns["occurred_at"].format == form
    assert ingested(folder)[0]["on"].max() == DAYS[-1].date()


def test_dates_that_could_be_either_are_refused_without_a_terminal(folder):
    text = "customer,date,amount\n1,03/04/2024,5\n2,05/04/2024,6\n1,06/07/2024,7\n"
    (folder / "orders.csv").write_text(text)
    with pytest.raises(KeepwellError, match=r"day and month could be either.*--dates dmy"):
        init("--events", "orders.csv")
    init("--events", "orders.csv", "--dates", "mdy")
    assert Project(folder).params.run.as_of == date(2024, 6, 8)


@pytest.mark.parametrize(
    ("unit", "form"), [("s", "epoch_s"), ("ms", "epoch_ms"), ("us", "epoch_us")]
)
def test_counts_since_1970_are_told_apart_by_their_size(folder, unit, form):
    times = pl.Series(DAYS).dt.epoch(unit)
    rows = pl.DataFrame({"uid": [CUSTOMERS[k % 3] for k in range(40)], "ts": times, "revenue": 5})
    rows.write_csv(folder / "orders.csv")
    init("--events", "orders.csv")
    assert source_of(folder).columns["occurred_at"].format == form
    assert ingested(folder)[0]["occurred_at"].max().replace(tzinfo=None) == DAYS[-1]


def test_lines_with_quantity_and_price_add_up_and_marked_cancellations_are_refunds(folder):
    lines = ["InvoiceNo,CustomerID,InvoiceDate,Quantity,UnitPrice"]
    for k, day in enumerate(DAYS):
        lines += [f"{500 + k},{k % 3},{day},{q},2.50" for q in (1, 2)]
    lines += [f"C{900 + k},{k % 3},{day},-1,2.50" for k, day in enumerate(DAYS[:5])]
    (folder / "orders.csv").write_text("\n".join(lines))
    shown = init("--events", "orders.csv")
    assert re.search(r"InvoiceNo C\.\.\.: order_refunded", shown)
    events, _ = ingested(folder)
    assert sorted(set(events["value_cents"])) == [-250, 750]


def test_negative_quantities_without_an_order_number_are_returns(folder):
    lines = ["customer,date,qty,price"]
    lines += [f"{k % 3},{day},{-1 if k % 10 == 0 else 1},2.50" for k, day in enumerate(DAYS)]
    (folder / "orders.csv").write_text("\n".join(lines))
    init("--events", "orders.csv")
    events, _ = ingested(folder)
    assert events.filter(pl.col("event_type") == "order_refunded").height == 4


def test_total_that_stands_on_every_line_is_not_added_up(folder):
    lines = ["order_id,customer_id,order_date,order_total,quantity,unit_price"]
    for k, day in enumerate(DAYS):
        lines += [f"{k},{k % 3},{day},7.50,1,2.50", f"{k},{k % 3},{day},7.50,2,2.50"]
    (folder / "orders.csv").write_text("\n".join(lines))
    init("--events", "orders.csv")
    assert set(ingested(folder)[0]["value_cents"]) == {750}


def test_two_columns_that_tie_are_named_and_the_user_decides(folder):
    text = orders(head="Order No,customer_id,Order Date,Amount").replace("\n", ",x1\n")
    text = text.replace("Amount,x1", "Amount,client_id")
    (folder / "orders.csv").write_text(text)
    with pytest.raises(KeepwellError, match=r"several columns could be customer_id.*client_id"):
        init("--events", "orders.csv")
    init("--events", "orders.csv", "--column", "customer_id=client_id")
    assert source_of(folder).columns["customer_id"].column == "client_id"


def test_event_log_with_own_names_gets_them_into_the_taxonomy(folder):
    names = ["Order Completed", "Rückgabe", "showroom_visit", "ticket_created"]
    lines = ["user_id,timestamp,event,revenue"]
    lines += [
        f"{k % 3},{day},{names[k % 4]},{5 if k % 4 < 2 else ''}" for k, day in enumerate(DAYS)
    ]
    (folder / "log.csv").write_text("\n".join(lines), encoding="utf-8")
    for _ in range(2):  # a second init replaces what the first added
        init("--events", "log.csv")
    taxonomy = Project(folder).catalogue.taxonomy
    assert taxonomy.aliases["r_ckgabe"] == "order_refunded"
    assert taxonomy.events["showroom_visit"].role == "visit"
    assert taxonomy.events["ticket_created"].role == "service"
    events, _ = ingested(folder)
    assert events.height == 40


SEGMENT = {"messageId": "m{k}", "userId": "{c}", "timestamp": "{t}Z", "receivedAt": "{t}Z",
           "event": "Order Completed", "properties.revenue": "5.00"}  # fmt: skip
GA4 = {"event_name": "purchase", "event_timestamp": "{us}", "user_pseudo_id": "{c}",
       "ecommerce.purchase_revenue": "5.00", "user_id": ""}  # fmt: skip
SHOPIFY = {"Name": "#{k}", "Email": "{c}@example.org", "Created at": "{t} +0100", "Total": "",
           "Lineitem quantity": "2", "Lineitem price": "2.50", "Currency": "EUR"}  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "says", "customer"),
    [(SEGMENT, "Segment", "userId"), (GA4, "GA4", "user_pseudo_id"), (SHOPIFY, "Shopify", "Email")],
)
def test_well_known_exports_are_recognised(folder, columns, says, customer):
    rows = [
        [v.format(k=k, c=CUSTOMERS[k % 3], t=day, us=int(day.timestamp()) * 10**6)
         for v in columns.values()]
        for k, day in enumerate(DAYS)
    ]  # fmt: skip
    pl.DataFrame(rows, schema=list(columns), orient="row").write_csv(folder / "export.csv")
    assert says in init("--events", "export.csv")
    assert source_of(folder, "export").columns["customer_id"].column == customer
    events, _ = ingested(folder)
    assert set(events["value_cents"]) == {500}
    assert set(events["role"]) == {"value"}


def test_totals_of_the_export_are_refused_and_cannot_be_mapped(folder):
    rows = [f"{k},{day},{900 - k},{k}" for k, day in enumerate(DAYS)]
    (folder / "users.csv").write_text("\n".join(("Id,CreationDate,Reputation,UpVotes", *rows)))
    (folder / "orders.csv").write_text(orders())
    shown = init("--events", "orders.csv", "--events", "users.csv")
    assert re.search(r"refused +Reputation", shown)
    assert set(source_of(folder, "users").refused) == {"Reputation", "UpVotes"}
    catalogue = folder / "catalogue" / "sources.yaml"
    text = catalogue.read_text("utf-8").replace("{constant: signup}", "{column: Reputation}")
    catalogue.write_text(text)
    with pytest.raises(KeepwellError, match="reads a refused column: Reputation"):
        source_of(folder, "users")


def test_people_and_consents_become_sources_too(folder):
    (folder / "orders.csv").write_text(orders())
    people = "Customer ID,Created At,E-Mail,First Name,sms_opt_in,Accepts Email Marketing\n"
    people += "".join(f"{c},2023-05-01,{c}@example.org,A,yes,no\n" for c in CUSTOMERS)
    (folder / "people.csv").write_text(people)
    init("--events", "orders.csv", "--customers", "people.csv", "--consents", "people.csv")
    sources = Project(folder).catalogue.sources.sources
    assert sorted(s.table for s in sources.values()) == [
        "consents", "consents", "customers", "events", "identities",
    ]  # fmt: skip
    ingested(folder)
    consents = pl.read_parquet(folder / "data" / "tables" / "consents.parquet")
    said = dict(consents.group_by("channel").agg(pl.col("status").unique()).iter_rows())
    assert said == {"sms": ["granted"], "email": ["denied"]}


def test_files_that_count_from_the_same_numbers_get_ids_from_their_rows(folder):
    rows = [f"{k},{k % 3},{day}" for k, day in enumerate(DAYS)]
    for name in ("posts", "badges"):
        (folder / f"{name}.csv").write_text("\n".join(("Id,UserId,Date", *rows)))
    init("--events", "posts.csv", "--events", "badges.csv")
    events, _ = ingested(folder)
    assert dict(events["event_type"].value_counts().iter_rows()) == {
        "post_created": 40, "badge_earned": 40,
    }  # fmt: skip


BAD = {
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"customer,date\n", "no rows below the header"),
    "timeless.csv": (b"customer,amount\n1,5\n2,6\n", r"no column with times. Got customer, amount"),
    "nobody.csv": (b"date,amount\n2024-01-01,5\n", "no column with a customer"),
    "binary.csv": (b"PK\x03\x04\x00\x00", "Got a zip or Excel file"),
    "noise.csv": (b"a,b\n\x00\x01\x02", "Got binary data"),
    "narrow.csv": (b"customer\n1\n2\n", "only one column"),
    "headless.csv": (b"1,2024-01-01,5\n2,2024-01-02,6\n", "no header"),
    "currencies.csv": (
        b"customer,date,amount,currency\n1,2024-01-01,5,EUR\n2,2024-01-02,6,USD\n",
        "several currencies. Got EUR 1, USD 1",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_line(folder, name):
    content, says = BAD[name]
    (folder / name).write_bytes(content)
    with pytest.raises(KeepwellError, match=says) as raised:
        init("--events", name)
    assert "\n" not in str(raised.value)
    assert not (folder / "catalogue").exists()


def test_without_a_terminal_nothing_is_asked(folder):
    (folder / "orders.csv").write_text(orders())
    done = CliRunner().invoke(commands, ["init", "--events", "orders.csv"])
    assert "asks on a terminal only. Add --yes" in str(done.exception)


def test_earlier_sources_are_kept_beside_the_new_ones(folder):
    (folder / "orders.csv").write_text(orders())
    init("--events", "orders.csv")
    (folder / "catalogue" / "sources.yaml").write_text("mine")
    init("--events", "orders.csv")
    assert (folder / "catalogue" / "sources.yaml.bak").read_text() == "mine"


@pytest.mark.parametrize("width", [80, 120])
def test_what_is_shown_fits_the_terminal(folder, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    (folder / "orders.csv").write_text(orders())
    shown = init("--events", "orders.csv").partition("Written:")[0]
    assert max(map(len, shown.splitlines())) <= width
    assert "\x1b" not in shown


def test_enter_at_every_question_takes_the_proposal(folder):
    (folder / "orders.csv").write_text(orders())
    shown = typed(folder, b"\n" * 8)
    assert "Time zone, as in" in shown
    assert "Churned after how many days" in shown
    assert Project(folder).catalogue.sources.business.timezone == "UTC"


def test_answers_change_the_proposal_and_are_asked_again_where_they_cannot_be(folder):
    (folder / "orders.csv").write_text(orders())
    shown = typed(folder, b"Mars/Crater\nEurope/Rome\nchf\n45\nyes\n")
    assert "'Mars/Crater' is not possible" in shown
    project = Project(folder)
    assert project.catalogue.sources.business.timezone == "Europe/Rome"
    assert project.catalogue.sources.business.currency == "CHF"
    assert project.params.churn.horizon_days == 45


def typed(folder: Path, keys: bytes) -> str:
    """What a person sees who types these keys."""
    ours, theirs = pty.openpty()
    program = "from pipelines.cli import app; app()"
    words = [sys.executable, "-c", program, "init", "--events", "orders.csv"]
    with subprocess.Popen(words, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as run:
        os.close(theirs)
        os.write(ours, keys)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
        assert run.wait(60) == 0, shown.decode()
    os.close(ours)
    return shown.decode()
