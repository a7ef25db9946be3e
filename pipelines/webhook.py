"""Tell somebody else's service what monitoring found; nothing personal is in it."""

import json
import os
import urllib.error
import urllib.request
from typing import Any

ADDRESS = "KEEPWELL_WEBHOOK_URL"  # from the environment: such addresses carry a secret
SECONDS = 10


def notify(found: dict[str, Any], company: str) -> str:
    """Post the findings as JSON where ``KEEPWELL_WEBHOOK_URL`` names an address.

    Parameters
    ----------
    found : dict
        Result of `pipelines.monitor.monitor`.
    company : str

    Returns
    -------
    str
        What became of it, without the address; empty where there is nothing to tell or nobody.
        A service that does not answer never stops a run.
    """
    address = os.environ.get(ADDRESS)
    if not address or found["status"] == "ok":
        return ""
    if not address.startswith(("https://", "http://")):
        return f"webhook: {ADDRESS} is no address. Expected https://..."
    body = json.dumps({"company": company, **found}).encode()
    asked = urllib.request.Request(
        address, body, {"Content-Type": "application/json", "User-Agent": "keepwell"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            return f"webhook: told, answered {answer.status}"
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"webhook: not told ({type(error).__name__}: {reason})"
