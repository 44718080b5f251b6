import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.Executors;

/**
 * Nested.java PORT BACKEND CLIENT: nested.py for Java, with a pool of 64 threads. CLIENT: "url" calls by HttpURLConnection, which writes on
 * the thread of the caller; "client" by HttpClient, which writes on a thread of its own. PORT and BACKEND may be ADDRESS:PORT. With CLOSE=1
 * in the environment each call of HttpURLConnection has a connection of its own.
 */
public final class Nested {
    private static String backend;
    private static HttpClient client;

    private static byte[] post(String path, byte[] body) throws IOException, InterruptedException {
        URI uri = URI.create(backend + path);
        if (client != null) {
            HttpRequest request = HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
            return client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
        }
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setDoOutput(true);
        try (var out = connection.getOutputStream()) {
            out.write(body);
        }
        try (var in = connection.getInputStream()) {
            return in.readAllBytes();
        }
    }

    private static byte[] call(String path) throws IOException, InterruptedException {
        URI uri = URI.create(backend + path);
        if (client != null) {
            return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray()).body();
        }
        try (var body = ((HttpURLConnection) uri.toURL().openConnection()).getInputStream()) {
            return body.readAllBytes();
        }
    }

    private static void answer(HttpExchange exchange) throws IOException {
        try {
            String path = exchange.getRequestURI().getPath();
            String number = path.substring(path.lastIndexOf('/') + 1);
            String mode = String.valueOf(exchange.getRequestURI().getQuery());
            if (mode.equals("before")) {
                Thread.sleep(Integer.parseInt(number) % 7);
            }
            byte[] body;
            if (exchange.getRequestMethod().equals("POST")) {
                body = post("/out/" + number, exchange.getRequestBody().readAllBytes());
            } else if (mode.equals("two")) {
                call("/out/" + number + "/1");
                body = call("/out/" + number + "/2");
            } else {
                body = call("/out/" + number);
            }
            if (mode.equals("after")) {
                Thread.sleep(Integer.parseInt(number) % 7);
            }
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            exchange.close();
        }
    }

    private static String endpoint(String text) {
        return text.contains(":") ? text : "127.0.0.1:" + text;
    }

    public static void main(String[] args) throws IOException {
        if ("1".equals(System.getenv("CLOSE"))) {
            System.setProperty("http.keepAlive", "false");
        }
        backend = "http://" + endpoint(args[1]);
        if (args[2].equals("client")) {
            client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        }
        String[] here = endpoint(args[0]).split(":");
        HttpServer server = HttpServer.create(new InetSocketAddress(here[0], Integer.parseInt(here[1])), 512);
        server.setExecutor(Executors.newFixedThreadPool(64));
        server.createContext("/", Nested::answer);
        server.start();
    }
}
