"""Steps of transformation rules that read dates and times."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ldt_toolbox.models import times
from ldt_toolbox.models.findings import shown
from ldt_toolbox.models.rule_steps import (
    Arguments,
    Lookups,
    Options,
    RefusedError,
    RuleError,
    Step,
    number_of,
    text_of,
)

_EPOCHS = {"epoch": 1.0, "epoch-ms": 1000.0}
_AMBIGUOUS = ("refuse", "first", "second")


def date(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``date FORMAT zone=Europe/Paris ambiguous=first``: an instant, in UTC.

    FORMAT is ``iso``, ``epoch`` (seconds), ``epoch-ms`` or a format of strptime. `zone` is that of
    texts that name none. An hour that occurs twice in autumn is refused unless `ambiguous` says
    which one is meant; one that spring leaves out is refused.
    """
    form = arguments[0]
    zone = _zone(options["zone"]) if "zone" in options else None
    ambiguous = options.get("ambiguous", "refuse")
    if ambiguous not in _AMBIGUOUS:
        raise RuleError(f"`ambiguous={ambiguous}` is not known: use refuse, first or second")
    if form in _EPOCHS:
        return _epoch(_EPOCHS[form])
    _check_format(form)

    def forward(value: Any) -> str:
        instant = _parse(value, form)
        if instant.tzinfo is None:
            instant = _placed(instant, zone, ambiguous, value)
        return _utc(instant)

    def backward(value: Any) -> str:
        instant = times.read_date_time(value)
        if instant is None:
            raise RefusedError(f"{shown(value)} is no instant of ISO 8601: correct it")
        if zone is not None:
            instant = instant.astimezone(zone)
            return (
                instant.replace(tzinfo=None).isoformat() if form == "iso" else _write(instant, form)
            )
        return _utc(instant) if form == "iso" else _write(instant.astimezone(UTC), form)

    return Step(forward, backward)


def day(arguments: Arguments, options: Options, lookups: Lookups) -> Step:
    """``day FORMAT``: a calendar date, for example ``day %d/%m/%Y``."""
    form = arguments[0]
    _check_format(form)

    def forward(value: Any) -> str:
        if form == "iso" and times.is_date(value):
            return str(value)
        return _parse(value, form).date().isoformat()

    def backward(value: Any) -> str:
        if not times.is_date(value):
            raise RefusedError(f"{shown(value)} is no date of ISO 8601: correct it")
        return str(value) if form == "iso" else _write(datetime.fromisoformat(value), form)

    return Step(forward, backward)


def _epoch(per_second: float) -> Step:
    start = datetime(1970, 1, 1, tzinfo=UTC)

    def forward(value: Any) -> str:
        try:
            return _utc(start + timedelta(seconds=float(number_of(value)) / per_second))
        except OverflowError:
            raise RefusedError(
                f"{shown(value)} is beyond the calendar: check seconds or ms"
            ) from None

    def backward(value: Any) -> float | int:
        instant = times.read_date_time(value)
        if instant is None or instant.tzinfo is None:
            raise RefusedError(f"{shown(value)} is no instant with a zone: correct it")
        passed = (instant - start) / timedelta(seconds=1) * per_second
        return int(passed) if passed == int(passed) else passed

    return Step(forward, backward)


def _check_format(form: str) -> None:
    sample = datetime(2001, 2, 3)
    try:
        fits = form == "iso" or datetime.strptime(sample.strftime(form), form).date()
    except ValueError:
        fits = None
    if fits not in (True, sample.date()):
        raise RuleError(f"{form!r} is no format of a day: write iso, or for example %d/%m/%Y")


def _parse(value: Any, form: str) -> datetime:
    if isinstance(value, datetime):  # as frames hold them
        return value
    text = text_of(value)
    if form == "iso":
        instant = times.read_date_time(text.replace(" ", "T", 1))
        if instant is not None:
            return instant
        why = times.fault(text, "date-time") or "is not ISO 8601"
    else:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            why = times.fault(text, "date-time") if "/" in text else ""
            why = why if why.startswith("is an interval") else f"does not fit the format {form!r}"
    step = "take one end with `split / 0 | date iso`" if "interval" in why else "correct it"
    if why == "is a date without a time":
        step = "use `day` for dates, or give the time"
    raise RefusedError(f"{shown(value)} {why}: {step}")


def _placed(instant: datetime, zone: ZoneInfo | None, ambiguous: str, value: Any) -> datetime:
    """Put a time without a zone into one."""
    if zone is None:
        raise RefusedError(f"{shown(value)} has no time zone: add `zone=...` to the rule")
    first, second = (instant.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != instant:
        raise RefusedError(
            f"{shown(value)} does not exist in {zone.key}, clocks go forward: correct it"
        )
    if ambiguous == "refuse":
        message = f"{shown(value)} occurs twice in {zone.key}, clocks go back"
        raise RefusedError(f"{message}: add `ambiguous=first` or `ambiguous=second` to the rule")
    return first if ambiguous == "first" else second


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RuleError(f"`zone={name}` is no time zone: write Europe/Paris or UTC") from None


def _utc(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise RefusedError(f"{instant.isoformat()} has no time zone: add Z")
    try:
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        raise RefusedError(
            f"{instant.isoformat()} is beyond the calendar in UTC: correct it"
        ) from None


def _write(instant: datetime, form: str) -> str:
    return instant.strftime(form)
