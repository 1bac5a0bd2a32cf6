"""Who is compared: ownhands, the limit, and the peers, with where each is found and how it is started."""

import os
import pathlib
import re
import resource
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

    def __init__(self, name, kinds, find, command, tells=(), unfit=lambda workload: None, shows_details=True, notes=None):
        """`find` returns its program, or raises `Skipped`; `command` what starts it at a place; `unfit` says why it
        cannot take a workload."""
        self.name, self.kinds, self.find, self.command, self.unfit = name, kinds, find, command, unfit
        # The options that make it tell its version, or what knows it.
        self.tells = tells
        # Whether its listings show sizes and dates; without them it need not look at a single file.
        self.shows_details = shows_details
        # What it says of itself after the load, if anything, from its program and its place.
        self.notes = notes
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

    def note(self, place):
        said = self.notes(self.program, place) if self.notes else None
        return f"{self.name}: {said}" if said else None

    def version(self):
        """Its name and the version that it calls itself, if it does."""
        if callable(self.tells):
            return f"{self.name} {self.tells()}"
        if not self.tells:
            return None
        told = subprocess.run([self.program, *self.tells], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        number = re.search(r"\d+(\.\d+)+", told.stdout)
        return f"{self.name} {number.group()}" if number else self.name


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
        at_address,
        lambda: locked(name),
    )


def at_address(program, place):
    return [program, place.address]


def locked(package):
    """The version of a package in the lock file of benches/peers."""
    text = (HERE / "peers" / "Cargo.lock").read_text()
    return re.search(rf'^name = "{package}"\nversion = "([^"]*)"$', text, re.MULTILINE).group(1)


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
    """The server itself; the route is answered by a program that is made of its library, as those of the others are."""
    return [
        Peer("ownhands", STATIC, lambda: binary, own_command, ["--version"], notes=own_turns),
        Peer("ownhands", {ROUTES}, made("peers", "hello-ownhands", "--features", "ownhands"), at_address),
    ]


def own_command(program, place):
    options = ["--bind", "127.0.0.1", "--port", str(place.port), "--access-log", "off", "--log-level", "warn"]
    options += ["--idle-timeout", "600", "--max-connections", str(place.connections)]
    return [program, *options, "--pid-file", str(place.scratch / "pid"), str(place.root)]


def own_turns(program, place):
    """How long the turns of its loop were, of all rounds."""
    command = [program, "status", "--pid-file", str(place.scratch / "pid")]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    return next((line for line in told.splitlines() if line.startswith("turns")), None)


def unfit_lighttpd(workload):
    if workload.kind == LISTINGS and workload.connections > 1:
        return "it answers 503 where two ask for a listing at once"
    wanted, limit = configured.descriptors(workload.open_at_once), resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit < wanted:
        return f"it wants {wanted} descriptors for these connections, and may have {limit}"
    return None


def unfit_miniserve(workload):
    return "it closes a connection after five idle seconds, always" if workload.idle else None


STATIC = {FILES, LISTINGS}

LIMIT = Peer("limit", {FILES, LISTINGS, ROUTES}, made("limit", "limit"), limit)

PEERS = [
    Peer("nginx", STATIC, installed("nginx"), configured.nginx, ["-v"]),
    Peer("nginx-cache", STATIC, installed("nginx"), configured.nginx_cache, ["-v"]),
    Peer("lighttpd", STATIC, installed("lighttpd"), configured.lighttpd, ["-v"], unfit_lighttpd),
    Peer("h2o", STATIC, installed("h2o"), configured.h2o, ["--version"], shows_details=False),
    Peer("caddy", STATIC, installed("caddy"), configured.caddy, ["version"]),
    Peer("darkhttpd", STATIC, installed("darkhttpd"), configured.darkhttpd, ["--version"], shows_details=False),
    Peer("static-web-server", STATIC, installed("static-web-server"), configured.static_web_server, ["--version"]),
    Peer("miniserve", STATIC, installed("miniserve"), configured.miniserve, ["--version"], unfit_miniserve),
    route("hyper"),
    route("actix-web"),
    route("ntex"),
    route("may_minihttp"),
]
