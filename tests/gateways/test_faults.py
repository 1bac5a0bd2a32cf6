"""What goes wrong with applications: each with a clear status and a line in the log, and nothing leaked."""

import concurrent.futures
import http.client
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time
import unittest

from house import APPS, BINARY, PYTHON, Housed, is_alive, wait_for, wsgi

REQUEST = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def whole(peer):
    """All that comes until the end."""
    return b"".join(iter(lambda: peer.recv(65536), b""))


class Faults(Housed):
    arguments = wsgi("faults:application", "--wsgi-timeout", "1")

    def tearDown(self):
        # Whatever it was, the next is served, by as many as before.
        self.assertEqual(self.ask("/hello").body, b"hello\n")
        wait_for("there are not two workers", lambda: len(self.shared.workers()) == 2)

    def refused(self, path, status, pattern, **more):
        answer = self.ask(path, **more)
        self.assertEqual(answer.status, status, answer.text)
        self.assertTrue(answer.is_whole)
        self.logs(pattern)
        return answer

    def cut_short(self, path, pattern):
        answer = self.ask(path)
        self.assertEqual((answer.status, answer.body, answer.is_whole), (200, b"begun\n", False))
        self.logs(pattern)

    def test_killed_in_the_middle_of_an_answer(self):
        self.cut_short("/dies", r"SIGKILL|signal 9")

    def test_killed_before_its_answer(self):
        self.refused("/dies_at_once", 502, r"SIGKILL|signal 9")

    def test_killed_while_it_has_nothing_to_do(self):
        worker = int(self.ask("/pid").body)
        os.kill(worker, signal.SIGKILL)
        wait_for("no other worker has taken its place", lambda: len(self.shared.workers()) == 2 and worker not in self.shared.workers())
        for _ in range(20):
            self.assertEqual(self.ask("/hello").status, 200)
        self.logs(r"SIGKILL|signal 9")

    def test_never_answers(self):
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            sleeper = pool.submit(self.ask, "/sleep?30")
            time.sleep(0.1)
            # The other one goes on.
            self.assertEqual({self.ask("/hello").body for _ in range(50)}, {b"hello\n"})
            self.assertEqual(sleeper.result().status, 504)
        self.assertLess(time.monotonic() - began, 10)
        self.logs(r'faults\.py", line \d+ in sleep')

    def test_ends_with_an_error(self):
        self.refused("/raises", 500, "RuntimeError: raised on purpose")
        self.cut_short("/raises_later", "RuntimeError: raised on purpose")

    def test_output_without_a_head(self):
        answer = self.refused("/no_head", 500, "has not called start_response")
        self.assertNotIn("output", answer.text)

    def test_header_injection(self):
        for path in ("/injects", "/injects_name", "/injects_status"):
            answer = self.refused(path, 500, "AssertionError")
            self.assertIsNone(answer["X-Injected"])
            self.assertNotIn("script", answer.text)

    def test_hop_by_hop(self):
        self.refused("/hop_by_hop", 500, "Transfer-Encoding is hop-by-hop")

    def test_content_length(self):
        # It was not begun when its end was known: so it need not be cut.
        self.refused("/too_short", 502, "lacks 94 of the 100 bytes")
        self.cut_short("/too_short_later", "lacks 94 of the 100 bytes")
        peer = self.shared.connect(REQUEST % b"too_long")
        said = whole(peer)
        peer.close()
        self.assertTrue(said.endswith(b"\r\n\r\nbegun\n"), said)
        self.logs("longer than its Content-Length of 6 bytes")

    def test_what_it_says_goes_into_the_log(self):
        self.assertEqual(self.ask("/prints").body, b"printed\n")
        self.logs("by print\n")
        self.logs("by wsgi.errors\n")

    def test_a_client_that_leaves_during_the_answer(self):
        sign = self.directory / "sign"
        for _ in range(3):
            peer = self.shared.connect(REQUEST % f"endless?{sign}".encode())
            self.assertTrue(peer.recv(100_000))
            peer.close()
        wait_for("close() was not called", lambda: sign.exists() and sign.read_text() == "closed\n" * 3)

    def test_a_client_that_leaves_before_the_answer(self):
        sign = self.directory / "sign"
        peers = [self.shared.connect(REQUEST % f"marks?{sign}".encode()) for _ in range(40)]
        wait_for("nobody was called", sign.exists)
        for peer in peers:
            # Without this it might just have no more to say.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
        time.sleep(0.1)
        self.assertEqual(self.ask("/hello").status, 200)
        # Those that had no worker yet never get one: 0.2 seconds each, they would take four.
        self.assertLess(len(sign.read_text().splitlines()), 10)

    def test_a_client_that_leaves_within_its_body(self):
        for _ in range(5):
            peer = self.shared.connect(b"POST /ignores HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome")
            peer.close()


class Large(Housed):
    def test_a_gibibyte_for_an_application_that_ignores_it(self):
        house = self.house(*wsgi("faults:application", "--max-body", str(1 << 30), "--body-timeout", "120"))
        house.ask("/hello")
        before = house.memory()
        peer = house.connect(b"POST /ignores HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        most, block = 0, bytes(1 << 20)
        for number in range(1024):
            try:
                peer.sendall(block)
            except ConnectionError:
                break
            if number % 64 == 0:
                most = max(most, house.memory())
        said = whole(peer)
        peer.close()
        self.assertTrue(said.startswith(b"HTTP/1.1 200 ") and said.endswith(b"ignored\n"), said)
        most = max(most, house.memory())
        self.assertLess(most - before, 32 * 1024, "KiB of memory")
        self.assertEqual(house.ask("/hello").body, b"hello\n")

    def test_an_answer_that_nobody_takes(self):
        """A hundred slow clients hold neither the workers nor the memory that their answers are."""
        house = self.house(*wsgi("faults:application"))
        house.ask("/hello")
        peers = []
        for _ in range(100):
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(house.address)
            peer.sendall(REQUEST % b"large?1000000")
            peers.append(peer)
        try:
            for _ in range(20):
                self.assertEqual(house.ask("/hello").body, b"hello\n")
        finally:
            for peer in peers:
                peer.close()


class Queues(Housed):
    def test_a_thousand_requests_behind_one_that_sleeps(self):
        house = self.house(*wsgi("faults:application", "--wsgi-workers", "1", "--wsgi-queue", "900", "--wsgi-timeout", "20", "--max-connections", "3000"))
        peers = [house.connect(REQUEST % b"sleep?2")]
        time.sleep(0.3)
        peers += [house.connect(REQUEST % b"hello") for _ in range(1000)]
        answers = []
        for peer in peers:
            answers.append(whole(peer))
            peer.close()
        self.assertTrue(answers[0].endswith(b"awake\n"), answers[0])
        served = [answer for answer in answers[1:] if answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"hello\n")]
        refused = [answer for answer in answers[1:] if answer.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: " in answer]
        self.assertEqual((len(served), len(refused)), (900, 100))
        self.assertEqual(house.ask("/hello").status, 200)


class Renewed(Housed):
    def busy(self, house, seconds, meanwhile):
        """Asks all the time, by four clients with connections of their own, while something happens. Returns what came."""

        def client():
            said, connection = [], http.client.HTTPConnection(*house.address, timeout=10)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                connection.request("GET", "/pid")
                answer = connection.getresponse()
                said.append((answer.status, answer.read()))
            connection.close()
            return said

        with concurrent.futures.ThreadPoolExecutor() as pool:
            clients = [pool.submit(client) for _ in range(4)]
            time.sleep(0.3)
            meanwhile()
            return [each for one in clients for each in one.result()]

    def test_reload_loses_no_request(self):
        house = self.house(*wsgi("faults:application"))
        before = house.workers()
        said = self.busy(house, 3, lambda: house.process.send_signal(signal.SIGHUP))
        self.assertEqual({status for status, _ in said}, {200})
        self.assertGreater(len({pid for _, pid in said}), 2, "no worker was replaced")
        wait_for("the old workers are still there", lambda: len(house.workers()) == 2 and not set(before) & set(house.workers()))

    def test_sources_that_change(self):
        source = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'%s']\n"
        module = self.directory / "changing.py"
        module.write_text(source % "first")
        house = self.house("--wsgi", "changing:application", "--chdir", str(self.directory), "--python", PYTHON, "--wsgi-reload")
        self.assertEqual(house.ask("/").body, b"first")
        module.write_text(source % "second")
        wait_for("the change does not show", lambda: house.ask("/").body == b"second")
        # What cannot be loaded does not replace what can; its traceback is in the log. And then it goes on.
        module.write_text("def application(:\n")
        house.logs("SyntaxError")
        self.assertEqual(house.ask("/").body, b"second")
        module.write_text(source % "third")
        wait_for("the change does not show", lambda: house.ask("/").body == b"third")

    def test_the_end_waits_for_requests(self):
        house = self.house(*wsgi("faults:application"))
        peer = house.connect(REQUEST % b"sleep?0.5")
        time.sleep(0.2)
        house.process.terminate()
        self.assertTrue(whole(peer).endswith(b"awake\n"))
        peer.close()
        house.stop()

    def test_a_server_that_is_killed_leaves_nobody(self):
        house = self.house(*wsgi("faults:application"))
        family = house.tree()
        self.assertGreaterEqual(len(family), 2)
        os.kill(house.pid, signal.SIGKILL)
        house.process.wait()
        wait_for("somebody is left behind", lambda: not any(map(is_alive, family)))
        house.process.stdout.close()


class Starts(Housed):
    def fails(self, *arguments, cwd=APPS, code=1):
        done = subprocess.run([BINARY, "--port", "0", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        return done.stderr

    def test_applications_that_cannot_be_loaded(self):
        (self.directory / "raises.py").write_text("def inner():\n    return 1 / 0\n\ninner()\n")
        chdir = ["--chdir", str(self.directory), "--python", PYTHON]
        said = self.fails("--wsgi", "raises:app", *chdir)
        for part in ("Traceback (most recent call last):", 'raises.py", line 4, in <module>', "ZeroDivisionError: division by zero"):
            self.assertIn(part, said)
        self.assertIn("No module named 'nowhere_at_all'", self.fails("--wsgi", "nowhere_at_all:app", *chdir))
        self.assertIn("bare has no 'app'; what can be called there is: application", self.fails(*wsgi("bare:app")))

    def test_no_python(self):
        self.assertIn("/nowhere/python", self.fails("--wsgi", "bare:application", "--python", "/nowhere/python", code=2))
        self.fails("--wsgi", "bare:application", "--python", "/bin/true")
        self.fails("--wsgi", "bare:application", "--python", "/bin/cat")


class Leaks(Housed):
    def test_nothing_is_left(self):
        house = self.house(*wsgi("faults:application", "--wsgi-timeout", "2"))
        sign = self.directory / "sign"

        def round():
            for path in ("/hello", "/raises", "/raises_later", "/no_head", "/too_short", "/too_long", "/ignores"):
                house.ask(path, bytes(100_000) if path == "/ignores" else None)
            peer = house.connect(REQUEST % f"endless?{sign}".encode())
            peer.recv(10_000)
            peer.close()
            peer = house.connect(REQUEST % b"sleep?0.001")
            peer.close()

        def quiet():
            """So many descriptors, when nothing is under way any more."""
            wait_for("not two workers", lambda: len(house.workers()) == 2)
            house.ask("/hello")
            time.sleep(0.3)
            return house.descriptors(), house.memory()

        for _ in range(20):
            round()
        for _ in range(2):
            house.ask("/dies")
        descriptors, memory = quiet()
        for _ in range(60):
            round()
        for _ in range(10):
            house.ask("/dies")
            house.ask("/dies_at_once")
        after = quiet()
        self.assertEqual(after[0], descriptors, "descriptors")
        self.assertLess(after[1] - memory, 4096, "KiB of memory")
        zombies = [pid for pid in house.tree() if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"]
        self.assertEqual(zombies, [])
        house.stop()


if __name__ == "__main__":
    unittest.main()
