"""Every way of tampering with the log that is known, done over the wire by somebody with all rights, and found."""

import asyncio
import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from shared.messages.documents import Document
from shared.trail import checkpoints
from shared.trail.chain import Head, document_id, entry_hash, head_of, seal
from shared.trail.checkpoints import Checkpoint
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.findings import Fault
from shared.trail.signing import Signer, TrustedKey
from tests.wire.trail.conftest import OBSERVER, T0, Log

A, B, HUB = "310000001:2026-11", "310000002:2026-11", "hub:2026-11"


async def replace(log: Log, document: Document, **changes: Any) -> None:
    await log.raw_trail.upsert_item({**document, **changes})


async def remove(log: Log, *documents: Document) -> None:
    for each in documents:
        await log.raw_trail.delete_item(each["id"], each["chain"])


async def put_chain(log: Log, documents: list[Document]) -> None:
    """In place of what is stored, everything hashed anew by somebody who knows how."""
    await remove(log, *await log.chain(documents[0]["chain"]))
    before: Head | None = None
    for each in documents:
        header = json.loads(each["header"])
        header["seq"] = 0 if before is None else before.seq + 1
        header["prevHash"] = "0" * 64 if before is None else before.hash
        text = json.dumps(header, sort_keys=True, separators=(",", ":"))
        fresh = {
            **each, "id": document_id(each["chain"], header["seq"]), "seq": header["seq"], "header": text,
            "hash": entry_hash(text),
        }  # fmt: skip
        before = head_of(fresh)
        await log.raw_trail.create_item(fresh)


async def test_a_log_that_nobody_touched_holds(filled: Log) -> None:
    report = await filled.verify()
    assert report.findings == []
    assert (report.chains, report.entries, report.checkpoints) == (3, 13 + 7 + 4, 3)
    assert report.unprotected == 0
    await filled.write("310000001", 2)
    report = await filled.verify()
    assert report.holds
    assert report.unprotected == 2


async def test_an_edited_body_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[3]
    await replace(filled, entry, body=entry["body"].replace("m-1", "m-2"))
    assert Fault.BODY_EDITED in await filled.faults()


async def test_a_body_exchanged_with_another_entrys_is_found(filled: Log) -> None:
    one, other = (await filled.chain(A))[3:5]
    await replace(filled, one, body=other["body"], salt=other["salt"])
    assert Fault.BODY_EDITED in await filled.faults()


async def test_an_edited_header_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[3]
    header = entry["header"].replace('"outcome":0', '"outcome":8')
    assert header != entry["header"]
    await replace(filled, entry, header=header)
    assert Fault.HEADER_EDITED in await filled.faults()


async def test_an_edited_header_with_its_hash_made_anew_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[3]
    header = entry["header"].replace('"outcome":0', '"outcome":8')
    await replace(filled, entry, header=header, hash=entry_hash(header))
    assert {Fault.LINK_BROKEN, Fault.CHAIN_REWRITTEN} <= await filled.faults()


async def test_an_edited_last_header_with_its_hash_made_anew_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[-1]
    header = entry["header"].replace('"outcome":0', '"outcome":8')
    await replace(filled, entry, header=header, hash=entry_hash(header))
    assert await filled.faults() == {Fault.CHAIN_REWRITTEN}
    assert await filled.faults(quick=True) == {Fault.CHAIN_REWRITTEN}


async def test_what_an_entry_is_found_by_cannot_be_changed(filled: Log) -> None:
    entry = (await filled.chain(A))[3]
    await replace(filled, entry, find={**entry["find"], "patient": "p-2"})
    assert await filled.faults() == {Fault.INDEX_EDITED}


async def test_a_deleted_entry_in_the_middle_is_found(filled: Log) -> None:
    await remove(filled, (await filled.chain(A))[5])
    assert Fault.ENTRY_MISSING in await filled.faults()


async def test_a_removed_tail_is_found(filled: Log) -> None:
    await remove(filled, *(await filled.chain(A))[-3:])
    assert await filled.faults() == {Fault.TAIL_REMOVED}
    assert await filled.faults(quick=True) == {Fault.TAIL_REMOVED}


async def test_a_missing_chain_is_found(filled: Log) -> None:
    await remove(filled, *(await filled.chain(B)))
    assert await filled.faults() == {Fault.CHAIN_MISSING}
    assert await filled.faults(quick=True) == {Fault.CHAIN_MISSING}


async def test_entries_in_another_order_are_found(filled: Log) -> None:
    one, other = (await filled.chain(A))[3:5]
    await remove(filled, one, other)
    await filled.raw_trail.create_item({**one, "id": other["id"], "seq": other["seq"]})
    await filled.raw_trail.create_item({**other, "id": one["id"], "seq": one["seq"]})
    assert Fault.ENTRY_MOVED in await filled.faults()


async def test_entries_in_another_order_with_their_headers_made_anew_are_found(filled: Log) -> None:
    entries = await filled.chain(A)
    entries[3], entries[4] = entries[4], entries[3]
    await put_chain(filled, entries)
    assert await filled.faults() == {Fault.CHAIN_REWRITTEN}


async def test_a_number_that_is_there_twice_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[3]
    await filled.raw_trail.create_item({**entry, "id": entry["id"] + "x", "source": "another"})
    assert {Fault.ENTRY_DUPLICATE, Fault.ENTRY_MOVED} <= await filled.faults()


async def test_an_inserted_entry_is_found(filled: Log) -> None:
    entries = await filled.chain(A)
    forged = Entry(kind=Kind.DELIVERED, outcome=Outcome.SUCCESS, occurred=T0, source="forged", orgnr="310000001")
    document = seal(A, head_of(entries[3]), forged, T0, OBSERVER, b"x" * 32)
    await put_chain(filled, [*entries[:4], document, *entries[4:]])
    assert Fault.CHAIN_REWRITTEN in await filled.faults()


async def test_an_entry_put_at_the_end_without_following_is_found(filled: Log) -> None:
    entries = await filled.chain(A)
    forged = Entry(kind=Kind.DELIVERED, outcome=Outcome.SUCCESS, occurred=T0, source="forged", orgnr="310000001")
    head = Head(entries[-1]["seq"], entries[-2]["hash"])
    await filled.raw_trail.create_item(seal(A, head, forged, filled.clock.now, OBSERVER, b"x" * 32))
    assert await filled.faults() == {Fault.LINK_BROKEN}


async def test_a_chain_that_does_not_begin_with_its_genesis_is_found(log: Log) -> None:
    entry = Entry(kind=Kind.ROUTED, outcome=Outcome.SUCCESS, occurred=T0, source="first", orgnr="310000001")
    await log.raw_trail.create_item(seal(A, None, entry, T0, OBSERVER, b"x" * 32))
    assert await log.faults() == {Fault.LINK_BROKEN}


async def test_a_forked_chain_is_found(filled: Log) -> None:
    entries = await filled.chain(A)
    forged = Entry(kind=Kind.DELIVERED, outcome=Outcome.SUCCESS, occurred=T0, source="forged", orgnr="310000001")
    other = seal(A, head_of(entries[-2]), forged, T0, OBSERVER, b"x" * 32)
    await filled.raw_trail.create_item({**other, "id": other["id"] + "-fork"})
    assert Fault.ENTRY_DUPLICATE in await filled.faults()


async def test_two_checkpoints_for_two_contents_of_one_size_are_found(filled: Log) -> None:
    """A split view: one content shown and signed for, then another, by somebody who has the key."""
    entries = await filled.chain(A)
    header = entries[-1]["header"].replace('"outcome":0', '"outcome":4')
    await replace(filled, entries[-1], header=header, hash=entry_hash(header))
    newest = await filled.kept.query("SELECT TOP 1 * FROM c ORDER BY c.number DESC", {}, 1)
    await filled.raw_kept.delete_item(newest[0]["id"], newest[0]["series"])
    await filled.seal()
    await filled.raw_kept.create_item({**newest[0], "id": "2026-11:00000003"})
    assert Fault.CHAIN_REWRITTEN in await filled.faults()


async def test_a_chain_computed_anew_from_end_to_end_is_found(filled: Log) -> None:
    entries = await filled.chain(A)
    entries[3]["header"] = entries[3]["header"].replace('"outcome":0', '"outcome":8')
    await put_chain(filled, entries)
    assert await filled.faults() == {Fault.CHAIN_REWRITTEN}


async def test_a_restore_to_an_earlier_time_is_found(filled: Log) -> None:
    for name, size in ((A, 5), (B, 3), (HUB, 2)):
        await remove(filled, *(await filled.chain(name))[size:])
    report = await filled.verify()
    assert {(each.fault, each.chain) for each in report.findings} == {(Fault.TAIL_REMOVED, n) for n in (A, B, HUB)}


async def test_a_restore_that_goes_on_is_found(filled: Log) -> None:
    await remove(filled, *(await filled.chain(A))[5:])
    await filled.write("310000001", 20)
    assert await filled.faults() == {Fault.CHAIN_REWRITTEN}
    sealed = await filled.seal()
    assert sealed.broken == (A,)
    assert Fault.CHAIN_REWRITTEN in await filled.faults()


async def test_checkpoints_that_stopped_are_found(filled: Log) -> None:
    filled.clock.forward(minutes=31)
    assert await filled.faults() == {Fault.CHECKPOINTS_STOPPED}
    await filled.seal()
    assert await filled.faults() == {Fault.CHECKPOINTS_STOPPED}


async def test_a_hub_that_may_rest_and_rested_is_not_blamed_for_it(filled: Log) -> None:
    filled.clock.forward(days=2)
    assert await filled.faults(always_on=False) == set()
    await filled.write("", 1, kind=Kind.HEARTBEAT)
    filled.clock.forward(minutes=5)
    await filled.seal()
    assert await filled.faults(always_on=False) == set()


async def test_a_hub_that_may_rest_and_worked_without_checkpoints_is_found(filled: Log) -> None:
    filled.clock.forward(minutes=40)
    await filled.write("", 1, kind=Kind.HEARTBEAT)
    filled.clock.forward(minutes=31)
    assert await filled.faults(always_on=False) == {Fault.CHECKPOINTS_STOPPED}
    await filled.seal()
    assert await filled.faults(always_on=False) == {Fault.CHECKPOINTS_STOPPED}


async def test_no_checkpoints_at_all_are_found(log: Log) -> None:
    await log.write("310000001", 3)
    log.clock.forward(minutes=29)
    assert await log.faults() == set()
    log.clock.forward(minutes=2)
    assert await log.faults() == {Fault.CHECKPOINTS_ABSENT}
    assert await log.faults(always_on=False) == {Fault.CHECKPOINTS_ABSENT}


async def test_a_back_dated_checkpoint_is_found(filled: Log) -> None:
    filled.clock.forward(minutes=-15)
    await filled.seal()
    filled.clock.forward(minutes=15)
    assert Fault.CHECKPOINT_BACKDATED in await filled.faults()


async def test_a_checkpoint_dated_before_what_it_signs_for_is_found(log: Log) -> None:
    await log.write("310000001", 3)
    log.clock.forward(minutes=-10)
    await log.seal()
    log.clock.forward(minutes=12)
    assert await log.faults() == {Fault.CHECKPOINT_BACKDATED}


async def test_a_clock_that_was_set_back_is_found(filled: Log) -> None:
    filled.clock.forward(minutes=-20)
    await filled.write("310000001", 1)
    filled.clock.forward(minutes=20)
    assert await filled.faults() == {Fault.CLOCK_BACK}


async def test_a_checkpoint_signed_with_another_key_is_found(filled: Log) -> None:
    stranger = Signer.of(b"x" * 32)
    assert Fault.CHECKPOINT_INVALID in await filled.faults(keys=(stranger.public(),))


async def test_a_checkpoint_signed_with_a_retired_key_is_found(filled: Log) -> None:
    retired = TrustedKey(filled.signer.public().raw, until=T0 + timedelta(minutes=15))
    report = await filled.verify(keys=(retired,))
    invalid = [each for each in report.findings if each.fault is Fault.CHECKPOINT_INVALID]
    assert [each.seq for each in invalid] == [1, 2]


async def test_checkpoints_signed_with_a_key_while_it_was_in_use_still_hold(filled: Log) -> None:
    retired = TrustedKey(filled.signer.public().raw, until=filled.clock.now)
    assert await filled.faults(keys=(Signer.of(b"n" * 32).public(), retired)) == set()


@pytest.mark.parametrize("alg", ["none", "HS256", "SHA-1"])
async def test_a_checkpoint_with_a_weaker_algorithm_is_found(filled: Log, alg: str) -> None:
    (newest,) = await filled.kept.query("SELECT TOP 1 * FROM c ORDER BY c.number DESC", {}, 1)
    statement = newest["statement"].replace('"alg":"Ed25519"', f'"alg":"{alg}"')
    await filled.raw_kept.upsert_item({**newest, "statement": statement, "signature": ""})
    assert Fault.CHECKPOINT_INVALID in await filled.faults()


async def test_an_entry_with_a_weaker_algorithm_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[3]
    await replace(filled, entry, header=entry["header"].replace("SHA-256", "MD5"))
    assert Fault.ENTRY_UNREADABLE in await filled.faults()


async def test_an_edited_checkpoint_is_found(filled: Log) -> None:
    (newest,) = await filled.kept.query("SELECT TOP 1 * FROM c ORDER BY c.number DESC", {}, 1)
    statement = json.loads(newest["statement"])
    statement["time"] = "2026-11-22T12:00:00.000000Z"
    await filled.raw_kept.upsert_item({**newest, "statement": json.dumps(statement)})
    assert Fault.CHECKPOINT_INVALID in await filled.faults()


async def sign_anew(log: Log, number: int, **changes: Any) -> None:
    """Another checkpoint in the place of one, by somebody who has the key."""
    document = await log.raw_kept.read_item(checkpoints.document_id("2026-11", number), "2026-11")
    known = checkpoints.read(document, (log.signer.public(),))
    await log.raw_kept.upsert_item(await checkpoints.sign(dataclasses.replace(known, **changes), log.signer))


async def test_a_checkpoint_that_was_replaced_is_found_by_the_one_that_follows(filled: Log) -> None:
    await sign_anew(filled, 1, time=T0 + timedelta(minutes=19))
    assert await filled.faults() == {Fault.CHECKPOINT_LINK}


async def test_a_months_last_checkpoint_that_was_replaced_is_found_by_the_next_months(filled: Log) -> None:
    filled.clock.now = T0.replace(month=12, day=1)
    await filled.write("310000001", 1)
    await filled.seal()
    await sign_anew(filled, 2, time=T0 + timedelta(minutes=29))
    assert await filled.faults(silence=timedelta(days=30)) == {Fault.CHECKPOINT_LINK}


async def test_a_checkpoint_put_in_another_place_is_found(filled: Log) -> None:
    newest = await filled.raw_kept.read_item(checkpoints.document_id("2026-11", 2), "2026-11")
    await filled.raw_kept.create_item({**newest, "id": "2026-10:00000000", "series": "2026-10", "number": 0})
    assert await filled.faults() == {Fault.CHECKPOINT_INVALID}


async def test_a_checkpoint_taken_out_of_the_row_is_found(filled: Log) -> None:
    await filled.raw_kept.delete_item(checkpoints.document_id("2026-11", 1), "2026-11")
    assert Fault.CHECKPOINT_MISSING in await filled.faults()


async def test_the_newest_checkpoint_taken_away_is_found_by_a_witness(filled: Log) -> None:
    witness = (await filled.verify()).witness
    await filled.raw_kept.delete_item(checkpoints.document_id("2026-11", 2), "2026-11")
    assert await filled.faults(witnesses=(witness,)) == {Fault.WITNESS}


async def test_a_months_checkpoints_taken_away_are_found(filled: Log) -> None:
    filled.clock.now = T0.replace(month=12, day=1)
    await filled.write("310000001", 1)
    await filled.seal()
    for number in range(3):
        await filled.raw_kept.delete_item(checkpoints.document_id("2026-11", number), "2026-11")
    assert Fault.CHECKPOINT_MISSING in await filled.faults(silence=timedelta(days=30))


async def test_a_checkpoint_that_leaves_a_chain_out_is_found(filled: Log) -> None:
    (newest,) = await filled.kept.query("SELECT TOP 1 * FROM c ORDER BY c.number DESC", {}, 1)
    known = checkpoints.read(newest, (filled.signer.public(),))
    chains = {name: state for name, state in known.chains.items() if name != B}
    link = checkpoints.link_of(newest)
    forged = Checkpoint("2026-11", known.number + 1, filled.clock.now, link.hash, chains, {})
    await filled.raw_kept.create_item(await checkpoints.sign(forged, filled.signer))
    assert Fault.CHECKPOINT_LINK in await filled.faults()


async def test_an_entry_moved_to_another_chain_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[-1]
    await remove(filled, entry)
    await filled.raw_trail.create_item({**entry, "chain": B, "id": document_id(B, 7), "seq": 7})
    assert {Fault.ENTRY_MOVED, Fault.TAIL_REMOVED} <= await filled.faults()


async def test_a_header_that_was_written_in_another_way_is_found(filled: Log) -> None:
    entry = (await filled.chain(A))[3]
    await replace(filled, entry, header=json.dumps(json.loads(entry["header"])))
    assert Fault.HEADER_EDITED in await filled.faults()


async def test_a_document_that_is_no_entry_is_found(filled: Log) -> None:
    await filled.raw_trail.create_item({"id": "x", "chain": A, "seq": 99, "source": "x"})
    assert Fault.ENTRY_UNREADABLE in await filled.faults()


async def test_a_chain_that_does_not_hold_is_not_signed_for(filled: Log) -> None:
    await filled.write("310000001", 3)
    entries = await filled.chain(A)
    await remove(filled, entries[-2])
    sealed = await filled.seal()
    assert sealed.broken == (A,)
    assert Fault.ENTRY_MISSING in await filled.faults()


async def test_two_sealers_at_once_write_one_row_of_checkpoints(filled: Log) -> None:
    await filled.write("310000001", 3)
    await asyncio.gather(filled.seal(), filled.seal(), filled.seal())
    assert await filled.faults() == set()


async def test_months_are_signed_for_when_something_comes_late(filled: Log) -> None:
    filled.clock.now = T0.replace(month=12, day=1)
    await filled.write("310000001", 1)
    await filled.seal()
    # Something of November is told of in December.
    late = Entry(kind=Kind.ROUTED, outcome=Outcome.SUCCESS, occurred=T0, source="late", orgnr="310000001")
    await filled.writer().append([late])
    assert (await filled.verify(silence=timedelta(days=30))).unprotected == 1
    sealed = await filled.seal()
    assert len(sealed.written) == 2
    report = await filled.verify(silence=timedelta(days=30))
    assert report.holds, report.findings
    assert report.unprotected == 0
