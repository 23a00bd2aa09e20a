"""A stand-in for browsers' push services: it checks who sends, decrypts as the device would, and ends subscriptions."""

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.faults import Fault
from tests.fakes.memory import Kept
from tests.fakes.server import FakeProvider

LONGEST_TOKEN_S = 24 * 3600


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def decrypt(body: bytes, private: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """RFC 8291 by its own words, so that the library that encrypts is not asked whether it does so rightly."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    if len(sealed) > size:
        raise ValueError("more than one record")
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    info = b"WebPush: info\x00" + point(private.public_key()) + sender
    secret = _derived(32, auth, info, shared)
    key = _derived(16, salt, b"Content-Encoding: aes128gcm\x00", secret)
    nonce = _derived(12, salt, b"Content-Encoding: nonce\x00", secret)
    padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
    if not padded.endswith(b"\x02"):
        raise ValueError("no last record")
    return padded[:-1]


def _derived(length: int, salt: bytes, info: bytes, secret: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


@dataclass(kw_only=True)
class Device:
    """A browser that subscribed."""

    id: str
    endpoint: str
    private: ec.EllipticCurvePrivateKey
    auth: bytes
    gone: bool = False

    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` gives."""
        keys = {"p256dh": b64(point(self.private.public_key())), "auth": b64(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}


class FakePushService(FakeProvider):
    """Devices made by `subscribe` take notices signed by `public_key`; the decrypted notice is in `fields`."""

    def __init__(self, *, public_key: str, **settings: Any) -> None:
        self.public_key = public_key
        self.devices: dict[str, Device] = {}
        super().__init__(**settings)

    def subscribe(self) -> Device:
        name = uuid4().hex
        private, auth = ec.generate_private_key(ec.SECP256R1()), uuid4().bytes
        device = Device(id=name, endpoint=f"{self.url}/push/{name}", private=private, auth=auth)
        self.devices[name] = device
        return device

    def routes(self) -> list[Route]:
        return [Route("/push/{device}", self.handle, methods=["POST"])]

    def error(self, fault: Fault, request: Request, body: bytes) -> Response:
        del request, body
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        return JSONResponse({"code": fault.status}, status_code=fault.status, headers=headers)

    def answer(self, request: Request, body: bytes) -> Response:
        device = self.devices.get(request.path_params["device"])
        if device is None or device.gone:
            return Response(status_code=404 if device is None else 410)
        violation = self._violation(request)
        if violation is not None:
            self.violations.append(violation)
            return Response(status_code=403 if "vapid" in violation else 400)
        if len(body) > 4096:
            return Response(status_code=413)
        try:
            notice = json.loads(decrypt(body, device.private, device.auth))
        except (ValueError, InvalidTag):
            self.violations.append("cannot be decrypted")
            return Response(status_code=400)
        kept = Kept(
            number=len(self.messages),
            provider_id=uuid4().hex,
            to=device.id,
            delivery_id=None,
            fields=notice | {"headers": dict(request.headers)},
            raw=body,
            received_at=datetime.now(UTC),
            received_monotonic=time.monotonic(),
        )
        self.messages.append(kept)
        return Response(status_code=201, headers={"Location": f"{self.url}/m/{kept.provider_id}"})

    def _violation(self, request: Request) -> str | None:
        headers = request.headers
        topic = headers.get("topic", "a")
        rules = (
            (headers.get("content-encoding") != "aes128gcm", "content encoding"),
            (not headers.get("ttl", "").isdigit(), "no TTL"),
            (headers.get("urgency") not in {"very-low", "low", "normal", "high"}, "urgency"),
            (not (0 < len(topic) <= 32 and set(topic) <= _BASE64URL), "topic"),
        )
        return next((reason for broken, reason in rules if broken), None) or self._bad_vapid(headers["authorization"])

    def _bad_vapid(self, authorization: str) -> str | None:
        scheme, _, rest = authorization.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        if scheme != "vapid" or parts["k"] != self.public_key:
            return "vapid: another key"
        signed, _, signature = parts["t"].rpartition(".")
        header, claims = (json.loads(unb64(part)) for part in signed.split("."))
        raw = unb64(signature)
        encoded = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(parts["k"]))
        try:
            key.verify(encoded, signed.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "vapid: signature"
        now = time.time()  # noqa: TID251  a real service's clock
        rules = (
            (header.get("alg") != "ES256", "vapid: algorithm"),
            (claims.get("aud") != self.url, "vapid: audience"),
            (not now < claims.get("exp", 0) <= now + LONGEST_TOKEN_S, "vapid: expiry"),
            (not str(claims.get("sub", "")).startswith(("mailto:", "https:")), "vapid: subject"),
        )
        return next((reason for broken, reason in rules if broken), None)


_BASE64URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
