"""The fake providers themselves: they run as processes, are set over HTTP, and fail the same way twice."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.faults import Fault, Faults, Rate
from tests.fakes.openapi import SpecCheck
from tests.fakes.sendgrid import API_KEY, FakeSendGrid

ROOT = Path(__file__).resolve().parents[2]
MAIL = {
    "personalizations": [{"to": [{"email": "a@b.example"}], "custom_args": {"delivery_id": "d1"}}],
    "from": {"email": "shop@b.example"},
    "subject": "s",
    "content": [{"type": "text/plain", "value": "t"}],
}
TEXT = {"To": "+34612345678", "From": "+15005550006", "Body": "t"}


@contextmanager
def running(module: str, *options: str) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", module, *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        info = json.loads(process.stdout.readline())
        deadline = time.monotonic() + 10
        while True:
            try:
                httpx.get(f"{info['url']}/_fake/info")
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield info
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_sendgrid_runs_as_a_process_and_is_set_over_http() -> None:
    with (
        running("tests.fakes.sendgrid", "--no-check", "--api-key", "SG.mine") as info,
        httpx.Client(base_url=info["url"], headers={"Authorization": "Bearer SG.mine"}) as client,
    ):
        assert client.post("/v3/mail/send", json=MAIL).status_code == 202
        client.post("/_fake/faults", json={"push": [{"kind": "answer", "status": 429, "retry_after": "2"}]})
        limited = client.post("/v3/mail/send", json=MAIL)
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "2")
        assert "a@b.example" in limited.text
        client.post("/_fake/faults", json={"push": [{"kind": "drop", "accepts": True}]})
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/v3/mail/send", json=MAIL)
        client.post("/_fake/faults", json={"rates": [{"probability": 1, "fault": {"kind": "answer", "status": 500}}]})
        assert client.post("/v3/mail/send", json=MAIL).status_code == 500
        client.post("/_fake/faults", json={"clear": True})
        settings = client.post("/_fake/settings", json={"rejects": {"a@b.example": "no"}}).json()
        assert settings["rejects"] == {"a@b.example": "no"}
        assert client.post("/v3/mail/send", json=MAIL).status_code == 400
        kept = client.get("/_fake/messages").json()
        assert [message["delivery_id"] for message in kept] == ["d1", "d1"]
        assert kept[0]["received_monotonic"] < kept[1]["received_monotonic"]
        assert client.get("/_fake/messages", params={"since": 1}).json() == kept[1:]
        assert client.get("/_fake/info").json()["refused"] == 3
        client.delete("/_fake/messages")
        assert client.get("/_fake/messages").json() == []


def test_twilio_runs_as_a_process_and_lists_what_it_took() -> None:
    with running("tests.fakes.twilio", "--no-check") as info:
        path = f"/2010-04-01/Accounts/{info['account_sid']}/Messages.json"
        with httpx.Client(base_url=info["url"], auth=(info["account_sid"], info["auth_token"])) as client:
            sids = [client.post(path, data=TEXT | {"Body": str(n)}).json()["sid"] for n in range(5)]
            first = client.get(path, params={"To": TEXT["To"], "PageSize": 3}).json()
            rest = client.get(first["next_page_uri"]).json()
            assert [m["sid"] for m in first["messages"] + rest["messages"]] == sids[::-1]
            assert rest["next_page_uri"] is None
            for nothing in ({"To": "+34600000000"}, {"DateSent>": "2999-01-01T00:00:00Z"}, {"DateSent<": "2000-01-01"}):
                assert client.get(path, params=nothing).json()["messages"] == []
            assert len(client.get(path, params={"DateSent>": "2000-01-01T00:00:00Z"}).json()["messages"]) == 5
            client.post("/_fake/faults", json={"push": [{"kind": "answer", "status": 429}]})
            assert client.post(path, data=TEXT).json()["code"] == 20429


def test_the_same_seed_fails_the_same_requests() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        faults = Faults(seed)
        rates = [Rate(probability=0.2, fault=Fault.server_error()), Rate(probability=0.1, fault=Fault.refuse())]
        faults.set_rates(*rates)
        return [faults.take() for _ in range(2000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 300 < drawn(1).count(Fault.server_error()) < 500
    assert 140 < drawn(1).count(Fault.refuse()) < 260


def test_a_late_callback_comes_after_the_answer() -> None:
    with FakeSendGrid(check_requests=False, callback_url="http://127.0.0.1:9/nobody", callback_tries=1) as fake:
        fake.settings.callback_delay = 0.3
        started = time.monotonic()
        headers = {"Authorization": f"Bearer {API_KEY}"}
        assert httpx.post(f"{fake.url}/v3/mail/send", json=MAIL, headers=headers).status_code == 202
        assert fake.callbacks == []
        while not fake.callbacks:
            assert time.monotonic() < started + 10
            time.sleep(0.01)
        assert time.monotonic() - started >= 0.3


def test_without_the_vendors_document_it_says_once_that_nothing_is_checked(caplog: pytest.LogCaptureFixture) -> None:
    class Unspecified(FakeSendGrid):
        check = SpecCheck("absent.json", "/v3/mail/send")

    headers = {"Authorization": f"Bearer {API_KEY}"}
    with Unspecified() as fake:
        for _ in range(2):
            odd = MAIL | {"unheard_of": 1}
            assert httpx.post(f"{fake.url}/v3/mail/send", json=odd, headers=headers).status_code == 202
    assert len([record for record in caplog.records if "not validated" in record.getMessage()]) == 1
