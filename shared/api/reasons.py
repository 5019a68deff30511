"""Codes that are no answers to a call: why a message waits or stopped (status, trail, log), and what to do about it."""

from dataclasses import dataclass
from typing import Final

from shared.journal.model import HeldReason


@dataclass(frozen=True, slots=True)
class Reason:
    """A code with its meaning. `n` in a code stands for what follows: an HTTP status, a name."""

    code: str
    text: str
    advice: str


REASONS: Final = (
    Reason("HUB_ACCEPTED", "The message is stored and will be delivered.", "Nothing."),
    Reason(
        "HUB_NO_RECEIVER",
        "The municipality has no receiver for this kind of message; it is quarantined.",
        "Register a receiver, or withdraw the message.",
    ),
    Reason(
        "HUB_RECEIVER_GONE",
        "The receiver this message was routed to is no longer in the register; it is tried again.",
        "Register the receiver again, or withdraw the message.",
    ),
    Reason(
        "HUB_BREAKER_OPEN",
        "The receiver does not answer. It is tried now and then; the message waits until it answers, and no try is "
        "counted.",
        "Nothing, unless it goes on: then find out with the receiver what is wrong.",
    ),
    Reason(
        "HUB_RECEIVER_STOPPED",
        "Deliveries to the receiver are stopped by the municipality, or by an operator for it; the message waits.",
        "Nothing. Open the municipality's traffic when the receiver is ready.",
    ),
    Reason(
        "HUB_BYTES_DIFFER",
        "The stored bytes are missing or do not match their checksum; they are not sent.",
        "An operator must look into the store; ask the sender to post the message again.",
    ),
    Reason(
        "HUB_NOTE_n",
        "No journal note may be made of this message before a person has seen it; it is quarantined. The end of the "
        "code says why: " + ", ".join(sorted(each.name for each in HeldReason)) + ".",
        "A person must look at the message, and ask its sender.",
    ),
    Reason(
        "HUB_NOTE_FAILED",
        "The hub could not write a journal note of this message; it is quarantined, so that its lane can go on.",
        "Tell the hub's operators the message's id: this is a fault of the hub.",
    ),
    Reason(
        "HUB_GAVE_UP",
        "The receiver did not take it during the whole schedule; it is quarantined.",
        "Find out with the receiver what is wrong.",
    ),
    Reason("HUB_REPLAYED", "It was set aside, and a person has put it back into its line.", "Nothing."),
    Reason("HUB_RESTORED", "It was withdrawn, and a person has put it back into its line.", "Nothing."),
    Reason(
        "HUB_WITHDRAWN",
        "A person of its municipality, or an operator, has withdrawn it before its receiver had it.",
        "Nothing. It can be restored for as long as its payload is kept.",
    ),
    Reason(
        "HUB_EXPIRED",
        "It was set aside and nobody decided about it for as long as its municipality keeps messages.",
        "Ask the sender to post the message again, if it still matters.",
    ),
    Reason(
        "HUB_FAILED_AGAIN",
        "A replay stopped: most of the messages that it replayed first were set aside again for the same cause.",
        "Find out with the receiver what is wrong, and replay the rest then.",
    ),
    Reason(
        "HUB_REPLAY_STOPPED",
        "A person stopped a replay. What was back in line is delivered; the rest is still set aside.",
        "Nothing. The municipality's log says who and why. The rest can be replayed, by another replay.",
    ),
    Reason(
        "HUB_REPLAY_UNREADABLE",
        "A replay stopped, since a document that it needs cannot be read.",
        "Tell the hub's operators the replay's id: this is a fault of the hub.",
    ),
    Reason(
        "HUB_TRAIL_UNREACHABLE",
        "A refusal could not be kept in the trail; the caller got its answer all the same. Only in the log.",
        "See that the database is reachable.",
    ),
    Reason(
        "HUB_SECRET_MISSING",
        "The secret that the register names for the receiver is not there; it is tried again.",
        "Put the secret into Key Vault and the app's settings, or take its name out of the register.",
    ),
    Reason(
        "HUB_SECRET_MALFORMED",
        "The receiver's secret is not of the form its way in needs; it is tried again. The log says which part.",
        "Mend the secret: its form is in receivers.md.",
    ),
    Reason(
        "HUB_ADDRESS_FORBIDDEN",
        "The receiver's address, or its token service's, leads to where the hub must not send; it is tried again.",
        "Correct the address in the register, or open its network to the hub (Delivery__openedNetworks).",
    ),
    Reason(
        "REC_HTTP_n",
        "The receiver answered with this HTTP status. 408, 421, 423, 424, 425, 429, 5xx and redirects: it is tried "
        "again. The other 4xx: it is quarantined. The register may say otherwise for a receiver.",
        "4xx: the receiver's owner must say what is wrong with the message. Else nothing, unless it goes on.",
    ),
    Reason("REC_NO_ANSWER", "The receiver did not answer in time; it is tried again.", "Nothing, unless it goes on."),
    Reason(
        "REC_UNREACHABLE",
        "No connection to the receiver could be made; it is tried again.",
        "Nothing, unless it goes on: then check its address in the register, and its network.",
    ),
    Reason(
        "REC_CONNECTION_LOST",
        "The connection broke before the answer was read; it is tried again with the same idempotency key.",
        "Nothing, unless it goes on.",
    ),
    Reason(
        "REC_BAD_ANSWER",
        "The receiver answered with something that is not HTTP; it is tried again with the same idempotency key.",
        "Nothing, unless it goes on: then check its address in the register.",
    ),
    Reason(
        "REC_TLS",
        "TLS with the receiver failed: its certificate (expired, for another name, from an unknown issuer), or that "
        "the hub's was not accepted; it is tried again. The log says which.",
        "The receiver's owner must renew the certificate, or its issuer be put into the receiver's secret.",
    ),
    Reason(
        "REC_TOKEN_REFUSED",
        "The receiver's token service refused the hub or gave no token that can be used; it is tried again.",
        "Check the client in the receiver's secret with the owner of the token service.",
    ),
    Reason(
        "REC_TOKEN_UNREACHABLE",
        "The receiver's token service did not answer, or not well; it is tried again.",
        "Nothing, unless it goes on.",
    ),
)
