"""What territory.yaml may say of a broker: mistakes are told with their lines, secrets never."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from ldt_toolbox.errors import DataError, DocumentError
from ldt_toolbox.sources import load_role
from ldt_toolbox.sources.protocols import PROTOCOLS, way
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

TEXT = """\
  stations:
    protocol: ngsi-ld
    url: https://broker.example.org
    tenant: nice
    context: https://example.org/context.jsonld
    type: WeatherObserved
    from: 2025-07-01T00:00:00+02:00
    until: 2025-07-08T00:00:00+02:00
    hours: [22, 6]
    q: refDevice
    scope: /nice/#
    auth: {token_env: BROKER_TOKEN}
    columns: {temperature_c: temperature, name: name}
    unit: CEL
    source: city of Nice
    licence: Licence Ouverte 2.0
    provenance: observed
"""
SECRET = "eyJhbGciOi.s3cr3t"  # noqa: S105
Write = Callable[..., Path]


@pytest.fixture
def write(write_square: Callable[..., Path]) -> Write:
    return partial(write_square, TEXT)


def test_a_broker_is_read_with_all_that_it_is_asked(write: Write) -> None:
    source = Territory.read(write()).sources["stations"]
    assert (source.protocol, source.url, source.path) == (
        "ngsi-ld", "https://broker.example.org", None,
    )  # fmt: skip
    assert source.date == "2025-07-01T00:00:00+02:00/2025-07-08T00:00:00+02:00"
    assert dict(source.settings) == {
        "type": "WeatherObserved",
        "tenant": "nice",
        "context": "https://example.org/context.jsonld",
        "from": "2025-07-01T00:00:00+02:00",
        "until": "2025-07-08T00:00:00+02:00",
        "period": "2025-07-01T00:00:00+02:00/2025-07-08T00:00:00+02:00",
        "hours": (22, 6),
        "q": "refDevice",
        "scope": "/nice/#",
        "auth": {"token_env": "BROKER_TOKEN"},
    }


CLIENT = "{token_url: https://keys.example.org/t, client_id_env: AN_ID, client_secret_env: A_KEY}"


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("    tenant:", "    tennant:", 14, "did you mean `tenant`?"),
        ("    tenant:", "    path:", 14, "unknown key `path`"),
        ("    type: WeatherObserved\n", "", 11, "stations lacks `type`"),
        ("    url: https://broker.example.org\n", "", 11, "stations lacks `url`"),
        ("    until: 2025-07-08T00:00:00+02:00\n", "", 11, "stations lacks `until`"),
        ("protocol: ngsi-ld", "protocol: ngsild", 12, "did you mean `ngsi-ld`?"),
        ("https://broker", "broker", 13, "`url` is no http or https address"),
        ("https://broker.example.org", "https://b:99999999", 13, "`url` is no address"),
        ("tenant: nice", "tenant: nice city", 14, "wrong form, for example `nice`"),
        ("type: WeatherObserved", "type: A,B", 16, "for example `WeatherObserved`"),
        ("from: 2025-07-01T00:00:00+02:00", "from: 2025-07-01", 17, "offset from UTC"),
        ("from: 2025-07-01T00:00:00+02:00", "from: 2025-07-01T00:00:00", 17, "offset from UTC"),
        ("from: 2025-07-01", "from: 2025-07-31", 18, "`until` must be later than `from`"),
        ("[22, 6]", "[22]", 19, "for example `[22, 6]`"),
        ("[22, 6]", "[22, 25]", 19, "for example `[22, 6]`"),
        ("[22, 6]", "[6, 6]", 19, "for example `[22, 6]`"),
        ("[22, 6]", "at night", 19, "must be a list"),
        ("token_env: BROKER_TOKEN", "token: BROKER_TOKEN", 22, "`token`"),
        ("{token_env: BROKER_TOKEN}", "BROKER_TOKEN", 22, "`{token_env: BROKER_TOKEN}`"),
        ("{token_env: BROKER_TOKEN}", "{client_id_env: AN_ID}", 22, "lacks `token_env`"),
        ("{token_env: BROKER_TOKEN}", "{token_url: https://k.org}", 22, "lacks `client_id_env`"),
        ("{token_env: BROKER_TOKEN}", CLIENT.replace("{", "{token_env: A, "), 22, "keep one"),
        ("{token_env: BROKER_TOKEN}", "{header: X-Key}", 22, "lacks `token_env`"),
        ("{token_env: BROKER_TOKEN}", "{key_env: K, header: 'X Key'}", 22, "such as `X-API-Key`"),
        ("{token_env: BROKER_TOKEN}", "{token_env: A, header: X-Key}", 22, "beside `token_env`"),
        ("{token_env: BROKER_TOKEN}", "{key_env: K, token_env: A}", 22, "keep one"),
        ("{token_env: BROKER_TOKEN}", "{key_env: K, scope: a}", 22, "beside `key_env`: remove it"),
        ("    unit: CEL", "    snapshot: s.json", 24, "no file s.json beside territory.yaml"),
        ("protocol: file, path: boundary.geojson", "protocol: ngsi-ld", 9, "use one of `file`"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line(
    write: Write, before: str, after: str, line: int, message: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        Territory.read(write((before, after)))
    told = [(problem.line, problem.message) for problem in caught.value.problems]
    assert any(at == line and message in said for at, said in told), told


def test_client_credentials_are_named_too(write: Write) -> None:
    source = Territory.read(write(("{token_env: BROKER_TOKEN}", CLIENT))).sources["stations"]
    assert source.settings["auth"]["client_secret_env"] == "A_KEY"  # noqa: S105


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("token_env: BROKER_TOKEN", f"token_env: {SECRET}"),
        ("token_env: BROKER_TOKEN", f"token: {SECRET}"),
        ("{token_env: BROKER_TOKEN}", SECRET),
        ("token_env: BROKER_TOKEN", f"key_env: {SECRET}"),
        ("token_env: BROKER_TOKEN", f"key_env: A_KEY, header: {SECRET}"),
        ("https://broker.example.org", f"https://me:{SECRET}@broker.example.org"),
        ("https://broker.example.org", f"https://broker.example.org?access_token={SECRET}"),
        ("https://example.org/c", f"https://me:{SECRET}@example.org/c"),
        ("{token_env: BROKER_TOKEN}", CLIENT.replace("A_KEY", SECRET)),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(
    write: Write, before: str, after: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        Territory.read(write((before, after)))
    assert SECRET not in str(caught.value)
    assert "s3cr3t" not in repr(caught.value)
    told = str(caught.value)
    assert "environment variable" in told or "unknown key `token`" in told or "`header`" in told


def test_only_roles_that_accept_a_broker_take_one(write: Write) -> None:
    heat = UseCase.find("heat-islands")
    assert [n for n, role in heat.roles.items() if "ngsi-ld" in role.accepts] == ["stations"]
    other = Territory.read(write(("  stations:", "  trees:")))
    with pytest.raises(DataError, match=r"trees comes by `ngsi-ld`, but .* accepts file"):
        load_role(heat.roles["trees"], other)


def test_every_protocol_has_a_module_that_checks_and_reads() -> None:
    assert len(PROTOCOLS) == 3
    for protocol in PROTOCOLS:
        module = way(protocol)
        assert set(module.REQUIRED) <= {*module.KEYS, "url"}
        assert callable(module.check)
        assert callable(module.read)
