"""What Twilio reports of calls, and the keys that people press in them."""

from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from ordertrail.db import brands
from ordertrail.db.engine import Database
from ordertrail.db.tables import deliveries, handoffs
from ordertrail.domain.brand import Brand, Support
from ordertrail.domain.message import Rendered
from ordertrail.settings import Settings
from tests.api.bodies import PHONE, order
from tests.api.conftest import Memory
from tests.api.rows import add_delivery
from tests.conftest import DrivenClock

TOKEN = "twilio-token"
LINE = "+34910000000"
TWIML = (
    "<Response><Gather><Say>Your order is late.</Say></Gather><Say>Again.</Say><Say>Goodbye.</Say><Hangup/></Response>"
)
FORM = {"CallSid": "CA" + "1" * 32, "CallStatus": "in-progress", "To": PHONE, "From": "+15005550006"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"twilio_auth_token": SecretStr(TOKEN)})


@pytest.fixture(params=[LINE, None], ids=["with a support line", "without one"])
def line(request: pytest.FixtureRequest) -> str | None:
    answer: str | None = request.param
    return answer


class Caller:
    """Posts as Twilio signs."""

    def __init__(self, client: TestClient, settings: Settings) -> None:
        self._client = client
        self._public_url = str(settings.public_url).rstrip("/")

    def post(self, path: str, **fields: str) -> tuple[int, str, str]:
        form = FORM | fields
        signature = RequestValidator(TOKEN).compute_signature(self._public_url + path, form)
        headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
        answer = self._client.post(path, content=urlencode(form), headers=headers)
        return answer.status_code, answer.headers.get("content-type", ""), answer.text

    def press(self, digits: str, *, delivery: str = "dlv_1", brand: str = "acme") -> ET.Element:
        status, kind, text = self.post(f"/v1/hooks/twilio/{brand}/{delivery}/keys", Digits=digits)
        assert (status, kind) == (200, "application/xml")
        return ET.fromstring(text)


@pytest.fixture
def caller(
    client: TestClient, database: Database, clock: DrivenClock, settings: Settings, dispatcher: Memory
) -> Caller:
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    dispatcher.woken.clear()
    spoken = Rendered(text="x", twiml=TWIML).model_dump_json()
    with database.write() as c:
        add_delivery(
            c, order_id, clock(), channel="voice", provider="twilio_voice", state="claimed", rendered=spoken
        )  # fmt: skip
    return Caller(client, settings)


def state(database: Database) -> tuple[str, str | None]:
    with database.read() as c:
        row = c.execute(select(deliveries.c.state, deliveries.c.reason)).one()
        return row.state, row.reason


def test_a_call_that_was_taken_is_delivered(caller: Caller, database: Database) -> None:
    for status in ("in-progress", "completed", "in-progress"):
        assert caller.post("/v1/hooks/twilio/acme/dlv_1", CallStatus=status)[0] == 204
    assert state(database) == ("delivered", None)


@pytest.mark.parametrize(("status", "reason"), [("busy", "busy"), ("no-answer", "no_answer"), ("canceled", "canceled")])
def test_a_call_that_was_not_reaches_its_order(
    caller: Caller, database: Database, dispatcher: Memory, status: str, reason: str
) -> None:
    assert caller.post("/v1/hooks/twilio/acme/dlv_1", CallStatus=status)[0] == 204
    assert state(database) == ("failed", reason)
    assert len(dispatcher.woken) == 1
    with database.read() as c:
        assert "twilio" in c.execute(select(handoffs.c.connection)).scalars().all()


def test_keys_lead_on(caller: Caller, database: Database, brand: Brand, clock: DrivenClock, line: str | None) -> None:
    with database.write() as c:
        brands.put(c, brand.model_copy(update={"support": Support(phone=line)}), clock())
    first = caller.press("1")
    if line:
        dial = first.find("Dial")
        assert dial is not None
        assert (dial.text, dial.get("callerId")) == (LINE, "+15005550006")
    else:
        assert [verb.text for verb in first] == ["Goodbye.", None]
    again = caller.press("2").find("Gather")
    assert again is not None
    assert again.get("action", "").endswith("/v1/hooks/twilio/acme/dlv_1/keys")
    assert [verb.tag for verb in caller.press("7")] == ["Say", "Hangup"]


@pytest.mark.parametrize(("delivery", "where"), [("dlv_none", "acme"), ("dlv_1", "globex")])
def test_a_call_nobody_knows_just_ends(caller: Caller, delivery: str, where: str) -> None:
    for digits in "129":
        assert [verb.tag for verb in caller.press(digits, delivery=delivery, brand=where)] == ["Hangup"]


def test_only_twilio_presses_keys(client: TestClient, caller: Caller) -> None:
    forged = client.post("/v1/hooks/twilio/acme/dlv_1/keys", data=FORM | {"Digits": "2"})
    assert forged.status_code == 403
    assert "late" not in forged.text
