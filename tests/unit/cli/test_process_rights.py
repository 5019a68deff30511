"""The app's processes reach their stores by keys of their own."""

from pathlib import Path

from sandbox import hub_parts

FACTS = {"cosmos": {"connectionString": "owner", "processes": {"app": "app's", "queues": "queues'"}}}


def test_each_process_reaches_every_store_by_its_own_key() -> None:
    found = hub_parts.process_settings(FACTS, {})
    assert found["queues"] == {"Cosmos": "queues'", "Trail": "queues'", "Checkpoints": "queues'"}
    assert found["app"] == {"Cosmos": "app's", "Trail": "app's", "Checkpoints": "app's"}


def test_what_was_said_for_this_hub_wins() -> None:
    found = hub_parts.process_settings(FACTS, {"Cosmos": "somewhere else"})
    assert found["queues"] == {"Trail": "queues'", "Checkpoints": "queues'"}


def test_a_process_gets_its_own_settings_and_the_other_does_not(tmp_path: Path) -> None:
    own = hub_parts.process_settings(FACTS, {})
    app, queues = hub_parts.app_parts(tmp_path, {"app": 1, "queues": 2}, {"Cosmos": "owner"}, own)
    assert (app.environment["Cosmos"], queues.environment["Cosmos"]) == ("app's", "queues'")
