"""Times of documents that are written: createdAt and modifiedAt (4.8)."""

from typing import Any

from ldt_toolbox.twin.store import Doc, Instance

Attributes = dict[str, list[Instance]]


def stamped(doc: Doc, at: str, *, before: Doc | None = None) -> Doc:
    """Return a document with its times; createdAt is kept if there was one before.

    Parameters
    ----------
    doc : dict
        Document without times.
    at : str
        The instant of the write.
    before : dict, optional
        What was there.
    """
    created = before["createdAt"] if before else at
    out: dict[str, Any] = {
        **{name: value for name, value in doc.items() if name != "attrs"},
        "createdAt": created,
        "modifiedAt": at,
    }
    out["attrs"] = stamped_attributes(doc["attrs"], at, before["attrs"] if before else {})
    return out


def stamped_attributes(attributes: Attributes, at: str, before: Attributes) -> Attributes:
    """Attributes with their times; an instance of a dataset that was there keeps createdAt."""
    return {
        name: [
            stamped_instance(each, at, same_dataset(before.get(name, ()), each))
            for each in instances
        ]
        for name, instances in attributes.items()
    }


def stamped_instance(instance: Instance, at: str, before: Instance | None = None) -> Instance:
    """An instance with its times, and with those of its own attributes."""
    out = {**instance, "createdAt": before["createdAt"] if before else at, "modifiedAt": at}
    if "attrs" in instance:
        old = before.get("attrs", {}) if before else {}
        out["attrs"] = stamped_attributes(instance["attrs"], at, old)
    return out


def same_dataset(instances: Any, wanted: Instance) -> Instance | None:
    """The instance of the same dataset, or None."""
    dataset = wanted.get("datasetId")
    for each in instances:
        if each.get("datasetId") == dataset:
            found: Instance = each
            return found
    return None
