"""TwiML documents: where a message's keys are reported to, and what is answered to a key."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from twilio.twiml.voice_response import VoiceResponse

TO_SUPPORT, AGAIN = "1", "2"
"""The keys every spoken message offers."""


@dataclass(frozen=True, kw_only=True)
class Support:
    """Where key 1 leads: the brand's support line, called in the name of `caller_id`, the number that called."""

    phone: str
    caller_id: str | None


def reporting_keys_to(twiml: str, url: str) -> str | None:
    """The message with every `<Gather>` of it reporting to `url`; None if it is no TwiML."""
    root = _parsed(twiml)
    if root is None:
        return None
    for gather in root.iter("Gather"):
        gather.attrib |= {"action": url, "method": "POST", "numDigits": "1"}
    return _written(root)


def answer_to_key(digits: str, twiml: str | None, url: str, support: Support | None) -> str:
    """What is said to whoever pressed `digits` while `twiml` was spoken: support on 1, all of it again on 2.

    Any other key gets the last words of the message after its `<Gather>`: a goodbye in its own language and voice.
    Without a message (erased since) the call just ends.
    """
    if digits == TO_SUPPORT and support is not None:
        response = VoiceResponse()
        response.dial(support.phone, caller_id=support.caller_id)
        return str(response)
    if digits == AGAIN and twiml is not None and (again := reporting_keys_to(twiml, url)) is not None:
        return again
    return _farewell(twiml)


def _farewell(twiml: str | None) -> str:
    root = _parsed(twiml) if twiml is not None else None
    verbs = list(root) if root is not None else []
    gathers = [index for index, verb in enumerate(verbs) if verb.tag == "Gather"]
    said = [verb for verb in verbs[gathers[-1] + 1 :] if verb.tag == "Say"] if gathers else []
    response = ET.Element("Response")
    response.extend(said[-1:])
    ET.SubElement(response, "Hangup")
    return _written(response)


def _parsed(twiml: str) -> ET.Element | None:
    try:
        root = ET.fromstring(twiml)  # noqa: S314  rendered by us, from templates of ours
    except ET.ParseError:
        return None
    return root if root.tag == "Response" else None


def _written(root: ET.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(root, encoding="unicode")
