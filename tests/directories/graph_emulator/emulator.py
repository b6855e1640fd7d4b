"""The emulator: sign-in and Graph behind one origin, with faults on demand or at random."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.directories.graph_emulator.delta import Rounds
from tests.directories.graph_emulator.endpoints import Endpoints
from tests.directories.graph_emulator.sign_in import Application, SignIn
from tests.directories.graph_emulator.tenant import Tenant
from tests.directories.graph_emulator.wire import Answer, Request, graph_error

THROTTLED = graph_error(429, "TooManyRequests", "Please retry again later.", Retry_After="0")
UNAVAILABLE = graph_error(503, "serviceNotAvailable", "Service unavailable.")
GATEWAY_TIMEOUT = Answer(504, b"<html>Gateway Timeout</html>", {"Content-Type": "text/html"})
PROXY_PAGE = Answer(200, b"<html><body>Please sign in to the network</body></html>", {"Content-Type": "text/html"})
CUT = Answer(200, b'{"value": [{"id": "7f0d', {"Content-Type": "application/json"})
CUT_ON_THE_WAY = Answer(200, b'{"value": [], "@odata.deltaLink": "x"}', transfer="cut")
HANG_UP = Answer(200, transfer="hang up")
TRANSIENT = (THROTTLED, UNAVAILABLE, GATEWAY_TIMEOUT, PROXY_PAGE, CUT, CUT_ON_THE_WAY, HANG_UP)


@dataclass
class Fault:
    """Instead of serving, the next ``times`` requests whose URL holds ``where`` (after ``skip``) get this answer."""

    where: str
    answer: Answer
    times: int = 1
    skip: int = 0


class GraphEmulator:
    """A tenant behind HTTP; ``answer`` is the whole interface for transports."""

    def __init__(
        self,
        tenant: Tenant | None = None,
        application: Application | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        noise: random.Random | None = None,
        page_size: int = 200,
    ) -> None:
        self.tenant = tenant or Tenant(clock=clock)
        self.application = application or Application()
        self.sign_in = SignIn(self.tenant.id, self.tenant.domain, self.application, clock)
        self.rounds = Rounds(self.tenant, page_size, noise)
        self.graph = Endpoints(self.tenant, self.rounds, clock)
        self.faults: deque[Fault] = deque()
        self.fault_rate = 0.0  # of Graph requests, with ``noise``
        self.requests: list[Request] = []
        self._noise = noise

    def answer(self, request: Request) -> Answer:
        """What the service says; every request is kept for the tests to look at."""
        self.requests.append(request)
        fault = self._fault(request)
        if fault is not None:
            return fault
        if not request.path.startswith("/v1.0/"):
            return self.sign_in.answer(request)
        roles = self.sign_in.roles_of(request.headers.get("authorization", "").removeprefix("Bearer "))
        if roles is None:
            message = "Lifetime validation failed, the token is expired."
            return graph_error(401, "InvalidAuthenticationToken", message)
        return self.graph.answer(request, roles)

    def asked(self, part: str) -> list[str]:
        """The URLs of the requests so far that hold this text."""
        return [request.url for request in self.requests if part in request.url]

    def break_next(self, where: str, answer: Answer, times: int = 1, skip: int = 0) -> None:
        self.faults.append(Fault(where, answer, times, skip))

    def forget_delta_tokens(self, answer: Answer | None = None) -> None:
        """Every delta link given so far leads to ``answer`` (default: 410) from now on."""
        self.graph.oldest_token = self.tenant.pass_time()
        if answer is not None:
            self.graph.resync = answer

    def _fault(self, request: Request) -> Answer | None:
        for fault in self.faults:
            if fault.times and fault.where in request.url:
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault.answer
        if self._noise and "/v1.0/" in request.path and self._noise.random() < self.fault_rate:
            return self._random_fault(request)
        return None

    def _random_fault(self, request: Request) -> Answer | None:
        assert self._noise is not None
        kind = self._noise.random()
        if kind < 0.1:
            self.sign_in.expire_tokens()
            return None
        if kind < 0.2 and "$skiptoken" in request.url:
            return graph_error(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
        return self._noise.choice(TRANSIENT)
