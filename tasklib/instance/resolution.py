"""The instance of a checkout on its branch, as far as it can be told without claiming anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from tasklib.checkout import Checkout, former_names
from tasklib.instance.claim import Claim, Resolved, hashed_id, lives, owner, same_branch
from tasklib.instance.claims import Claims, everywhere
from tasklib.instance.identity import INSTANCE_ID, Identity, checkout_id, raw_identity
from tasklib.isolation import IdSource, Instance
from tasklib.state.store import State, default_state

__all__ = ["resolve"]


def resolve(
    checkout: Checkout,
    env: Mapping[str, str],
    *,
    prefix: str = "test",
    folder: Path | None = None,
    engine: str | None = None,
    state: State | None = None,
) -> Resolved:
    """The instance of the project in ``folder`` (the checkout's top), without claiming anything.

    What the checkout has claimed for this branch on ``engine`` (on any, where ``None``) is its id; else the
    id that it would get if it came up now. Raises :class:`~tasklib.errors.UsageError` for a TEST_INSTANCE_ID
    set by hand that cannot be used.
    """
    mine = checkout_id(checkout, folder)
    identity = raw_identity(checkout, env, mine)
    state = default_state(env) if state is None else state
    known = everywhere(state) if engine is None else Claims(state, engine).all()
    own = [claim for claim in known if (claim.checkout, claim.prefix) == (mine, prefix) and not claim.shared]
    identity = _continued(checkout, identity, own)
    instance = Instance(identity.id, mine, owner(state), prefix)
    resolved = Resolved(instance, identity, folder or checkout.root)
    if not identity.shared:
        for name in {claim.engine for claim in known}:
            Claims(state, name).moved(mine, resolved.root)
        resolved = replace(resolved, instance=replace(instance, id=_expected(known, resolved)))
    return replace(resolved, notices=_ignored(resolved))


def _continued(checkout: Checkout, identity: Identity, own: Sequence[Claim]) -> Identity:
    """The identity by which this checkout has claimed an id before, where it still is the same to its user.

    That is on a detached HEAD, whatever commit that is at, and on a branch that was renamed meanwhile.
    ``own`` are the checkout's claims, the latest first.
    """
    if any(claim.whole == identity.whole for claim in own):
        return identity
    if identity.source in (IdSource.WORKTREE, IdSource.COMMIT):
        found = own[:1]
    elif identity.source is IdSource.BRANCH and own:
        names = former_names(checkout)
        found = [claim for claim in own if claim.whole in names][:1]
    else:
        return identity
    return replace(identity, id=found[0].id, whole=found[0].whole) if found else identity


def _expected(known: Collection[Claim], resolved: Resolved) -> str:
    """The id that a claim would give, judged by records alone."""
    for claim in known:
        if same_branch(claim, resolved):
            return claim.id
    project = resolved.instance.project()
    others = (claim for claim in known if claim.project == project)
    if any(claim.living or lives(claim) is not False for claim in others):
        return hashed_id(resolved)
    return resolved.identity.id


def _ignored(resolved: Resolved) -> tuple[str, ...]:
    """The line about an id that tasklib exported elsewhere, or before the branch changed."""
    given = resolved.identity.ignored
    if resolved.identity.foreign:
        return (f"{INSTANCE_ID}={given} comes from another checkout and is ignored",)
    if given and given != resolved.instance.id:
        return (f"{INSTANCE_ID}={given} was exported for another branch and is ignored",)
    return ()
