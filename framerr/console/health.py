"""Asking the running instance over loopback HTTP whether it is ready. Loads next to nothing: it runs every half minute."""

from __future__ import annotations

import http.client
import json

from framerr.core.config import Settings

SECONDS = 4.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what the server listens on


def ask_ready(settings: Settings) -> str | None:
    """None when the instance is ready, else a sentence that says what is not, or that nothing answers."""
    host = _EVERYWHERE.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=SECONDS)
    try:
        connection.request("GET", f"{settings.base_path}/health/ready", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read(65536)
    except (OSError, http.client.HTTPException) as error:
        return f"Nothing answers on {host} port {settings.port}: {error}."
    finally:
        connection.close()
    return None if answer.status == http.client.OK else _findings(answer.status, body)


def _findings(status: int, body: bytes) -> str:
    try:
        found = json.loads(body)["reasons"]
        return " ".join(f"{name}: {sentence}" for name, sentence in found.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"The appliance answers with status {status}."
