"""The twin's file: documents, their index, one writer and many readers."""

from ldt_toolbox.twin.store.documents import VALUE_KEY, Change, Doc, Instance
from ldt_toolbox.twin.store.store import OutOfTimeError, Store
from ldt_toolbox.twin.store.transaction import Transaction

__all__ = ["VALUE_KEY", "Change", "Doc", "Instance", "OutOfTimeError", "Store", "Transaction"]
