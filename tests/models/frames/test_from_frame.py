"""An analyst's frame to entities: by a model or a mapping table, no row lost."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import CRSError, WrongUseError
from ldt_toolbox.models.frames import from_frame
from ldt_toolbox.models.lint import lint
from ldt_toolbox.models.mapping import Mapping
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.models.units import convert


def stations(**columns):
    count = 3
    plain = {
        "id": [f"s{n}" for n in range(count)],
        "temperature": [21.5, np.nan, 19.0],
        "dateObserved": pd.date_range(
            "2026-07-01T14:00", periods=count, freq="h", tz="Europe/Paris"
        ),
    }
    place = gpd.points_from_xy([7.26, 7.27, 7.28], [43.70, 43.71, 43.72])
    return gpd.GeoDataFrame(plain | columns, geometry=place, crs="EPSG:4326")


def test_a_plain_frame_becomes_entities_that_lint_finds_nothing_in():
    frame = stations(refDevice="urn:ngsi-ld:Device:1").to_crs("EPSG:2154")
    entities, rejects = from_frame(frame, model="WeatherObserved", observed_at="dateObserved")
    assert not rejects
    assert lint(entities, bbox=(7, 43, 8, 44)) == []
    first, second, _ = entities
    assert first["id"] == "urn:ngsi-ld:WeatherObserved:s0"
    assert first["temperature"] == {
        "type": "Property", "value": 21.5, "unitCode": "CEL", "observedAt": "2026-07-01T12:00:00Z",
    }  # fmt: skip
    assert "temperature" not in second
    assert first["refDevice"] == {"type": "Relationship", "object": "urn:ngsi-ld:Device:1"}
    # the projection and its inverse differ by less than a millimetre
    assert first["location"]["value"]["coordinates"] == pytest.approx([7.26, 43.70], abs=1e-8)


def test_columns_may_have_other_names_and_units():
    frame = stations().rename(columns={"temperature": "t", "dateObserved": "when", "id": "station"})
    frame = frame.assign(t=[300.0, np.nan, 70.0], code=["KEL", None, "FAH"], note="dry")
    columns = {"station": "id", "t": "temperature", "when": "dateObserved", "geometry": "location"}
    told = columns | {"code": "temperature.unitCode"}
    entities, rejects = from_frame(frame, model="WeatherObserved", columns=told)
    assert not rejects
    values = [one["temperature"]["value"] for one in entities if "temperature" in one]
    assert values == [convert(300.0, "KEL", "CEL"), convert(70.0, "FAH", "CEL")]
    entities, [reject] = from_frame(
        frame, model="WeatherObserved", columns=columns, unit_codes={"t": "KEL"}
    )
    assert len(entities) == 2
    assert (reject.place, reject.reasons[0].field) == ("row 2", "t")
    assert "outside of -90 to 60 CEL" in reject.reasons[0].message


def test_each_reject_names_its_row_and_every_reason():
    frame = stations(temperature=[900.0, "warm", 20.0], id=["a", "b", "b"])
    frame = frame.assign(**{"temperature.unitCode": ["CEL", "CEL", "MTR"]})
    frame.index = [7, 7, 9]
    entities, rejects = from_frame(frame, model="WeatherObserved")
    assert entities == []
    places = ["row 7 (number 1)", "row 7 (number 2)", "row 9 (number 3)"]
    assert [one.place for one in rejects] == places
    assert [one.record["id"] for one in rejects] == ["a", "b", "b"]
    messages = [str(one) for one in rejects]
    assert "outside of" in messages[0]
    assert "'warm'" in messages[1]
    assert "does not convert to CEL" in messages[2]


def test_a_repeated_id_is_rejected_once():
    entities, [reject] = from_frame(stations(id=["a", "a", "b"]), model="WeatherObserved")
    assert [one["id"][-1] for one in entities] == ["a", "b"]
    assert "was at row 0 already" in str(reject)


def test_languages_targets_and_days():
    frame = pd.DataFrame({"id": [1, 2], "refScenario": [7, np.nan], "label@fr": ["Tiède", None]})
    kind = next(
        one for one in catalogue().values() if {"label", "refScenario"} <= set(one.attributes)
    )
    lacking = dict.fromkeys(kind.required) | {"label@fr": None}
    del lacking["label"]
    entities, rejects = from_frame(pd.DataFrame(lacking | dict(frame)), model=kind)
    assert entities == []
    assert len(rejects) == 2
    assert f"{kind.name} requires" in str(rejects[0])
    free = replace(
        kind,
        attributes={term: replace(one, required=False) for term, one in kind.attributes.items()},
    )
    [first, second], rejects = from_frame(frame, model=free)
    assert not rejects
    assert first["refScenario"] == {"type": "Relationship", "object": "urn:ngsi-ld:Scenario:7"}
    assert first["label"] == {"type": "LanguageProperty", "languageMap": {"fr": "Tiède"}}
    assert second.keys() == {"id", "type", "@context"}
    indicator = catalogue()["KeyPerformanceIndicator"]
    free = replace(
        indicator, attributes={"dateNextCalculation": indicator.attributes["dateNextCalculation"]}
    )
    days = pd.DataFrame({"id": ["a"], "dateNextCalculation": [pd.Timestamp("2026-07-01")]})
    [entity], _ = from_frame(days, model=free)
    assert entity["dateNextCalculation"]["value"] == "2026-07-01"


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", None]),
            st.one_of(st.floats(), st.none()),
            st.sampled_from(["2026-07-01T12:00:00Z", "2026", None]),
            st.tuples(st.floats(-300, 300), st.floats(-200, 200)),
        ),
        max_size=6,
    )
)
def test_every_row_is_an_entity_or_a_reject(rows):
    ids, values, times, places = zip(*rows, strict=True) if rows else ((), (), (), ())
    frame = gpd.GeoDataFrame(
        {"id": list(ids), "temperature": list(values), "dateObserved": list(times)},
        geometry=gpd.points_from_xy(*zip(*places, strict=True)) if rows else [],
        crs="EPSG:4326",
    )
    entities, rejects = from_frame(frame, model="WeatherObserved")
    assert len(entities) + len(rejects) == len(rows)
    assert all(reject.reasons for reject in rejects)
    assert not [one for one in lint(entities) if one.severity == "error"]


def test_a_mapping_table_takes_a_frame():
    table = Mapping.of(
        [
            {"source": "id", "target": "WeatherObserved.id", "rule": "urn WeatherObserved"},
            {
                "source": "temperature",
                "target": "WeatherObserved.temperature",
                "rule": "unit KEL CEL",
            },
            {
                "source": "dateObserved",
                "target": "WeatherObserved.dateObserved",
                "rule": "date iso",
            },
            {"source": "geometry", "target": "WeatherObserved.location"},
        ]
    )
    frame = stations(temperature=[300.15, np.nan, 900.0]).to_crs("EPSG:2154")
    entities, [reject] = from_frame(frame, mapping=table)
    assert [one["id"] for one in entities] == [f"urn:ngsi-ld:WeatherObserved:s{n}" for n in (0, 1)]
    assert entities[0]["temperature"]["value"] == pytest.approx(27.0, abs=1e-12)
    assert reject.place == "row 2"
    assert not [one for one in lint(entities) if one.severity != "note"]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (stations(**{"temperature@fr": "x"}), {}, "write 'temperature'"),
        (stations(humidity=1), {}, "has no 'humidity'"),
        (stations().drop(columns="id"), {}, "no column for id"),
        (stations(), {"columns": {"idd": "id"}}, "has no column 'idd'"),
        (stations(dateObserved=pd.Timestamp("2026-07-01")), {}, "have no zone"),
        (stations(), {"mapping": 1}, "drop one"),
        (stations(), {"model": None, "observed_at": "when"}, "need model="),
        (stations(), {"model": None, "bbox": (0, 0, 1, 1)}, "bbox= needs"),
        (
            stations(t=1),
            {"columns": {"t": "temperature", "temperature": "temperature"}},
            "two columns",
        ),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_made(frame, options, message):
    with pytest.raises(WrongUseError, match=message):
        from_frame(frame, **{"model": "WeatherObserved"} | options)


def test_geometries_need_a_crs():
    frame = stations().set_crs(None, allow_override=True)
    with pytest.raises(CRSError, match="set_crs"):
        from_frame(frame, model="WeatherObserved")
