#!/usr/bin/env python3
"""The WSGI worker (src/gateway/wsgi/worker.py), asked by hand what a server asks it. Some seconds; no network, no server.

    tests/gateways/test_worker.py             everything
    tests/gateways/test_worker.py Answers     some of it

Needs Python 3.8 or later, which is the one that runs the worker too.
"""

import os
import pathlib
import re
import signal
import socket
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True  # nothing is left behind in the sources
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from driver import PROGRAM, Worker, environ, netstring, request  # noqa: E402


class Asked(unittest.TestCase):
    """Tests that share a worker, as long as it is in step with them."""

    worker = None

    @classmethod
    def tearDownClass(cls):
        if Asked.worker:
            Asked.worker.stop()
            Asked.worker = None

    def setUp(self):
        if Asked.worker is None:
            Asked.worker = Worker()
            self.assertEqual(Asked.worker.receive(), b"ready")
        self.worker = Asked.worker
        self.closed()  # what others have left
        self.logged = len(self.worker.log)

    def tearDown(self):
        # What a test has upset does not upset the next.
        try:
            self.assertEqual(self.ask("/hello").body, b"hello\n")
            self.assertTrue(self.worker.is_quiet(0))
        except BaseException:
            Asked.worker.stop()
            Asked.worker = None
            raise

    def ask(self, *arguments, **more):
        return self.worker.ask(*arguments, **more)

    def says(self, text):
        """Waits until the log of this test has a text."""
        for _ in range(500):
            if text.encode() in self.worker.log[self.logged :]:
                return
            time.sleep(0.01)
        self.fail(f"{text!r} is not in the log: {self.worker.log[self.logged:].decode()}")

    def closed(self):
        return self.ask("/closed").body.decode()

    def refused(self, why, *arguments, **more):
        """The request gets no answer, and the server and the log are told why; a traceback shows nothing of the worker."""
        answer = self.ask(*arguments, **more)
        self.assertIn(why, answer.why or "an answer")
        self.says(why)
        return answer


class Answers(Asked):
    def test_head_body_and_length_of_a_list(self):
        answer = self.ask("/hello")
        self.assertEqual(answer.status, "200 OK")
        expected = [("Content-Type", "text/plain"), ("X-Name", "a"), ("X-Name", "b"), ("Content-Length", "6")]
        self.assertEqual(answer.fields, expected)
        self.assertEqual((answer.blocks, answer.outcome), ([b"hello\n"], ""))

    def test_length_where_it_is_known_and_only_there(self):
        table = [
            ("'200 OK', [], [b'abc']", "3", b"abc"),
            ("'200 OK', [], (b'abc',)", "3", b"abc"),
            ("'200 OK', [], [b'', b'a', b'', b'bc']", "3", b"abc"),
            ("'200 OK', [], []", "0", b""),
            ("'200 OK', [], [b'']", "0", b""),
            ("'200 OK', [], iter([])", "0", b""),
            ("'200 OK', [], Only([b'abc'])", "3", b"abc"),
            ("'200 OK', [], iter([b'abc'])", None, b"abc"),
            ("'200 OK', [], Blocks([b'abc'])", None, b"abc"),
            ("'200 OK', [('Content-Length', '3')], Blocks([b'a', b'bc'])", "3", b"abc"),
            ("'200 OK', [('content-length', '3')], [b'abc']", "3", b"abc"),
            ("'204 No Content', [], [b'abc']", None, b""),
            ("'204 No Content', [], []", None, b""),
            ("'205 Reset Content', [], [b'abc']", None, b""),
            ("'304 Not Modified', [], []", None, b""),
            ("'304 Not Modified', [('Content-Length', '3')], []", "3", b""),
            ("'404 Not Found', [], [b'abc']", "3", b"abc"),
        ]
        for query, length, body in table:
            with self.subTest(query):
                answer = self.ask("/answer", query)
                self.assertEqual((answer["Content-Length"], answer.body, answer.outcome), (length, body, ""))

    def test_head_has_no_body(self):
        table = [
            ("'200 OK', [], [b'abc']", None),
            ("'200 OK', [('Content-Length', '3')], [b'abc']", "3"),
            ("'200 OK', [('Content-Length', '3')], []", "3"),
            ("'200 OK', [('Content-Length', '3')], Blocks([b'', b'abc', ValueError('too far')])", "3"),
            ("'200 OK', [], iter(lambda: b'x', None)", None),
        ]
        for query, length in table:
            with self.subTest(query):
                answer = self.ask("/answer", query, method="HEAD")
                self.assertEqual((answer.status, answer["Content-Length"], answer.blocks, answer.outcome), ("200 OK", length, [], ""))

    def test_answers_without_a_body_stop_at_the_first_block(self):
        for query in ("'204 No Content', [], Blocks(iter(lambda: b'x', None))", "'304 X', [], Blocks(iter(lambda: b'x', None))"):
            answer = self.ask("/answer", query)
            self.assertEqual((answer.blocks, answer.outcome, self.closed()), ([], "", "closed"))

    def test_blocks_come_as_they_are_made_and_empty_ones_do_not(self):
        answer = self.ask("/answer", "'200 OK', [], Blocks([b'a', b'', b'b'])")
        self.assertEqual(answer.blocks, [b"a", b"b"])

    def test_a_block_is_sent_before_the_next_is_made(self):
        # This one waits for a file, which comes when the first block is here, and not before.
        with tempfile.TemporaryDirectory() as directory:
            sign = pathlib.Path(directory, "sign")
            self.worker.send(request("/waits", str(sign)))
            self.worker.receive()
            self.assertEqual(self.worker.receive(), b"first")
            sign.write_text("")
            answer = [self.worker.receive() for _ in range(3)]
            self.assertEqual(answer, [b"second", b"", b""])

    def test_long_blocks_are_cut(self):
        for iterable in ("[b'a' * 70000, b'b' * 140000]", "Blocks([b'a' * 70000, b'b' * 140000])"):
            answer = self.ask("/answer", f"'200 OK', [], {iterable}")
            self.assertEqual(answer.body, b"a" * 70000 + b"b" * 140000)
        self.closed()

    def test_start_response_may_come_with_the_first_block(self):
        answer = self.ask("/late")
        self.assertEqual((answer.status, answer.blocks), ("201 Created", [b"late"]))

    def test_words_that_format_to_something_else(self):
        answer = self.ask("/answer", "Word('200 OK'), [(Word('X-A'), Word('a')), ('Content-Length', Word('1'))], [b'a']")
        self.assertEqual((answer.status, answer.fields), ("200 OK", [("X-A", "a"), ("Content-Length", "1")]))

    def test_write(self):
        answer = self.ask("/pushes")
        self.assertEqual((answer.body, answer["Content-Length"], answer.outcome), (b"one two three", None, ""))
        self.assertEqual(self.ask("/pushes", method="HEAD").blocks, [])

    def test_file_wrapper(self):
        answer = self.ask("/file_wrapped")
        self.assertEqual(len(answer.blocks), 1, "small blocks cost a send each")
        self.assertEqual(answer.body, (PROGRAM.parents[3] / "tests/gateways/served.py").read_bytes())

    def test_file_wrapper_closes_its_file(self):
        for method in ("GET", "HEAD"):
            self.assertEqual(self.ask("/pages", method=method).status, "200 OK")
            self.assertEqual(self.closed(), "closed")

    def test_all_of_latin_1(self):
        answer = self.ask("/answer", "'200 \xe9\xff', [('X-A', '\xe9\xa0\xff')], []")
        self.assertEqual((answer.status, answer["X-A"]), ("200 \xe9\xff", "\xe9\xa0\xff"))


class Lengths(Asked):
    def test_what_is_missing_cuts_the_answer_short(self):
        for iterable in ("[b'abc']", "Blocks([b'abc'])", "Only([b'abc'])"):
            answer = self.ask("/answer", f"'200 OK', [('Content-Length', '5')], {iterable}")
            self.assertEqual(answer.body, b"abc")
            self.assertEqual(answer.outcome, "the answer lacks 2 of the 5 bytes of its Content-Length")
        self.assertEqual(self.ask("/answer", "'200 OK', [('Content-Length', '5')], []").outcome[:20], "the answer lacks 5 o")
        self.closed()

    def test_what_is_too_much_is_left_out(self):
        for iterable in ("[b'abc', b'def', b'g']", "Blocks([b'abc', b'def', b'g'])", "Blocks([b'abcdefg'])", "Blocks([b'abcde', b'f'])"):
            self.logged = len(self.worker.log)
            answer = self.ask("/answer", f"'200 OK', [('Content-Length', '5')], {iterable}")
            self.assertEqual((answer.body, answer.outcome), (b"abcde", ""))
            self.says("longer than its Content-Length of 5 bytes")
        self.closed()

    def test_a_length_that_is_not_kept(self):
        answer = self.ask("/answer", "'200 OK', [], Only([b'abc', b'def'])")
        self.assertEqual((answer["Content-Length"], answer.body, self.closed()), ("3", b"abc", "closed"))

    def test_an_endless_stream_stops_at_its_length(self):
        answer = self.ask("/answer", "'200 OK', [('Content-Length', '10')], Blocks(iter(lambda: b'xyz', None))")
        self.assertEqual((answer.body, answer.outcome, self.closed()), (b"xyzxyzxyzx", "", "closed"))

    def test_what_comes_after_the_last_byte_is_still_run(self):
        self.ask("/answer", "'200 OK', [('Content-Length', '1')], Blocks(seen.append('after') or b'' if n else b'x' for n in (0, 1))")
        self.assertEqual(self.closed(), "after closed")


class Rules(Asked):
    """What PEP 3333 forbids an application."""

    def test_status(self):
        for status in ("'200'", "''", "'OK'", "'20 OK'", "'2000 OK'", "'200OK'", "b'200 OK'", "200", "None", "'100 Continue'",
                       "'101 Switching Protocols'", "'199 X'", "'200 O\\nK'", "'200 OK\\r\\nX-A: b'", "'200 OK\\r'", "'\\u0662\\u0660\\u0660 OK'"):
            with self.subTest(status):
                self.refused("AssertionError: the status must be", "/answer", f"{status}, [], [b'a']")

    def test_statuses_that_are_good(self):
        for status in ("200 OK", "299 ", "404 Not Found", "599 \xe9", "304 Not Modified"):
            self.assertEqual(self.ask("/answer", f"{status!r}, [], []").status, status)

    def test_headers(self):
        table = [
            ("None", "the headers must be a list"),
            ("()", "the headers must be a list"),
            ("{}", "the headers must be a list"),
            ("[['X-A', 'b']]", "a header must be a tuple"),
            ("[('X-A',)]", "a header must be a tuple"),
            ("[('X-A', 'b', 'c')]", "a header must be a tuple"),
            ("['X-A']", "a header must be a tuple"),
            ("[(b'X-A', 'b')]", "the name of a header field"),
            ("[(1, 'b')]", "the name of a header field"),
            ("[('', 'b')]", "the name of a header field"),
            ("[('X A', 'b')]", "the name of a header field"),
            ("[('X-A:', 'b')]", "the name of a header field"),
            ("[('X-A: b\\r\\nX-B', 'c')]", "the name of a header field"),
            ("[('X-A\\n', 'c')]", "the name of a header field"),
            ("[('X-\\xe9', 'b')]", "the name of a header field"),
            ("[('Status', '200 OK')]", "the status is no header field"),
            ("[('sTATUS', '200 OK')]", "the status is no header field"),
            ("[('X-A', b'b')]", "the value of X-A"),
            ("[('X-A', 1)]", "the value of X-A"),
            ("[('X-A', None)]", "the value of X-A"),
            ("[('X-A', 'b\\r\\nX-B: c')]", "the value of X-A"),
            ("[('X-A', 'b\\n')]", "the value of X-A"),
            ("[('X-A', '\\tb')]", "the value of X-A"),
            ("[('X-A', 'b\\0')]", "the value of X-A"),
            ("[('X-A', '\\xa0\\x7f')]", "the value of X-A"),
            ("[('X-A', '\\u017b')]", "latin-1"),
            ("[('Content-Length', '-1')]", "Content-Length must be one number"),
            ("[('Content-Length', '')]", "Content-Length must be one number"),
            ("[('Content-Length', '1, 1')]", "Content-Length must be one number"),
            ("[('Content-Length', '\\u00b2')]", "Content-Length must be one number"),
            ("[('Content-Length', '1'), ('content-length', '1')]", "Content-Length must be one number"),
        ]
        for headers, why in table:
            with self.subTest(headers):
                self.logged = len(self.worker.log)
                answer = self.refused(why, "/answer", f"'200 OK', {headers}, [b'a']")
                self.assertIsNone(answer["X-A"])
                self.assertIsNone(answer["X-B"])

    def test_hop_by_hop_fields(self):
        names = "Connection Keep-Alive Proxy-Authenticate Proxy-Authorization TE Trailer Trailers Transfer-Encoding Upgrade"
        for name in names.split() + ["cOnnection"]:
            self.logged = len(self.worker.log)
            self.refused(f"AssertionError: the header field {name} is hop-by-hop", "/answer", f"'200 OK', [({name!r}, 'x')], [b'a']")

    def test_blocks_that_are_no_bytes(self):
        for iterable, name in (("['text']", "str"), ("[b'good', 'text']", "str"), ("Blocks([1])", "int"), ("b'bytes'", "int"), ("'text'", "str"), ("Blocks([None])", "NoneType"),
                               ("Blocks([bytearray(b'a')])", "bytearray"), ("Only(['a'])", "str")):
            with self.subTest(iterable):
                self.logged = len(self.worker.log)
                self.refused(f"AssertionError: the blocks of an answer must be bytes, and one is of type {name}", "/answer", f"'200 OK', [], {iterable}")
        self.refused("TypeError", "/answer", "'200 OK', [], None")
        self.refused("TypeError", "/answer", "'200 OK', [], 7")
        self.closed()

    def test_no_start_response(self):
        for query in ("[b'a']", "[]", "Blocks([b'a'])", "Blocks([])"):
            self.logged = len(self.worker.log)
            self.refused("AssertionError: the application has not called start_response", "/raw", query)
        self.closed()

    def test_start_response_twice(self):
        twice = "[start_response('200 OK', TEXT), start_response('200 OK', TEXT), [b'a']][2]"
        self.refused("AssertionError: start_response was called a second time", "/raw", twice)


class Faults(Asked):
    def test_before_the_answer(self):
        for query in ("1 / 0", "[start_response('200 OK', [('X-A', 'b')]), 1 / 0]", "[start_response('200 OK', TEXT), Blocks([1 / 0])]"):
            self.logged = len(self.worker.log)
            self.refused("ZeroDivisionError: division by zero", "/raw", query)
            self.says("GET /raw?")
            self.says("served.py")
            self.assertNotIn(b"<ownhands>", self.worker.log[self.logged :])
        self.refused("ZeroDivisionError: division by zero", "/raw", "1 / 0", method="HEAD")

    def test_in_the_iterable_before_its_first_block(self):
        self.refused("KeyError: 'x'", "/answer", "'200 OK', [('Content-Length', '9')], Blocks([b'', KeyError('x')])")
        self.assertEqual(self.closed(), "closed")

    def test_in_the_middle_of_the_answer(self):
        answer = self.ask("/answer", "'200 OK', TEXT, Blocks([b'begun', KeyError('two\\nlines')])")
        self.assertEqual((answer.status, answer.body, answer.outcome), ("200 OK", b"begun", "KeyError: 'two\\nlines'"))
        self.says("KeyError")
        self.assertEqual(self.closed(), "closed")
        answer = self.ask("/answer", "'200 OK', TEXT, Blocks([b'begun', ValueError('two\\nlines \\x1b ' + 'x' * 5000)])")
        self.assertRegex(answer.outcome, r"\AValueError: two lines   x{900,1000}\Z")
        self.closed()

    def test_at_the_end(self):
        answer = self.ask("/answer", "'200 OK', TEXT, Blocks([b'whole'], ValueError('closing'))")
        self.assertEqual((answer.status, answer.body, answer.outcome), ("200 OK", b"whole", ""))
        self.says("ValueError: closing")
        self.assertEqual(self.closed(), "closed")

    def test_what_would_end_another_program(self):
        for error in ("SystemExit(3)", "KeyboardInterrupt()", "GeneratorExit()", "MemoryError()", "RecursionError('deep')"):
            self.logged = len(self.worker.log)
            self.refused(error.partition("(")[0], "/answer", f"'200 OK', TEXT, Blocks([{error}])")
        self.closed()

    def test_another_head_before_the_answer(self):
        answer = self.ask("/error_page")
        self.assertEqual((answer.status, answer["X-First"], answer.body, answer.outcome), ("503 Service Unavailable", None, b"sorry", ""))

    def test_another_head_comes_too_late(self):
        answer = self.ask("/error_after")
        self.assertEqual((answer.status, answer.body, answer.outcome), ("200 OK", b"begun", "ValueError: inside"))

    def test_close_is_called_once_whatever_happens(self):
        for query in ("Blocks([])", "Blocks([b'a'])", "Blocks([b'a', ValueError()])", "Blocks([ValueError()])", "Only([b'a'])", "Blocks(['a'])"):
            for method in ("GET", "HEAD"):
                self.ask("/answer", f"'200 OK', TEXT, {query}", method=method)
                self.assertEqual(self.closed(), "closed", query)
        self.refused("not called start_response", "/raw", "Blocks([b'a'])")
        self.assertEqual(self.closed(), "closed")


class Inputs(Asked):
    def test_every_way_to_read(self):
        body = b"one\ntwo\n\nfour"
        table = [
            ("body.read()", [body]),
            ("body.read(-1)", [body]),
            ("body.read(None)", [body]),
            ("body.read(0);body.read(4);body.read(100);body.read(1);body.read()", [b"", b"one\n", b"two\n\nfour", b"", b""]),
            ("body.readline();body.readline();body.readline();body.readline();body.readline()", [b"one\n", b"two\n", b"\n", b"four", b""]),
            ("body.readline(2);body.readline(100);body.readline(0)", [b"on", b"e\n", b""]),
            ("body.readlines()", [[b"one\n", b"two\n", b"\n", b"four"]]),
            ("body.readlines(5);body.readlines()", [[b"one\n", b"two\n"], [b"\n", b"four"]]),
            ("list(body);list(body)", [[b"one\n", b"two\n", b"\n", b"four"], []]),
            ("next(body);body.read(1);body.readline()", [b"one\n", b"t", b"wo\n"]),
            ("body.readinto(bytearray(3));body.read()", [3, body[3:]]),
            ("iter(body) is body", [True]),
        ]
        for block in (1, 3, 4, 100):
            for query, said in table:
                with self.subTest(f"{query} in blocks of {block}"):
                    self.assertEqual(eval(self.ask("/read", query, body=body, block=block).body), said)

    def test_an_empty_body(self):
        query = "body.read();body.read(9);body.readline();body.readlines();list(body)"
        for method in ("GET", "POST", "HEAD"):
            answer = self.ask("/read", query, method=method)
            if method != "HEAD":
                self.assertEqual(answer.body, b"[b'', b'', b'', [], []]")

    def test_ten_mebibytes(self):
        body = os.urandom(1 << 20) * 10
        self.assertEqual(self.ask("/count", body=body).body, b"10485760")
        self.assertEqual(self.ask("/read", "__import__('hashlib').sha256(body.read()).hexdigest()", body=body).body.decode()[2:-2],
                         __import__("hashlib").sha256(body).hexdigest())
        answer = self.ask("/echo", body=body)
        self.assertTrue(answer.body == body, "the echo differs")
        self.assertEqual(answer.outcome, "")

    def test_what_is_not_read_is_read_away(self):
        body = bytes(3 << 20)
        self.assertEqual(self.ask("/ignore", body=body).body, b"ignored")
        self.assertEqual(self.ask("/read", "len(body.read(70000))", body=body).body, b"[70000]")
        self.assertEqual(self.ask("/raw", "1 / 0", body=body).why, "ZeroDivisionError: division by zero")
        self.assertEqual(self.ask("/ignore", body=b"x", block=1).body, b"ignored")

    def test_the_answer_does_not_wait_for_a_body_that_nobody_reads(self):
        self.worker.send(netstring(environ("/ignore", "", "POST", 100)) + netstring(b"some"))
        answer = self.worker.answer()
        self.assertEqual((answer.body, answer.outcome), (b"ignored", ""))
        # The server ends it early, since the answer is over.
        self.worker.send(b"0:,")

    def test_a_body_that_ends_early(self):
        table = [("/read_anyhow", b"OSError: the rest of the request does not come: its client has left"), ("/ignore", b"ignored")]
        for blocks in (b"", netstring(b"some")):
            for path, said in table:
                self.worker.send(netstring(environ(path, "", "POST", 100)) + blocks + b"0:,")
                answer = self.worker.answer()
                self.assertEqual((answer.body, answer.outcome), (said, ""))

    def test_an_application_that_does_not_expect_the_early_end(self):
        self.worker.send(netstring(environ("/count", "", "POST", 100)) + netstring(b"some") + b"0:,")
        self.assertEqual(self.worker.answer().why, "the rest of the request does not come: its client has left")
        self.ask("/hello")
        self.assertNotIn(b"Traceback", self.worker.log[self.logged :])

    def test_what_an_application_keeps_is_over(self):
        for body in (b"", b"first"):
            self.ask("/keep", body=body)
            said = eval(self.ask("/use_kept", body=b"mine").body)
            first = "the rest of the request does not come: its client has left" if body else b""
            self.assertEqual(said, [first, "write was called after the answer was over", b"mine"])


class Environs(Asked):
    def test_all_of_it(self):
        more = {"HTTP_X": "\xe9 \xff", "HTTP_EMPTY": "", "PATH_INFO": "/environ_of"}
        said = dict(eval(self.ask("/environ_of", "a=b", **more).body))
        expected = {
            "CONTENT_LENGTH": "0", "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "REQUEST_METHOD": "GET", "REQUEST_URI": "/environ_of?a=b", "SCRIPT_NAME": "", "PATH_INFO": "/environ_of",
            "QUERY_STRING": "a=b", "HTTP_X": "\xe9 \xff", "HTTP_EMPTY": "", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
            "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False, "wsgi.input_terminated": True,
        }
        self.assertEqual(said, expected)
        self.assertEqual(self.ask("/types_of", body=b"abc").body, b"(True, [])")

    def test_https(self):
        for value, scheme in (("on", "https"), ("1", "https"), ("off", "http"), ("", "http")):
            said = dict(eval(self.ask("/environ_of", HTTPS=value).body))
            self.assertEqual(said["wsgi.url_scheme"], scheme)

    def test_each_request_has_its_own(self):
        self.assertEqual(self.ask("/spoil").body, b"spoiled")
        self.assertEqual(self.ask("/spoil", HTTPS="on").body, b"spoiled")
        self.assertEqual(dict(eval(self.ask("/environ_of").body))["wsgi.url_scheme"], "http")

    def test_an_environ_of_many_kilobytes(self):
        value = "v" * 300_000
        self.assertEqual(dict(eval(self.ask("/environ_of", HTTP_LONG=value).body))["HTTP_LONG"], value)


class Validated(Asked):
    """wsgiref.validate around an application finds nothing, however it reads and is asked."""

    def test_nothing_is_found(self):
        lines = b"".join(b"line %d\n" % number for number in range(20_000))
        for mode in ("", "lines", "line", "all"):
            for method, body in (("GET", b""), ("HEAD", b""), ("POST", b""), ("POST", b"short"), ("POST", lines), ("PUT", b"x" * 200_000)):
                with self.subTest(f"{method} of {len(body)} bytes, {mode}"):
                    answer = self.ask("/validated", mode, body=body, method=method)
                    self.assertEqual((answer.status, answer.outcome), ("200 OK", ""))
                    self.assertTrue(answer.body == (b"" if method == "HEAD" else body), "the echo differs")

    def test_in_ten_mebibytes(self):
        body = os.urandom(1 << 20) * 10
        answer = self.ask("/validated", body=body)
        self.assertEqual((answer.status, answer.body == body), ("200 OK", True))

    def tearDown(self):
        super().tearDown()
        self.assertNotIn(b"Error", self.worker.log[self.logged :])
        self.assertNotIn(b"arning", self.worker.log[self.logged :])

    def test_the_validator_would_find_something(self):
        self.refused("AssertionError", "/raw", "validator(lambda environ, start_response: [b'a'])(environ, start_response)")
        self.logged = len(self.worker.log)


class Leaving(unittest.TestCase):
    """Clients that leave, and the end of the worker: each of these has a worker of its own."""

    def started(self, *arguments, **more):
        worker = Worker(*arguments, **more)
        self.addCleanup(worker.stop)
        self.assertEqual(worker.receive(), b"ready", worker.log.decode())
        return worker

    def stream(self, worker, blocks):
        """The head of an answer, and so many blocks of it."""
        worker.receive()
        for _ in range(blocks):
            self.assertNotEqual(worker.receive(), b"")

    def end_of_stream(self, worker):
        """The outcome, behind what was on its way."""
        while worker.receive():
            pass
        return worker.receive().decode()

    def test_a_client_that_leaves_ends_an_endless_stream(self):
        worker = self.started()
        for number, path in ((1, "/endless"), (3, "/endless_pushes")):
            worker.send(request(path))
            self.stream(worker, 5)
            os.write(worker.control, b"%d\n" % number)
            self.assertEqual(self.end_of_stream(worker), "the client has left")
            self.assertIn(worker.ask("/closed").body, (b"closed", b"stopped"))
        self.assertNotIn(b"Traceback", worker.log)

    def test_a_leaver_of_another_request_ends_nothing(self):
        worker = self.started()
        # Of requests that were over when their number came, of one with the same beginning; cut anywhere.
        os.write(worker.control, b"9\n12\n2\n1")
        answer = worker.ask("/fifty")
        self.assertEqual((answer.body, answer.outcome), (b"x" * 50, ""))
        os.write(worker.control, b"2\n22\n")
        answer = worker.ask("/fifty")
        self.assertEqual((answer.body, answer.outcome), (b"x" * 50, ""), "what came was 12, not 2")
        os.write(worker.control, b"3\n")
        self.assertEqual(worker.ask("/fifty").outcome, "the client has left")

    def test_the_server_closes_the_socket(self):
        worker = self.started()
        worker.ask("/at_exit")
        self.assertEqual(worker.leave(), 0)
        self.assertEqual(worker.log, b"thread over\nat exit\n")

    def test_the_server_leaves_within_a_request(self):
        for sent in (b"1", b"100:CONTENT", netstring(environ("/count", "", "POST", 100)), netstring(environ("/count", "", "POST", 100)) + b"50:half",
                     netstring(environ("/ignore", "", "POST", 100)), request("/endless"), request("/endless_pushes")):
            worker = self.started()
            worker.send(sent)
            time.sleep(0.02)
            self.assertEqual(worker.leave(), 0, sent)
            self.assertNotIn(b"Traceback", worker.log)

    def test_sigterm_when_idle(self):
        worker = self.started()
        worker.ask("/at_exit")
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.code(), 0)
        self.assertEqual(worker.log, b"thread over\nat exit\n")

    def test_sigterm_within_a_request(self):
        worker = self.started()
        worker.send(request("/sleeps", "0.2"))
        worker.says("asleep")
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.answer().body, b"awake")
        self.assertEqual((worker.receive(), worker.code()), (None, 0))

    def test_sigterm_loses_no_request_that_has_come(self):
        for _ in range(5):
            worker = self.started()
            worker.ask("/hello")
            worker.signal(signal.SIGSTOP)
            worker.send(request("/hello"))
            worker.signal(signal.SIGTERM)
            worker.signal(signal.SIGCONT)
            self.assertEqual(worker.answer().body, b"hello\n")
            self.assertEqual((worker.receive(), worker.code()), (None, 0))

    def test_sigabrt_says_where_the_worker_is(self):
        worker = self.started()
        worker.send(request("/sleeps", "20"))
        worker.says("asleep")
        worker.signal(signal.SIGABRT)
        self.assertEqual(worker.code(), -signal.SIGABRT)
        self.assertIn(b"Fatal Python error: Aborted", worker.log)
        self.assertRegex(worker.log, rb'File ".*served.py", line \d+ in sleeps')

    def test_a_child_does_not_hold_the_socket(self):
        worker = self.started()
        child = int(worker.ask("/forks").body)
        worker.signal(signal.SIGKILL)
        try:
            self.assertIsNone(worker.receive(), "the socket is open still")
            os.kill(child, signal.SIGTERM)
            with self.assertRaises(ProcessLookupError, msg="SIGTERM does not end the child"):
                for _ in range(200):
                    os.kill(child, 0)
                    if b"Z" in self.state(child):
                        raise ProcessLookupError
                    time.sleep(0.01)
        finally:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass

    @staticmethod
    def state(child):
        try:
            return pathlib.Path(f"/proc/{child}/stat").read_bytes().rpartition(b")")[2][:3]
        except OSError:
            return b""

    def test_a_child_that_returns_answers_nothing(self):
        worker = self.started()
        self.assertEqual(worker.ask("/forks_and_returns").body, b"parent")
        self.assertTrue(worker.is_quiet(0.2))
        self.assertEqual(worker.ask("/hello").body, b"hello\n")

    def test_a_program_inherits_nothing(self):
        worker = self.started()
        self.assertEqual(worker.ask("/descriptors_of_child").body, b"")

    def test_what_is_said_goes_into_the_log(self):
        worker = self.started()
        self.assertEqual(worker.ask("/speaks").body, b"''")
        worker.says("by print\nby stderr\nby errors \u017b\\udc80\nby lines\n")


class Starting(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def enterContext(self, manager):  # which unittest has since Python 3.11
        self.addCleanup(manager.__exit__, None, None, None)
        return manager.__enter__()

    def started(self, *arguments, **more):
        worker = Worker(*arguments, **more)
        self.addCleanup(worker.stop)
        return worker

    def test_the_program_is_not_read_past_its_end(self):
        worker = self.started(first=request("/hello"))
        self.assertEqual(worker.receive(), b"ready")
        self.assertEqual(worker.answer().body, b"hello\n")

    def test_the_server_leaves_before_the_program_has_come(self):
        worker = self.started(program=b"x = 1", first=b"")
        self.assertEqual(worker.code(), 0)

    def test_names_of_applications(self):
        table = [
            ("served", "/hello", b"hello\n"),
            ("served:application", "/hello", b"hello\n"),
            ("served:hello", "/", b"hello\n"),
            ("served:Holder.application", "/", b"dotted"),
            ("served:make()", "/", b"made"),
        ]
        for name, path, said in table:
            worker = self.started(name)
            self.assertEqual(worker.receive(), b"ready", worker.log.decode())
            self.assertEqual(worker.ask(path).body, said)

    def test_how_many_workers_there_are(self):
        worker = self.started("served:environ_of", 2)
        self.assertEqual(worker.receive(), b"ready")
        self.assertEqual(dict(eval(worker.ask("/").body))["wsgi.multiprocess"], True)

    def test_the_process_is_the_applications(self):
        for variables in ({}, {"PYTHONSAFEPATH": "1"}, {"PYTHONPATH": "/nowhere"}):
            worker = self.started("served:whoami", variables=variables)
            self.assertEqual(worker.receive(), b"ready", worker.log.decode())
            self.assertEqual(worker.ask("/").body, b"(['served:whoami'], [], True, [])")

    def test_what_cannot_be_loaded(self):
        files = {
            "syntax.py": "def f(:\n",
            "imports.py": "import nowhere_at_all\n",
            "raises.py": "def inner():\n    raise ValueError('two\\nlines')\n\ninner()\n",
            "exits.py": "import sys, threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\nsys.exit('enough')\n",
            "lacks.py": "def app(): pass\ndef other(): pass\nnumber = 1\ndef make(need): pass\n",
        }
        for name, text in files.items():
            (self.directory / name).write_text(text)
        table = [
            ("nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'", []),
            ("syntax:app", "SyntaxError: ", ["syntax.py"]),
            ("imports:app", "ModuleNotFoundError: No module named 'nowhere_at_all'", ['imports.py", line 1, in <module>']),
            ("raises:app", "ValueError: two lines", ['raises.py", line 4, in <module>', 'raises.py", line 2, in inner']),
            ("exits:app", "SystemExit: enough", ['exits.py", line 3, in <module>']),
            ("lacks", "AttributeError: lacks has no 'application'; what can be called there is: app, make, other", []),
            ("lacks:ap", "AttributeError: lacks has no 'ap'; what can be called there is: app, make, other", []),
            ("lacks:app.x", "AttributeError: lacks has no 'app.x'", []),
            ("lacks:number", "TypeError: lacks:number is of type int, which cannot be called", []),
            ("lacks:app()", "TypeError: lacks:app() is of type NoneType, which cannot be called", []),
            ("lacks:make()", "TypeError: make() missing 1 required positional argument: 'need'", []),
            (":app", "ValueError: Empty module name", []),
        ]
        for name, why, places in table:
            with self.subTest(name):
                worker = self.started(name, cwd=self.directory)
                self.assertRegex(worker.receive().decode(), rf"\Afailed {re.escape(why)}[^\n]*\Z")
                self.assertEqual((worker.receive(), worker.code()), (None, 1))
                log = worker.log.decode()
                self.assertIn(why.replace("two lines", "two\nlines"), log)
                for place in places:
                    self.assertIn(place, log)
                self.assertNotIn("<ownhands>", log)
                self.assertNotIn("importlib", log)

    def test_stale_sources(self):
        (self.directory / "package").mkdir()
        (self.directory / "fresh.py").write_text("import package.part\nfrom package.part import application\n")
        part = self.directory / "package/part.py"
        source = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'%d']\n"
        part.write_text(source % 1)
        quick = PROGRAM.read_bytes().replace(b"EVERY = 5000, 1.0", b"EVERY = 5000, 0.05")
        self.assertNotEqual(quick, PROGRAM.read_bytes())
        worker = self.started("fresh", 1, "reload", cwd=self.directory, program=quick)
        self.assertEqual(worker.receive(), b"ready")
        self.assertEqual(worker.ask("/").body, b"1")
        (self.directory / "data.txt").write_text("no source")
        self.assertTrue(worker.is_quiet(0.3))
        part.write_text(source % 2)
        self.assertEqual(worker.receive(), b"stale")
        self.assertEqual(worker.ask("/").body, b"1", "it goes on serving")
        # As some editors save: the old one goes, the new one comes.
        part.unlink()
        self.assertTrue(worker.is_quiet(0.3))
        part.write_text(source % 30)
        self.assertEqual(worker.receive(), b"stale")
        # While requests come one after the other it is said too.
        part.write_text(source % 400)
        for _ in range(1000):
            worker.send(request("/"))
            said = worker.receive()
            if said == b"stale":
                break
            self.assertEqual([said[:14], worker.receive(), worker.receive(), worker.receive()], [b"Status: 200 OK", b"1", b"", b""])
            time.sleep(0.001)
        self.assertEqual(said, b"stale")
        worker.answer()
        self.assertTrue(worker.is_quiet(0.3))


class Inside(unittest.TestCase):
    """Parts of the program, in this process: what no socket tells."""

    def setUp(self):
        text = PROGRAM.read_text()
        self.assertTrue(text.endswith("\nmain(*sys.argv[1:])\n"))
        self.names = {"__name__": "<ownhands>"}
        exec(compile(text.rpartition("main(")[0], "<ownhands>", "exec"), self.names)

    def test_netstrings_cut_anywhere(self):
        wanted = [b"", b"a", b"x" * 12, b"b" * 100, b"", b"1:,"]
        data = b"".join(map(netstring, wanted))

        always_ready = open(os.devnull)
        self.addCleanup(always_ready.close)

        class Peer:
            def __init__(self, cuts):
                bounds = [0, *cuts, len(data)]
                self.parts = [data[a:b] for a, b in zip(bounds, bounds[1:]) if a != b]

            def recv(self, most):
                if not self.parts:
                    return b""
                part = self.parts.pop(0)
                if len(part) > most:
                    self.parts.insert(0, part[most:])
                return part[:most]

            def fileno(self):
                return always_ready.fileno()

        every = [[first, second] for first in range(len(data)) for second in range(first, len(data), 7)] + [range(1, len(data)), []]
        for cuts in every:
            wire = self.names["Wire"](Peer(cuts))
            for each in wanted:
                self.assertTrue(wire.has_more())
                self.assertEqual(wire.receive(), each, cuts)
            self.assertFalse(wire.has_more())
        for end in range(1, len(netstring(b"x" * 12))):
            wire = self.names["Wire"](Peer([]))
            wire.peer.parts = [netstring(b"x" * 12)[:end]]
            self.assertTrue(wire.has_more())
            with self.assertRaises(ConnectionError):
                wire.receive()

    def sends(self, query):
        """What the worker sends for a request, a send at a time: a socket of packets keeps them apart."""
        import served

        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reader, writer = os.pipe()
        control = self.names["Control"](reader)
        worker = self.names["Worker"](self.names["Wire"](theirs), control)
        ours.settimeout(10)
        ours.send(request("/answer", query))
        ours.shutdown(socket.SHUT_WR)
        self.asked = []
        has_left = control.has_left
        control.has_left = lambda number: self.asked.append(number) or has_left(number)
        worker.serve(served.application, {}, None)
        theirs.close()
        sent = list(iter(lambda: ours.recv(1 << 20), b""))
        ours.close()
        control.close()
        os.close(writer)
        return sent

    @unittest.skipUnless(sys.platform == "linux", "sockets of packets are Linux's")
    def test_one_send_where_all_is_known(self):
        for blocks in ("[b'hello']", "[b'hel', b'lo']", "(b'hello',)", "[]"):
            self.assertEqual(len(self.sends(f"'200 OK', TEXT, {blocks}")), 1, blocks)
        self.assertGreater(len(self.sends("'200 OK', TEXT, [b'x' * 40000] * 3")), 1, "what is long is not copied as a whole")
        # Where the application runs between the blocks, each goes on its way at once, the head with the first.
        sent = self.sends("'200 OK', TEXT, Blocks([b'a', b'', b'b'])")
        self.assertEqual([packet[-4:] for packet in sent], [b"1:a,", b"1:b,", b",0:,"])
        self.assertEqual(len(self.asked), 3)

    @unittest.skipUnless(sys.platform == "linux", "sockets of packets are Linux's")
    def test_whether_the_client_has_left_is_not_asked_once_it_has_all(self):
        self.assertEqual(len(self.sends("'200 OK', TEXT + [('Content-Length', '2')], Blocks([b'a', b'b'])")), 3)
        self.assertEqual(len(self.asked), 1)


if __name__ == "__main__":
    unittest.main()
