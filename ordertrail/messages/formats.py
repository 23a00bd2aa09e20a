"""Money, dates, times and promises as a person in one place and language reads them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from babel.dates import (
    format_date,
    format_interval,
    format_skeleton,
    format_time,
    get_datetime_format,
    get_day_names,
    get_timezone_name,
)
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from ordertrail.domain.brand import OpeningHours
from ordertrail.domain.promise import DatePromise, Promise, WindowPromise
from ordertrail.messages.catalogue import SOURCE, catalogue_of, message_locale

_FAR_DAYS = 180
_ABBREVIATION = 5
"""Letters; what is longer is a name, not an abbreviation."""
# Babel has CLDR's list pattern of style "unit" for a few languages only, and the others put an 'and' in.
_COMMAS = {"ar": "، ", "ja": "、"}
_OUTSIDE_GSM = frozenset({"ar", "ja"})
_JAPANESE_OR = re.compile("または")
# Some fonts and every SMS alphabet lack the narrow spaces that CLDR puts around dashes and before AM.
_PLAIN_SPACES = str.maketrans({"\u202f": " ", "\u2009": " ", "\u00a0": " "})


@lru_cache(maxsize=256)
def _day_pattern(locale: Locale, with_year: bool) -> str:
    """CLDR's day pattern ('EEE, d MMM') with weekday and month written out."""
    skeletons = locale.datetime_skeletons
    year = "y" if with_year else ""
    pattern = skeletons.get(f"{year}MMMMEd") or skeletons.get(f"{year}MMMEd")
    if pattern is None:
        return str(locale.date_formats["full"].pattern)
    text = str(pattern.pattern)
    return (
        text.replace("EEEE", "E").replace("EEE", "E").replace("E", "EEEE").replace("MMMM", "MMM").replace("MMM", "MMMM")
    )


@dataclass(frozen=True, kw_only=True)
class Formatter:
    """Formats for one reader: `locale` for words and numbers, `zone` for instants, `today` to decide on years.

    Instants are aware; the result is plain text without narrow spaces.
    """

    locale: Locale
    zone: ZoneInfo
    today: date

    @classmethod
    def of(cls, tags: str | Sequence[str], zone: str, now: datetime) -> "Formatter":
        """For a reader's language tags, best first, and IANA zone; `now` is aware."""
        place = ZoneInfo(zone)
        locale = message_locale(*([tags] if isinstance(tags, str) else tags))
        return cls(locale=locale, zone=place, today=now.astimezone(place).date())

    @property
    def tag(self) -> str:
        """The BCP 47 tag of the locale, for `lang`."""
        return str(self.locale).replace("_", "-")

    @property
    def catalogue(self) -> str:
        """Which of the catalogue's languages the words come from."""
        return catalogue_of(self.locale) or SOURCE

    @property
    def terse(self) -> bool:
        """Whether a text in this language holds 67 characters a segment and not 153 (3GPP TS 23.038)."""
        return self.locale.language in _OUTSIDE_GSM

    @property
    def rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return str(self.locale.text_direction) == "rtl"

    def money(self, amount: Decimal, currency: str) -> str:
        """`1234.5, EUR` -> '€1,234.50'; as many decimals as the currency has."""
        return _plain(format_currency(amount, currency, locale=self.locale))

    def quantity(self, amount: Decimal) -> str:
        """'2', or '0.75' for goods by weight; never '2.000'."""
        return _plain(format_decimal(amount.normalize(), locale=self.locale))

    def day(self, day: date) -> str:
        """'Tuesday 24 November'; with its year when it is far from today."""
        far = abs((day - self.today).days) > _FAR_DAYS
        return _plain(format_date(day, _day_pattern(self.locale, far), locale=self.locale))

    def local_day(self, instant: datetime) -> str:
        """The reader's calendar day of an instant."""
        return self.day(instant.astimezone(self.zone).date())

    def clock(self, instant: datetime) -> str:
        """'14:05', or '2:05 PM', in the reader's zone."""
        return _plain(format_time(instant, "short", tzinfo=self.zone, locale=self.locale))

    def moment(self, instant: datetime, brief: bool = False) -> str:
        """'Tuesday 24 November, 14:05 (CET)' in the reader's zone. `brief`: without weekday and zone."""
        if brief:
            return self._joined(self._brief_day(instant.astimezone(self.zone).date()), self.clock(instant))
        return f"{self.short_moment(instant)} ({self.zone_name(instant)})"

    def short_moment(self, instant: datetime) -> str:
        """'Tuesday 24 November, 14:05' for lists that name their zone once."""
        return self._joined(self.local_day(instant), self.clock(instant))

    def listed(self, items: Iterable[object]) -> str:
        """'a, b, c' with the language's own comma, without an 'and'; empty items are left out."""
        return _COMMAS.get(self.locale.language, ", ").join(text for item in items if (text := str(item or "")))

    def either(self, items: Iterable[str]) -> str:
        """'a, b or c'; empty items are left out. What stands beside an address is set off from it."""
        joined = str(format_list([item for item in items if item], style="or", locale=self.locale))
        return _JAPANESE_OR.sub(" または ", joined) if self.locale.language == "ja" else joined

    def promise(self, promise: Promise, brief: bool = False) -> str:
        """'Tuesday 24 November', or 'Tuesday 24 November, 12:00–12:30 (CET)', in the promise's own zone.

        `brief`: without weekday and zone.
        """
        match promise:
            case DatePromise(on=day):
                return self._brief_day(day) if brief else self.day(day)
            case WindowPromise():
                return self._window(promise, brief)

    def weekdays(self, hours: Sequence[OpeningHours]) -> str:
        """'Monday–Friday 09:00–18:00'; several spans are joined by commas, no hours give an empty text."""
        names = get_day_names("wide", locale=self.locale)
        runs: list[list[OpeningHours]] = []
        for entry in sorted(hours, key=lambda hour: (hour.weekday, hour.opens)):
            last = runs[-1][-1] if runs else None
            if last and entry.weekday == last.weekday + 1 and (entry.opens, entry.closes) == (last.opens, last.closes):
                runs[-1].append(entry)
            else:
                runs.append([entry])
        spans = []
        for run in runs:
            days = "–".join(dict.fromkeys((names[run[0].weekday], names[run[-1].weekday])))
            spans.append(f"{days} {self._wall(run[0].opens)}–{self._wall(run[0].closes)}")
        return self.listed(spans)

    def support_hours(self, hours: Sequence[OpeningHours], zone: str) -> str:
        """'Monday–Friday 09:00–18:00 (CET)': opening hours and the zone they are in; empty without hours."""
        if not hours:
            return ""
        at = datetime.combine(self.today, time(12), tzinfo=ZoneInfo(zone))
        return f"{self.weekdays(hours)} ({self.zone_name(at, ZoneInfo(zone))})"

    def country(self, code: str | None) -> str:
        """'Spain' for 'ES'; the code itself where CLDR does not know it."""
        return str(self.locale.territories.get(code, code)) if code else ""

    def zone_name(self, instant: datetime, zone: ZoneInfo | None = None) -> str:
        """'CET' or 'MEZ' where people use an abbreviation, else the offset as the language writes it: 'GMT-3'."""
        local = instant.astimezone(zone or self.zone)
        for known in (get_timezone_name(local, width="short", locale=self.locale), local.tzname() or ""):
            if known.isalpha() and len(known) <= _ABBREVIATION:
                return known
        minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
        hours, rest = divmod(abs(minutes), 60)
        offset = f"{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"
        return _plain(str(self.locale.zone_formats["gmt"]) % offset)

    def _brief_day(self, day: date) -> str:
        return _plain(format_skeleton("MMMMd", day, locale=self.locale))

    def _joined(self, day: str, clock: str) -> str:
        pattern = str(get_datetime_format("medium", locale=self.locale))
        return _plain(pattern.replace("'", "").replace("{1}", day).replace("{0}", clock))

    def _wall(self, clock: time) -> str:
        return _plain(format_time(clock, "short", locale=self.locale))

    def _window(self, window: WindowPromise, brief: bool) -> str:
        zone = ZoneInfo(window.zone)
        start, end = window.starts_at.astimezone(zone), window.ends_at.astimezone(zone)
        name = self.zone_name(end, zone)
        local = Formatter(locale=self.locale, zone=zone, today=self.today)
        if start.date() != end.date():
            return f"{local.short_moment(start)} – {local.short_moment(end)} ({name})"
        skeleton = "hm" if "a" in str(self.locale.time_formats["short"].pattern) else "Hm"
        hours = _plain(format_interval(start, end, skeleton, tzinfo=zone, locale=self.locale))
        if brief:
            return self._joined(self._brief_day(start.date()), hours)
        return f"{self._joined(local.local_day(start), hours)} ({name})"


@lru_cache(maxsize=4096)
def phone_text(number: str | None) -> str:
    """An E.164 number as people write it: '+34912345678' -> '+34 912 34 56 78'."""
    if not number:
        return ""
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _plain(text: str) -> str:
    return text.translate(_PLAIN_SPACES)
