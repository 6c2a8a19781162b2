"""What is done with accounts: make, show and change them, and tell by which secret their callbacks are signed."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.ids import new_id
from chassis.outage import Outage
from chassis.runtime import Runtime
from chassis.vault import VaultError
from chassis.web.errors import NotFound
from chassis.web.etag import Unchanged
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from notifier.channels.accounts import secrets_place
from notifier.channels.errors import AccountIdTaken, AccountTaken, bad_setting, secrets_needed, unknown_unit
from notifier.channels.models import Account
from notifier.channels.networks import Blocked
from notifier.channels.outward import Outward, policy_of
from notifier.channels.providers import PROVIDERS
from notifier.channels.schemas import AccountChange, CodeBody, LimitBody, NewAccount
from notifier.channels.secret import UNREADABLE
from notifier.directory import service as directory
from notifier.directory.models import Unit

_URLS = ("url", "find_url", "endpoint")
_TARGET = (*_URLS, "host", "port", "security")  # where secrets are brought to


async def listed(tx: AsyncSession, caller: Principal, window: Window, **same: str | None) -> Listing[Account]:
    """The accounts of the caller's unit and of those below it."""
    query = select(Account).where(scope.within(Unit, caller.unit, Account.unit_code))
    query = query.filter_by(**{name: value for name, value in same.items() if value is not None})
    return await window.fetch(tx, query, Account)


async def one(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Account:
    """The account. Raises `NotFound`."""
    query = select(Account).where(Account.id == id, scope.within(Unit, caller.unit, Account.unit_code))
    account = await tx.scalar(query.with_for_update(of=Account) if lock else query)
    if account is None:
        raise NotFound
    return account


async def add(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewAccount) -> Account:
    """Makes an account. Raises `Unprocessable` for what its provider cannot be spoken to with, `AccountTaken`."""
    if not await directory.sees(tx, caller.unit, new.unit_code):
        raise unknown_unit()
    _check(runtime, new.provider, new.settings, new.secrets)
    found = await tx.get(Account, new.id) if new.id else None
    if found is not None:
        return await _same(tx, runtime, caller, found, new)
    its, now = new.id or new_id(), runtime.clock.now()
    account = Account(
        id=its,
        channel=PROVIDERS[new.provider].channel,
        provider=new.provider,
        unit_code=new.unit_code,
        name=new.name,
        settings=new.settings,
        secrets=await _sealed(tx, runtime, new.unit_code, its, new.secrets),
        callback_secret=await _sealed_callback(tx, runtime, new.unit_code, its, new.callback_secret),
        limits=_plain(new.limits),
        codes=_plain(new.codes),
        active=new.active,
        added_by=caller.sub,
        added_at=now,
        updated_at=now,
    )
    tx.add(account)
    await _flush(tx, account)
    return account


async def change(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: AccountChange, unchanged: Unchanged
) -> Account:
    """Changes an account; what is being sent by it goes on as it was. Raises `NotFound`, `PreconditionFailed`,
    `Unprocessable`, `AccountTaken`."""
    account = await one(tx, caller, id, lock=True)
    unchanged(account)
    its = change.model_dump(exclude_unset=True)
    settings = its.get("settings", account.settings)
    secrets = its["secrets"] if "secrets" in its else await _secrets(tx, runtime, account)
    if "secrets" not in its and (secrets is None or _elsewhere(account, settings)) and "settings" in its:
        raise secrets_needed()
    if secrets is not None:
        _check(runtime, account.provider, settings, secrets)
    if "secrets" in its:
        account.secrets = await _sealed(tx, runtime, account.unit_code, id, its["secrets"])
    if "callback_secret" in its:
        secret = change.callback_secret
        account.callback_secret = await _sealed_callback(tx, runtime, account.unit_code, id, secret)
    if "limits" in its:
        account.limits = _plain(change.limits)
    if "codes" in its:
        account.codes = _plain(change.codes) or []
    for name in ("name", "settings", "active"):
        if name in its:
            setattr(account, name, its[name])
    account.version += 1
    account.paused_until = account.problem = None
    account.updated_at = runtime.clock.now()
    await _flush(tx, account)
    return account


async def callback_secret(tx: AsyncSession, runtime: Runtime, channel: str, id: UUID) -> tuple[Account, str] | None:
    """The account to which a provider calls back, and the secret by which it signs; None where it has none."""
    account = await tx.get(Account, id)
    if account is None or account.channel != channel or account.callback_secret is None:
        return None
    place = secrets_place(id, "callback_secret")
    try:
        return account, await runtime.vault.open(tx, place, account.callback_secret)
    except VaultError as error:
        raise Outage("a callback's secret cannot be opened") from error  # its provider comes again


def _check(runtime: Runtime, provider: str, settings: dict[str, Any], secrets: dict[str, Any]) -> None:
    """Raises `Unprocessable` unless an adapter can be made and may call where it is to."""
    its, policy = PROVIDERS[provider], policy_of(runtime)
    for name, kind, given in (("settings", its.settings, settings), ("secrets", its.secrets, secrets)):
        try:
            msgspec.convert(given, kind)
        except msgspec.ValidationError as error:
            raise _located(f"/{name}", str(error)) from error
    made = msgspec.convert(settings, its.settings)
    for name in _URLS:
        if url := getattr(made, name, ""):
            try:
                policy.place(url)
            except Blocked as error:
                raise bad_setting(f"/settings/{name}", error.reason) from error
    its.make(settings, secrets, Outward(policy))


def _located(pointer: str, why: str) -> Exception:
    """A complaint of msgspec's, which ends with the path of the field: `… - at `$.port``."""
    words, _, path = why.partition(" - at `$")
    parts = re.findall(r"[\w-]+", path) if path else re.findall(r"field `(\w+)`", words)
    return bad_setting("/".join([pointer, *parts]), words)


def _plain(parts: Sequence[LimitBody | CodeBody] | None) -> list[Any] | None:
    return None if parts is None else [part.model_dump(exclude_none=True) for part in parts]


async def _sealed(tx: AsyncSession, runtime: Runtime, unit: str, id: UUID, secrets: dict[str, Any]) -> bytes:
    return await runtime.vault.seal(tx, unit, secrets_place(id), msgspec.json.encode(secrets).decode())


async def _sealed_callback(tx: AsyncSession, runtime: Runtime, unit: str, id: UUID, secret: str | None) -> bytes | None:
    place = secrets_place(id, "callback_secret")
    return None if secret is None else await runtime.vault.seal(tx, unit, place, secret)


async def _secrets(tx: AsyncSession, runtime: Runtime, account: Account) -> dict[str, Any] | None:
    """The secrets of an account; None where they cannot be opened."""
    try:
        opened = await runtime.vault.open(tx, secrets_place(account.id), account.secrets)
    except UNREADABLE:
        return None
    return msgspec.json.decode(opened, type=dict[str, Any])


def _elsewhere(account: Account, settings: dict[str, Any]) -> bool:
    kind = PROVIDERS[account.provider].settings
    try:
        before, after = msgspec.convert(account.settings, kind), msgspec.convert(settings, kind)
    except msgspec.ValidationError:
        return account.settings != settings
    return any(getattr(before, name, None) != getattr(after, name, None) for name in _TARGET)


async def _same(tx: AsyncSession, runtime: Runtime, caller: Principal, found: Account, new: NewAccount) -> Account:
    """What was made under this id before, if it was the same. Raises `AccountIdTaken`."""
    its = ("provider", "unit_code", "name", "settings", "active")
    same = all(getattr(found, name) == getattr(new, name) for name in its) and found.limits == _plain(new.limits)
    same = same and found.codes == _plain(new.codes)
    seen = same and await directory.sees(tx, caller.unit, found.unit_code)
    if seen and await _secrets(tx, runtime, found) == new.secrets:
        return found
    raise AccountIdTaken(id=str(found.id))


async def _flush(tx: AsyncSession, account: Account) -> None:
    try:
        await tx.flush()
        await tx.refresh(account, ["settings", "limits", "codes"])  # in the order in which a GET shows them
    except IntegrityError as error:
        if "accounts_active" not in str(error.orig):
            raise
        raise AccountTaken from error
