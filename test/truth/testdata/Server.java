// The truth server on the JDK's own com.sun.net.httpserver. Started as "java Server.java PORT".
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

public class Server {
    public static void main(String[] args) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 128);
        server.createContext("/", Server::serve);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }

    static void serve(HttpExchange x) throws IOException {
        byte[] body = x.getRequestBody().readAllBytes();
        String path = x.getRequestURI().getPath();
        String method = x.getRequestMethod();
        if (path.equals("/hello")) {
            reply(x, 200, "hello world\n".getBytes());
        } else if (path.startsWith("/items/")) {
            reply(x, method.equals("DELETE") ? 204 : 200, method.equals("DELETE") ? null : "{\"ok\": true}".getBytes());
        } else if (path.equals("/echo")) {
            reply(x, 200, body);
        } else if (path.equals("/fail")) {
            reply(x, 500, "broken".getBytes());
        } else if (path.equals("/cached")) {
            reply(x, 304, null);
        } else if (path.equals("/big")) {
            reply(x, 200, "x".repeat(300000).getBytes());
        } else if (path.equals("/chunked")) {
            x.sendResponseHeaders(200, 0); // 0: chunked
            for (int i = 0; i < 5; i++) {
                x.getResponseBody().write("y".repeat(1000).getBytes());
                x.getResponseBody().flush();
            }
        } else {
            reply(x, 404, "nope".getBytes());
        }
        x.close();
    }

    static void reply(HttpExchange x, int status, byte[] body) throws IOException {
        boolean none = body == null || body.length == 0 || x.getRequestMethod().equals("HEAD");
        if (body != null && x.getRequestMethod().equals("HEAD")) {
            x.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
        }
        x.sendResponseHeaders(status, none ? -1 : body.length);
        if (!none) {
            x.getResponseBody().write(body);
        }
    }
}
