"""PURE: why an engine does not answer, in a few words, from what the SDK and its transport say."""

from __future__ import annotations

import re

from tasklib.shown.cutting import shorten, without_password
from tasklib.stacks.engine.patience import TIMEOUT

__all__ = ["is_tls", "reason_of"]

_TLS = re.compile(r"\[SSL(?:: (?P<code>\w+))?\] (?P<says>[^()\n]+)")
_ALERT = re.compile(r"(?:ssl|tls)v[\d.]+ alert ")
_EOF = "EOF occurred in violation of protocol"
_PLAIN = "HTTP request to an HTTPS server"

_KNOWN = {
    ("FileNotFoundError", "No such file"): "its socket does not exist",
    (
        "PermissionError",
        "Permission denied",
    ): "no permission for its socket; is this user in the group docker?",
    ("ConnectionRefused", "Connection refused"): "connection refused",
    ("timed out",): f"it did not answer within {TIMEOUT} s",
    (_PLAIN,): "it speaks TLS alone",
    (_EOF,): "it hung up when it saw our certificate, or that we have none",
}


def is_tls(said: str) -> bool:
    """Whether it is about certificates: the engine runs."""
    return bool(_TLS.search(said)) or _PLAIN in said or _EOF in said


def reason_of(error: Exception) -> str:
    """The reason that ``error`` gives.

    >>> reason_of(OSError("(1, '[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2580)')"))
    'it does not accept our certificate: unknown ca'
    """
    text = str(error)
    if (tls := _TLS.search(text)) and _EOF not in text:
        return _of_tls(tls["code"] or "", tls["says"].strip())
    for words, reason in _KNOWN.items():
        if any(word in text for word in words):
            return reason
    return shorten(without_password(text.splitlines()[0]), 160) if text else type(error).__name__


def _of_tls(code: str, says: str) -> str:
    if "WRONG_VERSION" in code or "RECORD_LAYER" in code:
        return "what answers there does not speak TLS"
    if alert := _ALERT.match(says):
        return f"it does not accept our certificate: {says[alert.end() :]}"
    return f"its certificate is not accepted here: {says.removeprefix('certificate verify failed: ')}"
