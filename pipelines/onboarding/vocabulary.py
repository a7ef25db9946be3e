"""What companies call their columns and files: patterns of names, most telling first.

Names are compared as lower-case words without accents: "Kunden-Nr." and "KundenNr" are "kunden nr".
"""

import re
import unicodedata
from collections.abc import Sequence

PERSON = (
    r"customer|client|user|member|household|shopper|buyer|subscriber|kunden?|kaeufer|cliente|klant"
)
ORDER = (
    r"order|invoice|basket|transaction|receipt|bill|booking|purchase|sale|inv|bestell(?:ung)?|"
    r"rechnungs?|beleg|auftrags?|bon|commande|facture|pedido|factura|ordine|bestel(?:ling)?"
)
NUMBER = r"id|no|nr|number|num|key|code|nummer|numero|uid|guid"
DAY = r"date|datum|fecha|data|day|tag"
MOMENT = rf"{DAY}|at|on|am|time|timestamp|zeit|zeitpunkt|ts|datetime|date time"
MONEY = r"usd|eur|gbp|dollars?|euros?"

# Column names for each target, a list a target: earlier lines win over later ones.
COLUMNS: dict[str, Sequence[str]] = {
    "customer_id": (
        rf"({PERSON}) ?({NUMBER})|({NUMBER}) ({PERSON})|cust(omer)? ?id",
        rf"({PERSON})( ref| reference)?|cid|uid|cust|owner user id",
        r"(account|contact|person|profile|party)( ?(id|no|nr|number|key))?",
        r"user pseudo id|visitor id|device id",
        r"(customer |user |billing |contact )?(e ?mail)( address| adresse)?",
        rf"(\w+ )?(user|author|owner|member)( {NUMBER})?",
    ),
    "occurred_at": (
        rf"(occurred|happened|event|ordered|purchased|sold|ereignis|{ORDER}|kauf|buchungs?"
        rf"|verkaufs?) ?({MOMENT})( .*)?",
        rf"timestamp|datetime|date time|ts|{DAY}|time|zeit|zeitpunkt|when",
        r"(created|placed|paid|processed|creation|erstellt|angelegt)( ?(at|on|am|date|time))?",
        rf"(original )?timestamp|(.* )?({MOMENT})",
    ),
    "loaded_at": (
        r"(loaded|ingested|received|inserted|imported|recorded)( (at|on|time|timestamp))",
    ),
    "event_id": (
        r"(event|message|activity)( ?(id|no|key))",
        rf"({ORDER}) ?({NUMBER})",
        rf"{ORDER}",
        r"id|row id|uuid|guid",
    ),
    "event_type": (
        r"event( ?(name|type))?|ereignis( ?(typ|art|name))?",
        r"(transaction|activity|action|record|order|post|vorgangs?|beleg)? ?"
        r"(type|typ|art|action|activity|aktion|kind)( id)?",
    ),
    "value": (
        rf"(order |sales? |net |gross |grand |line |purchase |transaction )*"
        rf"(total|revenue|amount|value|turnover)( ({MONEY}))?( ?(price|amount|value|sum))?",
        rf"(\w+ )?(betrag|umsatz|summe|erloes|gesamtpreis|montant|importe|bedrag|importo)"
        rf"( ({MONEY}|brutto|netto))?",
        rf"(.* )?(revenue|amount|total|sales|spent|spend|paid)( in)?( ({MONEY}))?"
        rf"|({MONEY})( value| amount)?",
        r"price|preis|prix|precio|prijs",
    ),
    "quantity": (
        r"(line ?item |item |order )?(quantity|qty)|menge|anzahl|stueck(zahl)?",
        r"quantite|cantidad|aantal|quantita",
        r"units|number of \w+|pieces|count",
    ),
    "price": (
        rf"(unit|item|line ?item|einzel|stueck|per unit) ?(price|preis|cost)( ({MONEY}))?",
        rf"price (each|per unit)|(price|preis|prix|precio|prijs|prezzo)( unit\w+)?( ({MONEY}))?",
    ),
    "channel": (
        r"(sales |order |marketing )?channel|(vertriebs|absatz)?kanal|canal|source|medium",
    ),
    "campaign": (r"(utm )?campaign( ?(id|name|code))?|kampagne",),
    "currency": (r"(order |invoice )?currency( code)?|waehrung|devise|moneda|valuta",),
    "country": (r"((shipping|billing|customer) )?country( code)?|land|pays|pais|paese",),
    "known_since": (
        r"(known|customer|member|registered|joined|signed up|created|creation|registration"
        r"|sign ?up|anlage|angelegt|registriert|erstellt)"
        r"( ?(since|at|on|am|date|time|datum|seit))?",
        r"first (seen|order|purchase)( (at|on|date))?|date|datum|timestamp",
    ),
    "email": (r"(\w+ )?e ?mail( address| adresse)?",),
    "phone": (r"(\w+ )?(phone|mobile|telephone|telefon|tel|handy)( number| nr| nummer)?",),
    "first_name": (r"(first|given|fore) ?name|vorname|prenom",),
    "last_name": (r"(last|family|sur) ?name|nachname|nom",),
    "status": (
        r"(consent |subscription |opt in )?(status|state|consent|granted|opt in)|einwilligung",
    ),
    "purpose": (r"purpose|zweck",),
    "basis": (r"(legal )?basis|rechtsgrundlage",),
    "since": (
        r"since|from|valid from|seit",
        r"(consent|granted|opt in|given|updated|changed)( ?(at|on|date|time|since))",
        r"(.* )?(at|on|date|timestamp|datum)",
    ),
    "until": (r"until|to|valid (to|until)|expires?( (at|on))?|bis",),
}
# Never the moment of an event: what happens to a record afterwards, or is planned.
NOT_A_MOMENT = (
    r"(.* )?(updat|modif|chang|edit|birth|geburt|due|ship|deliver|liefer|expir|last|load|ingest|"
    r"receiv|insert|import|sent|cancel|deleted|closed|faellig)\w*( .*)?"
)
# Money, but not what the customer pays for the order.
NOT_THE_VALUE = (
    r"(.* )?(tax|taxes|vat|shipping|freight|discount|disc|refund|refunded|coupon|tip|fee|cost|duty|"
    r"steuer|mwst|ust|versand|rabatt|nachlass|subtotal|balance|outstanding)( .*)?"
)
# Channel of a consent column such as "Accepts Email Marketing" or "sms_opt_in".
CONSENT_CHANNELS: dict[str, str] = {
    "email": r"(.* )?(e ?mail|newsletter)( .*)?",
    "sms": r"(.* )?(sms|text message)( .*)?",
    "push": r"(.* )?push( .*)?",
    "phone": r"(.* )?(phone|telephone|telefon|call)( .*)?",
    "mail": r"(.* )?(mail|post|letter|postal|brief)( .*)?",
}
CONSENT_WORDS = (
    r"(.* )?(opt ?in|consent|accepts?|marketing|permission|subscribed|subscription|einwilligung|"
    r"newsletter)( .*)?"
)
# What a file without a column of types holds, by its name: an event type of the taxonomy.
FILES: Sequence[tuple[str, str]] = (
    (r"refunds?|returns?|storno\w*|retouren?|rueckgaben?|credit notes?", "order_refunded"),
    (r"questions?|posts?|threads?|topics?", "post_created"),
    (r"answers?", "answer_posted"),
    (r"badges?|awards?|achievements?", "badge_earned"),
    (r"comments?", "comment_posted"),
    (r"reviews?|ratings?|bewertungen", "review_submitted"),
    (r"tickets?|cases?|support", "ticket_opened"),
    (r"complaints?|beschwerden?", "complaint_filed"),
    (r"redemptions?|redeemed", "coupon_redeemed"),
    (r"campaigns?|mailings?", "campaign_mailed"),
    (r"logins?", "login"),
    (r"sessions?", "session_start"),
    (r"page ?views?", "page_view"),
    (r"visits?", "store_visit"),
    (r"subscriptions?|abos?", "subscription_started"),
    (r"surveys?", "survey_completed"),
    (r"referrals?", "referral_sent"),
    (r"baskets?|receipts?", "basket"),
    (
        r"orders?|transactions?|sales|purchases?|invoices?|bestellungen|rechnungen",
        "order_completed",
    ),
)
PEOPLE = (
    r"users?|customers?|members?|clients?|accounts?|kunden|people|subscribers?|profiles?|sign ?ups?"
)
# Own names of event types -> a type of the taxonomy. First match wins.
TYPES: Sequence[tuple[str, str]] = (
    (r"(.*_)?(returned|refund(ed)?|storno|retoure|gutschrift|credit_note)(_.*)?", "order_refunded"),
    (r"(.*_)?(return|rueckgabe|erstattung)(_.*)?", "order_refunded"),
    (r"(cancelled_order|order_cancel(led|ed)?|stornierung|storniert)(_.*)?", "order_cancelled"),
    (
        r"(sales?|order(ed)?|purchased?|bought|buy|bestellung|kauf|verkauf)(_.*ed)?",
        "order_completed",
    ),
    (r"(achat|compra|paid|payment|invoice|rechnung|order_(created|paid))", "order_completed"),
)
# Words in the names of event types that are new -> their role. First match wins.
ROLES: Sequence[tuple[str, str]] = (
    (r"unsubscribe|unsub|opt_?out|spam|abmeldung", "opt_out"),
    (r"churn|terminat|account_clos|kuendig|subscription_end|cancel", "cancel"),
    (r"complain|ticket|support|issue|crash|error|beschwerde|reklamation", "service"),
    (r"nps|survey|csat|feedback|umfrage", "feedback"),
    (r"review|refer|invite|share|recommend|bewert|empfehl", "advocacy"),
    (r"cart|basket|checkout|wish|trial|sign_?up|register|lead|quote|coupon", "intent"),
    (r"warenkorb|anmeld|registr", "intent"),
    (r"sent|deliver|impression|bounce|mailed|shown|served", "exposure"),
    (r"renew|order|purchase|subscri|payment|kauf|bestell", "value"),
)
UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)


def words(name: str) -> str:
    """``InvoiceNo`` -> ``invoice no``, ``Währung`` -> ``waehrung``."""
    plain = unicodedata.normalize("NFKD", name.translate(UMLAUTS))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", letters)
    return re.sub(r"[^a-z0-9]+", " ", spaced.lower()).strip()


def rank(name: str, target: str) -> int | None:
    """Which line of `COLUMNS` a column's name matches, 0 the most telling; None for none."""
    said = words(name)
    for number, pattern in enumerate(COLUMNS[target]):
        if re.fullmatch(pattern, said):
            return number
    return None


def says(name: str, pattern: str) -> bool:
    """Whether a name, as words, matches a pattern as a whole."""
    return re.fullmatch(pattern, words(name)) is not None


def file_type(stem: str) -> str | None:
    """The event type that a file's name speaks of, if any."""
    said = words(stem).split()
    for pattern, event_type in FILES:
        if any(re.fullmatch(pattern, word) for word in (*said, " ".join(said))):
            return event_type
    return None


def is_people(stem: str) -> bool:
    """Whether a file's name speaks of people rather than of what they do."""
    return any(re.fullmatch(PEOPLE, word) for word in (*words(stem).split(), words(stem)))
