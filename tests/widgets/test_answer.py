"""The line that tells what came out: the last wish only, and errors that it is safe to show."""

import asyncio

import pytest
from ldt_toolbox.errors import ParameterError
from ldt_toolbox.widgets.answer import Answer


def test_of_many_wishes_the_last_is_done():
    async def drag():
        answer, done = Answer("wait"), []
        for number in range(5):
            answer.soon(lambda number=number: done.append(number))
            await asyncio.sleep(0.01)
        assert "wait" in answer.value
        assert done == []
        await asyncio.sleep(0.5)
        return done

    assert asyncio.run(drag()) == [4]


def test_without_an_event_loop_it_is_done_at_once():
    answer, done = Answer("wait"), []
    answer.soon(lambda: done.append(1))
    assert done == [1]


def test_errors_for_people_are_shown_as_text_and_others_go_on():
    answer = Answer("wait")

    def refuse():
        raise ParameterError("speed <fast>: give m/s")

    answer.now(refuse)
    assert 'role="alert"' in answer.value
    assert "speed &lt;fast&gt;: give m/s" in answer.value
    with pytest.raises(ZeroDivisionError):
        answer.now(lambda: 1 / 0)
