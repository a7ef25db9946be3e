"""Time zone and currency of a country, as a proposal."""

from importlib import resources

# Currencies of countries by ISO 3166 code, where a shop's export is likely to come from.
EURO = [
    "AT",
    "BE",
    "CY",
    "DE",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PT",
    "SI",
    "SK",
]
CURRENCIES = dict.fromkeys(EURO, "EUR") | {
    "GB": "GBP", "US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "CH": "CHF", "SE": "SEK",
    "NO": "NOK", "DK": "DKK", "PL": "PLN", "CZ": "CZK", "JP": "JPY", "CN": "CNY", "IN": "INR",
    "BR": "BRL", "MX": "MXN", "ZA": "ZAR", "TR": "TRY", "SG": "SGD", "HK": "HKD",
}  # fmt: skip
OTHER_NAMES = {
    "united kingdom": "GB", "great britain": "GB", "uk": "GB", "england": "GB", "usa": "US",
    "united states": "US", "united states of america": "US", "deutschland": "DE",
    "oesterreich": "AT", "schweiz": "CH", "espana": "ES", "italia": "IT", "nederland": "NL",
}  # fmt: skip
NAMES = {"DE": "Germany", "FR": "France", "ES": "Spain", "NL": "the Netherlands"}
SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
# The language of the columns' names, where nothing better is known.
LANGUAGES = {
    r"(.*\b)?(kunden?\w*|bestell\w*|rechnungs?\w*|betrag|umsatz|menge)(\b.*)?": "DE",
    r"(.*\b)?(commande|montant|facture|quantite|client)(\b.*)?": "FR",
    r"(.*\b)?(pedido|importe|cantidad|fecha|cliente)(\b.*)?": "ES",
    r"(.*\b)?(bedrag|aantal|klant\w*|bestelling)(\b.*)?": "NL",
}


def country_code(name: str) -> str | None:
    """ISO 3166 code of a country by its code or English name."""
    said = name.strip().lower()
    if said in OTHER_NAMES:
        return OTHER_NAMES[said]
    for code, country in _table("iso3166.tab"):
        if said in (code.lower(), country.lower()):
            return code
    return None


def zones(code: str) -> list[str]:
    """IANA zones of a country, the most populous first."""
    return [row[2] for row in _table("zone.tab") if row[0] == code]


def _table(name: str) -> list[list[str]]:
    text = resources.files("tzdata").joinpath("zoneinfo", name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
