"""How to load the files of each platform, as Markdown for whoever uploads them."""

import re
from collections.abc import Collection, Iterator, Mapping

from delivery.exports import Export
from delivery.formats import count, plural
from delivery.platforms import PlatformCatalogue

LEFT_OUT = {
    "no_address": "without the address that the platform needs",
    "unusable_id": "whose id has signs that an import file cannot hold",
    "no_grant": "without the recorded consent that their country asks for",
    "same_person": "whose address or number another row has already",
    "too_few_rows": "in a list that is smaller than the platform takes",
}
OPENING = """\
# How to load the files

Each platform has up to three kinds of file. `NAME.csv` is whom to contact. `suppress_NAME.csv` is
whom to leave out of this campaign: held out for measurement, or not to be contacted now.
`opt_out_NAME.csv` is who refused for good. Load the opt-outs first.

Do not open the files in a spreadsheet and save them: it changes ids and dates. To look, use
`actions.xlsx`. `keepwell check-export FILE --platform NAME` says what a platform would refuse.
"""


def loading_text(catalogue: PlatformCatalogue, exports: Mapping[str, Export]) -> str:
    """Markdown page with a section for each platform, in the order asked for."""
    sections = (_section(name, catalogue, export) for name, export in exports.items())
    return "\n".join([OPENING, *("\n".join(lines) for lines in sections)])


def _section(name: str, catalogue: PlatformCatalogue, export: Export) -> Iterator[str]:
    platform = catalogue.platforms[name]
    yield f"## {platform.name}\n"
    if not export.files:
        yield "No file: nobody can be reached there this time."
    for file, rows in export.rows.items():
        yield f"- `{file}`: {plural(rows, 'row')}"
    for why, customers in export.left_out.items():
        yield f"- not in the file: {count(customers)} {LEFT_OUT[why]}"
    yield ""
    if export.files:
        steps = [step for step in platform.load if _applies(step, export.files)]
        yield from (f"{number}. {step}" for number, step in enumerate(steps, 1))
        yield ""


def _applies(step: str, files: Collection[str]) -> bool:
    """Whether a step names no file, or one that was written; a split file has its parts' names."""
    named = [match[1] for match in re.finditer(r"(\w+)\.csv", step)]
    there = {re.sub(r"(_part\d+)?\.csv$", "", file) for file in files}
    return not named or bool(there & set(named))
