"""Lists the exchanges of a capture as tshark reads it: oracle.py FILE PORT"""
import json, subprocess, sys
f, port = sys.argv[1], sys.argv[2]
out = subprocess.run(["tshark", "-r", f, "-d", f"tcp.port=={port},http2", "-T", "json", "--no-duplicate-keys", "-Y", "http2"], capture_output=True, text=True).stdout
def all_of(x): return x if isinstance(x, list) else [x]
ex = {}
for p in json.loads(out):
    L = p["_source"]["layers"]
    conn = L["tcp"]["tcp.stream"]; server = L["tcp"]["tcp.srcport"] == port
    for h in all_of(L["http2"]):
        for s in all_of(h.get("http2.stream", [])):
            if not isinstance(s, dict): continue
            sid, typ = int(s.get("http2.streamid", 0)), s.get("http2.type")
            if sid == 0: continue
            e = ex.setdefault((int(conn), sid), dict(m="-", p="-", st="-", g=None, req=0, res=0, ct=""))
            if typ == "1":
                for k in all_of(s.get("http2.header", [])):
                    n, v = k.get("http2.header.name"), k.get("http2.header.value", "")
                    if n == ":method": e["m"] = v
                    if n == ":path": e["p"] = v.split("?")[0]
                    if n == ":status": e["st"] = v
                    if n == "grpc-status": e["g"] = v
                    if n == "content-type" and not server: e["ct"] = v
            if typ == "0":
                e["res" if server else "req"] += int(s["http2.length"]) - int(s.get("http2.pad_length", 0) or 0)
for (c, sid), e in sorted(ex.items()):
    if e["ct"].startswith("application/grpc"):
        print(c, sid, "grpc -", e["p"][1:], e["g"], f"req={e['req']} res={e['res']}")
    elif e["m"] != "-" or e["st"] != "-":
        print(c, sid, e["m"], e["p"], e["st"], f"req={e['req']} res={e['res']}")
