"""The key pair by which push services recognise this installation (RFC 8292)."""

import base64

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pydantic import SecretStr

from ordertrail.channels.push_endpoint import decoded
from ordertrail.domain.failures import ConfigurationError


def vapid_key(private_key: SecretStr) -> Vapid02:
    """The key pair of a private key in base64url. Raises ConfigurationError if it is none."""
    try:
        raw = private_key.get_secret_value()
        if len(decoded(raw)) != 32:
            raise ValueError
        key: Vapid02 = Vapid02.from_raw(raw.rstrip("=").encode())
    except ValueError:
        raise ConfigurationError(
            "settings", "ORDERTRAIL_VAPID_PRIVATE_KEY is no key; make one with: ordertrail keys vapid"
        ) from None
    return key


def public_key_of(key: Vapid02) -> str:
    """What browsers subscribe with (`applicationServerKey`): base64url of the uncompressed point."""
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


def new_vapid_key() -> tuple[str, str]:
    """A new pair as (private, public), both in base64url."""
    key = Vapid02()
    key.generate_keys()
    number: int = key.private_key.private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("="), public_key_of(key)
