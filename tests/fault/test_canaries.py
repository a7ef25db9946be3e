"""Names, addresses and secrets are in no message, log, store or report, whatever goes wrong."""

import json
import os
import re
import shutil
import sqlite3
import sys
import traceback
from contextlib import closing

import polars as pl
import pytest

from pipelines import cli
from pipelines.settings import with_values

AS_OF = "2026-01-01"
LATER = "2026-01-02"
CANARY = "canary"  # in every name, address and secret that is planted
CLOSED = "127.0.0.1:9"  # nobody listens at the port for discarding
# Where the company's own people and addresses may stand: its exports, our tables of them with the
# rows that were rejected, and the files that are made for sending.
MAY = ("raw/", "state/tables/", "outbox/", "catalogue/", "params.yaml")
NEVER = ("report.html", "manifest.json", "decisions.parquet", "dictionary.md", "mlflow.db")
SECRETS = {
    "PGPASSWORD": "canary-of-the-database",
    "AWS_ACCESS_KEY_ID": "canary-key",
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-bucket",
    "AWS_ENDPOINT_URL": f"http://{CLOSED}",
    "AWS_MAX_ATTEMPTS": "1",
    "MLFLOW_TRACKING_TOKEN": "canary-of-mlflow",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "KEEPWELL_WEBHOOK_URL": f"http://{CLOSED}/hook?token=canary-of-the-webhook",
}


def put(path, old, new):
    text = path.read_text("utf-8")
    changed = re.sub(old, new, text, count=1, flags=re.MULTILINE)
    assert changed != text
    path.write_text(changed, "utf-8")


def keepwell(monkeypatch, *words):
    """Run a command in this process, as the shell would see it; its exit code."""
    monkeypatch.setattr(sys, "argv", ["keepwell", *map(str, words)])
    mask = os.umask(0)
    try:
        cli.app()
    except SystemExit as ended:
        return ended.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        os.umask(mask)
    return 0


@pytest.fixture(scope="module")
def planted(delivered_before, tmp_path_factory):
    """A company whose people are all canaries, and which has delivered to them."""
    root = tmp_path_factory.mktemp("planted") / "shop"
    shutil.copytree(delivered_before, root, symlinks=True)
    shutil.rmtree(root / "truth")  # of the simulation alone
    file = root / "raw" / "contacts.csv"
    number = pl.int_range(pl.len()).cast(pl.String)
    people = pl.read_csv(file, infer_schema=False).with_columns(
        email=pl.concat_str(pl.lit("canary."), number, pl.lit("@example.com")),
        first_name=pl.concat_str(pl.lit("Canary"), number),
        last_name=pl.lit("O'Canary"),
    )
    people.write_csv(file)
    text = (root / "params.yaml").read_text("utf-8")
    text = with_values(text, {"deliver.platforms": ["mailchimp"]})
    (root / "params.yaml").write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patched:
        done = keepwell(patched, "run", "--project", root, "--as-of", AS_OF, "--train", "never")
    assert done == 0
    assert CANARY in (root / "outbox" / "latest" / "mailchimp.csv").read_text("utf-8")
    return root


@pytest.fixture
def shop(planted, tmp_path, monkeypatch):
    """A copy to be spoiled, with a canary in every variable of the environment that is secret."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return shutil.copytree(planted, tmp_path / "shop", symlinks=True)


def source(root, **changed):
    """Put another form of the source of addresses into the catalogue."""
    lines = "".join(f"    {name}: {json.dumps(value)}\n" for name, value in changed.items())
    put(root / "catalogue" / "sources.yaml", r"    path: raw/contacts\.csv\n", lines)


def contacts(root):
    return (root / "raw" / "contacts.csv").read_text("utf-8")


def ragged_rows(root):
    text = contacts(root).replace("@example.com", "@example.com,canary-too-much")
    (root / "raw" / "contacts.csv").write_text(text, "utf-8")


def wrong_encoding(root):
    (root / "raw" / "contacts.csv").write_bytes(contacts(root).encode() + b"1,canary\xff@x.y\n")


def open_quote(root):
    (root / "raw" / "contacts.csv").write_text(contacts(root) + '9,"canary@x.y,,,,\n', "utf-8")


def person_twice(root):
    again = contacts(root).splitlines()[1].replace("@example.com", "@canary.example")
    (root / "raw" / "contacts.csv").write_text(f"{contacts(root)}{again}\n", "utf-8")


def missing_column(root):
    put(root / "raw" / "contacts.csv", "email", "mail")


def broken_contract(root):
    contract = {"columns": {"email": "integer", "first_name": "date"}}
    source(root, path="raw/contacts.csv", contract=contract)


def no_good_row(root):
    put(root / "catalogue" / "sources.yaml", "customer_id: {column: customer_id}\n      occurred",
        "customer_id: {column: channel}\n      occurred")  # fmt: skip
    put(root / "catalogue" / "sources.yaml", "occurred_at: {column: occurred_at}",
        "occurred_at: {column: campaign}")  # fmt: skip


def text_that_sqlite_cannot_read(root):
    with closing(sqlite3.connect(root / "raw" / "crm.sqlite")) as base, base:
        base.execute("create table people (customer_id, email, phone, first_name, last_name,"
                     " country)")  # fmt: skip
        base.execute("insert into people values ('1', cast(x'63616e617279ff' as text), '', '',"
                     " '', '')")  # fmt: skip
    source(root, path="raw/crm.sqlite", relation="people")


def value_that_duckdb_cannot_cast(root):
    import duckdb

    with duckdb.connect(str(root / "raw" / "crm.duckdb")) as base:
        base.execute("create table people as select 'canary@example.com' as email")
    source(root, path="raw/crm.duckdb", query="select email::integer as email from people")


def database_that_is_closed(root):
    source(root, path=f"postgresql://keepwell@{CLOSED}/crm", relation="people")


def password_in_an_address(root):
    source(root, path=f"postgresql://keepwell:canary@{CLOSED}/crm", relation="people")


def bucket_that_is_closed(root):
    source(root, path="s3://crm/people.csv")


def server_that_is_closed(root):
    put(root / "params.yaml", "uri: sqlite:///mlflow.db", f"uri: http://{CLOSED}")


def password_of_the_server(root):
    put(root / "params.yaml", "uri: sqlite:///mlflow.db", f"uri: http://me:canary@{CLOSED}")


def password_of_the_store(root):
    store = f"uri: postgresql+psycopg2://me:canary@{CLOSED}/mlflow"
    put(root / "params.yaml", "uri: sqlite:///mlflow.db", store)


def broken_store(root):
    (root / "mlflow.db").write_bytes(b"canary" * 1000)


def alarm(root):
    """All purchases of the last week are gone, and somebody wants to be told."""
    rows = pl.read_csv(root / "raw" / "events.csv", infer_schema=False)
    rows.filter(pl.col("occurred_at") < "2025-12-27").write_csv(root / "raw" / "events.csv")
    put(root / "params.yaml", "min_events: 100", "min_events: 1")


def refused_alarm(root):
    alarm(root)
    put(root / "params.yaml", "on_error: deliver", "on_error: refuse")


def old_suppressions(root):
    listed = "kind,identifier,channel,listed_on\nemail,canary.1@example.com,email,2025-01-01\n"
    (root / "raw" / "stop.csv").write_text(listed)
    columns = "".join(f"      {name}: {{column: {name}}}\n"
                      for name in ("kind", "identifier", "channel", "listed_on"))  # fmt: skip
    file = root / "catalogue" / "sources.yaml"
    file.write_text(f"{file.read_text()}  stop:\n    table: suppressions\n    path: raw/stop.csv\n"
                    f"    columns:\n{columns}")  # fmt: skip


def nothing(_):
    pass


RUN = ("run", "--as-of", LATER, "--train", "never")
FAILURES = {
    "ragged rows": (ragged_rows, RUN),
    "wrong encoding": (wrong_encoding, RUN),
    "open quote": (open_quote, RUN),
    "person twice": (person_twice, RUN),
    "missing column": (missing_column, RUN),
    "broken contract": (broken_contract, RUN),
    "no good row": (no_good_row, RUN),
    "text that SQLite cannot read": (text_that_sqlite_cannot_read, RUN),
    "value that DuckDB cannot cast": (value_that_duckdb_cannot_cast, RUN),
    "closed database": (database_that_is_closed, RUN),
    "password in an address": (password_in_an_address, RUN),
    "closed bucket": (bucket_that_is_closed, RUN),
    "closed tracking server": (server_that_is_closed, RUN),
    "password of the tracking server": (password_of_the_server, RUN),
    "password of the store": (password_of_the_store, RUN),
    "broken store": (broken_store, RUN),
    "alarm": (alarm, RUN),
    "alarm that refuses": (refused_alarm, RUN),
    "old suppressions": (old_suppressions, RUN),
    "as JSON": (ragged_rows, (*RUN, "--log", "json")),
    "nobody to explain": (nothing, ("explain", "canary.1@example.com")),
    "nobody to forget": (nothing, ("forget", "canary.1@nowhere.example")),
    "list of runs": (nothing, ("runs", "--json")),
    "doctor": (broken_store, ("doctor",)),
    "findings": (nothing, ("monitor", "--json")),
    "check of the configuration": (password_in_an_address, ("check",)),
    "file for another platform": (
        nothing,
        ("check-export", "outbox/latest/mailchimp.csv", "--platform", "meta"),
    ),
    "first look at a file": (ragged_rows, ("init", "--yes", "--events", "raw/contacts.csv")),
}


def content(path):
    """What a file says, as text; tables by their cells."""
    if path.suffix == ".parquet":
        return pl.read_parquet(path).select(pl.col(pl.String)).write_csv()
    return path.read_bytes().decode("utf-8", "replace")


def holding(root, word, spared=MAY):
    files = [p for p in root.rglob("*") if p.is_file() and not p.is_symlink()]
    named = {str(p.relative_to(root)): p for p in files}
    return sorted(
        name
        for name, path in named.items()
        if (not name.startswith(spared) or path.name in NEVER) and word in content(path).casefold()
    )


@pytest.mark.parametrize("failure", FAILURES)
def test_no_canary_is_said_or_kept(failure, shop, monkeypatch, capfd):
    spoil, words = FAILURES[failure]
    spoil(shop)
    monkeypatch.chdir(shop)
    planted_there = ["mlflow.db"] if spoil is broken_store else []
    keepwell(monkeypatch, *words)
    said = capfd.readouterr()
    assert CANARY not in (said.out + said.err).replace(str(shop), "").casefold()
    assert "Traceback" not in said.err
    assert holding(shop, CANARY) == planted_there


def test_only_the_owner_may_read_what_a_run_writes_whatever_the_umask(shop, monkeypatch):
    made = [shop / name for name in ("state", "outbox")]
    for folder in made:
        shutil.rmtree(folder)
    assert keepwell(monkeypatch, "run", "--project", shop, *RUN[1:]) == 0
    paths = [path for folder in made for path in (folder, *folder.rglob("*"))]
    open_to_others = [p for p in paths if not p.is_symlink() and p.stat().st_mode & 0o077]
    assert open_to_others == []


def test_person_who_is_forgotten_is_nowhere(shop, monkeypatch):
    person = pl.read_csv(shop / "raw" / "contacts.csv", infer_schema=False).row(3, named=True)
    monkeypatch.chdir(shop)
    assert holding(shop, person["email"], spared=()) != []
    assert keepwell(monkeypatch, "forget", person["customer_id"]) == 0
    assert holding(shop, person["email"], spared=()) == []
    assert holding(shop, person["first_name"].casefold() + ",", spared=()) == []
