"""A person is found in any database, whatever its tables and columns are called."""

import sqlite3
from contextlib import closing

import pytest

from pipelines.erasure.person import Person
from pipelines.erasure.search import cells_in_database

NAMES = ["plain", 'with "quotes"', "it's", 'x"; DROP TABLE kept; --', "x) OR 1=1 --", "Größe\n"]


@pytest.mark.parametrize("table", NAMES)
@pytest.mark.parametrize("column", NAMES)
def test_name_of_a_table_or_column_is_no_statement(tmp_path, table, column):
    path = tmp_path / "crm.sqlite"
    names = [name.replace('"', '""') for name in (table, column)]
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE kept (said TEXT)")
        base.execute('CREATE TABLE "{}" ("{}" TEXT)'.format(*names))
        base.execute(f'INSERT INTO "{names[0]}" VALUES (?)', ("to ada@example.com",))
    person = Person("c1", ("ada@example.com",), frozenset({"customer_id"}))
    assert list(cells_in_database(path, person)) == [("kept", "said", 0), (table, column, 1)]
