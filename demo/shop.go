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
)

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

// A route is one thing a service does. "*" in a path stands for any one segment, and in a call for the same one.
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

// A call is a request that a route makes before it answers.
type call struct {
	method, to, path string
	bytes            int // of the request's body
}

// shop is the whole demo. The order is that of starting: whoever is called comes first.
func shop() []service {
	return []service{
		{name: "inventory", kind: kindGo, replicas: 3, routes: []route{
			{method: "GET", path: "/stock/*", status: 200, delayMs: 4, bytes: 180},
			{method: "POST", path: "/reservations", status: 201, delayMs: 8, bytes: 90},
		}},
		{name: "pricing", kind: kindGo, keepAlive: true, routes: []route{
			{method: "GET", path: "/prices/*", status: 200, delayMs: 3, bytes: 120, calls: []call{{"GET", "pricing", "/rates/current", 0}}},
			{method: "GET", path: "/rates/current", status: 200, delayMs: 1, bytes: 60},
		}},
		{name: "payment", kind: kindThreads, routes: []route{
			{method: "POST", path: "/charges", status: 201, delayMs: 45, failPercent: 3, failStatus: 503, bytes: 240},
		}},
		{name: "shipping", kind: kindNode, routes: []route{
			{method: "POST", path: "/labels", status: 201, delayMs: 12, bytes: 900},
			{method: "GET", path: "/zones", status: 200, delayMs: 2, bytes: 400},
		}},
		{name: "catalog", kind: kindGo, keepAlive: true, routes: []route{
			{method: "GET", path: "/products", status: 200, delayMs: 9, bytes: 14000},
			{method: "GET", path: "/products/*", status: 200, delayMs: 5, bytes: 1600, calls: []call{{"GET", "inventory", "/stock/*", 0}}},
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
				calls: []call{{"GET", "catalog", "/products/*", 0}, {"GET", "pricing", "/prices/*", 0}}},
			{method: "GET", path: "/carts/*", status: 200, delayMs: 3, bytes: 700},
		}},
		{name: "checkout", kind: kindGo, routes: []route{
			{method: "POST", path: "/orders", status: 201, delayMs: 10, bytes: 480, calls: []call{
				{"GET", "cart", "/carts/*", 0}, {"POST", "inventory", "/reservations", 200},
				{"POST", "payment", "/charges", 350}, {"POST", "shipping", "/labels", 600}}},
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
			{"GET", "catalog", "/products", 0}, {"GET", "shipping", "/zones", 0}, {"GET", "catalog", "/products", 0}}}}},
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
