"""An application server that runs already, spoken to by SCGI: through a Unix socket and through TCP."""

import os
import subprocess
import sys
import time
import unittest

from house import APPS, PATIENCE, Housed, wait_for


class Scgi(Housed):
    def served(self, place):
        """An SCGI server at a place. Returns where it is in fact."""
        server = subprocess.Popen([sys.executable, APPS / "scgi_server.py", place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def stop():
            server.stdin.close()
            server.wait(PATIENCE)
            server.stdout.close()

        self.addCleanup(stop)
        return server.stdout.readline().strip()

    def houses(self, *more):
        """One for each kind of place."""
        for place in (f"unix:{self.directory}/socket", "127.0.0.1:0"):
            yield self.house("--scgi", f"/app={self.served(place)}", *more)

    def test_answers(self):
        for house in self.houses("--max-body", "20000000"):
            answer = house.ask("/app/environ?a=b%20c", headers={"X-Some": "thing", "Host": "example.org"})
            self.assertEqual(answer.status, 200)
            said = dict(line.split("=", 1) for line in answer.text.splitlines())
            expected = {"CONTENT_LENGTH": "0", "SCGI": "1", "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/app", "PATH_INFO": "/environ",
                        "QUERY_STRING": "a=b%20c", "HTTP_X_SOME": "thing", "HTTP_HOST": "example.org", "SERVER_PROTOCOL": "HTTP/1.1"}
            self.assertEqual({name: said.get(name) for name in expected}, expected)
            for body in (b"", b"short", os.urandom(10 << 20)):
                answer = house.ask("/app/echo", body)
                self.assertEqual((answer.status, answer["X-Length"], answer.body == body), (200, str(len(body)), True))
                blocks = (body[at : at + 70_000] for at in range(0, len(body), 70_000))
                self.assertTrue(house.ask("/app/echo", blocks).body == body, "in chunks")
            answer = house.ask("/app/status")
            self.assertEqual((answer.status, answer.body, answer["Status"]), (418, b"teapot\n", None))
            self.assertEqual(house.ask("/app/status", method="HEAD").body, b"")
            self.assertEqual(house.ask("/app/slow").body, b"0\n1\n2\n")
            self.assertNotIn("[ERROR]", house.stop())

    def test_faults(self):
        for house in self.houses("--scgi-timeout", "1"):
            for path, status in (("/app/gone", 502), ("/app/no-head", 502), ("/app/never", 504)):
                since = len(house.log())
                self.assertEqual(house.ask(path).status, status, path)
                house.logs(r"\[(ERROR|WARN)\]", since)
            answer = house.ask("/app/halfway")
            self.assertEqual((answer.status, answer.body, answer.is_whole), (200, b"begun\n", False))
            self.assertEqual(house.ask("/app/status").status, 418)

    def test_a_client_that_leaves(self):
        for house in self.houses():
            sign = self.directory / "sign"
            peer = house.connect(f"GET /app/endless?{sign} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            self.assertTrue(peer.recv(100_000))
            peer.close()
            wait_for("the connection is held", sign.exists)
            sign.unlink()

    def test_nobody_is_there(self):
        for place in (f"unix:{self.directory}/nobody", "127.0.0.1:1"):
            house = self.house("--scgi", f"/app={place}")
            self.assertEqual(house.ask("/app/environ").status, 502)
            house.logs("nobody|127.0.0.1:1")

    def test_nothing_is_left(self):
        for house in self.houses():
            house.ask("/app/environ")
            time.sleep(0.2)
            before = house.descriptors()
            for _ in range(40):
                for path in ("environ", "gone", "halfway", "no-head"):
                    house.ask(f"/app/{path}")
            wait_for("descriptors are left", lambda: house.descriptors() <= before)


if __name__ == "__main__":
    unittest.main()
