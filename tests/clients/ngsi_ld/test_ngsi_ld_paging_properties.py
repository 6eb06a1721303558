"""Whatever mix of habits a server has: everything comes once, or the client tells."""

import warnings

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldt_toolbox.clients.errors import ClientError
from ldt_toolbox.clients.imperfect import ImperfectServerWarning
from ldt_toolbox.clients.ngsi_ld import NgsiLd

LINKS = ["absolute", "relative", "self", "back", "foreign", "two", "opaque", "none"]
HABITS = st.fixed_dictionaries(
    {
        "link": st.sampled_from(LINKS),
        "counts": st.booleans(),
        "page": st.integers(1, 30),
        "largest_page": st.sampled_from([1, 3, 10, 1000]),
        "silent_page": st.sampled_from([1, 4, 7, 10**9]),
        "deepest_offset": st.sampled_from([1, 5, 20, 10**9]),
        "ignores": st.sampled_from([frozenset(), frozenset({"idPattern"})]),
    }
)
ASKED = st.fixed_dictionaries(
    {
        "page_size": st.sampled_from([1, 2, 5, 10, 1000]),
        "split_above": st.sampled_from([None, 1, 10, 50_000]),
        "post": st.sampled_from([None, True]),
    }
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 45), HABITS, ASKED)
def test_everything_comes_once_or_the_client_says_so(
    broker, server, http, number, habits, asked
) -> None:
    server.requests.clear()
    broker.entities.clear()
    broker.put(*({"id": f"urn:ngsi-ld:Thing:{n:04d}", "type": "Thing"} for n in range(number)))
    vars(broker).update(habits)
    client = NgsiLd(server.url, http=http)  # one that has learnt nothing yet
    failed = False
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ImperfectServerWarning)
        try:
            found = [each["id"] for each in client.entities.query(type="Thing", **asked)]
        except ClientError:
            failed = True  # it is refused, with the server's reason
    assert failed or told or sorted(found) == list(broker.entities)
    straight = habits["link"] in ("absolute", "relative", "opaque", "none")
    if straight and not habits["ignores"] and habits["deepest_offset"] > number:
        assert not failed
        assert [str(one.message) for one in told] == []
    # No habit makes a client ask for ever: sixty-three classes of ids at two levels, and pages
    assert len(server.requests) < 5000
