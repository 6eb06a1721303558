"""Notices about a feed, named and graded as by the canonical GTFS validator.

Codes and severities follow MobilityData's gtfs-validator (RULES.md; names since its version 3).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ldt_toolbox.errors import DataError

EXAMPLES = 5  # rows that a notice names


class Severity(StrEnum):
    """How bad a notice is: errors block, warnings are shown, infos are kept."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


WARNINGS = frozenset({
    "duplicate_route_name", "equal_shape_distance_same_coordinates",
    "expired_calendar", "fast_travel_between_consecutive_stops", "fast_travel_between_far_stops",
    "feed_expiration_date7_days", "feed_expiration_date30_days", "leading_or_trailing_whitespaces",
    "missing_feed_info_date", "missing_recommended_file",
    "more_than_one_entity", "pathway_dangling_generic_node", "pathway_loop", "route_color_contrast",
    "route_short_and_long_name_equal",
    "route_short_name_too_long", "service_has_no_active_day_of_the_week",
    "stop_too_far_from_shape", "stop_without_stop_time", "transfer_distance_too_large",
    "unexpected_enum_value", "unusable_trip",
    "unused_shape", "unused_trip",
})  # fmt: skip
INFOS = frozenset({
    "transfer_distance_above_2_km", "unknown_column", "unknown_file", "unused_station",
})  # fmt: skip
ERRORS = frozenset({
    "bidirectional_exit_gate",
    "decreasing_or_equal_stop_time_distance", "decreasing_shape_distance", "duplicate_key",
    "duplicated_column", "empty_column_name", "empty_file",
    "equal_shape_distance_diff_coordinates", "foreign_key_violation",
    "inconsistent_agency_timezone", "invalid_character", "invalid_color", "invalid_date",
    "invalid_float", "invalid_integer", "invalid_row_length", "invalid_time", "invalid_timezone",
    "location_with_unexpected_stop_time", "location_without_parent_station",
    "missing_calendar_and_calendar_date_files", "missing_required_column",
    "missing_required_field", "missing_required_file", "missing_trip_edge", "number_out_of_range",
    "overlapping_frequency", "pathway_to_platform_with_boarding_areas",
    "pathway_to_wrong_location_type", "pathway_unreachable_location", "point_near_origin",
    "point_near_pole",
    "route_both_short_and_long_name_missing", "start_and_end_range_equal",
    "start_and_end_range_out_of_order", "station_with_parent_station",
    "stop_time_timepoint_without_times", "stop_time_with_arrival_before_previous_departure_time",
    "stop_time_with_only_arrival_or_departure_time", "stop_without_location",
    "transfer_with_invalid_stop_location_type", "transfer_with_invalid_trip_and_route",
    "wrong_parent_location_type",
})  # fmt: skip


def severity_of(code: str) -> Severity:
    """Severity of a notice code.

    Raises
    ------
    KeyError
        If the code is none of those that this package reports.
    """
    for severity, codes in (
        (Severity.ERROR, ERRORS), (Severity.WARNING, WARNINGS), (Severity.INFO, INFOS)
    ):  # fmt: skip
        if code in codes:
            return severity
    raise KeyError(code)


@dataclass(frozen=True)
class Notice:
    """One kind of finding in one file.

    Attributes
    ----------
    code : str
        The canonical validator's code.
    severity : Severity
        The canonical validator's severity.
    count : int
        How often it was found.
    file : str
        Where, without ".txt".
    field : str
        Column, or columns; empty where it concerns the file or several.
    rows : tuple of int
        The first rows, counted from 1 with the header being row 1.
    detail : str
        The value found, or what it was compared with.
    """

    code: str
    severity: Severity
    count: int
    file: str
    field: str = ""
    rows: tuple[int, ...] = ()
    detail: str = ""


@dataclass
class Notices:
    """All findings of a feed, in the order found."""

    found: list[Notice] = field(default_factory=list)

    def add(
        self, code: str, file: str, column: str = "", *, count: int = 1,
        rows: Sequence[int] = (), detail: str = "",
    ) -> None:  # fmt: skip
        """Note a finding; nothing happens where `count` is 0."""
        if count:
            some = tuple(int(row) for row in rows[:EXAMPLES])
            self.found.append(
                Notice(code, severity_of(code), int(count), file, column, some, str(detail))
            )

    def add_rows(
        self, code: str, file: str, column: str, wrong: ArrayLike, *, detail: str = ""
    ) -> None:
        """Note the rows of a table where `wrong` is true (row 0 of the table is row 2)."""
        rows = np.flatnonzero(np.asarray(wrong, bool))
        self.add(code, file, column, count=len(rows), rows=(rows[:EXAMPLES] + 2).tolist(),
                 detail=detail)  # fmt: skip

    def __iter__(self) -> Iterator[Notice]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def counts(self) -> dict[str, int]:
        """How often each code was found, over all files."""
        out: dict[str, int] = {}
        for notice in self.found:
            out[notice.code] = out.get(notice.code, 0) + notice.count
        return out

    @property
    def blocking(self) -> list[Notice]:
        """The errors."""
        return [notice for notice in self.found if notice.severity is Severity.ERROR]

    def table(self) -> pd.DataFrame:
        """One row a notice: code, severity, count, file, field, rows, detail; errors first."""
        columns = list(Notice.__dataclass_fields__)
        order = list(Severity)
        rows = sorted(self.found, key=lambda n: (order.index(n.severity), n.code, n.file))
        return pd.DataFrame([[getattr(n, c) for c in columns] for n in rows], columns=columns)

    def require_no_errors(self) -> None:
        """Stop where the feed has errors.

        Raises
        ------
        DataError
            Names each error with its file, count and first rows.
        """
        wrong = self.blocking
        if wrong:
            lines = [
                f"  {n.file}.txt {n.field}: {n.code} x {n.count}"
                + (f" (rows {', '.join(map(str, n.rows))})" if n.rows else "")
                + (f": {n.detail}" if n.detail else "")
                for n in wrong
            ]
            head = f"the feed has {len(wrong)} kinds of errors; correct them at the source:"
            raise DataError("\n".join([head, *lines]))
