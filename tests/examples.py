"""How many examples tests of a property try: as many as the profile says, or a share of them.

tests/conftest.py registers the profiles: ``quick``, which is loaded by itself, and ``thorough``, which CI and
`python3 dev test` ask for: ``pytest --hypothesis-profile=thorough``.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

__all__ = ["QUICK", "THOROUGH", "examples", "patient"]

QUICK, THOROUGH = 15, 100


def patient(most: int, *suppressed: HealthCheck) -> settings:
    """``most`` examples, however long they take: tests fail for what is wrong, never for being slow."""
    checks = (HealthCheck.too_slow, *suppressed)
    return settings(max_examples=most, deadline=None, suppress_health_check=checks)


def examples(share: float, *suppressed: HealthCheck) -> settings:
    """So many of the profile's examples: below 1 where each of them takes long."""
    default = settings.default
    assert default is not None
    return patient(max(1, round(default.max_examples * share)), *suppressed)
