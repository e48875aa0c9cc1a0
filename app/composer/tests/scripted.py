"""A server that answers what a test tells it to, for what the real one does not do on demand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers:
    """What is answered, in this order, and which requests it was answered to."""

    def __init__(self, *answers: tuple[int, dict[str, str], bytes]):
        self.left = list(answers)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.asked = threading.Event()
        self.url = ""


@contextmanager
def serve(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[Answers]:
    """A status of 0 is a connection that breaks; a Content-Length may promise more than there is."""
    script = Answers(*answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.requests.append((self.command, self.path, dict(self.headers), body))
            script.asked.set()
            status, headers, content = script.left.pop(0)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content)), "Connection": "close"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
