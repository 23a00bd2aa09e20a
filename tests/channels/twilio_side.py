"""The Twilio adapter as the tests build it."""

from pydantic import SecretStr

from ordertrail.channels.twilio_sms import TwilioSms
from tests.fakes.twilio import ACCOUNT_SID

TOKEN = "secret-token"


def adapter(url: str, *, token: str = TOKEN, default_from: str | None = None, timeout: float = 5) -> TwilioSms:
    return TwilioSms(
        account_sid=ACCOUNT_SID,
        auth_token=SecretStr(token),
        base_url=url,
        status_callback=lambda message: f"https://shop.example/hooks/twilio/{message.delivery_id}",
        default_from=default_from,
        timeout=timeout,
    )
