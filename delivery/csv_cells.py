"""Text that is safe in a CSV cell: no spreadsheet runs it and no importer trips over it.

A cell that a spreadsheet would run as a formula is made text by a leading apostrophe
(OWASP, CSV injection, owasp.org/www-community/attacks/CSV_Injection).
"""

import polars as pl
import polars.selectors as cs

from delivery.identifiers import E164

# Signs that are not seen do not hide a formula, and the full-width forms are included because some
# spreadsheets fold them to the plain ones. Apostrophes in front count too, so that taking one away
# from a cell that this matches gives the text back.
FORMULA = (
    r"^'*[\s\x{ad}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}]*"
    r"[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
)
BREAKS = r"[\t\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]+"
CONTROLS = r"[\x00-\x1f\x7f-\x{9f}\x{fffe}\x{ffff}]"
SEPARATORS = r"[,;\"]+"
DECIMAL = r"^-?\d+\.\d{2}$"
MARGINS = ("margin_90d", "margin_90d_low", "margin_90d_high")
MONEY = (*MARGINS, "expected_net_value", "net_value_low", "net_value_high", "cost")


def csv_text(rows: pl.DataFrame) -> str:
    r"""Table as CSV text that no spreadsheet runs: same rows, same bytes.

    UTF-8, a header, ``\n`` at the end of each line, quotes only where needed (RFC 4180), null
    and empty text both blank. Line breaks and tabs within a cell become one space, other
    control characters go. Text that starts like a formula gets an apostrophe in front, except
    E.164 numbers in the column ``phone`` and plain decimals in the columns of money. To read a
    text back, take one apostrophe from a cell that `FORMULA` matches.
    """
    texts = rows.select(cs.string()).columns
    return rows.with_columns(_safe(name) for name in texts).write_csv(
        line_terminator="\n",
        quote_style="necessary",
        null_value="",
        date_format="%Y-%m-%d",
        float_scientific=False,
    )


def clean_text(column: str) -> pl.Expr:
    """Text on one line: breaks and tabs become one space, other control characters go."""
    clean = pl.col(column).str.strip_chars("\t\n\r\x0b\x0c\x00").str.replace_all(BREAKS, " ")
    return clean.str.replace_all(CONTROLS, "")


def bare_text(column: str) -> pl.Expr:
    """As `clean_text`, safe from formulas and without the signs that separate cells."""
    clean = clean_text(column).str.replace_all(SEPARATORS, " ").str.replace_all(r"\s+", " ")
    clean = clean.str.strip_chars()
    safe = pl.when(clean.str.contains(FORMULA)).then(pl.lit("'") + clean).otherwise(clean)
    return pl.when(safe != "").then(safe).alias(column)


def is_bare(column: str) -> pl.Expr:
    """Whether a text can stand in a cell as it is; for ids, which must not be changed."""
    text = pl.col(column)
    altered = text.str.contains(FORMULA) | text.str.contains(CONTROLS)
    altered |= text.str.contains(SEPARATORS) | text.str.contains(BREAKS)
    return ~altered & (text.str.strip_chars() == text) & (text != "")


def _safe(name: str) -> pl.Expr:
    clean = clean_text(name)
    runs = clean.str.contains(FORMULA)
    if name == "phone":
        runs &= ~clean.str.contains(E164)
    elif name in MONEY:
        runs &= ~clean.str.contains(DECIMAL)
    safe = pl.when(runs).then(pl.lit("'") + clean).otherwise(clean)
    # Polars writes empty text as two quotes and null as nothing: blank is blank.
    return pl.when(safe != "").then(safe).alias(name)
