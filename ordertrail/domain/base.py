"""The one base of all domain values: frozen, keyword-only, no surprises in what they accept."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


class Value(BaseModel):
    """A frozen value. Unknown fields are an error, so a misspelt fact is reported instead of dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(BaseModel):
    """A frozen value read back from our own storage: fields unknown to this version are ignored, new ones default."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$")]
"""Lower-case identifier without a colon, so that composed keys stay unambiguous."""

NO_NUL = r"^[^\x00]*$"
"""Databases cannot store the character NUL in text, and no shop means it."""

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=NO_NUL)]
LongText = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]


def _in_living_memory(value: datetime) -> datetime:
    if not 1990 <= value.year <= 2199:
        raise ValueError("not an instant an order can have: the year is before 1990 or after 2199")
    return value


Instant = Annotated[AwareDatetime, AfterValidator(_in_living_memory)]
"""A point in time; always with an offset, UTC inside. Bounded, so that arithmetic on it cannot overflow."""
