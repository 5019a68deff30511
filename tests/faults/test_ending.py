"""A hub that is ended in good order leaves nothing open, and says nothing about it."""

import pytest

from tests.flow.hub import world
from tests.messages import alarm


async def test_what_the_app_opened_is_closed_when_it_ends(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ended")
    async with world(folder) as hub:
        body = alarm()
        await hub.accepted(body)
        await hub.arrives(body)
    logs = {each.name: each.read_text(encoding="utf-8") for each in folder.rglob("*.log")}
    assert {"app.log", "queues.log"} <= set(logs)
    for name, said in logs.items():
        assert "Unclosed" not in said, name
        assert "never retrieved" not in said, name
