"""People as they were last seen on an order."""

from sqlalchemy import Connection, select

from ordertrail.db.tables import people
from ordertrail.domain.order import Person


def by_id(c: Connection, person_id: str, *, brand: str) -> Person | None:
    """A person of this brand; personal data. None if there is none, or they were erased."""
    statement = select(people.c.document).where(people.c.id == person_id, people.c.brand == brand)
    document = c.execute(statement).scalar_one_or_none()
    return Person.model_validate_json(document) if document else None
