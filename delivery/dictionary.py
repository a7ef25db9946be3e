"""What every column of a file means, as Markdown for whoever loads it."""

from collections.abc import Sequence

from features.schemas import Column

READING = """\
One row for each customer and action. `actions.csv`, `actions.parquet` and `actions.xlsx` hold the
same rows and columns; Parquet keeps types and exact decimals. Schema version {version}: it changes
when a column does.

In CSV, text is UTF-8 with one header line. A blank cell means that there is no value.
Load ids as text: a spreadsheet that reads `00123` as a number loses the zeros.
Text that a spreadsheet would run as a formula has an apostrophe (') in front.
Money is decimal text in the company's currency. Dates are YYYY-MM-DD.
"""


def dictionary_text(
    columns: Sequence[Column], *, version: int, title: str = "Columns of the action files"
) -> str:
    """Markdown page with one table row a column, in the order of the files."""
    lines = [
        f"# {title}",
        "",
        READING.format(version=version),
        "| column | kind | may be blank | meaning |",
        "|---|---|---|---|",
        *(_line(column) for column in columns),
    ]
    return "\n".join(lines) + "\n"


def _line(column: Column) -> str:
    blank = "yes" if column.nullable else "no"
    # A bar in the text would end the table's cell.
    meaning = column.meaning.replace("|", r"\|")
    return f"| `{column.name}` | {column.kind} | {blank} | {meaning} |"
