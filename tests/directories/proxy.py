"""A TCP proxy before a server that cuts, stalls and counts, to show a client what networks do."""

import socket
import threading
from contextlib import suppress


class Proxy:
    """Passes bytes between clients and a server; a limit on the bytes from the server starts the trouble."""

    def __init__(self, host: str, port: int, *, listen: str = "127.0.0.1", scheme: str = "ldaps") -> None:
        self._target = (host, port)
        self._listener = socket.create_server((listen, 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"{scheme}://{listen}:{self.port}"
        self.connections = 0
        self.received = 0
        """Bytes that came from the server, over all connections."""
        self._cut_after: int | None = None
        self._stall_after: int | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, count: int) -> None:
        """Once so many more bytes came from the server, every connection ends."""
        self._cut_after = self.received + count

    def stall_after(self, count: int) -> None:
        """Once so many more bytes came from the server, nothing comes any more, but connections stay open."""
        self._stall_after = self.received + count

    def close(self) -> None:
        """Nobody listens any more, and open connections end."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._end_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target, 10)
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        self._end(source, target)

    def _pass_back(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                self.received += len(data)
                if self._stall_after is not None and self.received > self._stall_after:
                    continue
                if self._cut_after is not None and self.received > self._cut_after:
                    break
                target.sendall(data)
        self._end(source, target)

    def _end(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        with self._lock:
            self._open -= set(sockets)

    def _end_all(self) -> None:
        with self._lock:
            sockets = tuple(self._open)
        self._end(*sockets)
