"""Telephone numbers: in one form, by which they are found again; and they, names and addresses masked, as they are
shown. Pure."""

import unicodedata
from itertools import takewhile

_SHOWN_OF_MOBILE = 11  # digits, and more: then area codes and operators may be shown


def normal(phone: str) -> str:
    """The number as it is compared: its digits, without the prefix of the country; a text without any stays itself."""
    digits = phone
    if not (phone.isascii() and phone.isdigit()):  # most are
        digits = "".join(sign for sign in unicodedata.normalize("NFKC", phone) if sign.isdigit())
    for prefix in ("0086", "86"):
        rest = digits.removeprefix(prefix)
        if rest != digits and len(rest) >= _SHOWN_OF_MOBILE - 1 and rest[0] == "1":
            return rest
    return digits or phone


def masked(phone: str) -> str:
    """What is shown of it: 138****0000; of a short one its end alone."""
    digits = normal(phone)
    if len(digits) >= _SHOWN_OF_MOBILE:
        return f"{digits[:3]}****{digits[-4:]}"
    return f"****{digits[-2:]}" if len(digits) > 4 else "****"


def masked_name(name: str) -> str:
    """What is shown of a person's name: 王**."""
    return f"{name.strip()[:1]}**"


def masked_address(address: str) -> str:
    """What is shown of it: the street, up to the first number; of a short one nothing."""
    street = "".join(takewhile(lambda sign: not sign.isdigit(), address))
    return f"{street[: len(address) // 2]}****"
