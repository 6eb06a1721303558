"""The client whose methods are awaited: the same names, results, errors and rules."""

import asyncio
import inspect
import time

import pytest
from ldt_toolbox.clients import imperfect
from ldt_toolbox.clients.errors import NotFound
from ldt_toolbox.clients.imperfect import PagingWarning
from ldt_toolbox.clients.ngsi_ld import AsyncNgsiLd, NgsiLd
from ldt_toolbox.clients.ngsi_ld.asynchronous import PARTS
from ldt_toolbox.errors import WrongUseError

ROOMS = [{"id": f"urn:ngsi-ld:Room:{n}", "type": "Room"} for n in range(7)]


@pytest.fixture
def run(broker, server):
    """Runs a coroutine function with a client of a broker that holds seven rooms."""
    broker.put(*ROOMS)

    def go(work, **options):
        async def inside():
            async with AsyncNgsiLd(server.url, **options) as client:
                return await work(client)

        return asyncio.run(inside())

    return go


def test_every_name_of_the_client_is_there() -> None:
    sync, other = NgsiLd("http://127.0.0.1"), AsyncNgsiLd("http://127.0.0.1")

    def public(thing):
        return {name for name in dir(thing) if not name.startswith("_")}

    assert public(sync) == public(other)
    for name in PARTS:
        assert public(getattr(sync, name)) == public(getattr(other, name))
        for method in public(getattr(sync, name)):
            told = getattr(getattr(other, name), method)
            assert told.__doc__ == getattr(getattr(sync, name), method).__doc__
    with pytest.raises(AttributeError, match="it has entities, batch"):
        other.entites  # noqa: B018
    for number in (0, 17):
        with pytest.raises(WrongUseError, match=f"at_once = {number}: give 1 to 16"):
            AsyncNgsiLd("http://127.0.0.1", at_once=number)


def test_results_and_errors_are_those_of_the_client(run, broker) -> None:
    async def work(client):
        found = await client.entities.query(type="Room", page_size=2)
        paged = [room async for room in client.entities.iterate(type="Room", page_size=3)]
        with pytest.raises(NotFound):
            await client.entities.get("urn:none")
        with pytest.raises(WrongUseError):
            client.entities.iterate()
        made = await client.batch.upsert([{"id": "urn:x:1", "type": "X"}])
        other = client.with_tenant("t").with_context("https://example.org/c")
        assert "tenant='t'" in repr(other)
        return found, paged, made.ok, await client.entities.count(type="X")

    assert run(work) == (ROOMS, ROOMS, True, 1)


def test_pages_that_nobody_wants_are_not_asked_for(run, server) -> None:
    async def work(client):
        async for room in client.entities.iterate(type="Room", page_size=2):
            if room["id"].endswith("1"):
                return

    run(work)
    assert len(server.requests) == 1


def test_answers_are_waited_for_together_and_the_loop_goes_on(server, reply) -> None:
    def slow(request):
        time.sleep(0.3)
        return reply(200, [], [("NGSILD-Results-Count", "3")])

    server.route("*", "*", slow)

    async def work():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with AsyncNgsiLd(server.url, at_once=6) as client:
            begun = time.monotonic()
            counts = await asyncio.gather(*(client.entities.count(type="A") for _ in range(6)))
            lasted = time.monotonic() - begun
        ticking.cancel()
        return counts, lasted, ticks

    counts, lasted, ticks = asyncio.run(work())
    assert counts == [3] * 6
    assert lasted < 1.2  # one after the other they take 1.8 s
    assert ticks > 5


def test_no_connection_is_thrown_away(server, reply, caplog) -> None:
    server.route("*", "*", lambda r: reply(200, [], [("NGSILD-Results-Count", "0")]))

    async def work():
        async with AsyncNgsiLd(server.url, at_once=16) as client:
            await asyncio.gather(*(client.entities.count(type="A") for _ in range(64)))

    asyncio.run(work())
    assert server.connections <= 16
    assert not [one for one in caplog.records if one.levelname == "WARNING"]


def test_strictness_of_the_caller_holds_in_the_thread(run, broker) -> None:
    broker.link = "self"

    async def work(client):
        with imperfect.strict(), pytest.raises(PagingWarning):
            await client.entities.query(type="Room", page_size=2)
        with imperfect.ignore(PagingWarning):
            return await client.entities.query(type="Room", page_size=2)

    assert run(work) == ROOMS


def test_a_cancelled_task_ends_at_once_and_the_client_still_closes(server, reply) -> None:
    def slow(request):
        time.sleep(0.4)
        return reply(200, [])

    server.route("*", "*", slow)

    async def work():
        async with AsyncNgsiLd(server.url) as client:
            begun = time.monotonic()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.entities.query(type="A"), 0.05)
            return time.monotonic() - begun

    assert asyncio.run(work()) < 0.3


def test_every_method_gives_a_coroutine() -> None:
    client = AsyncNgsiLd("http://127.0.0.1")
    pending = client.entities.get("urn:x:1")
    assert inspect.iscoroutine(pending)
    pending.close()
