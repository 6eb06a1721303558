"""A million entities, page after page, in flat memory."""

import tracemalloc

import pytest

PAGE = 1000


def _serve(server, reply, number: int) -> None:
    """Pages that are made when they are asked for, with opaque links."""

    def handler(request):
        start = int(request.query.get("after", 0))
        items = ",".join(
            f'{{"id":"urn:x:{n}","type":"T"}}' for n in range(start, min(start + PAGE, number))
        )
        headers = [("NGSILD-Results-Count", str(number))]
        if start + PAGE < number:
            headers.append(("Link", f'</ngsi-ld/v1/entities?after={start + PAGE}>;rel="next"'))
        server.requests.clear()
        return reply(200, f"[{items}]".encode(), headers)

    server.route("*", "*", handler)


def _peak_bytes(client, number: int) -> int:
    tracemalloc.start()
    count = sum(1 for _ in client.entities.iterate(type="T", page_size=PAGE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == number
    return peak


def test_memory_grows_by_a_few_bytes_an_entity(server, reply, client) -> None:
    _serve(server, reply, 3_000)
    small = _peak_bytes(client, 3_000)
    _serve(server, reply, 30_000)
    # 8 bytes of hash an entity, doubled by the array's growth and the sorting at the end
    assert _peak_bytes(client, 30_000) - small < 27_000 * 48


@pytest.mark.slow
def test_a_million_entities_in_flat_memory(server, reply, client) -> None:
    _serve(server, reply, 1_000_000)
    # 8 bytes of hash an entity and an eighth of room to grow: 9 MB, a bit an entity to compare
    # hashes, and pages of a thousand
    assert _peak_bytes(client, 1_000_000) < 20_000_000
