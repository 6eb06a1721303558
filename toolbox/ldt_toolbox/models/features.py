"""Entities that came as GeoJSON (GS CIM 009 V1.8.1, 4.5.16 and 4.5.17)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ldt_toolbox.models.lint_attributes import CONTENT


def unfolded(given: Any) -> Iterator[Any]:
    """Entities one by one; of a Feature, that which it shows.

    Parameters
    ----------
    given : object
        An entity, a Feature, a FeatureCollection, or several of the former two.

    Yields
    ------
    object
        Entities; what is no Feature comes as it is.
    """
    heads: dict[str, Any] = {}
    listed: Iterable[Any] = [given] if isinstance(given, Mapping | str) else given
    if isinstance(given, Mapping) and given.get("type") == "FeatureCollection":
        features = given.get("features")
        listed = features if isinstance(features, list) else []
        # the context of all may stand once, beside them
        heads = {"@context": given["@context"]} if "@context" in given else {}
    for one in listed:
        yield {**heads, **_of_feature(one)} if _is_feature(one) else one


def _is_feature(given: Any) -> bool:
    return (
        isinstance(given, Mapping)
        and given.get("type") == "Feature"
        and isinstance(given.get("properties"), Mapping)
    )


def _of_feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    """Entity of a Feature; its geometry is that of one of its attributes."""
    heads = {name: feature[name] for name in ("id", "@context") if name in feature}
    entity = {**heads, **feature["properties"]}
    shape = feature.get("geometry")
    contents = [one.get("value") if isinstance(one, dict) else one for one in entity.values()]
    if shape is not None and shape not in [*entity.values(), *contents]:
        full = any(isinstance(one, dict) and one.get("type") in CONTENT for one in entity.values())
        entity.setdefault("location", {"type": "GeoProperty", "value": shape} if full else shape)
    return entity
