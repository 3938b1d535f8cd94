"""What both Python services of the demo share: the plan, and calls to other services with their log."""
import os
import random


class Plan:
    def __init__(self):
        self.routes, self.port, self.keepalive = [], 0, False
        with open(os.environ["SONDE_DEMO_SPEC"]) as f:
            for line in f.read().splitlines():
                f = line.split("\t")
                if f[0] == "service":
                    self.service = f[1]
                elif f[0] == "port":
                    self.port = int(f[1])
                elif f[0] == "keepalive":
                    self.keepalive = f[1] == "1"
                elif f[0] == "log":
                    self.log = open(f[1], "a", buffering=1)
                elif f[0] == "route":
                    keys = ("status", "delay", "slow_percent", "slow", "fail_percent", "fail_status", "bytes")
                    self.routes.append(dict(zip(keys, map(int, f[3:])), method=f[1], path=f[2], calls=[]))
                elif f[0] == "call":
                    call = dict(method=f[1], to=f[2], path=f[3], bytes=int(f[4]), addresses=f[5].split(","), protocol=f[6])
                    self.routes[-1]["calls"].append(call)

    def match(self, method, path):
        for r in self.routes:
            star = match_path(r["path"], path)
            if r["method"] == method and star is not None:
                return r, star or str(random.randrange(1000, 10000))
        return None, ""

    def logged(self, call, path, status, operation=None):
        self.log.write(f"{call['to']}\t{operation or call['method']}\t{path}\t{status}\n")


def match_path(pattern, path):
    ps, ss, star = pattern.split("/"), path.split("/"), ""
    if len(ps) != len(ss):
        return None
    for p, s in zip(ps, ss):
        if p == "*":
            star = s
        elif p != s:
            return None
    return star


def work(route):
    """Seconds of own work."""
    if random.randrange(100) < route["slow_percent"]:
        return route["slow"] / 1000
    return (0.5 + random.random()) * route["delay"] / 1000


def outcome(route, status):
    return route["fail_status"] if random.randrange(100) < route["fail_percent"] else status


def filler(n):
    return b'"' + b"x" * (n - 2) + b'"' if n >= 2 else b"0" * n
