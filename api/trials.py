"""Sends a sample message to an operator's own address: marked as a test, few at a time, recorded, to no customer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import TypeAdapter, ValidationError
from ulid import ULID

from api.rate_limit import RateLimit
from ordertrail.channels.base import Provider
from ordertrail.db import trials
from ordertrail.db.contacts import address_key
from ordertrail.db.engine import Database
from ordertrail.db.trials import Trial
from ordertrail.domain.clock import Clock
from ordertrail.domain.failures import Ambiguous, ConfigurationError, OrdertrailError, Permanent, Transient
from ordertrail.domain.ids import TRIAL_PREFIX
from ordertrail.domain.message import OutgoingMessage, Rendered
from ordertrail.domain.order import Email, Phone
from ordertrail.domain.vocabulary import Channel
from ordertrail.messages.gallery import Choice, Gallery

log = structlog.get_logger(__name__)

Providers = Mapping[tuple[str, Channel], Provider]

_FORM_LIVES = timedelta(hours=2)
_PER_MINUTE = 5
_SENT = "sent"
_ADDRESSES: dict[Channel, TypeAdapter[str]] = {
    Channel.EMAIL: TypeAdapter(Email),
    Channel.SMS: TypeAdapter(Phone),
    Channel.VOICE: TypeAdapter(Phone),
}
"""A notification goes to a device that asked for it on an order's page, so there is no address to send a test to."""
CHANNELS = tuple((channel.value, words) for channel, words in zip(_ADDRESSES, ("Email", "SMS", "Call"), strict=True))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What an operator asks for. `to` is as typed."""

    choice: Choice
    channel: Channel
    to: str
    token: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of it, in words for the operator."""

    said: str
    failed: bool = True


@dataclass(kw_only=True)
class Trials:
    """`providers` is called at the first test, because an api process may have no credentials and need none.

    `monotonic` gives seconds; `secret` signs the form and keys the pseudonyms of addresses.
    """

    gallery: Gallery
    database: Database
    providers: Callable[[], Providers]
    secret: bytes
    clock: Clock
    monotonic: Callable[[], float]
    _limit: RateLimit = field(init=False)
    _forms: URLSafeTimedSerializer = field(init=False)
    _known: Providers | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._limit = RateLimit(_PER_MINUTE / 60, _PER_MINUTE, self.monotonic)
        self._forms = URLSafeTimedSerializer(self.secret, salt="trial")

    def token(self, brand: str, by: str) -> str:
        """What the form carries: whoever posts it has seen our page, and under this very key."""
        text = self._forms.dumps([brand, by])
        return text if isinstance(text, str) else text.decode()

    def allowed(self, by: str) -> float:
        """0.0 if this operator may send a test now, else the seconds to wait. For the event loop's thread only."""
        return self._limit.wait(by)

    def send(self, wish: Wish) -> Answer:
        """Check, send, record. Every refusal is an answer in words; raises Transient only without a database."""
        if not self._is_ours(wish):
            return Answer(said="This form is too old or not ours. Open the page again and repeat.")
        address = _address(wish.channel, wish.to)
        if address is None:
            return Answer(said="This is not an address for this channel.")
        with self.database.read() as c:
            if trials.is_customers(c, brand=wish.choice.brand.id, address=address):
                return Answer(said="This address belongs to a customer. Tests go to your own address only.")
        part = self.gallery.part(wish.choice, wish.channel)
        if part.rendered is None:
            return Answer(said=f"The template does not render: {part.problem}")
        provider, outcome = self._deliver(wish, address, part.rendered)
        self._record(wish, address, provider, outcome)
        if outcome == _SENT:
            return Answer(said=f"Sent by {provider}.", failed=False)
        return Answer(said=f"Not sent: {outcome}.")

    def _is_ours(self, wish: Wish) -> bool:
        try:
            said = self._forms.loads(wish.token, max_age=int(_FORM_LIVES.total_seconds()))
        except BadSignature:
            return False
        return bool(said == [wish.choice.brand.id, wish.by])

    def _deliver(self, wish: Wish, address: str, rendered: Rendered) -> tuple[str, str]:
        """(the provider's name, 'sent' or the reason why not)."""
        try:
            provider = self._provider(wish.channel)
        except ConfigurationError:
            return "", "no provider is configured here for this channel"
        trial_id = f"{TRIAL_PREFIX}{ULID()}".lower()
        message = OutgoingMessage(
            delivery_id=trial_id, key=f"test:{trial_id}", brand=wish.choice.brand, kind=wish.choice.kind,
            channel=wish.channel, to=address, to_name="", rendered=_marked(rendered),
        )  # fmt: skip
        try:
            provider.send(message)
        except (Transient, Permanent, Ambiguous) as error:
            return provider.name, error.code
        return provider.name, _SENT

    def _provider(self, channel: Channel) -> Provider:
        if self._known is None:
            self._known = self.providers()
        found = next((provider for (_, on), provider in self._known.items() if on is channel), None)
        if found is None:
            raise ConfigurationError("settings", f"no provider for {channel}")
        return found

    def _record(self, wish: Wish, address: str, provider: str, outcome: str) -> None:
        brand = wish.choice.brand.id
        trial = Trial(
            brand=brand, kind=wish.choice.kind, channel=wish.channel, language=wish.choice.language,
            data=wish.choice.data, address_key=address_key(self.secret, brand, wish.channel, address),
            provider=provider, outcome=outcome, asked_by=wish.by, at=self.clock(),
        )  # fmt: skip
        log.info("trial", brand=brand, kind=trial.kind, channel=trial.channel, provider=provider, outcome=outcome)
        try:
            with self.database.write() as c:
                trials.record(c, trial)
        except OrdertrailError as error:
            log.error("trial_not_recorded", code=error.code)


def _address(channel: Channel, typed: str) -> str | None:
    try:
        return _ADDRESSES[channel].validate_python(typed.strip()) if channel in _ADDRESSES else None
    except ValidationError:
        return None


def _marked(rendered: Rendered) -> Rendered:
    """The message as a test: its links to leave are somebody else's, so the header that offers one goes."""
    kept = {name: value for name, value in rendered.headers.items() if not name.lower().startswith("list-unsubscribe")}
    if rendered.subject is not None:
        return rendered.model_copy(update={"subject": f"[Test] {rendered.subject}", "headers": kept})
    return rendered.model_copy(update={"text": f"TEST {rendered.text}", "headers": kept})
