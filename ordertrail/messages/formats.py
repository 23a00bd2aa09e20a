"""Money, dates, times and promises as a person in one place and language reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_time, get_day_names
from babel.numbers import format_currency, format_decimal

from ordertrail.domain.brand import OpeningHours
from ordertrail.domain.promise import DatePromise, Promise, WindowPromise

LANGUAGES = frozenset({"en"})
"""Languages the templates are written in."""

# Plain English without a country is written for everyone: day before month, 24 hours.
_NEUTRAL = "en_GB"
_FAR_DAYS = 180
# Some fonts and every SMS alphabet lack the narrow spaces that CLDR puts around dashes and before AM.
_PLAIN_SPACES = str.maketrans({"\u202f": " ", "\u2009": " ", "\u00a0": " "})


@lru_cache(maxsize=256)
def message_locale(tag: str) -> Locale:
    """The locale a message is written in, for a recipient's BCP 47 tag.

    A language we have no templates for is answered in English, with numbers and dates as its country writes English
    where CLDR knows that ('de-AT' becomes 'en-AT'), so that a sentence never mixes two languages.
    """
    try:
        wanted = Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_NEUTRAL)
    if wanted.language in LANGUAGES:
        return wanted if wanted.territory else Locale.parse(_NEUTRAL)
    try:
        return Locale.parse(f"en_{wanted.territory}") if wanted.territory else Locale.parse(_NEUTRAL)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_NEUTRAL)


@lru_cache(maxsize=256)
def _day_pattern(locale: Locale, with_year: bool) -> str:
    """CLDR's day pattern ('EEE, d MMM') with weekday and month written out."""
    skeletons = locale.datetime_skeletons
    pattern = skeletons.get("yMMMEd" if with_year else "MMMEd")
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
    def of(cls, tag: str, zone: str, now: datetime) -> "Formatter":
        """For a reader's language tag and IANA zone; `now` is aware."""
        place = ZoneInfo(zone)
        return cls(locale=message_locale(tag), zone=place, today=now.astimezone(place).date())

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

    def moment(self, instant: datetime) -> str:
        """'Tuesday 24 November, 14:05 (CET)' in the reader's zone."""
        return f"{self.local_day(instant)}, {self.clock(instant)} ({zone_name(instant, self.zone)})"

    def short_moment(self, instant: datetime) -> str:
        """'Tuesday 24 November, 14:05' for lists that name their zone once."""
        return f"{self.local_day(instant)}, {self.clock(instant)}"

    def promise(self, promise: Promise) -> str:
        """'Tuesday 24 November', or 'Tuesday 24 November, 12:00–12:30 (CET)', in the promise's own zone."""
        match promise:
            case DatePromise(on=day):
                return self.day(day)
            case WindowPromise():
                return self._window(promise)

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
        return ", ".join(spans)

    def country(self, code: str | None) -> str:
        """'Spain' for 'ES'; the code itself where CLDR does not know it."""
        return str(self.locale.territories.get(code, code)) if code else ""

    def _wall(self, clock: time) -> str:
        return _plain(format_time(clock, "short", locale=self.locale))

    def _window(self, window: WindowPromise) -> str:
        zone = ZoneInfo(window.zone)
        start, end = window.starts_at.astimezone(zone), window.ends_at.astimezone(zone)
        name = zone_name(end, zone)
        local = Formatter(locale=self.locale, zone=zone, today=self.today)
        if start.date() != end.date():
            return f"{local.short_moment(start)} – {local.short_moment(end)} ({name})"
        skeleton = "hm" if "a" in str(self.locale.time_formats["short"].pattern) else "Hm"
        hours = _plain(format_interval(start, end, skeleton, tzinfo=zone, locale=self.locale))
        return f"{local.local_day(start)}, {hours} ({name})"


def phone_text(number: str | None) -> str:
    """An E.164 number as people write it: '+34912345678' -> '+34 912 34 56 78'."""
    if not number:
        return ""
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def zone_name(instant: datetime, zone: ZoneInfo) -> str:
    """'CET' where the zone has an abbreviation people use, else its offset: 'GMT-3', 'GMT+5:30'."""
    local = instant.astimezone(zone)
    known = local.tzname() or ""
    if known.isalpha():
        return known
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"GMT{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"


def _plain(text: str) -> str:
    return text.translate(_PLAIN_SPACES)
