"""The customers of the suite: how each can be reached, written down apart from the product's own rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random  # noqa: TID251  seeded: the same seed gives the same people
from typing import Any

BAD_NUMBER = "+34612000"
"""The beginning of numbers that the provider refuses as not valid."""
_TEXTED = frozenset({"delivered", "cancelled"})
"""Of the kinds that are counted, those that also go by SMS to somebody who has email and agreed to texts."""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Somebody who is told. `email` and `text` are addresses that work; `person` is what the order says of them."""

    person: Mapping[str, Any]
    email: str | None
    text: str | None

    @property
    def unreachable(self) -> bool:
        """No address works."""
        return self.email is None and self.text is None

    def told_by(self, kind: str) -> list[str]:
        """Where a message of this kind must arrive."""
        by_text = self.text if kind in _TEXTED or self.email is None else None
        return [address for address in (self.email, by_text) if address is not None]


def contact(rng: Random, number: int) -> Contact:
    """A customer: most have email, half have agreed to texts; a few phone numbers are wrong."""
    email, phone = f"buyer{number}@customer.example", f"+34611{number:06d}"
    kind = rng.choices(("email", "both", "phone", "no consent", "bad phone", "nothing works"), (30, 35, 15, 10, 7, 3))[
        0
    ]
    if kind == "email":
        return _contact(number, email, None, phone=None, consents=False)
    if kind == "both":
        return _contact(number, email, phone, phone=phone, consents=True)
    if kind == "phone":
        return _contact(number, None, phone, phone=phone, consents=True)
    if kind == "no consent":
        return _contact(number, email, None, phone=phone, consents=False)
    bad = f"{BAD_NUMBER}{number:03d}"
    return _contact(number, email if kind == "bad phone" else None, None, phone=bad, consents=True)


def gift_recipient(number: int) -> Contact:
    """Somebody else who receives the goods."""
    return _contact(number, f"receiver{number}@customer.example", None, phone=None, consents=False)


def bad_numbers(people: Sequence[Mapping[str, Any]]) -> list[str]:
    """The phone numbers among these that the provider must refuse."""
    return [person["phone"] for person in people if str(person.get("phone", "")).startswith(BAD_NUMBER)]


def _contact(number: int, email: str | None, text: str | None, *, phone: str | None, consents: bool) -> Contact:
    addresses = {"email": email, "phone": phone}
    person = {
        "name": f"Buyer {number}",
        "consents": {"sms": consents},
        **{name: address for name, address in addresses.items() if address is not None},
    }
    return Contact(person=person, email=email, text=text)
