"""SMS by any HTTP gateway: an account says what its requests look like and how a yes is told from a no."""

from collections.abc import Mapping
from string import Template
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from notifier.channels.outward import Outward
from notifier.channels.port import Adapter, Ambiguous, CannotTell, Letter, Receipt, Refused

VARIABLES = frozenset({"id", "phone", "subject", "text", "template", "secret"})


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request by template: `$id $phone $subject $text $template $secret` are filled into fields, headers and URLs.

    `ok_field` must be `ok_value` for a yes, or any 2xx is one; `later_values` of it say to come again. `once`: the
    gateway takes an id only once. `find_url` tells of a letter: 404 for one that it never took; `delivered_values` and
    `failed_values` are what `state_field` is then.
    """

    url: str
    fields: dict[str, str]
    format: Literal["json", "form"] = "json"
    headers: dict[str, str] = {}
    ok_field: str = ""
    ok_value: str = ""
    later_values: tuple[str, ...] = ()
    reference_field: str = ""
    once: bool = False
    find_url: str = ""
    state_field: str = "state"
    delivered_values: tuple[str, ...] = ("delivered",)
    failed_values: tuple[str, ...] = ("failed",)

    def __post_init__(self) -> None:
        for text in (self.url, self.find_url, *self.fields.values(), *self.headers.values()):
            template = Template(text)
            if not template.is_valid() or set(template.get_identifiers()) - VARIABLES:
                raise ValueError("a $ names something other than " + ", ".join(sorted(VARIABLES)))


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secret: str = ""


class Gateway(Adapter):
    """One account."""

    reaches = "phone"

    patience = 4.0  # seconds

    def __init__(self, settings: Settings, secrets: Secrets, outward: Outward) -> None:
        self._settings, self._secret, self._outward = settings, secrets.secret, outward

    def takes_once(self, letter: Letter) -> bool:
        return self._settings.once

    async def send(self, letter: Letter) -> Receipt:
        if letter.address is None:
            raise Refused("no_address", permanent=True)
        its = self._settings
        values = self._values(letter)
        filled = {name: Template(text).substitute(values) for name, text in its.fields.items()}
        if its.format == "json":
            content, kind = msgspec.json.encode(filled), "application/json"
        else:
            content, kind = urlencode(filled).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **self._headers(values)}
        url = _fill_url(its.url, values)
        answer = await self._outward.request("POST", url, headers, content, within=self.patience)
        answer.settle()
        if not its.ok_field and not its.reference_field:
            return Receipt(str(letter.send_id))
        said = answer.json()
        if its.ok_field and (value := _at(said, its.ok_field)) != its.ok_value:
            if value is None:
                raise Ambiguous("the answer cannot be read")
            later = value in its.later_values
            raise Refused(f"{its.ok_field} {value}"[:100], permanent=not later, retry_after=30.0 if later else 0)
        return Receipt(_at(said, its.reference_field) or str(letter.send_id))

    async def find(self, letter: Letter) -> Receipt | None:
        its = self._settings
        if not its.find_url:
            raise CannotTell("this provider cannot be asked")
        values = self._values(letter)
        url = _fill_url(its.find_url, values)
        try:
            answer = await self._outward.request("GET", url, self._headers(values), within=self.patience)
            if answer.status == 404:
                return None
            answer.settle()
            said = answer.json()
        except (Refused, Ambiguous) as error:
            raise CannotTell(error.reason, ask_again=5.0) from error
        state = _at(said, its.state_field) or ""
        return Receipt(
            _at(said, its.reference_field) or str(letter.send_id),
            delivered=state in its.delivered_values,
            failed=state if state in its.failed_values else None,
        )

    def _values(self, letter: Letter) -> dict[str, str]:
        return {
            "id": str(letter.send_id),
            "phone": letter.address or "",
            "subject": letter.subject,
            "text": letter.text,
            "template": letter.template or "",
            "secret": self._secret,
        }

    def _headers(self, values: Mapping[str, str]) -> dict[str, str]:
        return {name: Template(text).substitute(values) for name, text in self._settings.headers.items()}


def _fill_url(url: str, values: Mapping[str, str]) -> str:
    return Template(url).substitute({name: quote(value, safe="") for name, value in values.items()})


def _at(value: Any, path: str) -> str | None:
    """What stands at `a.b.0` of an answer, as text."""
    for part in path.split(".") if path else ():
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    return None if not path or value is None or isinstance(value, (dict, list)) else str(value)
