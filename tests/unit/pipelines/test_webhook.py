"""Telling another service, on this machine only."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipelines.webhook import ADDRESS, notify

FOUND = {"as_of": "2026-01-01", "status": "error", "compared_with": None, "findings": []}


@pytest.fixture
def service(monkeypatch):
    """A service on a free loopback port; what it was told."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv(ADDRESS, f"http://127.0.0.1:{server.server_port}/hook?token=s3cret")
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def test_alarm_is_told_with_the_company_and_the_findings(service):
    assert notify(FOUND, "Shop") == "webhook: told, answered 204"
    assert service == [{"company": "Shop", **FOUND}]


def test_nothing_is_told_where_all_is_well_or_nobody_asked(service, monkeypatch):
    assert notify({**FOUND, "status": "ok"}, "Shop") == ""
    monkeypatch.delenv(ADDRESS)
    assert notify(FOUND, "Shop") == ""
    assert service == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/s3cret",
        "http://127.0.0.1:9/?token=s3cret",
        "http://127.0.0.1:s3cret/",
        "http://127.0.0.1:9/\x7fs3cret",
        "http://[s3cret/",
    ],
)
def test_service_that_cannot_be_told_stops_nothing_and_its_address_is_not_said(
    monkeypatch, address
):
    monkeypatch.setenv(ADDRESS, address)
    said = notify(FOUND, "Shop")
    assert said.startswith("webhook: ")
    assert "s3cret" not in said
    assert "told, answered" not in said
