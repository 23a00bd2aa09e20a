"""The tracking page and the outbox: what they show, and what they never hold."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ordertrail.domain.brand import Policy
from ordertrail.domain.document import OrderDocument
from ordertrail.domain.vocabulary import Channel, Fulfilment, OrderStatus, ReasonCode, ShipmentStatus
from ordertrail.messages.pages import OutboxItem, Pages, earlier_promises
from ordertrail.messages.progress import parcel_progress, progress
from ordertrail.messages.render import Renderer
from ordertrail.messages.troubles import Trouble, troubles
from ordertrail.wiring.shared import templates_dir
from tests.messages.facts import CASA_VERDE, FORNO, HAPPENED, MARKUP, K, facts
from tests.messages.html_check import Page
from tests.pages import documents


def tracking(pages: Pages, view: dict[str, Any], stream_url: str | None = "/t/x/stream") -> Page:
    brand = FORNO if view["brand"] == "forno" else CASA_VERDE
    return Page(pages.tracking(view, brand, stream_url=stream_url, updated_at=documents.UPDATED))


@pytest.mark.parametrize("name", documents.ALL)
def test_a_page_is_well_formed_and_strict(pages: Pages, name: str) -> None:
    page = tracking(pages, documents.ALL[name])
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
    assert all("style" not in attributes for _, attributes in page.tags)
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert all(script.get("src") for script in page.all("script"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = {attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes}
    assert labels <= set(ids)
    assert all("alt" in image for image in page.all("img"))
    assert "CV-1042" in page.text and "None" not in page.text and "javascript:" not in str(page.tags)


def test_a_promise_that_has_passed_is_not_shown_as_one(pages: Pages) -> None:
    late = documents.UPDATED.replace(day=27)
    text = Page(
        pages.tracking(documents.TWO_PARCELS, CASA_VERDE, stream_url=None, updated_at=documents.UPDATED, now=late)
    ).text
    assert "We had told you Wednesday 25 November We do not have a new date yet" in text
    assert "Updated 5 days ago" in text


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-11-23T10:00:00+00:00", "Open now until 18:00"),
        ("2026-11-23T18:00:00+00:00", "Closed now · open again: Tuesday 24 November, 09:00"),
        ("2026-11-20T18:00:00+00:00", "Closed now · open again: Monday 23 November, 09:00"),
    ],
)
def test_help_says_whether_somebody_is_there(pages: Pages, now: str, said: str) -> None:
    at = datetime.fromisoformat(now)
    page = Page(pages.tracking(documents.DELIVERED, CASA_VERDE, stream_url=None, updated_at=at, now=at))
    assert said in page.text


def test_troubles_are_told_once_and_with_their_parcel() -> None:
    def told(view: dict[str, Any]) -> list[Trouble]:
        return list(troubles(OrderDocument.model_validate(view)))

    assert told(documents.TWO_PARCELS) == [Trouble(kind="delayed", reason=ReasonCode.WEATHER, parcel=1)]
    assert told(documents.ATTENTION) == [Trouble(kind="problem", reason=ReasonCode.DAMAGED)]
    assert told(documents.DELIVERED) == told(documents.CANCELLED) == []
    waiting = documents.document(status="backordered", events=[
        {"at": "2026-11-20T15:30:00Z", "kind": "backordered", "reason_code": "backordered"},
    ])  # fmt: skip
    assert told(waiting) == [Trouble(kind="backordered", reason=ReasonCode.BACKORDERED)]
    assert told(documents.document(conditions=["at_risk"])) == [], "our own guesses worry nobody"


@pytest.mark.parametrize("status", list(ShipmentStatus))
def test_every_status_of_a_parcel_has_its_place(pages: Pages, status: ShipmentStatus) -> None:
    parcel = {"ref": "P", "status": status, "scans": [{"at": "2026-11-21T22:02:00Z", "status": "in_transit"}]}
    view = documents.document(shipments=[parcel, {**parcel, "ref": "Q"}])
    order = OrderDocument.model_validate(view)
    steps = parcel_progress(order, order.shipments[0])
    over = status in {ShipmentStatus.RETURNING, ShipmentStatus.RETURNED, ShipmentStatus.CANCELLED}
    assert sum(step.state == "current" for step in steps) == (0 if over else 1)
    assert "Parcel 2 of 2" in tracking(pages, view).text
    if status is ShipmentStatus.EXCEPTION:
        assert next(step.key for step in steps if step.state == "current") == "on_the_way"


def test_two_parcels_show_their_journeys_and_the_changed_promise(pages: Pages) -> None:
    page = tracking(pages, documents.TWO_PARCELS)
    for shown in (
        "Wednesday 25 November", "instead of Tuesday 24 November", "How the expected date changed", "Parcel 1 of 2",
        "DHL Express", "JD014600003828", "Zaragoza, Spain", "07:31", "Arrived at the depot near you", "SEUR", "€123.80",
        "Bad weather is slowing things down", "How to reach us", "Table lamp Alba, oak", "Write to us",
        "Follow it at DHL Express", "Closed now", "open again: Monday 23 November, 09:00", "Updated just now",
        "Times are local to Madrid.",
    ):  # fmt: skip
        assert shown in page.text, shown
    current = [attributes for attributes in page.all("li") if attributes.get("aria-current") == "step"]
    assert len(current) == 2, "each parcel has its own place"
    followed = [link for link in page.all("a") if link.get("href") == "https://track.dhl.example/JD014600003828"]
    assert [link["rel"] for link in followed] == ["noopener noreferrer"]
    assert "Sunday 22 November, 14:05 (CET)" in [time.get("title") for time in page.all("time")]
    assert page.all("main")[0]["data-stream"] == "/t/x/stream"
    assert "2026-11-25" in [time.get("datetime") for time in page.all("time")]


def test_a_page_that_will_not_change_runs_no_script(pages: Pages) -> None:
    page = tracking(pages, documents.DELIVERED, stream_url=None)
    assert page.all("script") == [] and "data-stream" not in page.all("main")[0]
    assert "reception" in page.text


@pytest.mark.parametrize(
    ("name", "shown", "hidden"),
    [
        ("catering", "Left the kitchen", "parcel"),
        ("pickup", "Calle del Pez 12", "Expected"),
        ("cancelled", "Refunded", "Expected"),
        ("attention", "damaged on the way", "Wednesday 25 November"),
    ],
)
def test_each_kind_of_order_speaks_properly(pages: Pages, name: str, shown: str, hidden: str) -> None:
    text = tracking(pages, documents.ALL[name]).text
    assert shown in text and hidden not in text


def test_hostile_text_stays_text(pages: Pages) -> None:
    line = {"sku": "S", "name": MARKUP, "quantity": "1", "unit_price": "1"}
    parcel = {"ref": "P", "status": "in_transit", "carrier": MARKUP, "service_level": MARKUP, "left_at": MARKUP,
              "tracking_number": MARKUP, "tracking_url": "javascript:alert(1)",
              "lines": [{"sku": "S", "quantity": "1"}],
              "scans": [{"at": "2026-11-22T06:31:00Z", "status": "in_transit",
                         "place": {"city": MARKUP[:150]}}]}  # fmt: skip
    page = tracking(
        pages,
        documents.document(
            number=MARKUP, lines=[line], shipments=[parcel, {**parcel, "ref": "Q"}], shipping_method=MARKUP
        ),
    )
    assert [str(script.get("src")).split("?")[0] for script in page.all("script")] == ["/static/tracking.js"]
    assert page.all("img") == [] and "\u202e" not in page.text


@pytest.mark.parametrize("fulfilment", list(Fulfilment))
@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_status_has_a_page_and_at_most_one_current_step(
    pages: Pages, fulfilment: Fulfilment, status: OrderStatus
) -> None:
    view = documents.document(status=status, fulfilment=fulfilment)
    steps = progress(OrderDocument.model_validate(view))
    assert sum(step.state == "current" for step in steps) == (1 if steps else 0)
    assert "CV-1042" in tracking(pages, view).text


def test_the_same_promise_told_twice_is_history_once() -> None:
    document = OrderDocument.model_validate(documents.TWO_PARCELS)
    twice = (*document.promise_history, *document.promise_history)
    assert [record.promise for record in earlier_promises(twice[:2], document.promise)] == [
        document.promise_history[0].promise
    ]


def test_the_document_has_no_room_for_personal_data() -> None:
    assert not set(OrderDocument.model_fields) & {"customer", "recipient", "name", "email", "phone", "shipping_address"}


def _item(renderer: Renderer, channel: Channel, number: int = 7) -> OutboxItem:
    return OutboxItem(
        id=number, brand="casa-verde", channel=channel, kind=K.SHIPPED, recipient="ana@example.com",
        recipient_name="Ana García", order_number="CV-1042", at=HAPPENED,
        rendered=renderer.render(CASA_VERDE, facts(K.SHIPPED), channel),
    )  # fmt: skip


def test_the_outbox_lists_and_filters(pages: Pages, renderer: Renderer) -> None:
    items = [_item(renderer, Channel.SMS, 8), _item(renderer, Channel.EMAIL)]
    page = Page(pages.outbox(items, order='CV-1042"><script>', older="/outbox?before=7"))
    links = [link.get("href") for link in page.all("a")]
    assert links.index("/outbox/8") < links.index("/outbox/7") and "/outbox?before=7" in links
    assert "ana@example.com" in page.text and "22 Nov 13:05:00" in page.text and not page.all("script")
    assert "No message yet" in Page(pages.outbox([])).text


def test_an_email_is_framed_without_rights_and_a_text_is_shown_as_sent(pages: Pages, renderer: Renderer) -> None:
    email = Page(pages.outbox_message(_item(renderer, Channel.EMAIL)))
    frame = email.all("iframe")[0]
    assert frame["src"] == "/outbox/7/html?scheme=light" and "allow-scripts" not in str(frame["sandbox"])
    assert "Still to come" in email.text
    sms = _item(renderer, Channel.SMS)
    shown = Page(pages.outbox_message(sms))
    assert " ".join(sms.rendered.text.split()) in shown.text and not shown.all("iframe")


@pytest.mark.parametrize("brand", [None, CASA_VERDE])
def test_a_lost_link_gets_a_page(pages: Pages, brand: Any) -> None:
    assert "cannot find this page" in Page(pages.not_found(brand)).text


def test_the_recipient_of_a_gift_sees_no_trace_of_money(pages: Pages) -> None:
    view = documents.ALL["cancelled"] | {
        "events": [
            {"at": "2026-11-21T09:00:00Z", "kind": "refunded"},
            {"at": "2026-11-21T08:00:00Z", "kind": "on_hold", "reason_code": "payment"},
            {"at": "2026-11-20T08:00:00Z", "kind": "packed"},
        ],
        "payment": {"state": "refunded", "method": "Visa ending 4242"},
    }
    brand, at = CASA_VERDE, documents.UPDATED
    buyer = pages.tracking(view, brand, stream_url=None, updated_at=at)
    gift = pages.tracking(view, brand, stream_url=None, updated_at=at, for_recipient=True)
    told = ("€", "Refunded", "Visa", "Total", 'class="price"', "payment")
    assert ([word for word in told if word not in buyer], [word for word in told if word in gift]) == ([], [])
    assert "Packed" in gift


def test_only_the_buyer_is_asked_to_choose_a_remedy(pages: Pages) -> None:
    brand = CASA_VERDE.model_copy(update={"policy": Policy(remedies=("wait", "cancel", "partial_refund"))})
    view, at = documents.TWO_PARCELS, documents.UPDATED
    assert "You can choose: " in pages.tracking(view, brand, stream_url=None, updated_at=at)
    assert "You can choose: " not in pages.tracking(view, brand, stream_url=None, updated_at=at, for_recipient=True)


def test_a_brands_own_page_is_taken_from_the_settings_folder(tmp_path: Path) -> None:
    own = tmp_path / CASA_VERDE.id / "portal"
    own.mkdir(parents=True)
    (own / "not_found.html").write_text("Ours: {{ brand.name }}")
    assert Pages(templates_dir(), tmp_path).not_found(CASA_VERDE) == "Ours: Casa Verde"
    assert "Ours" not in Pages(templates_dir(), tmp_path).not_found(FORNO)
