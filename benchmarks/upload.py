"""500 MB uploaded as the pages do it: tus, in pieces of 8 MB, each on the disk for good before it is acknowledged.

The peer is a bare socket whose bytes go to a file, synced once at the end.
"""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

from data import appliance, make_instance
from measure import HOST, MIB, PATIENCE, Figure, Prober, median, say, scratch, seconds, show
from visitor import Visitor

SIZE = 500_000_000
PIECE = 8_000_000
ROUNDS = 3
TUS = {"Tus-Resumable": "1.0.0"}
APPEND = TUS | {"Content-Type": "application/offset+octet-stream"}


def measure() -> list[Figure]:
    say("upload: 500 MB")
    ours, peer, growth, stall = [], [], [], []
    with scratch() as folder:
        paths = make_instance(folder / "config")
        with appliance(paths.root) as server, Visitor(server) as visitor:
            visitor.sign_in()
            for _ in range(ROUNDS):
                before = server.forget_peak()
                with Prober(server) as prober:
                    ours.append(seconds(lambda: upload(visitor)))
                growth.append(server.memory("VmHWM") - before)
                stall.append(prober.longest())
                peer.append(seconds(lambda: copy_over_a_socket(folder / "copied")))
    return [
        Figure("upload of 500 MB / socket to disk", "s", median(ours), median(peer)),
        Figure("upload of 500 MB: memory growth", "MiB", max(growth)),
        Figure("upload of 500 MB: longest wait", "ms", median(stall)),
    ]


def upload(visitor: Visitor) -> None:
    piece = os.urandom(PIECE)
    announced, _ = visitor.send("POST", "/api/1/uploads", b"", TUS | {"Upload-Length": str(SIZE)})
    address = announced.getheader("Location", "")
    for offset in range(0, SIZE, PIECE):
        visitor.send("PATCH", address, piece[: SIZE - offset], APPEND | {"Upload-Offset": str(offset)})
    visitor.send("DELETE", address, headers=TUS)


def copy_over_a_socket(target: Path) -> None:
    with socket.create_server((HOST, 0)) as listener:
        receiver = threading.Thread(target=receive, args=(listener, target))
        receiver.start()
        piece = os.urandom(PIECE)
        with socket.create_connection(listener.getsockname(), PATIENCE) as sender:
            for offset in range(0, SIZE, PIECE):
                sender.sendall(piece[: SIZE - offset])
        receiver.join()
    target.unlink()


def receive(listener: socket.socket, target: Path) -> None:
    connection, _ = listener.accept()
    with connection, target.open("wb", buffering=0) as file:
        while chunk := connection.recv(MIB):
            file.write(chunk)
        os.fsync(file.fileno())


if __name__ == "__main__":
    show(measure())
