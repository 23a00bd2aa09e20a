"""What an attempt leaves behind that was killed while it was at its provider."""

import json

from ordertrail.db import sending as claims
from tests.send.conftest import Sending


def killed(sending: Sending, name: str) -> None:
    """Claim this delivery and let it be."""
    with sending.database.write() as c:
        row = claims.load(c, sending.ids[name])
        assert row is not None
        claims.claim(c, row, rendered=_rendered(sending, name), now=sending.clock())


def _rendered(sending: Sending, name: str) -> str:
    content = {"text": "as rendered then"} | ({} if name.endswith("/sms") else {"subject": "as rendered then"})
    return str(sending.row(name).rendered or json.dumps(content))
