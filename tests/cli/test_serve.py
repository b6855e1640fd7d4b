"""The real server in a process of its own: first start, an answered request, a graceful end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``scim-server serve`` over a folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SCIM_SERVER_")},
            "SCIM_SERVER_DATA_DIR": str(folder),
            "SCIM_SERVER_PORT": str(self.port),
        }
        with (folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scim_server.cli.main", "serve"],
                env=environ,
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()  # a killed server would leave its worker process behind
        if self.process.stdout is not None:
            self.process.stdout.close()

    def get(self, path: str, token: str = "") -> requests.Response:
        """An answer, as soon as there is one."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        while not self._listens():
            assert self.process.poll() is None, "the server has ended"
            time.sleep(0.05)  # nothing announces that a process listens; this is its start, not the test
        return requests.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=20)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def lines(self, number: int) -> str:
        """The first lines it says on stdout."""
        assert self.process.stdout is not None
        return "".join(self.process.stdout.readline() for _ in range(number))

    def stop(self) -> str:
        """The server ends in peace; what else it had said on stdout."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return out


def test_the_first_start_shows_a_token_that_works_and_the_second_none(tmp_path: Path) -> None:
    with Server(tmp_path) as first:
        assert first.get("/readyz").json()["status"] == "ok"
        assert first.get("/scim/v2/Users").status_code == 401
        token = re.findall(r"scim_\S{43}", first.lines(2))[0]
        answer = first.get("/scim/v2/Users", token)
        assert answer.status_code == 200
        assert answer.json()["totalResults"] == 0
        first.stop()
        assert first.process.returncode == 0
    assert token not in (tmp_path / "log").read_text()

    with Server(tmp_path) as second:
        assert second.get("/scim/v2/Users", token).status_code == 200
        out = second.stop()
    assert f"http://127.0.0.1:{second.port}/scim/v2" in out
    assert "scim_" not in out


def test_a_taken_port_ends_the_server_with_a_reason(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environ = {**os.environ, "SCIM_SERVER_DATA_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "scim_server.cli.main", "serve", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr
