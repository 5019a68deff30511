"""The numbers people look at: through the desk and the door, to those who may see them."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from functions import summary, watch
from shared.api import openapi
from shared.errors import NotAuthenticated
from shared.messages.urgency import Urgency
from shared.registry.model import SYSTEMS
from shared.registry.people import Access, Person, Role
from shared.watch.measuring import Outcome
from tests.flow.hub import until
from tests.wire.watch.conftest import NEIGHBOUR, ORGNR, T0, Scene

OPERATOR = Person("helseid:op", "", None, "4")
NURSE = Person("helseid:nurse", "", ORGNR, "4")


async def let_in(scene: Scene, person: Person, where: str, role: Role) -> None:
    access = Access(where, person.subject, frozenset({role}), T0 + timedelta(days=1))
    await scene.registry.put({**access.document(), "orgnr": where}, where)


async def asked(scene: Scene, person: Person | None) -> func.HttpResponse:
    async def verify(req: func.HttpRequest) -> Person:
        if person is None:
            raise NotAuthenticated
        return person

    async with scene.instance() as parts:
        door = functions(summary.blueprint(lambda: parts.desk, verify))["operations_summary"]
        request = func.HttpRequest(method="GET", url="/operations/summary", headers={}, body=b"")
        answer: func.HttpResponse = await door(request)
        return answer


def functions(blueprint: func.Blueprint) -> dict[str, Callable[..., Awaitable[Any]]]:
    app = func.FunctionApp()
    app.register_functions(blueprint)
    return {str(each.get_function_name()): each.get_user_function() for each in app.get_functions()}


async def full(scene: Scene) -> None:
    """Both municipalities have something of everything."""
    async with scene.instance() as parts:
        for orgnr in (ORGNR, NEIGHBOUR):
            await scene.route(T0 - timedelta(seconds=90), Urgency.PROMPT, orgnr)
            parts.measuring.accepted(orgnr, Urgency.PROMPT)
            parts.measuring.tried(f"{orgnr}/epj", Urgency.PROMPT, Outcome.LATER)
            parts.measuring.tried(f"{orgnr}/epj", Urgency.PROMPT, Outcome.TAKEN)
            parts.measuring.delivered(f"{orgnr}/epj", Urgency.PROMPT, timedelta(seconds=0.2))
        parts.measuring.refused("SEND_PROFILE")
        await scene.receiver("open")
        await parts.watch.look()


def organisations(found: dict[str, Any]) -> set[str]:
    lists = (found["receivers"], found["setAside"], found["lastHour"]["receivers"], found["alerts"])
    return {each["orgnr"] for every in lists for each in every}


async def test_an_operator_sees_everything(scene: Scene) -> None:
    await full(scene)
    await let_in(scene, OPERATOR, SYSTEMS, Role.OPERATOR)
    answer = await asked(scene, OPERATOR)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found = json.loads(answer.get_body())
    assert organisations(found) == {ORGNR, NEIGHBOUR}
    assert found["receivers"][0]["classes"]["prompt"]["oldestSeconds"] == 90.0
    assert found["lastHour"]["accepted"] == {"prompt": 2, "routine": 0}
    assert found["lastHour"]["refused"] == {"SEND_PROFILE": 1}
    measured = found["lastHour"]["receivers"][0]
    assert (measured["attempts"], measured["taken"], measured["later"], measured["refused"]) == (2, 1, 1, 0)
    assert 0.1 < measured["endToEndSeconds"]["p99"] <= 0.25
    assert {each["kind"] for each in found["alerts"]} == {"receiver-down", "alarm-late", "orphan"} - {"orphan"}


async def test_the_answer_is_as_the_openapi_document_says(scene: Scene) -> None:
    await full(scene)
    await let_in(scene, OPERATOR, SYSTEMS, Role.OPERATOR)
    document = openapi.document(None)
    content = document["paths"]["/operations/summary"]["get"]["responses"]["200"]["content"]
    validator = OAS31Validator(content["application/json"]["schema"], format_checker=oas31_format_checker)
    found = json.loads((await asked(scene, OPERATOR)).get_body())
    assert [error.message for error in validator.iter_errors(found)] == []


@pytest.mark.parametrize("role", [Role.MONITORING, Role.ADMINISTRATION])
async def test_a_municipality_sees_its_own_alone(scene: Scene, role: Role) -> None:
    await full(scene)
    await let_in(scene, NURSE, ORGNR, role)
    found = json.loads((await asked(scene, NURSE)).get_body())
    assert organisations(found) == {ORGNR}
    assert found["lastHour"]["accepted"]["prompt"] == 1
    assert "refused" not in found["lastHour"]
    assert NEIGHBOUR not in json.dumps(found)


@pytest.mark.parametrize(
    ("person", "where", "role", "status"),
    [
        (None, ORGNR, Role.MONITORING, 401),
        (Person("helseid:nurse", "", ORGNR, "3"), ORGNR, Role.MONITORING, 403),
        (NURSE, ORGNR, Role.USER_ADMINISTRATION, 404),
        (NURSE, NEIGHBOUR, Role.MONITORING, 404),
        (Person("helseid:nurse", "", None, "4"), ORGNR, Role.MONITORING, 404),
        (NURSE, ORGNR, Role.OPERATOR, 404),
    ],
)
async def test_nobody_else_sees_anything(
    scene: Scene, person: Person | None, where: str, role: Role, status: int
) -> None:
    await let_in(scene, NURSE, where, role)
    answer = await asked(scene, person)
    assert answer.status_code == status
    assert json.loads(answer.get_body())["resourceType"] == "OperationOutcome"


async def test_many_instances_measurements_add_up_and_old_ones_are_left_out(scene: Scene) -> None:
    for _ in range(3):
        async with scene.instance() as parts:
            parts.measuring.accepted(ORGNR, Urgency.ROUTINE)
            scene.clock.forward(minutes=20)
    async with scene.instance() as parts:
        assert (await parts.desk.all())["lastHour"]["accepted"]["routine"] == 2


async def test_measurements_are_written_by_and_by_without_anybody_waiting(scene: Scene) -> None:
    async with scene.instance() as parts:
        parts.measuring._every = timedelta(milliseconds=1)
        parts.measuring.accepted(ORGNR, Urgency.ROUTINE)

        async def counted() -> int:
            found: int = (await parts.desk.all())["lastHour"]["accepted"]["routine"]
            return found

        await until(counted, "the measurements to be written")


async def test_a_sender_is_noted_once_in_a_while(scene: Scene) -> None:
    async with scene.instance() as parts:
        for seconds in (0, 10, 299):
            await parts.heard.note("v", ORGNR, T0 + timedelta(seconds=seconds))
        assert list((await parts.heard.all()).values()) == [T0]
        await parts.heard.note("v", ORGNR, T0 + timedelta(seconds=300))
        assert list((await parts.heard.all()).values()) == [T0 + timedelta(seconds=300)]


async def test_the_timers_look_send_and_count(scene: Scene) -> None:
    async with scene.instance() as parts:
        await scene.receiver("open")
        timers = functions(watch.blueprint(lambda: parts))
        for name in ("watch", "notices", "numbers"):
            await timers[name](None)
    assert scene.notices() == [("receiver-down", "broken")]
