package demo

// A kind is how a service is played. What the machine lacks falls back to kindGo.
type kind string

const (
	kindGo      kind = "go"
	kindNginx   kind = "nginx"
	kindThreads kind = "python"         // http.server with threads
	kindAsyncio kind = "python-asyncio" // asyncio streams, HTTP by hand
	kindNode    kind = "nodejs"
	kindJava    kind = "java"
	kindLoad    kind = "load" // makes requests only

	// Stand-ins for what a shop buys. They are always played by Go, so that their truth is known.
	kindCache    kind = "cache"    // speaks RESP2, as Redis
	kindDatabase kind = "database" // speaks PostgreSQL's protocol
	kindBroker   kind = "broker"   // speaks NATS
	kindResolver kind = "resolver" // speaks DNS over UDP
	kindRPC      kind = "rpc"      // speaks gRPC
	kindWorker   kind = "worker"   // has no port: handles messages only
)

// Protocols, by their names in OpenTelemetry (network.protocol.name, db.system.name).
const (
	protocolHTTP     = "http"
	protocolCache    = "redis"
	protocolDatabase = "postgresql"
	protocolBroker   = "nats"
	protocolDNS      = "dns"
	protocolRPC      = "grpc"
)

// protocol is what a service of this kind is spoken to in.
func (k kind) protocol() string {
	switch k {
	case kindCache:
		return protocolCache
	case kindDatabase:
		return protocolDatabase
	case kindBroker:
		return protocolBroker
	case kindResolver:
		return protocolDNS
	case kindRPC:
		return protocolRPC
	}
	return protocolHTTP
}

// isOwn says that this program plays the kind, whatever the machine has.
func (k kind) isOwn() bool {
	switch k {
	case kindGo, kindLoad, kindWorker:
		return true
	}
	return k.protocol() != protocolHTTP
}

// hasPort says that others can call a service of this kind.
func (k kind) hasPort() bool { return k != kindLoad && k != kindWorker }

// A service is one node of the true map.
type service struct {
	name     string
	kind     kind
	replicas int
	// keepAlive: its own calls reuse connections. Otherwise each call opens and closes one.
	keepAlive bool
	// relay: its replies carry the status of what it called (a gateway). Otherwise a failed call makes a 502.
	relay  bool
	routes []route
}

// A route is one thing a service does. "*" in a path stands for any one segment, and in a call for the same one, or for a number
// if there is none. What method and path are:
//
//	HTTP        method and path
//	PostgreSQL  verb and table of the statements; failStatus is the SQLSTATE, bytes is the number of rows
//	DNS         NAME and a name that is there; others are not
//	gRPC        CALL and package.Service/Method; failStatus is the code
//	messages    ON and a subject; the first call is the subscription, the others are made for each message
type route struct {
	method, path string
	status       int
	delayMs      int // of own work; varies evenly by half of itself
	slowPercent  int // of the requests take slowMs instead
	slowMs       int
	failPercent  int // of the requests are answered with failStatus
	failStatus   int
	bytes        int // of the reply's body
	calls        []call
}

// A call is a request that a route makes before it answers. What method and path are:
//
//	HTTP        method and path
//	Redis       GET or DEL, FETCH (GET; if it is not there, SET and EXPIRE together) or COUNT (INCR and EXPIRE together), and a key
//	PostgreSQL  EXECUTE (prepared once for each connection) or QUERY (simple), and a statement
//	NATS        PUBLISH or SUBSCRIBE, and a subject
//	DNS         LOOKUP and a name as a program has it: asked for with the search list, addresses of both families
//	gRPC        CALL and package.Service/Method
type call struct {
	method, to, path string
	bytes            int // of the request's body, or of what is stored or published
}

// shop is the whole demo. The order is that of starting: whoever is called comes first.
func shop() []service {
	return []service{
		{name: "cache", kind: kindCache},
		{name: "database", kind: kindDatabase, routes: []route{
			{method: "SELECT", path: "stock", delayMs: 1, bytes: 1},
			{method: "UPDATE", path: "stock", delayMs: 2, slowPercent: 6, slowMs: 350}, // waits for a lock now and then
			{method: "INSERT", path: "orders", delayMs: 3, failPercent: 4, failStatus: 23505, bytes: 1},
			{method: "UPDATE", path: "orders", delayMs: 2},
			{method: "SELECT", path: "orders", delayMs: 40, slowPercent: 30, slowMs: 1200, bytes: 12},
			{method: "INSERT", path: "payments", delayMs: 2},
		}},
		{name: "broker", kind: kindBroker},
		{name: "resolver", kind: kindResolver, routes: []route{
			{method: "NAME", path: "catalog.shop.svc.cluster.local"},
			{method: "NAME", path: "shipping.shop.svc.cluster.local"},
			{method: "NAME", path: "payment.shop.svc.cluster.local"},
			{method: "NAME", path: "smtp.example.net", delayMs: 3, slowPercent: 25, slowMs: 600},
		}},
		{name: "fraud", kind: kindRPC, routes: []route{
			{method: "CALL", path: "shop.fraud.v1.Fraud/Check", delayMs: 6, failPercent: 4, failStatus: 14, bytes: 20},
			{method: "CALL", path: "shop.fraud.v1.Fraud/Review", delayMs: 150, slowPercent: 30, slowMs: 900, bytes: 600},
		}},
		{name: "inventory", kind: kindGo, replicas: 3, routes: []route{
			{method: "GET", path: "/stock/*", status: 200, delayMs: 4, bytes: 180, calls: []call{
				{"EXECUTE", "database", "SELECT quantity FROM stock WHERE sku = $1", 0}}},
			{method: "POST", path: "/reservations", status: 201, delayMs: 8, bytes: 90, calls: []call{
				{"EXECUTE", "database", "UPDATE stock SET reserved = reserved + 1 WHERE sku = $1", 0}, {"PUBLISH", "broker", "stock.changed", 60}}},
		}},
		{name: "pricing", kind: kindGo, keepAlive: true, routes: []route{
			{method: "GET", path: "/prices/*", status: 200, delayMs: 3, bytes: 120, calls: []call{{"GET", "pricing", "/rates/current", 0}}},
			{method: "GET", path: "/rates/current", status: 200, delayMs: 1, bytes: 60},
		}},
		{name: "payment", kind: kindThreads, routes: []route{
			{method: "POST", path: "/charges", status: 201, delayMs: 45, failPercent: 3, failStatus: 503, bytes: 240, calls: []call{
				{"QUERY", "database", "INSERT INTO payments (order_id, cents, currency) VALUES (*, 4299, 'EUR')", 0}}},
		}},
		{name: "shipping", kind: kindNode, routes: []route{
			{method: "POST", path: "/labels", status: 201, delayMs: 12, bytes: 900},
			{method: "GET", path: "/zones", status: 200, delayMs: 2, bytes: 400},
		}},
		{name: "catalog", kind: kindGo, keepAlive: true, routes: []route{
			{method: "GET", path: "/products", status: 200, delayMs: 9, bytes: 14000},
			{method: "GET", path: "/products/*", status: 200, delayMs: 5, bytes: 1600, calls: []call{
				{"FETCH", "cache", "product:*", 900}, {"GET", "inventory", "/stock/*", 0}}},
			{method: "ON", path: "stock.changed", calls: []call{{"SUBSCRIBE", "broker", "stock.changed", 0}, {"DEL", "cache", "product:*", 0}}},
		}},
		{name: "search", kind: kindJava, keepAlive: true, routes: []route{
			{method: "GET", path: "/search", status: 200, delayMs: 22, bytes: 5200, calls: []call{{"GET", "catalog", "/products", 0}}},
		}},
		{name: "recommend", kind: kindAsyncio, routes: []route{
			{method: "GET", path: "/recommendations/*", status: 200, delayMs: 18, slowPercent: 8, slowMs: 700, bytes: 2100,
				calls: []call{{"GET", "catalog", "/products/*", 0}}},
		}},
		{name: "cart", kind: kindNode, keepAlive: true, routes: []route{
			{method: "POST", path: "/carts/*/items", status: 201, delayMs: 4, bytes: 320,
				calls: []call{{"GET", "catalog", "/products/*", 0}, {"GET", "pricing", "/prices/*", 0}, {"COUNT", "cache", "cart:*:items", 0}}},
			{method: "GET", path: "/carts/*", status: 200, delayMs: 3, bytes: 700, calls: []call{{"GET", "cache", "cart:*:items", 0}}},
		}},
		{name: "checkout", kind: kindGo, routes: []route{
			{method: "POST", path: "/orders", status: 201, delayMs: 10, bytes: 480, calls: []call{
				{"GET", "cart", "/carts/*", 0}, {"CALL", "fraud", "shop.fraud.v1.Fraud/Check", 24}, {"POST", "inventory", "/reservations", 200},
				{"LOOKUP", "resolver", "payment", 0}, {"POST", "payment", "/charges", 350},
				{"EXECUTE", "database", "INSERT INTO orders (id, customer, cents) VALUES ($1, $2, $3) RETURNING id", 0},
				{"POST", "shipping", "/labels", 600}, {"PUBLISH", "broker", "orders.placed", 480}}},
		}},
		{name: "mailer", kind: kindWorker, routes: []route{
			{method: "ON", path: "orders.placed", delayMs: 8, calls: []call{{"SUBSCRIBE", "broker", "orders.placed", 0},
				{"LOOKUP", "resolver", "smtp.example.net", 0}, {"EXECUTE", "database", "UPDATE orders SET mailed_at = now() WHERE id = $1", 0}}},
		}},
		{name: "gateway", kind: kindNginx, relay: true, routes: []route{
			{method: "GET", path: "/products", calls: []call{{"GET", "catalog", "/products", 0}}},
			{method: "GET", path: "/products/*", calls: []call{{"GET", "catalog", "/products/*", 0}}},
			{method: "GET", path: "/search", calls: []call{{"GET", "search", "/search", 0}}},
			{method: "GET", path: "/recommendations/*", calls: []call{{"GET", "recommend", "/recommendations/*", 0}}},
			{method: "POST", path: "/carts/*/items", calls: []call{{"POST", "cart", "/carts/*/items", 250}}},
			{method: "POST", path: "/orders", calls: []call{{"POST", "checkout", "/orders", 800}}},
		}},
		{name: "shoppers", kind: kindLoad, keepAlive: true, routes: []route{{calls: []call{
			{"GET", "gateway", "/products", 0}, {"GET", "gateway", "/products/*", 0}, {"GET", "gateway", "/products/*", 0},
			{"GET", "gateway", "/search", 0}, {"GET", "gateway", "/recommendations/*", 0},
			{"POST", "gateway", "/carts/*/items", 250}, {"POST", "gateway", "/orders", 800}}}}},
		// A job that lives for a moment every few seconds, as cron jobs do.
		{name: "reports", kind: kindLoad, routes: []route{{calls: []call{
			{"LOOKUP", "resolver", "catalog", 0}, {"GET", "catalog", "/products", 0}, {"GET", "shipping", "/zones", 0}, {"GET", "catalog", "/products", 0},
			{"QUERY", "database", "SELECT status, count(id) AS orders, sum(cents) AS cents FROM orders WHERE placed_at > now() - interval '1 day' GROUP BY status", 0},
			{"CALL", "fraud", "shop.fraud.v1.Fraud/Review", 24}}}}},
	}
}

// badReplica is the number of the inventory that is sick: five times slower, and every eighth request fails.
const badReplica = 2

func sicken(routes []route) []route {
	sick := make([]route, len(routes))
	copy(sick, routes)
	for i := range sick {
		sick[i].delayMs = sick[i].delayMs*5 + 60
		sick[i].failPercent, sick[i].failStatus = 12, 500
	}
	return sick
}
