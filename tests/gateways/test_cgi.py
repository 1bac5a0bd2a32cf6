"""Scripts below --cgi (RFC 3875)."""

import os
import re
import shutil
import subprocess
import time
import unittest
from datetime import datetime, timedelta

from house import CGI_BIN, Housed, is_alive, wait_for


class Cgi(Housed):
    arguments = ["--cgi", f"/cgi-bin={CGI_BIN}", "--cgi-timeout", "1", "--max-body", "20000000"]

    def tearDown(self):
        wait_for("a script is left behind", lambda: not self.scripts())

    def scripts(self):
        """What runs of ours, beside the server's own processes."""
        return [pid for pid in self.shared.tree() if not self.shared.is_own(pid)]

    def test_time_and_host(self):
        for script in ("time", "time.py"):
            answer = self.ask(f"/cgi-bin/{script}", headers={"Host": "example.org"})
            self.assertEqual((answer.status, answer["Content-Type"]), (200, "text/plain"))
            moment, host = answer.text.splitlines()
            self.assertEqual(host, "example.org")
            self.assertLess(abs(datetime.utcnow() - datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")), timedelta(seconds=60))

    def test_environ(self):
        os.environ["A_SECRET"] = "of the server"
        house = self.house(*self.arguments)
        del os.environ["A_SECRET"]
        said = dict(line.partition("=")[::2] for line in house.ask("/cgi-bin/environ/a%20b/c?q=%20", headers={"Authorization": "Basic x", "X-A": "b"}).text.splitlines())
        expected = {"SCRIPT_NAME": "/cgi-bin/environ", "PATH_INFO": "/a b/c", "QUERY_STRING": "q=%20", "REQUEST_METHOD": "GET",
                    "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_X_A": "b", "REMOTE_ADDR": "127.0.0.1",
                    "HTTP_AUTHORIZATION": None, "A_SECRET": None, "directory": str(CGI_BIN)}
        self.assertEqual({name: said.get(name) for name in expected}, expected)
        self.assertIn("PATH", said)

    def test_bodies(self):
        for body in (b"", b"short", os.urandom(10 << 20)):
            answer = self.ask("/cgi-bin/echo", body)
            self.assertEqual((answer.status, answer["X-Length"], answer.body == body), (200, str(len(body)), True))
        self.assertEqual(self.ask("/cgi-bin/echo", iter([b"in ", b"chunks"])).body, b"in chunks")
        self.assertEqual(self.ask("/cgi-bin/early", os.urandom(5 << 20)).body, b"early\n")

    def test_heads(self):
        answer = self.ask("/cgi-bin/status")
        self.assertEqual((answer.status, answer["Status"], answer.body), (404, None, b"not here\n"))
        answer = self.ask("/cgi-bin/absolute")
        self.assertEqual((answer.status, answer["Location"]), (302, "http://example.org/elsewhere"))
        answer = self.ask("/cgi-bin/local", headers={"Host": "example.org"})
        self.assertEqual((answer.status, answer["Location"], answer.text.splitlines()[1]), (200, None, "example.org"))
        self.assertEqual(self.ask("/cgi-bin/time", method="HEAD").body, b"")

    def test_heads_that_are_none(self):
        for script in ("no-head", "nothing", "injects"):
            self.since = len(self.shared.log())
            answer = self.ask(f"/cgi-bin/{script}")
            self.assertEqual((answer.status, answer["X-Injected"]), (502, None), script)
            self.logs(script)
        self.assertIn(self.ask("/cgi-bin/nph-raw").status, (404, 502))
        self.assertGreaterEqual(self.ask("/cgi-bin/loop").status, 500)

    def test_what_it_says_goes_into_the_log(self):
        self.assertEqual(self.ask("/cgi-bin/says").body, b"said\n")
        self.logs("says.*something for the log")

    def test_what_is_no_script(self):
        for path in ("/cgi-bin/nowhere", "/cgi-bin/", "/cgi-bin/../test_cgi.py", "/cgi-bin/%2e%2e/run", "/cgi-bin/.hidden"):
            self.assertIn(self.ask(path).status, (400, 403, 404), path)
        answer = self.ask("/cgi-bin/not-executable")
        self.assertIn(answer.status, (403, 404))
        self.assertNotIn("printf", answer.text)

    def test_never_outside(self):
        scripts = self.directory / "scripts"
        scripts.mkdir()
        shutil.copy(CGI_BIN / "time", self.directory / "outside")
        (scripts / "link").symlink_to(self.directory / "outside")
        house = self.house("--cgi", f"/cgi-bin={scripts}")
        self.assertIn(house.ask("/cgi-bin/link").status, (403, 404))

    def test_off_by_default(self):
        house = self.house(str(CGI_BIN.parent))
        self.assertIn("printf", house.ask("/cgi-bin/time").text)

    def test_never_answers(self):
        self.assertEqual(self.ask("/cgi-bin/never").status, 504)
        self.logs("never")

    def test_one_that_ignores_sigterm_and_its_child(self):
        sign = self.directory / "sign"
        self.assertEqual(self.ask(f"/cgi-bin/stubborn?{sign}").status, 504)
        family = list(map(int, sign.read_text().split()))
        self.assertEqual(len(family), 2)
        wait_for("it is still there", lambda: not any(map(is_alive, family)))

    def test_one_that_leaves_a_child_behind(self):
        sign = self.directory / "sign"
        began = time.monotonic()
        self.assertEqual(self.ask(f"/cgi-bin/leaves-child?{sign}").body, b"left\n")
        self.assertLess(time.monotonic() - began, 10)
        wait_for("its child is still there", lambda: not is_alive(int(sign.read_text())))

    def test_output_without_end(self):
        house = self.house("--cgi", f"/cgi-bin={CGI_BIN}")
        peer = house.connect(b"GET /cgi-bin/huge HTTP/1.1\r\nHost: a\r\n\r\n")
        before, came = house.memory(), 0
        while came < 50_000_000:
            came += len(peer.recv(1 << 20))
        self.assertLess(house.memory() - before, 8192, "KiB of memory")
        peer.close()
        wait_for("it is still there", lambda: all(map(house.is_own, house.tree())))

    def test_dies_in_the_middle(self):
        answer = self.ask("/cgi-bin/halfway")
        self.assertEqual((answer.status, answer.body, answer.is_whole), (200, b"begun\n", False))
        self.logs("halfway")

    def script(self, name, text):
        """A house with this script alone."""
        (self.directory / "scripts").mkdir()
        script = self.directory / "scripts" / name
        script.write_text(text)
        script.chmod(0o755)
        return self.house("--cgi", f"/cgi-bin={script.parent}", "--max-body", "20000000")

    def test_git_clones_and_pushes(self):
        git = shutil.which("git")
        if not git or not os.access(os.path.join(said(git, "--exec-path").strip(), "git-http-backend"), os.X_OK):
            self.skipTest("SKIPPED: there is no git http-backend")
        here, theirs, ours = (self.directory / name for name in ("here.git", "theirs", "ours"))
        backend = f"#!/bin/sh\nGIT_PROJECT_ROOT={self.directory} GIT_HTTP_EXPORT_ALL=1 exec git http-backend\n"
        url = self.script("git", backend).url + "/cgi-bin/git/here.git"
        said(git, "init", "--quiet", "--bare", here)
        said(git, "-C", here, "config", "http.receivepack", "true")
        said(git, "clone", "--quiet", url, theirs)
        # A pack of this size comes in chunks.
        (theirs / "large").write_bytes(os.urandom(3 << 20))
        said(git, "-C", theirs, "add", "large")
        for number in range(40):
            said(git, "-C", theirs, "commit", "--quiet", "--allow-empty", "--message", str(number))
            if number in (0, 39):
                said(git, "-C", theirs, "push", "--quiet", "origin", "HEAD:refs/heads/main")
            if number == 0:
                said(git, "clone", "--quiet", "--branch", "main", url, ours)
        # What has so many commits to name is compressed.
        said(git, "-C", ours, "pull", "--quiet", "--ff-only")
        for number in range(40):
            said(git, "-C", ours, "commit", "--quiet", "--allow-empty", "--message", str(number))
        said(git, "-C", theirs, "commit", "--quiet", "--allow-empty", "--message", "last")
        said(git, "-C", theirs, "push", "--quiet", "origin", "HEAD:refs/heads/main")
        said(git, "-C", ours, "fetch", "--quiet")
        self.assertEqual(said(git, "-C", ours, "rev-parse", "origin/main"), said(git, "-C", theirs, "rev-parse", "HEAD"))
        self.assertEqual((ours / "large").read_bytes(), (theirs / "large").read_bytes())

    def test_php_runs_a_script_that_names_it(self):
        php = shutil.which("php-cgi")
        if not php:
            self.skipTest("SKIPPED: there is no php-cgi")
        text = f"#!{php}\n<?php http_response_code(203); echo __FILE__, $_SERVER['PATH_INFO'], $_GET['a'], $_POST['b'];\n"
        house = self.script("a.php", text)
        answer = house.ask("/cgi-bin/a.php/info?a=1", b"b=2", headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual((answer.status, answer.text), (203, f"{self.directory / 'scripts' / 'a.php'}/info12"))

    def test_nothing_is_left(self):
        self.ask("/cgi-bin/time")
        time.sleep(0.3)
        before = self.shared.descriptors()
        for _ in range(30):
            for script in ("time", "no-head", "nothing", "early", "halfway", "says"):
                self.ask(f"/cgi-bin/{script}")
        wait_for(f"not {before} descriptors but {self.shared.descriptors()}", lambda: self.shared.descriptors() <= before)


def said(*command):
    """What a command says that must not fail, and has nobody's settings."""
    own = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    for role in ("AUTHOR", "COMMITTER"):
        own.update({f"GIT_{role}_NAME": "a", f"GIT_{role}_EMAIL": "a@example.org"})
    return subprocess.run(command, env=own, check=True, capture_output=True, text=True, timeout=60).stdout


if __name__ == "__main__":
    unittest.main()
