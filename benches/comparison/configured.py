"""The peers that are installed on the machine, each with the settings that are best known for files.

All have one worker, no access log, and connections that stay: requests without end on each, and ten minutes between
two. None may remember for longer than a second what a file or a directory holds.
"""

NGINX = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {scratch}/nginx.pid;
error_log {scratch}/error.log warn;
{user}
# No more than are needed: each is paid for in memory at the start.
events {{ worker_connections {room}; }}
http {{
    types {{ text/plain txt; }}
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    {cache}
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    server {{
        listen {address} backlog=4096;
        root {root};
        autoindex on;
        # Without it, the log of errors is written for each 404.
        log_not_found off;
    }}
}}
"""

NGINX_CACHE = "open_file_cache max=2000; open_file_cache_valid 1s; open_file_cache_errors on;"

# 65535 requests are the most it takes; wrk then connects anew.
LIGHTTPD = """\
server.document-root = "{root}"
server.errorlog = "{scratch}/lighttpd.log"
server.bind = "127.0.0.1"
server.port = {port}
server.modules = ( "mod_dirlisting" )
server.listen-backlog = 4096
server.max-fds = {descriptors}
server.max-connections = {connections}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 600
server.max-read-idle = 600
dir-listing.activate = "enable"
mimetype.assign = ( ".txt" => "text/plain", "" => "application/octet-stream" )
"""

H2O = """\
num-threads: 1
max-connections: {connections}
error-log: {scratch}/h2o.log
pid-file: {scratch}/h2o.pid
http1-request-timeout: 600
{user}
listen:
  host: 127.0.0.1
  port: {port}
hosts:
  default:
    paths:
      /:
        file.dir: {root}
        file.dirlisting: ON
"""

CADDY = """\
{{
    admin off
    auto_https off
    log {{
        level ERROR
    }}
}}
http://:{port} {{
    bind 127.0.0.1
    root * {root}
    file_server browse
}}
"""


def descriptors(connections):
    """Those for connections and for files that are kept open. lighttpd takes half as many connections as these."""
    return max(4096, 2 * connections)


def fitted(template, place, **more):
    return template.format(
        scratch=place.scratch, root=place.root, port=place.port, address=place.address,
        connections=place.connections, descriptors=descriptors(place.connections), **more,
    )


def nginx(program, place, cache=""):
    # Of the last sixteenth it gives none away without closing another that is idle.
    room = place.connections + place.connections // 4
    text = fitted(NGINX, place, room=room, user="user root;" if place.is_root() else "", cache=cache)
    log = str(place.scratch / "error.log")
    return [program, "-p", str(place.scratch), "-e", log, "-c", place.write("nginx.conf", text)]


def nginx_cache(program, place):
    return nginx(program, place, NGINX_CACHE)


def lighttpd(program, place):
    return [program, "-D", "-f", place.write("lighttpd.conf", fitted(LIGHTTPD, place))]


def h2o(program, place):
    # Without `user` it becomes nobody, who may not read the directory.
    text = fitted(H2O, place, user="user: root" if place.is_root() else "")
    return [program, "-m", "worker", "-c", place.write("h2o.conf", text)]


def caddy(program, place):
    config = place.write("Caddyfile", fitted(CADDY, place))
    # It keeps its state below these; one processor of Go's own for one core.
    settings = [f"{name}={place.scratch}" for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")]
    return ["env", "GOMAXPROCS=1", *settings, program, "run", "--config", config, "--adapter", "caddyfile"]


def darkhttpd(program, place):
    options = ["--addr", "127.0.0.1", "--port", str(place.port), "--maxconn", str(place.connections)]
    return [program, str(place.root), *options, "--timeout", "600", "--log", "/dev/null"]


def static_web_server(program, place):
    # A thread for each core that it may run on: one. The other threads open files and read them.
    options = ["--host", "127.0.0.1", "--port", str(place.port), "--root", str(place.root), "--threads-multiplier", "1"]
    # By the environment: where it was built without compression it knows no option for it.
    return ["env", "SERVER_COMPRESSION=false", program, *options, "--directory-listing", "true", "--log-level", "error"]


def miniserve(program, place):
    options = ["--interfaces", "127.0.0.1", "--port", str(place.port), "--workers", "1", "--quiet"]
    return [program, *options, str(place.root)]
