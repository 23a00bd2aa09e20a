"""A mistyped tracking number is found where the carrier's scheme is public, and no other number is doubted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.messages.tracking_numbers import tracking_number_plausible

RIGHT = [
    ("ups", "1Z999AA10123456784"),
    ("ups", "1Z5R89390357567127"),
    ("ups", "1ZXX3150YW44070023"),
    ("ups", "1z 879e93 03 4683 4440"),
    ("fedex", "986578788855"),
    ("fedex", "799531274483"),
    ("fedex", "041441760228964"),
    ("fedex", "568283610012734"),
    ("usps", "9400 1112 0255 5842 3326 69"),
    ("usps", "RB123456785US"),
    ("royal-mail", "RR473124829GB"),
    ("royal_mail", "RR473124829GB"),
]


@pytest.mark.parametrize(("carrier", "number"), RIGHT)
def test_right_numbers_pass(carrier: str, number: str) -> None:
    assert tracking_number_plausible(carrier, number)


@pytest.mark.parametrize(("carrier", "number"), RIGHT)
def test_each_wrong_last_digit_is_found(carrier: str, number: str) -> None:
    plain = "".join(number.split())
    at = max(index for index, mark in enumerate(plain) if mark.isdigit())
    wrong = [f"{plain[:at]}{digit}{plain[at + 1 :]}" for digit in range(10) if str(digit) != plain[at]]
    assert not any(tracking_number_plausible(carrier, other) for other in wrong)


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("dhl", "1Z999AA10123456785"),
        (None, "1Z999AA10123456785"),
        ("ups", "T1234567890"),
        ("fedex", "61299998820821171811"),
        ("usps", "420221539101026837331000039521"),
        ("own-fleet", "986578788850"),
    ],
)
def test_numbers_of_other_forms_and_carriers_are_not_doubted(carrier: str | None, number: str) -> None:
    assert tracking_number_plausible(carrier, number)


@given(st.sampled_from(["ups", "fedex", "usps", "correos"]), st.text(alphabet="0123456789ABZ -", max_size=30))
def test_any_text_has_an_answer(carrier: str, number: str) -> None:
    assert tracking_number_plausible(carrier, number) in {True, False}
