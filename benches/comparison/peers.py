"""Who is compared: ownhands, the limit, and the peers, with where each is found and how it is started."""

import os
import pathlib
import shutil
import subprocess
import sys

from measured import HERE, Failed, Server, Skipped, built

from . import configured
from .workload import FILES, LISTINGS, ROUTES

# Debian keeps nginx and lighttpd where only root looks for programs, and cargo its own where only its shell does.
PATHS = [os.environ.get("PATH", ""), "/usr/sbin", str(pathlib.Path.home() / ".cargo" / "bin")]


class Peer:
    """A server that can be started as often as it is asked for."""

    def __init__(self, name, kinds, find, command, version=(), keeps_idle=True, shows_details=True):
        """`find` returns its program, or raises `Skipped`; `command` what starts it at a place."""
        self.name, self.kinds, self.find, self.command = name, kinds, find, command
        self.version_options = version
        # Whether a connection may stay for minutes between two requests.
        self.keeps_idle = keeps_idle
        # Whether its listings show sizes and dates; without them it need not look at a single file.
        self.shows_details = shows_details
        self.program = None

    def start(self, place, core):
        with open(place.scratch / "stderr", "w+", encoding="utf-8") as errors:
            command = self.command(self.program, place)
            try:
                return Server(self.name, command, core, place.url, errors)
            except Failed as why:
                errors.seek(0)
                said = errors.read().strip().splitlines()
                raise Failed(f"{why}: {said[-1]}" if said else str(why)) from None

    def version(self):
        """What it calls itself, in a line."""
        if not self.version_options:
            return None
        told = subprocess.run([self.program, *self.version_options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = told.stdout.strip().splitlines()
        return lines[0] if lines else None


def installed(name):
    def find():
        program = shutil.which(name, path=os.pathsep.join(PATHS))
        if not program:
            raise Skipped(f"{name} is not installed")
        return program

    return find


def made(package, name, *options):
    """A program of this repository, which is no part of the package ownhands and is built when it is asked for."""

    def find():
        print(f"building {name} in benches/{package}", file=sys.stderr)
        try:
            return built(HERE / package, name, "--locked", *options)
        except Failed as why:
            raise Skipped(str(why)) from None

    return find


def route(name):
    return Peer(
        name,
        {ROUTES},
        made("peers", f"hello-{name}", "--features", name),
        lambda program, place: [program, place.address],
    )


def limit(program, place):
    """The same bytes for each request, from memory, or what is large from a file."""
    more = []
    if place.is_large:
        path = place.scratch / "canned"
        path.write_bytes(place.canned)
        more = [str(path)]
    elif place.closes:
        more = ["close"]
    return [program, place.address, str(len(place.canned)), *more]


def ownhands(binary):
    """The server itself; its demo answers the route."""

    def command(verb):
        options = ["--bind", "127.0.0.1", "--access-log", "off", "--log-level", "warn", "--idle-timeout", "600"]
        return lambda program, place: [
            program, *verb, *options, "--port", str(place.port), "--max-connections", str(place.connections), str(place.root)
        ]

    return [
        Peer("ownhands", {FILES, LISTINGS}, lambda: binary, command([])),
        Peer("ownhands", {ROUTES}, lambda: binary, command(["demo"])),
    ]


STATIC = {FILES, LISTINGS}

LIMIT = Peer("limit", {FILES, LISTINGS, ROUTES}, made("limit", "limit"), limit)

PEERS = [
    Peer("nginx", STATIC, installed("nginx"), configured.nginx, ["-v"]),
    Peer("nginx-cache", STATIC, installed("nginx"), configured.nginx_cache),
    Peer("lighttpd", STATIC, installed("lighttpd"), configured.lighttpd, ["-v"]),
    Peer("h2o", STATIC, installed("h2o"), configured.h2o, ["--version"], shows_details=False),
    Peer("caddy", STATIC, installed("caddy"), configured.caddy, ["version"]),
    Peer("darkhttpd", STATIC, installed("darkhttpd"), configured.darkhttpd, ["--version"], shows_details=False),
    Peer("static-web-server", STATIC, installed("static-web-server"), configured.static_web_server, ["--version"]),
    # Five seconds between two requests, which cannot be changed.
    Peer("miniserve", STATIC, installed("miniserve"), configured.miniserve, ["--version"], keeps_idle=False),
    route("hyper"),
    route("actix-web"),
    route("ntex"),
    route("may_minihttp"),
]
