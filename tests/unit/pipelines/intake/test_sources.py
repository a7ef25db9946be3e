"""Every kind of source gives the same events, row for row."""

import gzip
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from features.errors import InputMissingError
from pipelines.ingest import read_events

COLUMNS = ["customer_id", "event_id", "occurred_at", "event_type", "value"]
ROWS = [
    ("001", "a", "2024-01-05T12:00:00Z", "order_completed", "5.00"),
    ("NA", "b", "2024-01-05T12:00:00Z", "order_completed", "6.10"),
    ("null", "c", "2024-01-06T12:00:00Z", "page_viewed", None),
]
CSV = "\n".join([",".join(COLUMNS), *(",".join(v or "" for v in row) for row in ROWS)]) + "\n"
LINES = pl.DataFrame(ROWS, schema=COLUMNS, orient="row").write_ndjson()
TABLE = (
    "create table e (customer_id text, event_id text, occurred_at timestamptz, "
    "event_type text, value numeric(9, 2))"
)
EXPECTED = [("001", "a", 500), ("NA", "b", 610), ("null", "c", 0)]


@pytest.fixture
def events(ingested, make_source):
    """What a source gives: customer, id and cents."""

    def take(**settings):
        source = make_source(dict.fromkeys(COLUMNS), timezone="UTC", **settings)
        out, _ = ingested({}, {"shop": source})
        found = read_events(out).collect().sort("event_id")
        return found.select("customer_id", "event_id", "value_cents").rows()

    return take


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV.encode()),
        ("a.tsv", CSV.replace(",", "\t").encode()),
        ("a.txt", CSV.replace(",", "|").encode()),
        ("a.csv.gz", gzip.compress(CSV.encode())),
        ("a.csv.zst", pa.compress(CSV.encode(), "zstd", asbytes=True)),
        ("a.csv", CSV.replace(",", ";").encode("utf-16")),
        ("a.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("a.csv", CSV.replace("\n", "\r\n").encode()),
        ("a.jsonl", LINES.encode()),
        ("a.ndjson.gz", gzip.compress(LINES.encode())),
    ],
)
def test_text_of_any_dress_gives_the_same_events(events, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert events(path=name) == EXPECTED


def test_declared_encoding_is_used(events, tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV.replace("001", "Ærø").encode("cp1252"))
    assert events(path="a.csv", encoding="cp1252")[0][0] == "Ærø"


@pytest.mark.parametrize("path", ["days", "days/*.csv", "days/**/*.csv"])
def test_folder_or_pattern_is_all_its_files(events, tmp_path, path):
    (tmp_path / "days").mkdir()
    head, *lines = CSV.splitlines(keepends=True)
    for number, line in enumerate(lines):
        (tmp_path / "days" / f"{number}.csv").write_text(head + line)
    assert events(path=path) == EXPECTED


def test_parquet_and_excel(events, tmp_path):
    table = pl.DataFrame(ROWS, schema=COLUMNS, orient="row")
    table.write_parquet(tmp_path / "a.parquet")
    assert events(path="a.parquet") == EXPECTED
    table.write_excel(tmp_path / "a.xlsx")
    assert events(path="a.xlsx") == EXPECTED


def test_sqlite_relation_and_query(events, tmp_path):
    with sqlite3.connect(tmp_path / "shop.sqlite") as database:
        database.execute(
            'create table "the events" (customer_id, event_id, occurred_at, event_type, value)'
        )
        database.executemany('insert into "the events" values (?, ?, ?, ?, ?)', ROWS)
    database.close()
    assert events(path="shop.sqlite", relation="the events") == EXPECTED
    query = """select * from "the events" where event_id = 'b'"""
    assert events(path="shop.sqlite", query=query) == EXPECTED[1:2]


def test_name_of_a_relation_or_column_is_no_statement(events, tmp_path):
    name = 'e"; DROP TABLE kept; --'
    with sqlite3.connect(tmp_path / "shop.sqlite") as database:
        database.execute("create table kept (said)")
        database.execute(
            'create table "e""; DROP TABLE kept; --" (customer_id, event_id, occurred_at, '
            'event_type, value, "x""; DROP TABLE kept; --")'
        )
        rows = [(*row, "") for row in ROWS]
        database.executemany('insert into "e""; DROP TABLE kept; --" values (?,?,?,?,?,?)', rows)
    assert events(path="shop.sqlite", relation=name) == EXPECTED
    assert database.execute("select count(*) from kept").fetchone() == (0,)
    database.close()


def test_duckdb_reads_no_file_beside_its_own(events, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    duckdb.connect(str(tmp_path / "shop.duckdb")).close()
    with pytest.raises(InputMissingError, match="DuckDB does not give the rows"):
        events(path="shop.duckdb", query="select * from read_text('/etc/hostname')")


def test_duckdb_relation(events, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute(TABLE)
        database.executemany("insert into e values (?, ?, ?, ?, ?)", ROWS)
    assert events(path="shop.duckdb", relation="e") == EXPECTED


@pytest.fixture(scope="module")
def postgres():
    """A server of our own on a free port; its databases go with it."""
    pytest.importorskip("adbc_driver_postgresql")
    if not shutil.which("initdb"):
        pytest.skip("PostgreSQL's programs are not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = Path(tempfile.mkdtemp(prefix="kw-pg-"))
    run = (
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        if os.getuid() == 0
        else []
    )
    if run:
        shutil.chown(home, "nobody", "nogroup")
    (password := home / "password").write_text("from-the-environment")
    password.chmod(0o644)
    make = [
        *run,
        "initdb",
        "-D",
        home / "data",
        "-U",
        "kw",
        "-A",
        "scram-sha-256",
        f"--pwfile={password}",
        "--no-sync",
    ]
    subprocess.run(make, check=True, capture_output=True, cwd=home)
    serve = [
        *run,
        "postgres",
        "-D",
        home / "data",
        "-p",
        str(port),
        "-k",
        home,
        "-c",
        "fsync=off",
        "-h",
        "127.0.0.1",
    ]
    with subprocess.Popen(
        serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home
    ) as server:
        try:
            subprocess.run(
                [
                    "timeout",
                    "60",
                    "sh",
                    "-c",
                    f"until pg_isready -q -h 127.0.0.1 -p {port}; do sleep 0.1; done",
                ],
                check=True,
            )
            yield f"postgresql://kw@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait()
            shutil.rmtree(home, ignore_errors=True)


def test_postgresql_relation_with_the_password_from_the_environment(events, postgres, monkeypatch):
    from adbc_driver_postgresql import dbapi

    monkeypatch.setenv("PGPASSWORD", "from-the-environment")
    with dbapi.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        for row in ROWS:
            cells = ", ".join("null" if v is None else f"'{v}'" for v in row)
            cursor.execute(f"insert into e values ({cells})")
        connection.commit()
    assert events(path=postgres, relation="e") == EXPECTED
    assert events(path=postgres, query="select * from e where event_id = 'b'") == EXPECTED[1:2]
    monkeypatch.setenv("PGPASSWORD", "wrong-secret")
    with pytest.raises(InputMissingError, match="PostgreSQL does not give the rows") as caught:
        events(path=postgres, relation="e")
    assert "wrong-secret" not in str(caught.value)


@pytest.fixture
def bucket(monkeypatch):
    """An S3-compatible server on a free port, with one bucket."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-a-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.makedirs("shop", exist_ok=True)
    yield files
    running.stop()


@pytest.mark.parametrize("path", ["s3://shop/days/*.csv", "s3://shop/days", "s3://shop/days/1.csv"])
def test_objects_by_address(events, bucket, path):
    bucket.pipe_file("shop/days/1.csv", CSV.encode())
    assert events(path=path) == EXPECTED


def test_object_that_is_not_there_is_named(events, bucket):
    with pytest.raises(InputMissingError, match=r"s3://shop/absent\.csv"):
        events(path="s3://shop/absent.csv")
