"""The features step: state night by night, and runs that are killed; the bytes are always those
of a run from scratch.
"""

import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.params import FeatureParams
from features.schemas import CONSENTS, CUSTOMERS, EVENTS
from features.time import day_number
from pipelines import features
from pipelines.config import read_catalogue, read_params
from pipelines.features import build_features, read_snapshot
from pipelines.progress import followed
from pipelines.tables import polars_schema, write

ROOT = Path(__file__).parents[3]
AS_OF = date(2026, 11, 1)
DATES = [AS_OF - timedelta(days=40), AS_OF]
CUSTOMER_COUNT, BUCKETS = 40, 2
KINDS = (
    ("order_completed", "value", "transactional", "web"),
    ("page_view", "visit", None, "web"),
    ("email_sent", "exposure", None, "email"),
    ("ticket_opened", "service", None, None),
)


def log(seed: int, count: int) -> pl.DataFrame:
    """Events of 1,200 days; every fifth was loaded up to 90 days late."""
    draw = np.random.default_rng(seed)
    ago = draw.integers(1, 1200, count)
    late = np.minimum(ago - 1, np.where(draw.random(count) < 0.2, draw.integers(0, 90, count), 0))
    day = day_number(AS_OF) - ago
    kinds = [KINDS[k] for k in draw.integers(0, len(KINDS), count)]
    on = pl.Series(day).cast(pl.Int32).cast(pl.Date)
    rows = {
        "event_id": [f"{seed}-{n}" for n in range(count)],
        "customer_id": [f"c{n:02d}" for n in draw.integers(0, CUSTOMER_COUNT, count)],
        "occurred_at": on.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        "loaded_at": None,
        "on": on,
        "day": day,
        "visible_day": day + late,
        "event_type": [kind[0] for kind in kinds],
        "role": [kind[1] for kind in kinds],
        "engagement_type": [kind[2] for kind in kinds],
        "channel": [kind[3] for kind in kinds],
        "value_cents": draw.integers(-500, 9000, count),
        "campaign": None,
        "hour": draw.integers(0, 24, count),
        "discount_cents": draw.integers(0, 300, count),
    }
    return pl.DataFrame(rows, schema=polars_schema(EVENTS))


def shipped_rules():
    """Few windows, so that a run takes no second; and the rules that they are enough for."""
    catalogue = read_catalogue(ROOT / "catalogue")
    shipped = read_params(ROOT / "params.yaml").features.model_dump()
    fewer = {"half_lives_days": [45], "history_days": 365}
    return catalogue.definitions(FeatureParams.model_validate(shipped | fewer)), catalogue.standing


@pytest.fixture(scope="module")
def rules():
    return shipped_rules()


class Company:
    """Tables in a folder, to which parts are added, and what is made of them."""

    def __init__(self, folder: Path, rules) -> None:
        self.folder, self.rules = folder, rules
        self.tables, self.daily, self.out = (folder / n for n in ("tables", "daily", "features"))
        people = {"customer_id": [f"c{n:02d}" for n in range(CUSTOMER_COUNT + 2)]}
        known = pl.lit(AS_OF - timedelta(days=1300)).alias("known_since")
        write(
            pl.DataFrame(people).with_columns(known), self.tables / "customers.parquet", CUSTOMERS
        )
        empty = pl.DataFrame(schema=polars_schema(CONSENTS))
        write(empty, self.tables / "consents.parquet", CONSENTS)

    def add(self, name: str, rows: pl.DataFrame) -> None:
        """One part in each bucket."""
        of = rows["customer_id"].str.slice(1).cast(pl.Int64) % BUCKETS
        for number in range(BUCKETS):
            place = self.tables / "events" / f"bucket-{number:04d}"
            place.mkdir(parents=True, exist_ok=True)
            rows.filter(of == number).write_parquet(place / f"{name}.parquet")

    def build(self, dates: list[date] = DATES) -> dict[str, bytes]:
        """The bytes of every snapshot file."""
        build_features(self.tables, self.daily, self.out, dates, *self.rules, AS_OF)
        return self.files()

    def files(self) -> dict[str, bytes]:
        found = sorted(self.out.rglob("*.parquet"))
        return {str(path.relative_to(self.out)): path.read_bytes() for path in found}


@pytest.fixture
def company(tmp_path, rules):
    """Build a company in a folder of the test."""
    return lambda name: Company(tmp_path / name, rules)


@pytest.fixture
def parts():
    """A history, and three nights: of old and new events, of late ones, of a single one."""
    return {"history": log(0, 1500), "first": log(1, 60), "second": log(2, 25), "third": log(3, 1)}


def test_state_renewed_night_by_night_gives_the_bytes_of_one_made_at_once(company, parts):
    nightly, whole = company("nightly"), company("whole")
    for name, rows in parts.items():
        nightly.add(name, rows)
        made = nightly.build()
        whole.add(name, rows)
    assert made == whole.build()
    assert read_snapshot(whole.out, AS_OF)["value_events"].sum() > 100


def test_night_after_a_fold_of_the_past_gives_the_same_bytes(company, parts):
    nightly, whole = company("nightly"), company("whole")
    for name, rows in parts.items():
        nightly.add(name, rows)
        made = nightly.build([AS_OF])
        whole.add(name, rows)
    assert any(nightly.daily.glob("bucket-*/past-*.parquet"))
    assert made == whole.build([AS_OF])


def test_new_event_writes_its_own_period_anew_and_no_other(company, parts):
    shop = company("shop")
    shop.add("history", parts["history"])
    shop.build()
    before = {path.name for path in shop.daily.glob("bucket-0001/days-*")}
    late = parts["third"].with_columns(customer_id=pl.lit("c01"))
    shop.add("late", late)
    shop.build()
    after = {path.name for path in shop.daily.glob("bucket-0001/days-*")}
    (period,) = (late["day"] // 60).to_list()
    assert {name[:10] for name in after - before} == {f"days-{period:05d}"}
    assert len(after) == len(before)


def test_part_that_is_gone_takes_its_events_with_it(company, parts):
    shop, fresh = company("shop"), company("fresh")
    for name in ("history", "first"):
        shop.add(name, parts[name])
    shop.build()
    for path in shop.tables.rglob("first.parquet"):
        path.unlink()
    fresh.add("history", parts["history"])
    assert shop.build() == fresh.build()


def test_same_run_again_writes_no_file(company, parts):
    shop = company("shop")
    shop.add("history", parts["history"])
    shop.build()
    before = {path: path.stat().st_mtime_ns for path in shop.daily.rglob("*.parquet")}
    before |= {path: path.stat().st_mtime_ns for path in shop.out.rglob("customers-*.parquet")}
    shop.build()
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_other_software_makes_the_snapshots_of_the_same_events_anew(company, parts, monkeypatch):
    shop = company("shop")
    shop.add("history", parts["history"])
    made = shop.build()
    before = {path: path.stat().st_mtime_ns for path in shop.out.rglob("customers-*.parquet")}
    monkeypatch.setattr(features, "sources", lambda _: ["of the next release"])
    assert shop.build() == made
    assert [path for path, written in before.items() if path.stat().st_mtime_ns == written] == []


KILLED = """
import os, runpy, signal, sys
from pathlib import Path

given = runpy.run_path(sys.argv[1])
writes, real = int(sys.argv[3]), os.fsync

def counted(number):
    global writes
    writes -= 1
    if writes < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(number)

os.fsync = counted
shop = given["Company"](Path(sys.argv[2]), given["shipped_rules"]())
shop.build()
"""


@pytest.mark.parametrize("writes", [30, 57])
def test_run_that_is_killed_goes_on_where_it_was_and_ends_the_same(company, parts, writes):
    killed, whole = company("killed"), company("whole")
    for one in (killed, whole):
        one.add("history", parts["history"])
    command = [sys.executable, "-c", KILLED, __file__, str(killed.folder), str(writes)]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert ended.returncode == -signal.SIGKILL
    done = [*killed.daily.glob("bucket-*/days-*"), *killed.out.rglob("customers-*.parquet")]
    if writes > 50:
        assert any(path.name.startswith("customers") for path in done)
    named = {path: path.stat().st_mtime_ns for path in done if _counts(path)}
    assert named
    assert killed.build() == whole.build()
    assert named == {path: path.stat().st_mtime_ns for path in named}
    assert not list(killed.folder.rglob(".*.parquet.*"))


def _counts(path: Path) -> bool:
    """Whether a file is whole and known: a state's files count when its manifest names them."""
    manifest = path.parent / "manifest.json"
    return path.name.startswith("customers") or (
        manifest.exists() and path.name in manifest.read_text()
    )


def test_progress_is_told_by_bucket(capsys):
    for _ in followed(range(20), "features"):
        pass
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "features: 4 of 20"
    assert told[-1] == "features: 20 of 20"
