"""Every way in which territory.yaml names credentials, to read a broker and to watch it."""

import base64
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ldt_toolbox.clients.basic_auth import BasicAuth
from ldt_toolbox.clients.errors import AuthError
from ldt_toolbox.clients.named_auth import NAMED, named_auth
from ldt_toolbox.errors import DataError, WrongUseError
from ldt_toolbox.sources import load_role
from ldt_toolbox.sources.received import kept_in
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.watch.brokers import interest_of

KEY = "s3cr3t-of-a-gateway"
PAIR = base64.b64encode(f"twin:{KEY}".encode()).decode()
ROLE = UseCase.find("heat-islands").roles["stations"]
CLIENT = "token_url: URL/token, client_id_env: AN_ID, client_secret_env: A_KEY"
WAYS = {
    "token_env: A_KEY": ("Authorization", f"Bearer {KEY}"),
    "key_env: A_KEY": ("X-API-Key", KEY),
    "key_env: A_KEY, header: Ocp-Apim-Key": ("Ocp-Apim-Key", KEY),
    "user_env: AN_ID, password_env: A_KEY": ("Authorization", f"Basic {PAIR}"),
    CLIENT: ("Authorization", "Bearer t0ken"),
}


@pytest.fixture
def place(broker: Any, write_square: Callable[..., Path]) -> Callable[[str], Territory]:
    one = {"id": "urn:ngsi-ld:WeatherObserved:1", "type": "WeatherObserved"}
    reading = {"type": "Property", "value": 24, "unitCode": "CEL",
               "observedAt": "2025-07-01T01:00:00Z"}  # fmt: skip
    point = {"type": "Point", "coordinates": [2.305, 48.855]}
    broker.put(one | {"location": {"type": "GeoProperty", "value": point}, "temperature": reading})
    broker.temporal[one["id"]] = one | {"temperature": [reading]}
    granted = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}
    broker.server.route("POST", "/token", lambda _: broker.reply(200, granted))

    def build(auth: str) -> Territory:
        source = (
            f"  stations: {{protocol: ngsi-ld, url: '{broker.server.url}', type: WeatherObserved,\n"
            "    from: 2025-07-01T00:00:00Z, until: 2025-07-02T00:00:00Z, source: a test,\n"
            "    columns: {temperature_c: temperature}, licence: CC0-1.0, provenance: observed,\n"
            f"    auth: {{{auth.replace('URL', broker.server.url)}}}}}\n"
        )
        return Territory.read(write_square(source))

    return build


def sent(broker: Any, header: str) -> set[str]:
    requests = [one for one in broker.server.requests if one.path != "/token"]
    assert requests
    return {one.headers[header] for one in requests}


@pytest.mark.parametrize("auth", WAYS)
def test_reading_and_watching_send_what_is_named_and_keep_it_nowhere(
    broker: Any, place: Callable[[str], Territory], auth: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("AN_ID", "twin")
    monkeypatch.setenv("A_KEY", KEY)
    header, value = WAYS[auth]
    here = place(auth)
    with kept_in(tmp_path / "inputs"):
        layer = load_role(ROLE, here)
    assert sent(broker, header) == {value}
    assert not any(KEY.encode() in one.read_bytes() for one in (tmp_path / "inputs").iterdir())
    assert KEY not in repr(layer)
    broker.server.requests.clear()
    interest = interest_of(here.sources["stations"], ROLE)
    assert len(interest.now()) == 1
    assert sent(broker, header) == {value}
    assert KEY not in repr(interest)


def test_a_key_that_is_not_set_is_told(
    place: Callable[[str], Territory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    with pytest.raises(DataError, match=r"stations .*environment variable A_KEY is not set"):
        load_role(ROLE, place("key_env: A_KEY"))


def test_nothing_named_is_no_credentials_and_each_way_is_known() -> None:
    assert named_auth({}) is None
    for way, (required, _) in NAMED.items():
        named = dict.fromkeys((way, *required), "https://keys.example.org/token")
        assert named_auth(named) is not None


def test_a_name_with_a_colon_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AN_ID", f"twin:{KEY}")
    monkeypatch.setenv("A_KEY", KEY)
    auth = BasicAuth.from_env("AN_ID", "A_KEY")
    with pytest.raises(WrongUseError, match="AN_ID holds a colon") as told:
        auth.identity()
    assert KEY not in str(told.value)
    monkeypatch.setenv("AN_ID", "twin")
    assert auth.identity() == PAIR
    assert auth.secrets() == (KEY, PAIR)
    assert KEY not in repr(auth)
    assert PAIR.encode() not in pickle.dumps(auth)
    assert not auth.renew({"Authorization": f"Basic {PAIR}"})


def test_no_key_travels_in_the_open() -> None:
    auth = named_auth({"key_env": "A_KEY"})
    assert auth is not None
    with pytest.raises(AuthError, match="unencrypted"):
        auth.check_transport("http://broker.example.org")
