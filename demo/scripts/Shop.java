// A service of the demo: the JDK's own HTTP server and client, threads from a pool. Started as "java Shop.java".
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.FileWriter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

public class Shop {
    record Call(String method, String to, String path, int bytes, String address) {}

    record Route(String method, String path, int status, int delay, int slowPercent, int slow, int failPercent, int failStatus,
            int bytes, List<Call> calls) {}

    static final List<Route> routes = new ArrayList<>();
    static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    static int port;
    static FileWriter log;

    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Path.of(System.getenv("SONDE_DEMO_SPEC")))) {
            String[] f = line.split("\t");
            switch (f[0]) {
                case "port" -> port = Integer.parseInt(f[1]);
                case "log" -> log = new FileWriter(f[1], true);
                case "route" -> routes.add(new Route(f[1], f[2], num(f[3]), num(f[4]), num(f[5]), num(f[6]), num(f[7]), num(f[8]),
                        num(f[9]), new ArrayList<>()));
                case "call" -> routes.get(routes.size() - 1).calls.add(new Call(f[1], f[2], f[3], num(f[4]), f[5].split(",")[0]));
                default -> { }
            }
        }
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 128);
        server.createContext("/", Shop::serve);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.start();
    }

    static int num(String s) {
        return Integer.parseInt(s);
    }

    static void serve(HttpExchange x) throws IOException {
        x.getRequestBody().readAllBytes();
        int status = 404;
        byte[] body = "no such thing".getBytes();
        for (Route r : routes) {
            String star = match(r.path, x.getRequestURI().getPath());
            if (r.method.equals(x.getRequestMethod()) && star != null) {
                status = perform(r, star);
                body = filler(r.bytes).getBytes();
                break;
            }
        }
        x.getResponseHeaders().set("Content-Type", "application/json");
        x.sendResponseHeaders(status, body.length);
        x.getResponseBody().write(body);
        x.close();
    }

    static int perform(Route r, String star) {
        int status = r.status;
        for (Call c : r.calls) {
            if (call(c, star) >= 500) {
                status = 502;
                break;
            }
        }
        ThreadLocalRandom random = ThreadLocalRandom.current();
        long ms = random.nextInt(100) < r.slowPercent ? r.slow : (long) ((0.5 + random.nextDouble()) * r.delay);
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return random.nextInt(100) < r.failPercent ? r.failStatus : status;
    }

    static int call(Call c, String star) {
        String path = c.path.replace("*", star);
        int status = 599;
        HttpRequest.BodyPublisher body = c.bytes == 0 ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(filler(c.bytes));
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + c.address + path)).timeout(Duration.ofSeconds(10))
                .method(c.method, body).build();
        try {
            status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException | InterruptedException e) {
            // 599 says it
        }
        synchronized (log) {
            try {
                log.write(c.to + "\t" + c.method + "\t" + path + "\t" + status + "\n");
                log.flush();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
        return status;
    }

    static String match(String pattern, String path) {
        String[] ps = pattern.split("/", -1);
        String[] ss = path.split("/", -1);
        String star = "";
        if (ps.length != ss.length) {
            return null;
        }
        for (int i = 0; i < ps.length; i++) {
            if (ps[i].equals("*")) {
                star = ss[i];
            } else if (!ps[i].equals(ss[i])) {
                return null;
            }
        }
        return star;
    }

    static String filler(int n) {
        return n < 2 ? "0".repeat(n) : '"' + "x".repeat(n - 2) + '"';
    }
}
