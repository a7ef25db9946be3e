"""Tell somebody else's service what monitoring found; nothing personal is in it."""

import json
import os
import urllib.request
from http.client import HTTPException
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
    headers = {"Content-Type": "application/json", "User-Agent": "keepwell"}
    try:
        asked = urllib.request.Request(address, body, headers)
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            return f"webhook: told, answered {answer.status}"
    except (HTTPException, OSError, ValueError) as error:
        status = getattr(error, "code", None)
        return f"webhook: not told ({f'answered {status}' if status else type(error).__name__})"
