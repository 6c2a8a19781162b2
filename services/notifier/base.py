"""The metadata of this service's tables."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData, Sequence, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.elements import TextClause


class Base(DeclarativeBase):
    """What every model of the service stands on; constraints are named as the migrations name them."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )
    type_annotation_map: ClassVar = {str: Text, datetime: DateTime(timezone=True), list[str]: ARRAY(Text)}


# One count of all that is heard about subjects. What is heard of one subject is heard in order (design: order per
# key), so a higher number was heard later; numbers of different subjects say nothing about each other.
HEARING = Sequence("hearing", metadata=Base.metadata, data_type=BigInteger)
NEXT_HEARD: TextClause = text("nextval('hearing')")
