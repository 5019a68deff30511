"""What a reader of the log is told that cannot be."""

from shared.errors import HubError


class SearchMalformed(HubError):
    """The search of the log cannot be understood.

    Send form parameters in the body: message-id, patient (system|value), agent, date, subtype, _count, page.
    """

    code = "SEND_SEARCH"
    status = 400
    issue_type = "value"
    vkp_code = "2.3"


class TrailUnknown(HubError):
    """There is no such entry or municipality in the log, or it is not yours to see.

    Check the id and the organisation number.
    """

    code = "SEND_TRAIL_UNKNOWN"
    status = 404
    issue_type = "not-found"
    vkp_code = "2"
