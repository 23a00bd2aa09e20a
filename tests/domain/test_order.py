"""The canonical order refuses what could not be honoured later, and says which field it was."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from ordertrail.domain.order import CanonicalOrder, Person
from tests.domain.builders import order


def _payload(**changes: Any) -> dict[str, Any]:
    return {**json.loads(order().model_dump_json()), **changes}


def _customer(**facts: Any) -> dict[str, Any]:
    return {"customer": {"name": "Test Customer", **facts}}


@pytest.mark.parametrize(
    ("changes", "field", "complaint"),
    [
        ({"currency": "EURO"}, "currency", "pattern"),
        ({"currency": "ABQ"}, "currency", "not an ISO 4217 currency code"),
        ({"currency": "eur"}, "currency", "pattern"),
        (_customer(phone="612345678"), "customer.phone", "not an international phone number"),
        (_customer(phone="+34612"), "customer.phone", "not a possible phone number"),
        (_customer(email="nobody"), "customer.email", "must have an @-sign"),
        (_customer(email="a@b@example.org"), "customer.email", "@"),
        (_customer(locale="xx-nowhere"), "customer.locale", "not a BCP 47 language tag"),
        (_customer(locale="english please"), "customer.locale", "not a BCP 47 language tag"),
        (_customer(zone="Madrid"), "customer.zone", "not an IANA time zone"),
        (_customer(nickname="T"), "customer.nickname", "Extra inputs are not permitted"),
        ({"placed_at": "2026-03-02T12:00:00"}, "placed_at", "timezone info"),
        ({"lines": []}, "lines", "at least 1 item"),
        ({"brand": "acme:eu"}, "brand", "pattern"),
        ({"shipments": [{"ref": "S1"}, {"ref": "S1"}]}, "", "two shipments have the same ref"),
        ({"shipments": [{"ref": "S1", "tracking_number": "#"}]}, "shipments.0.tracking_number", "pattern"),
        ({"totals": {"items": "28", "total": "28.00001"}}, "totals.total", "4 decimal places"),
    ],
)
def test_a_mistake_is_refused_naming_its_field(changes, field, complaint):
    with pytest.raises(ValidationError) as refused:
        CanonicalOrder.model_validate_json(json.dumps(_payload(**changes)))
    (error,) = refused.value.errors()
    assert ".".join(str(part) for part in error["loc"]) == field
    assert complaint in error["msg"]


def test_contacts_are_kept_in_their_normal_form():
    customer = CanonicalOrder.model_validate(
        _payload(
            **_customer(phone="+34 612 34 56 78", email="Somebody@EXAMPLE.org", locale="pt_BR", zone="Europe/Madrid")
        )
    ).customer
    assert customer.phone == "+34612345678"
    assert customer.email == "Somebody@example.org"
    assert customer.locale == "pt-BR"
    assert Person(name="Ada", email="ada@example.org", locale="en-US-u-hc-h12").locale == "en-US"
    assert customer.zone == "Europe/Madrid"


def test_an_order_survives_json_and_money_is_text_on_the_wire():
    placed = order()
    wire = placed.model_dump_json()
    assert CanonicalOrder.model_validate_json(wire) == placed
    assert json.loads(wire)["lines"][0]["unit_price"] == "9.50"
    assert placed.lines[0].unit_price == Decimal("9.50")


def test_nobody_has_agreed_to_anything_by_default():
    consents = order().customer.consents
    assert not (consents.sms or consents.voice or consents.marketing)


def test_the_shown_number_is_the_customers_own_where_there_is_one():
    assert order().shown_number == "1001"
    assert order(number="#1001-EU").shown_number == "#1001-EU"
