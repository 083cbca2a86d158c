"""Which request brings an engine down: what to send again after a failure, in which order, and whom to blame.

Requests that were under way at one failure are sent again together, unchanged. Those that were under way at two are
halved until one is left; a healthy engine answers the others in between. Nothing here knows of processes or time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from models.engine import Request


class Triage:
    """The suspects of an engine's failures and the requests that wait until they are cleared."""

    def __init__(self) -> None:
        self._strikes: dict[str, int] = {}  # failures that a request was part of
        self._groups: deque[list[Request]] = deque()  # suspects, to be sent one group at a time
        self._waiting: list[Request] = []
        self.active = False  # suspects are being examined: other requests must wait, not to become suspects themselves

    @property
    def suspects(self) -> int:
        """How many requests are in groups that are still to be sent."""
        return sum(map(len, self._groups))

    def narrowing(self, ids: Iterable[str]) -> bool:
        """Whether all these requests were under way at two failures or more."""
        return all(self._strikes.get(id_, 0) >= 2 for id_ in ids)

    def fail(self, under_way: Sequence[Request]) -> Request | None:
        """Note a failure; returns the request that is guilty beyond doubt, if there is one."""
        if not under_way:
            return None
        self.active = True
        for request in under_way:
            self._strikes[request.id] = self._strikes.get(request.id, 0) + 1
        if not self.narrowing(request.id for request in under_way):
            self._groups.appendleft(list(under_way))
            return None
        if len(under_way) == 1:
            return under_way[0]
        # Breadth first: in a healthy engine the other half answers, which tells it from a broken one.
        half = len(under_way) // 2
        self._groups.extend((list(under_way[:half]), list(under_way[half:])))
        return None

    def hold(self, requests: Sequence[Request]) -> None:
        """Keep requests until `take` returns them."""
        self._waiting.extend(requests)

    def take(self) -> list[Request]:
        """What an engine that has nothing else under way gets next; may be empty."""
        if self._groups:
            return self._groups.popleft()
        self.active = False
        waiting, self._waiting = self._waiting, []
        return waiting

    def clear(self, id_: str) -> None:
        """The request has its result."""
        self._strikes.pop(id_, None)
