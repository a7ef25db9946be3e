"""Only what is new is read, and the tables are those that reading all at once would give."""

import os

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import DataError
from pipelines.ingest import read_events
from pipelines.intake import parts
from pipelines.intake.ledger import read_ledger
from pipelines.intake.parts import parts_of
from pipelines.intake.quarantine import read_quarantine

HEAD = "customer_id,event_id,occurred_at,event_type,value\n"
COLUMNS = dict.fromkeys(HEAD.strip().split(","))


def row(event, customer="1", day=5, value="1.00"):
    return f"{customer},{event},2024-01-{day:02d}T12:00:00Z,order_completed,{value}\n"


@pytest.fixture
def shop(ingested, make_source, tmp_path):
    """Files of the folder ``days`` -> tables and the account of the source."""
    (tmp_path / "days").mkdir()

    def take(files, **settings):
        source = make_source(COLUMNS, path="days", timezone="UTC", **settings)
        named = {f"days/{name}.csv": HEAD + "".join(rows) for name, rows in files.items()}
        changed = {n: c for n, c in named.items() if _text(tmp_path / n) != c}
        out, accounting = ingested(changed, {"shop": source})
        return out, accounting[0]

    return take


def _text(path):
    return path.read_text() if path.exists() else None


def ids(out):
    return read_events(out).collect()["event_id"].sort().to_list()


def test_same_file_again_is_not_read(shop):
    out, first = shop({"a": [row("x"), row("y")]})
    before = parts_of(out)
    _, again = shop({"a": [row("x"), row("y")]})
    assert (first["new_rows"], again["new_rows"], again["rows_in"]) == (2, 0, 2)
    assert parts_of(out) == before


def test_touched_file_of_the_same_content_is_not_read(shop, tmp_path):
    shop({"a": [row("x")]})
    os.utime(tmp_path / "days" / "a.csv", ns=(1, 1))
    assert shop({})[1]["new_rows"] == 0


def test_new_day_only_adds_parts(shop):
    out, _ = shop({"a": [row("x")]})
    before = set(parts_of(out))
    _, account = shop({"b": [row("y", day=6)]})
    assert before < set(parts_of(out))
    assert (account["new_rows"], account["rows_in"], account["files"]) == (1, 2, 2)
    assert ids(out) == ["x", "y"]


def test_new_day_reads_no_event_of_before(shop):
    out, _ = shop({"a": [row("x")]})
    for part in parts_of(out):
        part.write_bytes(b"not to be read")
    _, account = shop({"b": [row("y", customer="2", day=6)]})
    assert account["events"] == 2
    known = pl.read_parquet(out / "customers.parquet")["customer_id"]
    assert known.to_list() == ["1", "2"]


def test_changed_past_file_replaces_its_rows(shop):
    out, _ = shop({"a": [row("x"), row("y")], "b": [row("z")]})
    _, account = shop({"a": [row("x", value="9.00"), row("w")]})
    assert ids(out) == ["w", "x", "z"]
    assert account["rows_in"] == 3
    assert read_events(out).select(pl.col("value_cents").sum()).collect().item() == 1100


def test_event_of_a_later_file_that_differs_takes_the_earlier_one_with_it(shop):
    out, _ = shop({"a": [row("x"), row("y")]})
    _, account = shop({"b": [row("x", value="2.00"), row("z")]})
    assert ids(out) == ["y", "z"]
    assert account["reasons"] == {"conflicting_duplicate": 2}
    assert read_quarantine(out).select("file", "row_number").rows() == [
        ("days/a.csv", 1), ("days/b.csv", 1)
    ]  # fmt: skip


def test_event_that_lost_its_contradiction_comes_back(shop):
    any_share = {"contract": {"max_quarantined_rate": 1}}
    out, _ = shop({"a": [row("x")], "b": [row("x", value="2.00"), row("z")]}, **any_share)
    shop({"b": [row("z")]}, **any_share)
    assert ids(out) == ["x", "z"]


def test_duplicate_takes_the_place_of_a_row_that_went(shop):
    out, _ = shop({"a": [row("x"), row("y")], "b": [row("x"), row("z")]})
    shop({"a": [row("y")]})
    assert ids(out) == ["x", "y", "z"]


def test_lines_of_one_order_in_two_files_add_up(shop):
    out, _ = shop({"a": [row("x", value="5.00"), row("y")]}, lines_of_order=True)
    _, account = shop({"b": [row("x", value="3.00")]}, lines_of_order=True)
    worth = read_events(out).select("event_id", "value_cents").sort("event_id").collect()
    assert worth.rows() == [("x", 800), ("y", 100)]
    assert (account["accepted"], account["events"]) == (3, 2)


def test_file_that_left_the_folder_keeps_its_rows(shop, tmp_path):
    out, _ = shop({"a": [row("x")], "b": [row("y")]})
    (tmp_path / "days" / "a.csv").unlink()
    shop({"c": [row("z")]})
    assert ids(out) == ["x", "y", "z"]
    assert [entry.gone for entry in read_ledger(out).entries] == [True, False, False]


def test_mapping_that_changed_is_refused_where_a_file_is_gone(shop, tmp_path):
    shop({"a": [row("x")], "b": [row("y")]})
    (tmp_path / "days" / "a.csv").unlink()
    with pytest.raises(DataError, match=r"the mapping changed, and days/a.csv cannot be read"):
        shop({}, lines_of_order=True)


def test_file_of_a_header_alone_adds_nothing(shop):
    out, _ = shop({"a": [row("x")], "b": []})
    assert ids(out) == ["x"]


def test_run_that_was_cut_off_is_finished_by_the_next(shop, monkeypatch):
    out, _ = shop({"a": [row("x")]})
    real = parts._take_place
    monkeypatch.setattr(parts, "_take_place", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr("pipelines.ingest.shutil.rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        shop({"b": [row("y")]})
    with pytest.raises(DataError, match="an ingest was cut off half way"):
        read_events(out)
    monkeypatch.undo()
    assert parts._take_place is real
    shop({})
    assert ids(out) == ["x", "y"]


def test_small_parts_are_joined_when_many_have_gathered(shop, monkeypatch):
    monkeypatch.setattr(parts, "MOST_PARTS", 3)
    for day in range(1, 7):
        out, _ = shop({str(day): [row(f"e{day}", day=day)]})
    assert len(parts_of(out)) <= 3
    assert ids(out) == [f"e{day}" for day in range(1, 7)]


def test_buckets_grow_with_the_data(ingested, make_source):
    source = make_source(COLUMNS, path="a.csv", timezone="UTC")
    few = HEAD + row("x")
    many = HEAD + "".join(row(f"e{k}", customer=str(k)) for k in range(60))
    ingested({"a.csv": few}, {"shop": source}, rows_per_bucket=10)
    out, _ = ingested({"a.csv": many}, {"shop": source}, rows_per_bucket=10)
    assert len({part.parent for part in parts_of(out)}) == 6
    assert len(ids(out)) == 60


NIGHTS = st.lists(
    st.lists(
        st.tuples(st.sampled_from("xyz"), st.sampled_from("12"), st.sampled_from(["1.00", "2.00"])),
        max_size=4,
    ),
    min_size=2,
    max_size=4,
)


@settings(
    deadline=None, max_examples=12, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(nights=NIGHTS, lines=st.booleans())
def test_night_by_night_is_all_at_once(nights, lines, tmp_path_factory, make_source, one_ingest):
    files = {
        str(k): [row(event, customer=who, value=v) for event, who, v in night]
        for k, night in enumerate(nights)
    }
    files["0"] = [row("first"), *files["0"]]
    folder = tmp_path_factory.mktemp("nights")
    source = make_source(
        COLUMNS, path="days/*.csv", timezone="UTC", lines_of_order=lines,
        contract={"max_quarantined_rate": 1},
    )  # fmt: skip
    whole = one_ingest(folder / "whole", source, [files])
    steps = one_ingest(folder / "steps", source, [{name: rows} for name, rows in files.items()])
    assert whole == steps


@pytest.fixture
def one_ingest(taxonomy, make_catalogue):
    from pipelines.ingest import ingest

    def run(root, source, nights):
        (root / "days").mkdir(parents=True)
        for night in nights:
            for name, rows in night.items():
                (root / "days" / f"{name}.csv").write_text(HEAD + "".join(rows))
            account = ingest(root, root / "tables", make_catalogue(source), taxonomy, 1000)
        events = read_events(root / "tables").collect()
        counts = {k: account[0][k] for k in ("rows_in", "accepted", "duplicates", "reasons")}
        return events.sort("event_id").rows(), counts

    return run
