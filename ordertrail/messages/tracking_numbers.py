"""Check digits of tracking numbers, for the carriers whose scheme is public."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_SEPARATORS = re.compile(r"[\s-]")


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Numbers of this form have a check digit; `holds` is asked about a number of that form."""

    form: re.Pattern[str]
    holds: Callable[[str], bool]


def tracking_number_plausible(carrier: str | None, number: str) -> bool:
    """Whether the number can be this carrier's as far as its check digit tells; true for forms without a known one.

    `carrier` is a slug such as 'ups'. Spaces, hyphens and case do not matter.
    """
    plain = _SEPARATORS.sub("", number).upper()
    schemes = _SCHEMES.get((carrier or "").replace("_", "-"), ())
    return all(scheme.holds(plain) for scheme in schemes if scheme.form.fullmatch(plain))


def _ups(number: str) -> bool:
    """1Z and 15 more: letters count (position in ASCII - 63) modulo 10, every second one twice, up to the next ten."""
    values = [int(mark) if mark.isdigit() else (ord(mark) - 63) % 10 for mark in number[2:]]
    total = sum(values[:-1:2]) + 2 * sum(values[1:-1:2])
    return -total % 10 == values[-1]


def _s10(number: str) -> bool:
    """UPU S10, 7: eight digits weighted 8 6 4 2 3 5 9 7; eleven less the rest, 10 as 0 and 11 as 5."""
    weights = (8, 6, 4, 2, 3, 5, 9, 7)
    digits = [int(mark) for mark in number[2:11]]
    check = 11 - sum(weight * digit for weight, digit in zip(weights, digits, strict=False)) % 11
    return {10: 0, 11: 5}.get(check, check) == digits[-1]


def _fedex_express(number: str) -> bool:
    """Twelve digits: weighted 3 1 7, modulo 11, modulo 10."""
    weights = (3, 1, 7) * 4
    total = sum(weight * int(mark) for weight, mark in zip(weights, number[:-1], strict=False))
    return total % 11 % 10 == int(number[-1])


def _three_one(number: str) -> bool:
    """From the right, digits weighted 3 and 1 in turn, up to the next ten (GS1 General Specifications, 7.9).

    FedEx Ground by its label layout specification (the 15 digits after "96" and six more are the number), USPS by its
    Publication 199.
    """
    digits = [int(mark) for mark in reversed(number[:-1])]
    return -(3 * sum(digits[::2]) + sum(digits[1::2])) % 10 == int(number[-1])


_UPS = Scheme(form=re.compile(r"1Z[0-9A-Z]{15}[0-9]"), holds=_ups)
_S10 = Scheme(form=re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}"), holds=_s10)
_FEDEX = (
    Scheme(form=re.compile(r"[0-9]{12}"), holds=_fedex_express),
    Scheme(form=re.compile(r"[0-9]{15}"), holds=_three_one),
)
_USPS = Scheme(form=re.compile(r"9[1-5][0-9]{20}"), holds=_three_one)
_POSTAL = (
    "an-post", "australia-post", "bpost", "canada-post", "correos", "ctt", "la-poste", "poste-italiane", "postnl",
    "postnord", "royal-mail",
)  # fmt: skip
_SCHEMES: dict[str, tuple[Scheme, ...]] = {
    "ups": (_UPS,),
    "fedex": _FEDEX,
    "usps": (_USPS, _S10),
    **dict.fromkeys(_POSTAL, (_S10,)),
}
"""Only where a wrong digit proves a wrong number: carriers without a public scheme are not doubted."""
