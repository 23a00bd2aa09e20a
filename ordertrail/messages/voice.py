"""A phone call's script: TwiML that says the news, can be repeated and leads to support."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twilio.twiml.voice_response import Gather, VoiceResponse


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """How Twilio says a language: its tag for <Say> and a neural Amazon Polly voice."""

    language: str
    voice: str


# https://www.twilio.com/docs/voice/twiml/say/text-speech#available-voices-and-languages
_SPEAKERS = {
    "en": Speaker(language="en-GB", voice="Polly.Amy-Neural"),
    "en_US": Speaker(language="en-US", voice="Polly.Joanna-Neural"),
    "en_AU": Speaker(language="en-AU", voice="Polly.Olivia-Neural"),
    "en_IN": Speaker(language="en-IN", voice="Polly.Kajal-Neural"),
    "es": Speaker(language="es-ES", voice="Polly.Lucia-Neural"),
    "es_MX": Speaker(language="es-MX", voice="Polly.Mia-Neural"),
    "es_US": Speaker(language="es-US", voice="Polly.Lupe-Neural"),
    "fr": Speaker(language="fr-FR", voice="Polly.Lea-Neural"),
    "fr_CA": Speaker(language="fr-CA", voice="Polly.Gabrielle-Neural"),
    "de": Speaker(language="de-DE", voice="Polly.Vicki-Neural"),
    "de_AT": Speaker(language="de-AT", voice="Polly.Hannah-Neural"),
    "pt": Speaker(language="pt-BR", voice="Polly.Camila-Neural"),
    "pt_PT": Speaker(language="pt-PT", voice="Polly.Ines-Neural"),
    "ja": Speaker(language="ja-JP", voice="Polly.Kazuha-Neural"),
    "ar": Speaker(language="ar-AE", voice="Polly.Hala-Neural"),
}
KEY_SUPPORT, KEY_REPEAT = "1", "2"
_WAIT_FOR_KEY = 6
"""Seconds."""
_UNSPEAKABLE = str.maketrans({"–": "-", "\u2068": "", "\u2069": "", "\u200e": "", "\u200f": ""})
_PAUSES = re.compile(r"\s*[·→]\s*")
_COMMAS = {"ja": "、", "ar": "، "}
_STOPS = {"ja": "。"}
_ENDS, _OPEN_ENDS = (".", "!", "?", "。", "！", "？", "؟"), ",;:、،؛"
_LONGEST = 1200
"""Characters of news: about a minute and a half of speech."""


def speaker(locale: str) -> Speaker:
    """The voice for a locale such as 'en_US': of its country, else of its language, else English."""
    return _SPEAKERS.get(locale) or _SPEAKERS.get(locale.partition("_")[0]) or _SPEAKERS["en"]


def script(locale: str, *, hello: str, news: Sequence[str], menu: str, bye: str) -> str:
    """The call as TwiML, a whole `<Response>`: the news inside a `<Gather>` of one digit, then once more and goodbye.

    The `<Gather>` names no address: the sending adapter fills it in. It tells key 1 (support) from key 2 (again).
    What follows it is said to whoever presses nothing or another key. All text is escaped by Twilio's builder.
    """
    who = speaker(locale)
    response = VoiceResponse()
    gather = Gather(input="dtmf", num_digits=1, timeout=_WAIT_FOR_KEY)
    for sentence in (hello, *news, menu):
        _say(gather, sentence, who)
    response.append(gather)
    for sentence in (*news, bye):
        _say(response, sentence, who)
    response.hangup()
    return str(response)


def speakable(text: str, language: str = "en") -> str:
    """The text without marks that only an eye reads. `language` is an ISO 639 code."""
    return _PAUSES.sub(_COMMAS.get(language, ", "), text.translate(_UNSPEAKABLE))


def spoken(lines: Sequence[str], language: str = "en") -> list[str]:
    """The lines as sentences a voice pauses after, no longer in all than a patient listener hears out."""
    told: list[str] = []
    left = _LONGEST
    for line in (speakable(line, language) for line in lines):
        sentence = line if line.endswith(_ENDS) else line.rstrip(_OPEN_ENDS) + _STOPS.get(language, ".")
        if len(sentence) > left:
            break
        told.append(sentence)
        left -= len(sentence)
    return told or [lines[0][:_LONGEST]]


def _say(into: VoiceResponse | Gather, text: str, who: Speaker) -> None:
    into.say(text, language=who.language, voice=who.voice)
    into.pause(length=1)
