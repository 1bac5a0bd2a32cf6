"""A load, made by wrk on a core of its own and counted by it."""

import json
import subprocess

# Seconds after which wrk takes a request for lost.
PATIENCE = 10

# wrk calls `done` at the end. Times are microseconds.
SCRIPT = """\
local fields, targets, depth, once = {{{fields}}}, {{{targets}}}, {depth}, {once}
for name, value in pairs(fields) do wrk.headers[name] = value end
local requests, at, left = {{}}, 0, #targets

function init()
    for index, target in ipairs(targets) do
        requests[index] = string.rep(wrk.format("GET", target), depth)
    end
end

-- Without it wrk sends the same bytes again and again, and needs less time itself.
if #targets > 1 or depth > 1 then
    function request()
        at = at % #requests + 1
        return requests[at]
    end
end

if once then
    function response()
        left = left - 1
        if left == 0 then wrk.thread:stop() end
    end
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format('\\n{{"requests": %d, "bytes": %d, "duration": %d, "p50": %d, "p99": %d, "status": %d, ' ..
        '"connect": %d, "read": %d, "write": %d, "timeout": %d}}\\n', summary.requests, summary.bytes, summary.duration,
        latency:percentile(50), latency:percentile(99), e.status, e.connect, e.read, e.write, e.timeout))
end
"""


class Count:
    """What wrk has counted in one run."""

    def __init__(self, told):
        self.requests, self.bytes, self.refused = told["requests"], told["bytes"], told["status"]
        self.rate = told["requests"] / told["duration"] * 1e6
        self.p50, self.p99 = told["p50"] / 1000, told["p99"] / 1000
        self.errors = [f"{told[kind]} {kind} errors" for kind in ("connect", "read", "write", "timeout") if told[kind]]


class LoadFailed(Exception):
    """wrk has not come to its end. Says why."""


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def script(targets, fields, depth, once):
    """The Lua that makes wrk send these requests."""
    return SCRIPT.format(
        fields=", ".join(f"[{quoted(name)}] = {quoted(value)}" for name, value in fields.items()),
        targets=", ".join(map(quoted, targets)),
        depth=depth,
        once=str(once).lower(),
    )


def load(url, path, connections, seconds, core):
    """Loads the server behind the URL as the script at `path` says."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={PATIENCE}s"]
    command += ["--latency", "-s", str(path), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as generator:
        try:
            text = generator.communicate(timeout=seconds + 30)[0]
        except subprocess.TimeoutExpired:
            raise LoadFailed(f"not over after {seconds + 30} seconds") from None
        finally:
            generator.kill()  # on Ctrl-C too; nothing happens to one that has ended
    lines = [line for line in text.splitlines() if line.startswith('{"requests"')]
    if generator.returncode != 0 or not lines:
        raise LoadFailed(f"wrk ended with code {generator.returncode}: {text.strip()[-200:]}")
    return Count(json.loads(lines[-1]))
