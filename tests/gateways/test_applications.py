"""Applications of the WSGI world behind the real command, unchanged."""

import hashlib
import http.client
import http.cookiejar
import json
import os
import re
import subprocess
import unittest
import urllib.parse
import urllib.request

from house import APPS, PYTHON, Housed, wsgi


class Hello(Housed):
    """The four of "Let's Build A Web Server", part 2."""

    def says(self, application, path, said):
        house = self.house(*wsgi(application))
        for method in ("GET", "HEAD"):
            answer = house.ask(path, method=method)
            self.assertEqual((answer.status, answer["Content-Type"].partition(";")[0]), (200, "text/plain"))
            self.assertEqual(answer.body, said if method == "GET" else b"")
        self.assertNotIn("[ERROR]", house.stop())

    def test_a_bare_callable(self):
        self.says("bare:application", "/", b"Hello from a bare callable\n")
        self.says("bare", "/anywhere?at=all", b"Hello from a bare callable\n")

    def test_flask(self):
        self.says("flask_hello:app", "/hello", b"Hello from Flask\n")
        self.says("flask_hello:create_app()", "/hello", b"Hello from Flask\n")

    def test_pyramid(self):
        self.says("pyramid_hello:app", "/hello", b"Hello from Pyramid\n")

    def test_django(self):
        self.says("django_hello.wsgi:application", "/hello", b"Hello from Django\n")


class MoreFlask(Housed):
    arguments = wsgi("flask_more:app", "--max-body", "50000000")

    def test_an_upload(self):
        content = os.urandom(20_000_000)
        boundary = "some-boundary"
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\nJö\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode() + content + f"\r\n--{boundary}--\r\n".encode()
        fields = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        expected = {"name": "a.bin", "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "note": "Jö"}
        self.assertEqual(json.loads(self.ask("/upload", body, headers=fields).body), expected)
        # The same in chunks, whose length nobody knows before.
        blocks = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
        self.assertEqual(json.loads(self.ask("/upload", blocks, headers=fields).body), expected)

    def test_a_stream(self):
        answer = self.ask("/stream?lines=10000")
        self.assertEqual(answer.text, "".join(f"line {number}\n" for number in range(10_000)))
        self.assertEqual((answer["Transfer-Encoding"], answer["Content-Length"]), ("chunked", None))

    def test_a_stream_for_a_client_of_1996(self):
        peer = self.shared.connect(b"GET /stream?lines=1000 HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: peer.recv(65536), b""))
        head, _, body = said.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertEqual(body, b"".join(b"line %d\n" % number for number in range(1000)))
        peer.close()

    def test_a_session(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        counts = [json.load(opener.open(self.shared.url + "/count"))["count"] for _ in range(5)]
        self.assertEqual(counts, [1, 2, 3, 4, 5])

    def test_a_file(self):
        content = bytes(range(256)) * 4096
        self.assertEqual(self.ask("/file").body, content)
        answer = self.ask("/file", method="HEAD")
        self.assertEqual((answer["Content-Length"], answer.body), (str(len(content)), b""))

    def test_addresses(self):
        said = json.loads(self.ask("/where?a=%20b").body)
        self.assertEqual(said, {"url": f"{self.shared.url}/where?a=%20b", "root": "", "path": "/where", "address": "127.0.0.1"})
        answer = self.ask("/away", headers={"Host": "example.org"})
        self.assertEqual((answer.status, answer["Location"]), (302, "http://example.org/where"))

    def test_statuses(self):
        self.assertEqual(self.ask("/teapot").status, 418)
        self.assertEqual(self.ask("/nothing").status, 404)
        self.assertEqual(self.ask("/upload").status, 405)
        self.assertEqual(self.ask("/error").status, 500)
        self.logs("RuntimeError: raised on purpose")
        self.assertEqual(self.ask("/teapot", method="OPTIONS").status, 200)

    def test_connections_are_kept(self):
        connection = http.client.HTTPConnection(*self.shared.address, timeout=10)
        connection.connect()
        socket = connection.sock
        for path, length in (("/teapot", None), ("/stream?lines=10", None), ("/file", None), ("/error", None), ("/where", None)):
            connection.request("GET", path)
            connection.getresponse().read()
        self.assertIs(connection.sock, socket, "the connection was closed meanwhile")
        connection.close()


class Prefixes(Housed):
    """Below a path of its own, and beside files."""

    def test_an_application_below_a_prefix(self):
        house = self.house(*wsgi("flask_more:app", "--wsgi-path", "/python"))
        said = json.loads(house.ask("/python/where").body)
        self.assertEqual((said["root"], said["path"], said["url"]), ("/python", "/where", house.url + "/python/where"))
        self.assertEqual(house.ask("/where").status, 404)

    def test_files_first(self):
        (self.directory / "page.txt").write_text("a file\n")
        (self.directory / ".hidden").write_text("hidden\n")
        house = self.house(*wsgi("bare:application", "--try-files", "--mount", f"/files={self.directory}"), str(self.directory))
        self.assertEqual(house.ask("/page.txt").text, "a file\n")
        self.assertEqual(house.ask("/files/page.txt").text, "a file\n")
        self.assertEqual(house.ask("/files/nothing.txt").status, 404)
        self.assertEqual(house.ask("/nothing.txt").text, "Hello from a bare callable\n")
        self.assertEqual(house.ask("/").text, "Hello from a bare callable\n")
        self.assertEqual(house.ask("/.hidden").text, "Hello from a bare callable\n")
        self.assertEqual(house.ask("/page.txt", b"a=b").text, "Hello from a bare callable\n")


class Admin(Housed):
    """Django's admin: its login page, with its static files from beside the application, and a login."""

    def test_a_login(self):
        variables = {"HOUSE": str(self.directory), "DJANGO_SETTINGS_MODULE": "django_admin.settings", "DJANGO_SUPERUSER_PASSWORD": "secret"}
        for command in (["migrate"], ["collectstatic", "--noinput"], ["createsuperuser", "--noinput", "--username", "root", "--email", "root@example.org"]):
            subprocess.run([PYTHON, "-m", "django", *command, "-v", "0"], cwd=APPS, check=True, timeout=120,
                           env={**os.environ, **variables, "PYTHONPATH": str(APPS), "PYTHONDONTWRITEBYTECODE": "1"})
        house = self.house(*wsgi("django_admin.wsgi:application", "--mount", f"/static={self.directory}/static"), variables=variables)
        self.assertEqual(house.ask("/admin/")["Location"], "/admin/login/?next=/admin/")
        cookies = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(cookies))
        page = opener.open(f"{house.url}/admin/login/?next=/admin/").read().decode()
        links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        self.assertGreater(len(links), 3, page)
        for link in links:
            answer = house.ask(link)
            self.assertEqual((answer.status, answer["Content-Type"].partition(";")[0] in ("text/css", "text/javascript")), (200, True), link)
            path = self.directory / link.lstrip("/")
            self.assertEqual(answer.body, path.read_bytes())
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        form = {"csrfmiddlewaretoken": token, "username": "root", "password": "secret", "next": "/admin/"}
        inside = opener.open(f"{house.url}/admin/login/?next=/admin/", urllib.parse.urlencode(form).encode())
        self.assertEqual(inside.url, f"{house.url}/admin/")
        self.assertIn("Site administration", inside.read().decode())
        self.assertEqual(house.ask("/admin/login/", urllib.parse.urlencode(form).encode()).status, 403)
        self.assertNotIn("Traceback", house.stop())


class Validated(Housed):
    """wsgiref.validate around an application finds nothing."""

    arguments = wsgi("validated:application", "--max-body", "20000000")

    def test_nothing_is_found(self):
        long = os.urandom(1 << 20) * 10
        bodies = [("GET", None), ("HEAD", None), ("GET", b""), ("POST", b""), ("POST", b"a\nb"), ("PUT", b"x" * 100_000), ("POST", long)]
        for method, body in bodies:
            for query in ("", "?lines"):
                for is_chunked in (False, True) if body is not None else (False,):
                    with self.subTest(f"{method}, {len(body or b'')} bytes{query}, {'chunked' if is_chunked else 'with a length'}"):
                        sent = (body[at : at + 70_000] for at in range(0, len(body), 70_000)) if is_chunked else body
                        answer = self.ask(f"/{query}", sent, method=method)
                        self.assertEqual(answer.status, 200)
                        self.assertEqual(answer["X-Length"], str(len(body or b"")))
                        self.assertTrue(answer.body == (b"" if method == "HEAD" else body or b""), "the echo differs")
        # A validator that has found something has raised it.
        self.assertNotRegex(self.shared.log(), "Traceback|Warning|Error")


if __name__ == "__main__":
    unittest.main()
