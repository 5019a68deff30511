"""The sandbox's place for alerts: takes what is signed rightly and mail, keeps it, and can be told to fail."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import aiosmtplib
import pytest
from standardwebhooks import Webhook

from sandbox.alerts.server import Alerts, serve
from sandbox.cli.alerts import gathered
from tests.wire.epj.process import running

BODY = '{"type":"alert.orphan.broken","data":{"kind":"orphan","state":"broken","text":{"nb":{"title":"t","body":"b"}}}}'
MAIL = (
    b"Subject: Hei\r\nX-Knutepunkt-Notice:\r\n n1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    + "Blåbær".encode()
)


async def post(url: str, secret: str, at: datetime | None = None, body: str = BODY, signed: str = BODY) -> int:
    at = at or datetime.now(UTC)
    headers = {"webhook-id": "n1", "webhook-timestamp": str(int(at.timestamp())),
               "webhook-signature": Webhook(secret).sign("n1", at, signed)}  # fmt: skip
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
        return answer.status


async def listed(url: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/received") as answer:
        found: list[dict[str, Any]] = await answer.json()
        return found


async def mail(port: int, content: bytes = MAIL) -> None:
    await aiosmtplib.send(
        content, sender="a@knutepunkt.invalid", recipients=["b@knutepunkt.invalid"], hostname="127.0.0.1", port=port
    )


async def test_a_webhook_with_the_right_signature_is_taken_and_kept(tmp_path: Path) -> None:
    async with serve(tmp_path) as part:
        assert await post(part.facts()["webhook"], part.secret) == 204
        (arrived,) = await listed(part.url)
    assert (arrived["id"], arrived["verified"], arrived["title"]) == ("n1", True, "t")


@pytest.mark.parametrize(
    ("at", "signed"), [(datetime.now(UTC) - timedelta(hours=1), BODY), (None, BODY.replace("orphan", "x"))]
)
async def test_one_that_is_old_or_was_changed_is_refused_and_shown_to_nobody(
    tmp_path: Path, at: datetime | None, signed: str
) -> None:
    async with serve(tmp_path) as part:
        assert await post(part.facts()["webhook"], part.secret, at, signed=signed) == 400
        arrived = await listed(part.url)
    assert [each["verified"] for each in arrived] == [False]
    assert gathered(arrived) == []


async def test_mail_is_taken_with_its_letters(tmp_path: Path) -> None:
    async with serve(tmp_path) as part:
        await mail(part.smtp_port)
        (arrived,) = await listed(part.url)
    assert (arrived["channel"], arrived["id"], arrived["title"]) == ("mail", "n1", "Hei")
    assert arrived["text"].strip() == "Blåbær"


async def test_it_fails_as_often_as_it_is_told_to(tmp_path: Path) -> None:
    async with serve(tmp_path) as part:
        part.status, part.times = 503, 2
        webhook = part.facts()["webhook"]
        assert await post(webhook, part.secret) == 503
        with pytest.raises(aiosmtplib.SMTPException):
            await mail(part.smtp_port)
        assert await post(webhook, part.secret) == 204


async def told(part: Alerts, body: Any) -> int:
    async with aiohttp.ClientSession() as http, http.post(f"{part.url}/behave", json=body) as answer:
        return answer.status


async def test_a_behaviour_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    senseless: tuple[Any, ...] = ({}, [], {"status": "x", "times": 1})
    async with serve(tmp_path) as part:
        assert await told(part, {"status": 503, "times": 1}) == 200
        for nonsense in senseless:
            assert await told(part, nonsense) == 400


async def test_what_arrived_and_the_secret_outlive_a_kill(tmp_path: Path) -> None:
    async with running("alerts", tmp_path) as part:
        assert await post(part.facts["webhook"], part.facts["secret"]) == 204
        await part.kill()
    with (tmp_path / "received.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"seq": 2, "cut sh')
    for arrived in (2, 3):
        async with running("alerts", tmp_path) as part:
            assert await post(part.facts["webhook"], part.facts["secret"]) == 204
            assert [each["id"] for each in await listed(part.facts["url"])] == ["n1"] * arrived


def test_a_notice_that_came_by_two_ways_and_twice_is_shown_once() -> None:
    body = {"data": {"kind": "orphan", "state": "broken"}}
    common = {"id": "n1", "at": "2026-11-22T12:00:00+00:00", "verified": True, "title": "t", "text": "x"}
    arrived = [{**common, "channel": "mail", "body": None}, *({**common, "channel": "webhook", "body": body},) * 2]
    (found,) = gathered(arrived)
    assert (found["arrivals"], found["state"]) == ({"mail": 1, "webhook": 2}, "broken")
