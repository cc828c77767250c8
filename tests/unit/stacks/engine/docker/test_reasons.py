"""Why an engine does not answer is told in a few words, whatever the SDK wraps around it."""

from __future__ import annotations

import pytest

from tasklib.stacks.engine.docker.reasons import is_tls, reason_of

WRAPPED = (
    "Error while fetching server API version: HTTPSConnectionPool(host='192.0.2.7', port=2376): Max retries "
    "exceeded with url: /version (Caused by SSLError(SSLCertVerificationError(1, '{}')))"
)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1)",
            "its certificate is not accepted here: certificate has expired",
        ),
        (
            "[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] sslv3 alert certificate expired (_ssl.c:2580)",
            "it does not accept our certificate: certificate expired",
        ),
        (
            "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)",
            "it does not accept our certificate: certificate required",
        ),
        (
            "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
            "what answers there does not speak",
        ),
    ],
)
def test_certificates_are_told_as_certificates(said: str, reason: str) -> None:
    """The engine runs: to start it would not help."""
    text = WRAPPED.format(said)
    assert reason_of(OSError(text)).startswith(reason)
    assert is_tls(text)


def test_an_engine_that_wants_tls_says_so() -> None:
    """It answers plain questions with that."""
    text = "400 Client Error for http://x: Bad Request (Client sent an HTTP request to an HTTPS server.)"
    assert (reason_of(OSError(text)), is_tls(text)) == ("it speaks TLS alone", True)


@pytest.mark.parametrize("text", ["connection reset by peer", "[Errno 111] Connection refused", ""])
def test_what_is_none_is_not_taken_for_it(text: str) -> None:
    """Nor is anything said where nothing is known but the error's name."""
    assert not is_tls(text)
    assert reason_of(OSError(text)) in (text, "connection refused", "OSError")
